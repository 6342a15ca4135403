"""The findings of Sentinels and directors, each from a healthy set with one thing wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.diagnosis.finding import Severity
from console.core.kinds import kind_of
from console.core.kinds.diagnose import all_rules, diagnose
from console.core.kinds.protection import protection
from console.core.model import (
    ArpSettings,
    InterfaceAddress,
    KnownReplica,
    KnownSentinel,
    ProblemKind,
    RealServer,
    read,
    unread,
)
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.predicates import watchers
from console.core.runbooks.vocabulary import evaluate

SET = sets.sentinel_vip_set()


def codes(state):
    return {one.code: one for one in diagnose(state, samples.NOW)}


def sentinel(name, state=SET, **changes):
    def changed(one):
        return replace(one, sentinel=one.sentinel.map(lambda value: replace(value, **changes)))

    return replace(state, sentinels=tuple(changed(one) if one.name == name else one for one in state.sentinels))


def watched(name, **changes):
    master = next(one for one in SET.sentinels if one.name == name).sentinel.value.master
    return sentinel(name, master=replace(master, **changes))


def director(name, state=SET, **changes):
    return replace(
        state, directors=tuple(replace(one, **changes) if one.name == name else one for one in state.directors)
    )


def table(name, change, state=SET):
    service = next(one for one in state.directors if one.name == name).services.value[0]
    servers = tuple(made for one in service.servers if (made := change(one)) is not None)
    return director(name, state, services=read((replace(service, servers=servers),), samples.NOW))


def weighing(address, weight, *names, state=SET):
    for name in names:
        state = table(name, lambda one: replace(one, weight=weight) if one.address == address else one, state)
    return state


def node_with(name, **changes):
    return samples.with_node(SET, name, **changes)


def serviced(state):
    """The inventory names the service of every Sentinel, on the node at its address."""
    hosts = {node.address: node.name for node in state.nodes}
    named = (replace(one, host=hosts[one.address], start="service redis-sentinel start") for one in state.sentinels)
    return replace(state, sentinels=tuple(named))


def silent(name, kind=ProblemKind.REFUSED):
    seen = unread(kind, "nothing listens there", samples.NOW)
    return replace(
        SET, sentinels=tuple(replace(one, sentinel=seen) if one.name == name else one for one in SET.sentinels)
    )


def stopped(name):
    one = next(one for one in SET.directors if one.name == name)
    keepalived = one.keepalived.map(lambda value: replace(value, running=False))
    kept = tuple(held for held in one.addresses.value if held.address != sets.READ_VIP)
    return director(name, keepalived=keepalived, addresses=read(kept, samples.NOW))


def both_hold():
    held = (*SET.directors[1].addresses.value, InterfaceAddress("eth2", sets.READ_VIP, 32))
    return director(sets.LB02, addresses=read(held, samples.NOW))


def without_read_vip(name):
    kept = tuple(one for one in SET.node(name).addresses.value if one.address != sets.READ_VIP)
    return node_with(name, addresses=read(kept, samples.NOW))


def outside(name):
    kept = tuple(one for one in SET.node(name).addresses.value if one.address != sets.READ_VIP)
    return node_with(name, addresses=read((*kept, InterfaceAddress("eth2", sets.READ_VIP, 20)), samples.NOW))


WEB01, WEB03 = sets.ADDRESS[sets.WEB01], sets.ADDRESS[sets.WEB03]
GONE = KnownReplica("10.18.14.99", 6379, frozenset({"slave", "s_down"}), False, "?:?", None, 100)
OLD = KnownSentinel("f" * 40, "10.18.14.99", 26379, frozenset({"sentinel", "s_down"}), 900.0)
LINK_DOWN = samples.with_link(SET, sets.WEB03, up=False, down_seconds=40)


FOUND = [
        (silent("sentinel2"), "sentinel-unreachable", Severity.WARNING, "sentinel2 could not be read"),
        (sentinel("sentinel1", quorum_ok=False, quorum_text="NOQUORUM 1 usable"), "sentinel-no-quorum",
         Severity.CRITICAL, "NOQUORUM 1 usable"),
        (sentinel("sentinel3", tilt=True), "sentinel-tilt", Severity.WARNING, "sentinel3 is in TILT mode"),
        (watched("sentinel3", host=sets.ADDRESS[sets.WEB02]), "sentinel-disagree", Severity.CRITICAL,
         "sentinel3 names web02"),
        (sentinel("sentinel3", master=None), "sentinel-disagree", Severity.CRITICAL, "names no master master1"),
        (replace(SET, sentinels=SET.sentinels[:2]), "sentinel-too-few", Severity.INFO, "There are 2 Sentinels"),
        (watched("sentinel1", flags=frozenset({"master", "failover_in_progress"})), "sentinel-failover-in-progress",
         Severity.WARNING, "sentinel1: failover_in_progress"),
        (watched("sentinel1", failover_state="wait_start"), "sentinel-failover-in-progress", Severity.WARNING,
         "wait_start"),
        (sentinel("sentinel1", replicas=(GONE,)), "sentinel-stale-peer", Severity.WARNING, "replica 10.18.14.99:6379"),
        (sentinel("sentinel1", peers=(OLD,)), "sentinel-stale-peer", Severity.WARNING, "Sentinel 10.18.14.99:26379"),
        (LINK_DOWN, "lvs-serves-stale", Severity.CRITICAL, "Readers are sent to web03"),
        (table(sets.LB02, lambda one: None if one.address == WEB03 else one), "lvs-real-server-missing",
         Severity.WARNING, "lb02: not in its table"),
        (weighing(WEB03, 0, sets.LB01, sets.LB02), "lvs-real-server-missing", Severity.INFO, "taken out by hand"),
        (director(sets.LB02, services=read((), samples.NOW)), "lvs-real-server-missing", Severity.WARNING,
         "lb02 has no virtual service"),
        (both_hold(), "lvs-director-split", Severity.CRITICAL, "on lb01 and lb02 at once"),
        (stopped(sets.LB01), "lvs-director-split", Severity.CRITICAL, "No director holds"),
        (stopped(sets.LB02), "lvs-director-split", Severity.WARNING, "keepalived does not run on lb02"),
        (weighing(WEB03, 0, sets.LB01), "lvs-director-split", Severity.WARNING, "do not spread readers alike"),
        (director(sets.LB01, services=unread(ProblemKind.NOT_PERMITTED, "not permitted", samples.NOW)),
         "lvs-director-unread", Severity.WARNING, "not known where it sends readers"),
        (without_read_vip(sets.WEB03), "read-vip-not-on-node", Severity.CRITICAL, "web03 does not have"),
        (node_with(sets.WEB01, arp=read(ArpSettings(0, 2), samples.NOW)), "arp-not-suppressed", Severity.CRITICAL,
         "web01 has 10.18.14.93 and answers ARP"),
        (outside(sets.WEB01), "arp-not-suppressed", Severity.CRITICAL, "on eth2 instead of its loopback"),
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "code", "severity", "said"), FOUND)
def test_each_is_found_with_its_figures(state, code, severity, said):
    found = codes(state)
    assert code in found, list(found)
    assert found[code].severity is severity
    assert said in "\n".join((found[code].summary, *found[code].evidence))


def test_every_row_of_sentinels_and_readers_has_a_state_that_shows_it():
    shared = {row.code for kind in ("keepalived", "sentinel-consul") for row in kind_of(kind).rules}
    own = {row.code for row in kind_of("sentinel-vip").rules if row.code.startswith(("sentinel-", "lvs-"))}
    arp = {"read-vip-not-on-node", "arp-not-suppressed"}
    assert own | arp == {row[1] for row in FOUND} | {"sentinel-master-not-vip", "sentinel-wrong-master"}
    assert {row.code for row in kind_of("sentinel-vip").rules} - own - shared == arp
    assert own <= {row.code for row in all_rules()}


def test_a_virtual_ip_that_leads_past_the_named_master_is_critical():
    elsewhere = replace(SET, vip_reach=SET.vip_reach.map(lambda one: replace(one, run_id=sets.run_id(sets.WEB02))))
    assert "sentinel-master-not-vip" in codes(elsewhere)
    assert "sentinel-master-not-vip" not in codes(SET)


def test_a_server_that_nobody_sends_readers_to_serves_nothing_stale():
    drained = weighing(WEB03, 0, sets.LB01, sets.LB02, state=LINK_DOWN)
    assert "lvs-serves-stale" not in codes(drained)
    assert "replica-link-down" in codes(drained)


def test_another_address_of_a_node_is_the_node():
    """Directors send readers to one address, replication takes the other one."""
    seen = SET.node(sets.WEB03)
    other = samples.with_node(
        SET, sets.WEB03,
        addresses=seen.addresses.map(lambda held: (*held, InterfaceAddress("eth3", "10.99.0.3", 24))),
    )  # fmt: skip
    for name in (sets.LB01, sets.LB02):
        other = table(name, lambda one: replace(one, address="10.99.0.3") if one.address == WEB03 else one, other)
    assert codes(other) == {}
    stranger = RealServer("10.99.0.9", 6379, "Route", 1, 0, 0)
    for name in (sets.LB01, sets.LB02):
        other = table(name, lambda one: stranger if one.address == "10.99.0.3" else one, other)
    assert codes(other).keys() == {"lvs-real-server-missing"}


@pytest.mark.parametrize("state", [stopped(sets.LB01), stopped(sets.LB02), both_hold()])
def test_readers_without_a_second_director_are_not_protected(state):
    assert protection(state).verdict is Verdict.FAILS


HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
TILTED, NO_QUORUM = sentinel("sentinel3", tilt=True), sentinel("sentinel1", quorum_ok=False, quorum_text="NOQUORUM 1")
BUSY = watched("sentinel1", failover_state="reconf_slaves")
ODD = watched("sentinel3", host=sets.ADDRESS[sets.WEB02])
MOVED = sets.sentinel_vip_set(sets.WEB02)
NO_ANSWER = unread(ProblemKind.REFUSED, "nothing listens there", samples.NOW)
NOBODY = replace(SET, sentinels=tuple(replace(one, sentinel=NO_ANSWER) for one in SET.sentinels))
ALONE = replace(NOBODY, sentinels=(SET.sentinels[0], *NOBODY.sentinels[1:]))
NEVER = samples.with_redis(samples.with_redis(SET, sets.WEB02, replica_priority=0), sets.WEB03, replica_priority=0)
AHEAD = SET.node(sets.WEB01).redis.value.offset
EQUAL = samples.with_redis(samples.with_redis(SET, sets.WEB02, offset=AHEAD), sets.WEB03, offset=AHEAD)
BOTH_DOWN = samples.with_link(LINK_DOWN, sets.WEB02, up=False, down_seconds=40)
DRAINED = weighing(WEB03, 0, sets.LB01, sets.LB02)
UNREAD = director(sets.LB01, services=unread(ProblemKind.NOT_PERMITTED, "not permitted", samples.NOW))
TWO_HOLD = samples.with_node(
    SET, sets.WEB03,
    addresses=SET.node(sets.WEB03).addresses.map(lambda held: (*held, InterfaceAddress("eth2", sets.WRITE_VIP, 20))),
)  # fmt: skip


@pytest.mark.parametrize(
    ("predicate", "state", "node", "verdict"),
    [
        ("not-under-sentinels", SET, sets.WEB01, FAILS),
        ("sentinels-name", SET, sets.WEB01, HOLDS),
        ("sentinels-name", SET, sets.WEB02, FAILS),
        ("sentinels-name", ODD, sets.WEB01, FAILS),
        ("sentinels-name", silent("sentinel2"), sets.WEB01, HOLDS),
        ("sentinels-name", ALONE, sets.WEB01, UNKNOWN),
        ("sentinels-name", NOBODY, sets.WEB01, UNKNOWN),
        ("quorum-reachable", SET, "", HOLDS),
        ("quorum-reachable", NO_QUORUM, "", FAILS),
        ("quorum-reachable", NOBODY, "", UNKNOWN),
        ("no-failover-running", SET, "", HOLDS),
        ("no-failover-running", BUSY, "", FAILS),
        ("no-failover-running", NOBODY, "", UNKNOWN),
        ("no-tilt", SET, "", HOLDS),
        ("no-tilt", TILTED, "", FAILS),
        ("no-tilt", NOBODY, "", UNKNOWN),
        ("promotable-replica", SET, sets.WEB01, HOLDS),
        ("promotable-replica", LINK_DOWN, sets.WEB01, HOLDS),
        ("promotable-replica", BOTH_DOWN, sets.WEB01, FAILS),
        ("promotable-replica", NEVER, sets.WEB01, FAILS),
        ("replicas-caught-up", EQUAL, sets.WEB01, HOLDS),
        ("replicas-caught-up", SET, sets.WEB01, FAILS),
        ("replicas-caught-up", BOTH_DOWN, sets.WEB01, FAILS),
        ("handed-over", SET, sets.WEB01, FAILS),
        ("handed-over", MOVED, sets.WEB01, HOLDS),
        ("handed-over", replace(MOVED, vip_reach=SET.vip_reach), sets.WEB01, FAILS),
        ("follows-named-master", SET, sets.WEB02, HOLDS),
        ("follows-named-master", SET, sets.WEB01, FAILS),
        ("follows-named-master", LINK_DOWN, sets.WEB03, FAILS),
        ("replicas-follow", SET, sets.WEB01, HOLDS),
        ("replicas-follow", LINK_DOWN, sets.WEB01, FAILS),
        ("no-other-vip-holder", SET, sets.WEB01, HOLDS),
        ("no-other-vip-holder", TWO_HOLD, sets.WEB01, FAILS),
        ("serves-readers", SET, sets.WEB03, HOLDS),
        ("serves-readers", DRAINED, sets.WEB03, FAILS),
        ("serves-readers", UNREAD, sets.WEB03, UNKNOWN),
        ("serves-no-readers", SET, sets.WEB03, FAILS),
        ("serves-no-readers", DRAINED, sets.WEB03, HOLDS),
        ("serves-no-readers", weighing(WEB03, 0, sets.LB01), sets.WEB03, FAILS),
        ("serves-no-readers", UNREAD, sets.WEB03, UNKNOWN),
        ("others-serve-readers", SET, sets.WEB03, HOLDS),
        ("others-serve-readers", weighing(WEB01, 0, sets.LB01, state=BOTH_DOWN), sets.WEB03, FAILS),
        ("fit-for-readers", SET, sets.WEB03, HOLDS),
        ("fit-for-readers", LINK_DOWN, sets.WEB03, FAILS),
        ("sentinels-complete", SET, "", HOLDS),
        ("sentinels-complete", silent("sentinel2"), "", UNKNOWN),
        ("sentinels-complete", ODD, "", FAILS),
        ("sentinels-complete", NO_QUORUM, "", FAILS),
        ("named-sentinels-answer", silent("sentinel2"), "", HOLDS),  # the inventory names no service
        ("named-sentinels-answer", serviced(SET), "", HOLDS),
        ("named-sentinels-answer", serviced(silent("sentinel2")), "", FAILS),
        ("named-sentinels-answer", serviced(silent("sentinel2", ProblemKind.TIMEOUT)), "", UNKNOWN),
        ("is-away", SET, sets.WEB01, FAILS),
        ("is-away", SET, sets.WEB03, FAILS),
        ("is-away", LINK_DOWN, sets.WEB03, HOLDS),
        ("is-away", TWO_HOLD, sets.WEB03, HOLDS),
        ("gives-vip-up", TWO_HOLD, sets.WEB03, HOLDS),
        ("gives-vip-up", TWO_HOLD, sets.WEB02, FAILS),
        ("gives-vip-up", SET, sets.WEB02, HOLDS),
        ("gives-vip-up", SET, sets.WEB01, FAILS),
        ("in-read-tables", DRAINED, sets.WEB03, HOLDS),
        ("in-read-tables", table(sets.LB02, lambda one: None if one.address == WEB03 else one), sets.WEB03, FAILS),
        ("misleads-readers", LINK_DOWN, sets.WEB03, HOLDS),
        ("misleads-readers", SET, sets.WEB03, FAILS),
        ("misleads-readers", weighing(WEB03, 0, sets.LB01, sets.LB02, state=LINK_DOWN), sets.WEB03, FAILS),
        ("takes-read-vip", SET, sets.WEB03, HOLDS),
        ("takes-read-vip", without_read_vip(sets.WEB03), sets.WEB03, FAILS),
        ("takes-read-vip", outside(sets.WEB03), sets.WEB03, FAILS),
        ("takes-read-vip", node_with(sets.WEB03, arp=read(ArpSettings(0, 0), samples.NOW)), sets.WEB03, FAILS),
    ],
)
def test_conditions(predicate, state, node, verdict):
    check = evaluate(Condition(predicate, "it" if node else ""), state, {"it": node})
    assert check.verdict is verdict, check
    assert check.evidence


def test_every_condition_is_in_the_table():
    (mark,) = test_conditions.pytestmark
    assert {row[0] for row in mark.args[1]} == {row.name for row in watchers.ROWS}


def test_a_sentinel_that_no_higher_epoch_will_reach_is_told_apart_from_one_that_only_lags():
    """Of the same epoch it keeps its master for ever: another one is taken over from a higher epoch only."""
    other = {"host": sets.ADDRESS[sets.WEB02]}
    told = {}
    for epoch in (sets.EPOCH - 1, sets.EPOCH, sets.EPOCH + 1):
        found = diagnose(watched("sentinel3", config_epoch=epoch, **other), samples.NOW)
        told[epoch] = next(one for one in found if one.code == "sentinel-disagree").next.advice
    assert "wait some seconds" in told[sets.EPOCH - 1]
    for epoch in (sets.EPOCH, sets.EPOCH + 1):
        assert "sentinel3 keeps what it has" in told[epoch]
        assert f"SENTINEL MONITOR master1 {WEB01} 6379" in told[epoch]
    watches_nothing = diagnose(sentinel("sentinel3", master=None), samples.NOW)
    assert "SENTINEL MONITOR" in next(one for one in watches_nothing if one.code == "sentinel-disagree").next.advice
    deciding = watched("sentinel3", config_epoch=sets.EPOCH, failover_state="reconf_slaves", **other)
    found = {one.code: one for one in diagnose(deciding, samples.NOW)}
    assert "SENTINEL MONITOR" not in found["sentinel-disagree"].next.advice, "its failover is not over"
