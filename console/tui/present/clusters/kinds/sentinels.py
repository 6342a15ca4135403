"""The answers of the Sentinels: the master that each names, its configuration epoch, and its quorum."""

from __future__ import annotations

from textual.content import Content

from console.core.model import ClusterState, SentinelState, WatchedMaster
from console.core.model.facts import node_by_address, redis_unread
from console.core.model.verdict import Verdict
from console.core.quantities import counted
from console.core.watchers.sentinels import can_elect
from console.tui.present.clusters.kinds.kind_presentation import KindPane
from console.tui.present.formatting import BAD, BOLD, DIM, GOOD, WARN, Lines, Part, age_note, fitted, line


def sentinels(state: ClusterState, now: float, width: int) -> Lines:
    """One line for each Sentinel; below it, the servers and Sentinels that are down in its view."""
    if not state.sentinels:
        return (line(("No Sentinel is named in the inventory.", DIM)),)
    longest = max(len(one.name) for one in state.sentinels)
    drawn: list[Content] = []
    for one in state.sentinels:
        note = age_note(one.sentinel.age(now))
        drawn.append(line(fitted(_line(state, one, longest), width - note.cell_length), note))
        drawn += [fitted(line(" " * (longest + 2), (text, WARN)), width) for text in _problems(state, one)]
    return tuple(drawn)


def _line(state: ClusterState, one: SentinelState, longest: int) -> Content:
    name: Part = (f"{one.name:<{longest}} ", BOLD)
    sentinel = one.sentinel.value
    if sentinel is None:
        return line(name, (f"✗ {one.sentinel.problem}", BAD))
    if sentinel.master is None:
        return line(name, (f"✗ watches no master {state.master_name}", BAD))
    master = sentinel.master
    agrees = master.address in _majority(state) and _standing(state, master) is not Verdict.FAILS
    mark: Part = ("✓ ", GOOD) if agrees and not master.failing_over else ("✗ ", BAD)
    quorum = {True: f"quorum {master.quorum} ok", False: "✗ no quorum", None: f"quorum {master.quorum}"}
    parts: list[Part] = [name, mark, (node_at(state, master), BOLD), f"  epoch {master.config_epoch}  "]
    parts += [(quorum[sentinel.quorum_ok], BAD if sentinel.quorum_ok is False else "")]
    parts += [("  FAILING OVER", f"{BOLD} {WARN}")] if master.failing_over else []
    parts += [("  TILT", f"{BOLD} {BAD}")] if sentinel.tilt else []
    parts += [("  down", f"{BOLD} {BAD}")] if master.down else []
    known = f"  {counted(len(sentinel.replicas), 'replica')}, {counted(len(sentinel.peers), 'peer')}"
    return line(*parts, (known, DIM), (f"  {sentinel.version}", DIM))


def _problems(state: ClusterState, one: SentinelState) -> tuple[str, ...]:
    sentinel = one.sentinel.value
    if sentinel is None:
        return ()
    replicas = [
        f"{_name(state, known.host, known.port)} is down in its view" for known in sentinel.replicas if known.down
    ]
    peers = [f"the Sentinel at {peer.host} is down in its view" for peer in sentinel.peers if peer.down]
    quorum = [sentinel.quorum_text] if sentinel.quorum_ok is False and sentinel.quorum_text else []
    return (*quorum, *replicas, *peers)


def _majority(state: ClusterState) -> frozenset[str]:
    """The addresses that the most Sentinels name."""
    masters = [found.address for one in state.sentinels if (found := _watched(one)) is not None]
    most = max((masters.count(one) for one in masters), default=0)
    return frozenset(one for one in masters if masters.count(one) == most)


def _standing(state: ClusterState, watched: WatchedMaster) -> Verdict:
    """Whether the address that is named is a node that is a master. UNKNOWN: its Redis could not be read."""
    node = node_by_address(state, watched.host, watched.port)
    if node is not None and node.name in state.masters:
        return Verdict.HOLDS
    return Verdict.UNKNOWN if node is not None and redis_unread(node) else Verdict.FAILS


def _watched(one: SentinelState) -> WatchedMaster | None:
    return one.sentinel.value.master if one.sentinel.value is not None else None


def node_at(state: ClusterState, master: WatchedMaster) -> str:
    """The node's name; the address where it is no node of this cluster."""
    return _name(state, master.host, master.port)


def _name(state: ClusterState, host: str, port: int) -> str:
    node = node_by_address(state, host, port)
    return node.name if node is not None else f"{host}:{port}"


def sentinel_summary(state: ClusterState, width: int) -> Content:
    """`Sentinels ─▶ web01  ✓ 3 of 3 name it, quorum reached`."""
    watched = [found for one in state.sentinels if (found := _watched(one)) is not None]
    addresses = sorted({one.address for one in watched})
    if not watched:
        return fitted(line("Sentinels ─▶ ", ("? not known: no Sentinel could be read", WARN)), width)
    names = " / ".join(node_at(state, next(one for one in watched if one.address == at)) for at in addresses)
    every = len(state.sentinels)
    if len(addresses) > 1:
        agreement: Part = (f"✗ they disagree, {len(watched)} of {every} answer", BAD)
    elif len(watched) < every:
        agreement = (f"! {len(watched)} of {every} answer", WARN)
    else:
        agree = f"{every} of {every} name it" if every > 1 else "the only Sentinel names it"
        agreement = {
            Verdict.HOLDS: (f"✓ {agree}", GOOD),
            Verdict.UNKNOWN: (f"? {agree}", WARN),
            Verdict.FAILS: (f"✗ {agree}, and it is no master", BAD),
        }[_standing(state, watched[0])]
    quorum = _quorum(state)
    over: Part = (", FAILING OVER", WARN) if any(one.failing_over for one in watched) else ""
    tilt: Part = (", TILT", BAD) if any(s.sentinel.value and s.sentinel.value.tilt for s in state.sentinels) else ""
    return fitted(line("Sentinels ─▶ ", (names, BOLD), "  ", agreement, quorum, over, tilt), width)


def _quorum(state: ClusterState) -> Part:
    """As they say. Until down-after they count one that died a moment ago: too few that answer do not reach it."""
    every = len(state.sentinels)
    told = [one.sentinel.value for one in state.sentinels if one.sentinel.value is not None]
    can = [one.quorum_ok for one in told]
    if False in can:
        return (", ✗ no quorum", BAD)
    if not can or not all(can):
        return ""
    if len(told) == every:
        return ", quorum reached"
    return ", these reach the quorum" if can_elect(state, len(told)) else ", too few for the quorum"


SENTINELS = KindPane("sentinels", "Sentinels", sentinels)
