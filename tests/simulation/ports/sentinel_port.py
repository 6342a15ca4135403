"""What the console reads from a Sentinel of the model, and the commands that it sends to one."""

from __future__ import annotations

from simulation.ports.shell import CAUSE
from simulation.world.sentinel import Seen, Sentinel
from simulation.world.sentinel_failover import DOWN_AFTER
from simulation.world.unknown import UnknownToModelError
from simulation.world.world import World

from console.core.inventory import SentinelSpec
from console.core.model import (
    KnownReplica,
    KnownSentinel,
    Problem,
    ProblemKind,
    Reading,
    SentinelState,
    WatchedMaster,
    read,
    unread,
)
from console.core.model import Sentinel as SentinelReport
from console.core.runs.answer import Answer, AnswerKind


def sentinel_state(world: World, spec: SentinelSpec) -> SentinelState:
    return SentinelState(spec.name, spec.address, spec.port, _reading(world, spec), spec.host, spec.start_command)


def _reading(world: World, spec: SentinelSpec) -> Reading[SentinelReport]:
    host, now, where = world.hosts[spec.host], world.now, f"{spec.address}:{spec.port}"
    sentinel = host.sentinel
    assert sentinel is not None
    if not host.up:
        return unread(ProblemKind.UNREACHABLE, f"no route to {spec.address}", now)
    if host.name in world.network.silent_redis:
        return Reading(None, Problem(ProblemKind.TIMEOUT, f"no answer in time: {where}"), now)
    if not sentinel.running:
        return unread(ProblemKind.REFUSED, f"connection refused: {where}", now)
    if not sentinel.answers:
        return unread(ProblemKind.TIMEOUT, f"no answer in time: {where}", now)
    return read(_report(sentinel), now)


def _report(sentinel: Sentinel) -> SentinelReport:
    quorum_ok, text = _quorum(sentinel)
    return SentinelReport(
        run_id=sentinel.config.my_id,
        version=sentinel.world.version,
        tilt=sentinel.tilt,
        master=_master(sentinel),
        replicas=tuple(map(_replica, sentinel.replicas)),
        peers=tuple(_peer(sentinel, name) for name in sorted(sentinel.config.peers)),
        quorum_ok=quorum_ok,
        quorum_text=text,
        process_run_id=sentinel.run_id,
    )


def _quorum(sentinel: Sentinel) -> tuple[bool, str]:
    """sentinelIsQuorumReachable."""
    usable, quorum = sentinel.usable(), sentinel.world.system.quorum
    missing = "specified quorum" if usable < quorum else "majority" if usable < sentinel.majority() else ""
    if missing:
        return False, f"NOQUORUM {usable} usable Sentinels. Not enough available Sentinels to reach the {missing}"
    return True, f"OK {usable} usable Sentinels. Quorum and failover authorization can be reached"


def _master(sentinel: Sentinel) -> WatchedMaster:
    seen, failover = sentinel.master, sentinel.failover
    going = failover.state != "none"
    flags = {"master", *_trouble(seen)}
    flags |= {"o_down"} if failover.objectively_down else set()
    flags |= {"failover_in_progress"} if going else set()
    return WatchedMaster(
        host=sentinel.config.master,
        port=6379,
        flags=frozenset(flags),
        quorum=sentinel.world.system.quorum,
        config_epoch=sentinel.config.epoch,
        failover_state=failover.state if going else "",
        down_after=DOWN_AFTER,
    )


def _trouble(seen: Seen) -> set[str]:
    return {*(("s_down",) if seen.down else ()), *(() if seen.connected else ("disconnected",))}


def _replica(seen: Seen) -> KnownReplica:
    master = f"{seen.master}:6379" if seen.master else "?:0"
    flags = frozenset({"slave", *_trouble(seen)})
    return KnownReplica(seen.address, 6379, flags, seen.link_up, master, seen.offset, seen.priority)


def _peer(sentinel: Sentinel, name: str) -> KnownSentinel:
    other = sentinel.world.hosts[name]
    assert other.sentinel is not None
    flags = {"sentinel", *(("s_down",) if sentinel.peer_down(name) else ())}
    ago = sentinel.world.now - sentinel.peers_ok.get(name, sentinel.world.now)
    return KnownSentinel(other.sentinel.config.my_id, other.address, 26379, frozenset(flags), ago)


def carry_out(sentinel: Sentinel, words: list[str]) -> Answer:
    match words:
        case ["SENTINEL", "FAILOVER", _]:
            said = sentinel.failover.begin_by_hand(CAUSE)
        case ["SENTINEL", "RESET", _]:
            sentinel.reset()
            said = "1"
        case _:
            raise UnknownToModelError(f"the model does not know this command of a Sentinel: {words}")
    if said.startswith("-"):
        return Answer(AnswerKind.FAILED, said[1:])
    return Answer(AnswerKind.DONE, said)
