"""What happens in a drill: the faults, what mends itself, and what each kind of cluster does by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.core.drills.capture import Capture


class Where(StrEnum):
    """What a fault hits, by the roles before it."""

    MASTER = "master"
    REPLICA = "replica"
    SENTINEL = "a Sentinel that is not beside the master"
    QUORUM = "as many Sentinels as a failover needs"
    DIRECTOR = "the director that holds the read VIP"
    CONSUL = "the agent of Consul that the inventory asks"


PAIR, VIP_SET, CONSUL_SET = "keepalived", "sentinel-vip", "sentinel-consul"


@dataclass(frozen=True, slots=True)
class DrillScenario:
    """A fault, at a moment that nobody knows."""

    name: str
    text: str
    """What happens, in one line."""
    fault: str
    """As `lab fault` names it."""
    service: str
    """Of `redis`, `keepalived`, `sentinel`, `consul`; empty: the whole host."""
    on: Where
    by_itself: Mapping[str, str]
    """Kind of cluster → what it does without an operator. The kinds that the scenario is for."""
    asks: str
    """What the operator has to notice and to do. Said where it was not done."""
    ends: tuple[str, ...] = ()
    """Codes of findings that the fault leaves, and that a repair ends."""
    mended_by: str = ""
    """The fault's opposite, which comes by itself. Empty: nothing mends itself."""
    mends_after: tuple[float, float] = (20.0, 40.0)
    """Seconds after the fault, at random."""
    waits_for_operator: bool = False
    """Whether nothing mends it while a human repairs: he does it. A check without a human lets it mend itself."""
    saves: bool = False
    """Whether Redis is asked to save right after the fault: its own save points may be minutes away."""


_PROMOTED = "the Sentinels promote a replica, and their script moves the write VIP"
_NAMED = "the Sentinels promote a replica, and the name follows it"

_ENDS = (
    "Redis refuses writes, and PING: for the Sentinels it is down, and they promote a replica; from 7.0 on the old "
    "master ends when they make it one"
)

SCENARIOS: tuple[DrillScenario, ...] = (
    DrillScenario(
        "master-redis-dies", "the master's Redis is killed", "kill", "redis", Where.MASTER,
        {PAIR: "the check fails, and keepalived moves the address where priorities let it", VIP_SET: _PROMOTED,
         CONSUL_SET: _NAMED},
        asks="see that the master's Redis is gone, and bring it back as a replica",
        ends=("redis-down",),
    ),
    DrillScenario(
        "master-host-dies", "the master's host loses its power, and comes back with nothing started",
        "kill", "", Where.MASTER,
        {PAIR: "the other keepalived takes the address", VIP_SET: _PROMOTED,
         CONSUL_SET: "the Sentinels promote a replica; with the agent on that host the name leads to nobody"},
        asks="see that a host is gone, wait for it, and bring its Redis back as a replica",
        ends=("redis-down", "ssh-unreachable"),
        mended_by="start",
    ),
    DrillScenario(
        "partition", "the switch drops every packet of the master's host for a while", "isolate", "", Where.MASTER,
        {PAIR: "both hosts hold the address, and both are masters when the network is back",
         VIP_SET: f"{_PROMOTED}; when the network is back they make the old master a replica",
         CONSUL_SET: "the Sentinels outside promote a replica, and make the old master one when the network is back"},
        asks="see who was a master on each side, and make one cluster of them again",
        mended_by="heal",
    ),
    DrillScenario(
        "keepalived-dies", "keepalived is killed on the master's host", "kill", "keepalived", Where.MASTER,
        {PAIR: "the other keepalived takes the address, and the dead one has not given it back: it is on both hosts"},
        asks="see that keepalived is dead and the address stays on its host, and start keepalived again",
        ends=("keepalived-down",),
    ),
    DrillScenario(
        "replica-dies", "the replica's Redis is killed", "kill", "redis", Where.REPLICA,
        {PAIR: "nothing: clients see nothing, and the next failure of the master ends the service",
         VIP_SET: "nothing: another replica can still be promoted; the directors take it out of the read VIP",
         CONSUL_SET: "nothing: without another replica the next failure of the master ends the service"},
        asks="see that a replica is gone although clients see nothing, and bring it back",
        ends=("redis-down",),
    ),
    DrillScenario(
        "disk-full", "the master's data disk is full, and a save fails", "fill", "", Where.MASTER,
        {PAIR: "Redis refuses writes, and PING: where the check asks for that, keepalived moves the address",
         VIP_SET: _ENDS, CONSUL_SET: _ENDS},
        asks="see that Redis cannot save, free its disk by hand, let it save (BGSAVE), and repair what has moved",
        ends=("redis-misconf",),
        mended_by="heal", waits_for_operator=True, saves=True,
    ),
    DrillScenario(
        "freeze", "the master's Redis stands still for a while, and then goes on", "freeze", "redis", Where.MASTER,
        {PAIR: "the check fails, and keepalived moves the address; the old master goes on as a master",
         VIP_SET: f"{_PROMOTED}; the old master goes on as a master until they make it a replica",
         CONSUL_SET: f"{_NAMED}; the old master goes on as a master until they make it a replica"},
        asks="see that the old master goes on as a master, and make it a replica",
        ends=("redis-hung",),
        mended_by="thaw",
    ),
    DrillScenario(
        "sentinel-dies", "one Sentinel is killed", "kill", "sentinel", Where.SENTINEL,
        {VIP_SET: "nothing: the others still fail over",
         CONSUL_SET: "nothing: if it was the only one, nobody fails over"},
        asks="see that a Sentinel is gone although clients see nothing, and start it again",
        ends=("sentinel-unreachable",),
    ),
    DrillScenario(
        "quorum-lost", "so many Sentinels are killed that the others cannot fail over",
        "kill", "sentinel", Where.QUORUM,
        {VIP_SET: "nothing: clients see nothing, and the next failure of the master ends the service",
         CONSUL_SET: "nothing: clients see nothing, and the next failure of the master ends the service"},
        asks="see that nothing would fail over although clients see nothing, and start the Sentinels again",
        ends=("sentinel-unreachable", "sentinel-no-quorum"),
    ),
    DrillScenario(
        "director-dies", "keepalived is killed on the director that readers use", "kill", "keepalived", Where.DIRECTOR,
        {VIP_SET: "the other director takes the read VIP; writers see nothing"},
        asks="see that one director is left, and start keepalived on the other one again",
        ends=("lvs-director-split",),
    ),
    DrillScenario(
        "consul-dies", "the agent of Consul is killed", "kill", "consul", Where.CONSUL,
        {CONSUL_SET: "nothing: the name leads to nobody until the agent runs again; Redis and Sentinels go on"},
        asks="see that the name leads to nobody, and start Consul's agent again",
        ends=("consul-unreachable", "consul-none-passing"),
    ),
)  # fmt: skip
"""Every scenario, the most common first."""


def find_scenario(name: str) -> DrillScenario | None:
    """The scenario of this name; None: there is none."""
    return next((one for one in SCENARIOS if one.name == name), None)


def scenarios_for(capture: Capture) -> tuple[DrillScenario, ...]:
    """Those that make sense for a captured cluster."""
    return tuple(one for one in SCENARIOS if capture.kind in one.by_itself and _has(capture, one.on))


def _has(capture: Capture, where: Where) -> bool:
    """Whether the cluster has what the fault hits."""
    needed = {
        Where.REPLICA: len(capture.hosts) > 1,
        Where.SENTINEL: bool(capture.sentinels),
        # With one Sentinel that is `sentinel-dies`.
        Where.QUORUM: len(capture.sentinels) > 1,
        Where.DIRECTOR: bool(capture.directors),
    }
    return needed.get(where, True)
