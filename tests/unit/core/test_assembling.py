"""keepalived's state from process, addresses and logs; the effective priority from the configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import VIP, A, B, healthy_pair, keepalived_config, vrrp_instance

from console.core.inventory import KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import (
    LogTail,
    Problem,
    ProblemKind,
    Processes,
    TrackScript,
    Transition,
    VrrpState,
    read,
    unread,
)
from console.core.model.assembling import (
    HostReadings,
    assemble_keepalived,
    assemble_node,
    choose_instance,
    effective_priority,
    nothing_read,
)

NOW = 1_795_246_800.0
SPEC = NodeSpec(A, "192.168.100.201", SshSpec(), RedisSpec(), KeepalivedSpec())


def log(source, *states):
    """A log whose transitions are a minute apart, the last of them a minute ago."""
    first = NOW - 60 * len(states)
    made = tuple(Transition(state, first + 60 * place, source, "line") for place, state in enumerate(states))
    return read(LogTail("/log", (), made), NOW)


def host(name, **changes):
    """A node of the healthy pair as the probes would read it; redis-b holds the VIP."""
    node = healthy_pair(NOW).node(name)
    readings = HostReadings(
        identity=node.ssh,
        clock=node.clock,
        addresses=node.addresses,
        processes=read(
            replace(
                node.processes.value,
                keepalived=tuple(replace(one, age=9000.0) for one in node.processes.value.keepalived),
            ),
            NOW,
        ),
        config=node.keepalived_config,
        version=read("2.2.7", NOW),
    )
    return replace(readings, **changes)


def state_of(readings):
    value = assemble_keepalived(SPEC, VIP, readings, unread(ProblemKind.REFUSED)).value
    return value.state, value.state_source


MASTER, BACKUP, FAULT, STOP = VrrpState.MASTER, VrrpState.BACKUP, VrrpState.FAULT, VrrpState.STOP


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (host(B), (MASTER, "address")),
        (host(B, system_log=log("system log", BACKUP)), (MASTER, "address")),
        (host(A), (BACKUP, "address")),
        (host(A, system_log=log("system log", BACKUP, FAULT)), (FAULT, "system log")),
        (host(A, notify_log=log("notify log", FAULT)), (FAULT, "notify log")),
        # A script tells a moment later, and scripts come in no order: keepalived's own log counts.
        (host(A, system_log=log("system log", FAULT), notify_log=log("notify log", BACKUP)), (FAULT, "system log")),
        (host(A, addresses=unread(ProblemKind.NOT_AVAILABLE)), (VrrpState.UNKNOWN, "address")),
        (
            host(A, addresses=unread(ProblemKind.NOT_AVAILABLE), notify_log=log("notify log", MASTER)),
            (MASTER, "notify log"),
        ),
        (host(A, processes=read(Processes(), NOW), notify_log=log("notify log", MASTER)), (STOP, "process")),
        # What the log tells of an earlier keepalived, that has been stopped since, says nothing of this one.
        (host(A, system_log=log("system log", FAULT, STOP)), (BACKUP, "address")),
    ],
)
def test_state(readings, expected):
    assert state_of(readings) == expected


def test_a_log_older_than_the_process_does_not_count():
    old = host(A)
    young = replace(
        old.processes.value, keepalived=tuple(replace(one, age=5.0) for one in old.processes.value.keepalived)
    )
    readings = replace(old, processes=read(young, NOW), system_log=log("system log", FAULT))
    assert state_of(readings) == (BACKUP, "address")


def test_since_is_where_the_state_began():
    readings = host(B, system_log=log("system log", BACKUP, MASTER, MASTER))
    value = assemble_keepalived(SPEC, VIP, readings, unread(ProblemKind.REFUSED)).value
    assert value.since == NOW - 120


def test_unreadable_processes_are_no_stopped_keepalived():
    problem = Problem(ProblemKind.TIMEOUT, "silent")
    found = assemble_keepalived(SPEC, VIP, nothing_read(problem, NOW), unread(ProblemKind.REFUSED))
    assert found.value is None
    assert found.problem is problem


def not_saved(node, version="7.0.15"):
    """A Redis whose last save has failed."""
    return (
        healthy_pair(NOW)
        .node(node)
        .redis.map(
            lambda one: replace(one, version=version, persistence=replace(one.persistence, rdb_last_status="err"))
        )
    )


@pytest.mark.parametrize(
    ("weight", "redis", "expected"),
    [
        (-10, not_saved(A), 128),
        (-10, not_saved(B), 128),
        (-10, not_saved(A, "6.2.7"), 138),  # a replica says PONG up to 6.2
        (-10, not_saved(B, "6.2.7"), 128),
        (-10, healthy_pair(NOW).node(A).redis, 138),
        (-10, unread(ProblemKind.REFUSED), 128),
        (-10, unread(ProblemKind.AUTH_FAILED), None),
        (2, healthy_pair(NOW).node(A).redis, 140),
        (2, unread(ProblemKind.TIMEOUT), 138),
        (0, unread(ProblemKind.REFUSED), 138),
        (-250, unread(ProblemKind.REFUSED), 1),
    ],
)
def test_effective_priority(weight, redis, expected):
    script = TrackScript("chk_redis", "/check", 2, weight)
    assert effective_priority(replace(vrrp_instance(A), scripts=(script,)), redis) == expected


def test_the_instance_is_the_named_one_else_the_only_one_else_the_one_with_the_vip():
    config = keepalived_config(A)
    one = config.instances[0]
    other = replace(one, name="VI_9", virtual_addresses=("10.0.0.9/24",))
    two = replace(config, instances=(other, one))
    assert choose_instance(config, "", "10.1.1.1") is one
    assert choose_instance(two, "", VIP) is one
    assert choose_instance(two, "", "10.0.0.9") is other
    assert choose_instance(two, "VI_9", VIP) is other
    assert choose_instance(two, "VI_7", VIP) is None
    assert choose_instance(two, "", "10.1.1.1") is None
    assert choose_instance(None, "VI_9", VIP) is None


def test_a_silent_node_has_one_reason_everywhere():
    problem = Problem(ProblemKind.HOST_KEY_CHANGED, "changed")
    node = assemble_node(SPEC, VIP, nothing_read(problem, NOW), unread(ProblemKind.REFUSED))
    assert {node.ssh.problem, node.memory.problem, node.keepalived.problem, node.dump.problem} == {problem}
    assert node.redis.problem.kind is ProblemKind.REFUSED
