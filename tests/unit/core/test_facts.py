"""Which node is meant by a name or an address: a node known by another name is no stranger."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s

from console.core.inventory import ServiceSpec
from console.core.model import InterfaceAddress, MasterLink, Process, read
from console.core.model.facts import bytes_behind, link_in_words, node_by_address, notify_scripts, source_of
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate


def with_addresses(state, name, *more):
    held = state.node(name).addresses.value or ()
    added = tuple(InterfaceAddress("eth1", one, 24) for one in more)
    return s.with_node(state, name, addresses=read((*held, *added), s.NOW))


@pytest.mark.parametrize("host", ["redis-b", "REDIS-B", "192.168.100.202", "10.0.0.2", "2001:0db8::0002"])
def test_a_master_is_known_by_name_by_host_name_and_by_every_address_that_it_alone_has(host):
    state = with_addresses(s.healthy_pair(), s.B, "10.0.0.2", "2001:db8::2")
    state = s.with_link(state, s.A, host=host)
    assert source_of(state, state.node(s.A)) is state.node(s.B)
    asked = Condition("replicates-from", "node", {"source": "source"})
    assert evaluate(asked, state, {"node": s.A, "source": s.B}).holds


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", s.VIP, "172.17.0.1", "192.168.100.77", "redis-c", ""])
def test_what_two_hold_what_moves_and_what_is_unknown_names_nobody(host):
    state = s.healthy_pair()
    for name in (s.A, s.B):
        state = with_addresses(state, name, "127.0.0.1", "::1", "172.17.0.1")
    assert node_by_address(state, host, 6379) is None


def test_another_port_is_another_server():
    assert node_by_address(s.healthy_pair(), "192.168.100.202", 6380) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "192.168.100.202"])
def test_a_node_is_never_made_to_follow_itself(address):
    state = s.with_node(s.failed_over_pair(), s.A, address=address)
    asked = Condition("node-address-not-vip", "node", {"target": "target"})
    check = evaluate(asked, state, {"node": s.A, "target": s.B})
    assert check.verdict is Verdict.FAILS
    assert "follow itself" in check.evidence


def test_names_of_services_are_words_of_a_shell():
    assert ServiceSpec(systemd="redis-server@6379").command("start") == "systemctl start redis-server@6379"
    assert ServiceSpec(systemd=r"redis\x2dmain").command("status") == r"systemctl is-active 'redis\x2dmain'"
    assert ServiceSpec(sysv="redis_6379").command("stop") == "service redis_6379 stop"


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "link never up so far"), (None, "link down"), (12, "link down for 12 s")]
)
def test_a_link_that_never_was_up_is_not_down_for_minus_one_second(seconds, words):
    link = MasterLink(
        "192.168.100.201", 6379, up=False, sync_in_progress=False, last_io_seconds=None, down_seconds=seconds
    )
    assert link_in_words(link) == words


def test_a_replica_is_as_far_behind_as_the_smaller_of_two_figures_says():
    """The difference of the offsets includes what was written between the two looks."""
    state = s.healthy_pair()
    assert (bytes_behind(state, state.node(s.A)), bytes_behind(state, state.node(s.B))) == (14, None)
    acknowledged = s.with_redis(state, s.B, offset=9000, replicas=(s.attached(s.A, offset=8995),))
    assert bytes_behind(acknowledged, acknowledged.node(s.A)) == 5
    not_reported = s.with_redis(state, s.B, offset=8100, replicas=(s.attached(s.A, offset=None),))
    assert bytes_behind(not_reported, not_reported.node(s.A)) == 8100 - state.node(s.A).redis.value.offset


def test_a_lag_is_known_only_where_source_and_replica_were_read_and_are_of_this_cluster():
    state = s.healthy_pair()
    for unknown in (
        s.with_node(state, s.B, redis=s.refused()),
        s.with_node(state, s.A, redis=s.refused()),
        s.with_link(state, s.A, host="10.0.0.9"),
    ):
        assert bytes_behind(unknown, unknown.node(s.A)) is None


CHECK = "/etc/keepalived/scripts/redis_check.sh"


@pytest.mark.parametrize(
    ("command", "check", "expected"),
    [
        (f"/bin/bash {CHECK}", CHECK, False),
        ("[redis_check.sh]", f"{CHECK} 6379", False),
        ("[redis_master.sh]", CHECK, True),
        ("[a_long_name_of_]", "/opt/a_long_name_of_a_check.sh", False),
        ("[a_long_name_of_]", CHECK, True),
        ("[]", CHECK, True),
    ],
)
def test_a_check_that_begins_or_ends_just_now_is_no_notify_script(command, check, expected):
    """Linux gives such a process an empty command line: only its name is known, cut to 15 characters."""
    state = s.with_script_running(s.healthy_pair(), s.A)
    running = Process(31_000, 25_300, command, 0.0)
    state = s.with_node(
        state, s.A, processes=state.node(s.A).processes.map(lambda one: replace(one, scripts=(running,)))
    )
    instance = state.node(s.A).keepalived.value.instance
    state = s.with_instance(state, s.A, scripts=(replace(instance.scripts[0], script=check),))
    assert bool(notify_scripts(state.node(s.A))) is expected
    both = s.with_instance(state, s.A, notify={"notify_master": f"/bin/sh -c {CHECK}", "notify_backup": check})
    if command.startswith("["):
        assert notify_scripts(both.node(s.A)), "a name that a notify script has too may be the notify script"
