"""Faults of real servers under a live screen: nothing raises, nothing hangs, every reading says what it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from lab.polling import CONNECT_TIMEOUT, SLACK, inspector_of, watching, well

from console.core.model import ClusterState, ProblemKind
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.relay import Mode, Relay
from console.transport.connections.answer_times import LONGEST_DEADLINE

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
K = ProblemKind
LOST = {K.CLOSED, K.REFUSED, K.TIMEOUT, K.UNREACHABLE}
DOWN = {"redis-down", "keepalived-down", "vip-missing", "no-master"}
"""What may be said of what was seen to be so, and of nothing that was only not read (H28)."""


@dataclass(frozen=True)
class Fault:
    """One fault: how it begins and ends, what is seen, and whether anything may be called down by it."""

    name: str
    begin: Callable[[Laboratory], object]
    end: Callable[[Laboratory], object]
    seen: Callable[[ClusterState], object]
    said: str = ""
    """A finding that it leads to."""
    down: frozenset[str] = frozenset()


def fault(kind: str, host: str, service: str | None = None) -> Callable[[Laboratory], object]:
    return lambda lab: lab.fault(kind, host, service)


def unread(node: str, part: str, *kinds: ProblemKind) -> Callable[[ClusterState], bool]:
    """The node's SSH or Redis has one of these problems, and the other node has none."""

    def seen(state: ClusterState) -> bool:
        problem = getattr(state.node(node), part).problem
        other = state.node(A if node == B else B)
        return problem is not None and problem.kind in kinds and other.ssh.ok and other.redis.ok

    return seen


def both_hold(state: ClusterState) -> bool:
    alive = state.node(B).keepalived.value
    return set(state.vip_holders) == {A, B} and alive is not None and not alive.running


def saving_failed(lab: Laboratory) -> None:
    lab.fault("fill", A)
    lab.host(A).redis("BGSAVE")


def saved_again(lab: Laboratory) -> None:
    lab.fault("heal", A)
    lab.host(A).redis("SAVE")


def not_saved(state: ClusterState) -> bool:
    return well(state) and state.node(A).redis.value.persistence.rdb_last_status == "err"


def ahead(state: ClusterState) -> bool:
    clock = state.node(A).clock.value
    return clock is not None and 3500 < clock.offset < 3700


def keepalived_again(lab: Laboratory) -> None:
    lab.fault("start", B, "keepalived")
    lab.wait(lambda: lab.vip_holders() == [B], 60, "the higher priority has the VIP alone")


SERVERS = (
    Fault(
        "Redis stands still", fault("freeze", A, "redis"), fault("thaw", A, "redis"),
        unread(A, "redis", K.TIMEOUT), "redis-hung",
    ),
    Fault(
        "the password is another", fault("password", A, "redis"), fault("heal", A, "redis"),
        unread(A, "redis", K.AUTH_FAILED), "redis-auth-failed",
    ),
    Fault("the disk is full", saving_failed, saved_again, not_saved, "redis-misconf"),
    Fault("keepalived is killed and leaves the VIP", fault("kill", B, "keepalived"), keepalived_again,
          both_hold, "vip-duplicate", frozenset({"keepalived-down"})),
)  # fmt: skip
WAYS = (
    Fault("sshd is killed", fault("kill", A, "sshd"), fault("start", A, "sshd"),
          unread(A, "ssh", K.REFUSED), "ssh-unreachable"),
    Fault("sshd stands still", fault("freeze", A, "sshd"), fault("thaw", A, "sshd"),
          unread(A, "ssh", K.TIMEOUT), "ssh-unreachable"),
    Fault("the host key is another", fault("rekey", A, "sshd"), fault("heal", A, "sshd"),
          unread(A, "ssh", K.HOST_KEY_CHANGED), "ssh-host-key-changed"),
)  # fmt: skip
NETWORK = (
    Fault("the cable is out", fault("cut", A), fault("heal", A),
          lambda state: unread(A, "ssh", *LOST)(state) and unread(A, "redis", *LOST)(state), "ssh-unreachable"),
    Fault("the line is bad", fault("slow", A), fault("heal", A), lambda state: True),
    Fault("the clock is an hour ahead", fault("clock", A), fault("heal", A), ahead, "clock-skew"),
)  # fmt: skip


@pytest.mark.parametrize("faults", [SERVERS, WAYS, NETWORK], ids=["servers", "ssh", "network and clock"])
def test_a_live_screen(pair, faults):
    lab = pair("healthy", password="s3cret")
    with watching(inspector_of(lab)) as screen:
        for one in faults:
            screen.forget()
            one.begin(lab)
            screen.until(one.seen, f"{one.name}: what it does")
            screen.until(lambda state, one=one: not one.said or one.said in screen.codes, f"{one.name}: {one.said}")
            assert not screen.codes & (DOWN - one.down), one.name
            one.end(lab)
            screen.inspector.reconnect()
            state = screen.until(lambda state: well(state) and state.vip_reaches == B, f"{one.name}: its end")
            assert "s3cret" not in str(state)
            screen.assert_sound()


def test_an_observation_that_waits_ends_in_time(pair):
    """As a gate asks for it: connects are waited for, and a fault in the middle of it holds it up for no longer."""
    lab = pair("healthy")
    inspector = inspector_of(lab)
    bound = CONNECT_TIMEOUT + LONGEST_DEADLINE + LONGEST_DEADLINE
    try:
        inspector.observe(fresh=True)
        for kind, service, mend in (("freeze", "redis", "thaw"), ("cut", None, "heal"), ("freeze", None, "thaw")):
            lab.fault(kind, A, service)
            began = time.monotonic()
            state = inspector.observe(fresh=True)
            assert (time.monotonic() - began) / bound < SLACK, (kind, service)
            assert not (state.node(A).ssh.ok and state.node(A).redis.ok)
            assert state.node(B).redis.ok
            lab.fault(mend, A, service)
            lab.wait(lambda: well(inspector.observe(fresh=True)), 30, f"{kind} {service} is over")
    finally:
        inspector.close()


RELAYED = {
    Mode.HALF: LOST | {K.BAD_ANSWER},
    Mode.MUTE: {K.TIMEOUT},
    Mode.GARBAGE: {K.BAD_ANSWER, K.CLOSED, K.TIMEOUT},
    Mode.FLOOD: {K.BAD_ANSWER, K.CLOSED, K.TIMEOUT},
    Mode.DROPS: set(),
}


@pytest.mark.parametrize("part", ["redis", "ssh"])
def test_answers_that_are_cut_in_half_or_never_come_or_are_none(pair, part):
    lab = pair("healthy")
    port, to = (7379, 6379) if part == "redis" else (2222, 22)
    with Relay(lab.host(A), port, to) as broken, Relay(lab.host(B), port, to):
        ports = {"redis_port": port} if part == "redis" else {"ssh_port": port}
        with watching(inspector_of(lab, **ports)) as screen:
            screen.until(well, "both, through relays")
            for mode, kinds in RELAYED.items():
                screen.forget()
                broken.mode = mode
                if kinds:
                    state = screen.until(unread(A, part, *kinds), f"{mode.name}: {kinds}")
                    assert (state.node(A).ssh if part == "redis" else state.node(A).redis).ok
                assert not screen.codes & DOWN, mode
                broken.mode = Mode.THROUGH
                screen.inspector.reconnect()
                screen.until(well, f"{mode.name}: its end")
                screen.assert_sound()
