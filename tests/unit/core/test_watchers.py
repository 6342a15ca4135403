"""The findings of Sentinels and directors, each from a healthy set with one thing wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.diagnose import diagnose
from console.core.finding import Severity
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
from console.core.predicate import Verdict
from console.core.protection import protection

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


def silent(name):
    seen = unread(ProblemKind.REFUSED, "nothing listens there", samples.NOW)
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


@pytest.mark.parametrize(
    ("state", "code", "severity", "said"),
    [
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
    ],
)  # fmt: skip
def test_each_is_found_with_its_figures(state, code, severity, said):
    found = codes(state)
    assert code in found, list(found)
    assert found[code].severity is severity
    assert said in "\n".join((found[code].summary, *found[code].evidence))


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
