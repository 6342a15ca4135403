"""Events: what changed in a cluster, by the last known values. Pure.

What could not be read has not changed. A value that is read again after a gap is compared with the value before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console.core.keepalived.running_scripts import loss_window
from console.core.model import ClusterState, DirectorState, MasterLink, NodeState, ProblemKind, Reading, Redis, Sentinel
from console.core.model.carried import remembered, says_nothing
from console.core.model.facts import source_of, vip_holders_in_words
from console.core.watchers.service_name import dns_nodes, full_name

LOG_EVENTS_AT_START = 5
"""Transitions of each notify log that the timeline shows when the console opens."""
REFUSED = "nothing (connection refused)"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `at` is on the operator's clock."""

    at: float
    subject: str
    """A node, `VIP`, the service name, a Sentinel or a director."""
    text: str
    from_log: bool = False
    """Read from a notify log: this console did not observe it itself."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the timeline knows, and what it has told."""

    shown: ClusterState
    """The last state that was shown."""
    known: ClusterState
    """The same state, with the last known value of each reading that is missing in it."""
    holds_vip: Mapping[str, bool]
    """Node → whether it holds the virtual IP, as far as that is known."""
    reached: str
    """What clients reach at the virtual IP; empty: that was never known."""
    split: tuple[str, ...] = ()
    """Nodes that were told to be masters at once, and still are as far as that is known."""


def tell(told: Told | None, shown: ClusterState) -> tuple[Told, tuple[Event, ...]]:
    """The changes since `told`; at the start, what the logs have. The VIP comes first, then watchers, then nodes."""
    known = remembered(told.known if told is not None else None, shown)
    reached = _reached(known, shown) or (told.reached if told is not None else "")
    if told is None:
        split = shown.masters if len(shown.masters) > 1 else ()
        return Told(shown, known, _read_holders(shown), reached, split), events_from_logs(shown)
    now, before, at = {**told.holds_vip, **_read_holders(shown)}, told.known, shown.observed_at
    found = []
    if any(now[name] is not held for name, held in told.holds_vip.items()):
        now |= {name: False for name in shown.vip_unread if shown.vip_holders}  # it was told that these hold it now
        held = vip_holders_in_words(shown).removeprefix("held by ")
        found.append(Event(at, "VIP", f"held by {_holders(told.holds_vip)} → {held}"))
    if told.reached and reached != told.reached:
        found.append(Event(at, "VIP", f"clients reach {told.reached} → {reached}"))
    found += [Event(at, "VIP", text) for text in _window_changes(before, known)]
    split = told.split if set(told.split) <= set(known.masters) else ()
    if len(shown.masters) > 1 and set(shown.masters) != set(split):
        split = shown.masters
        if all(before.node(name).redis.value is not None for name in split):  # the first reading is no change
            found.append(Event(at, "masters", f"{_names(split)} are masters at once: each takes writes for itself"))
    found += [Event(at, name, text) for name, text in _dropped(before, known)]
    found += [Event(at, subject, text) for subject, text in _watcher_changes(told, shown, known)]
    for then, node, last, last_now in zip(told.shown.nodes, shown.nodes, before.nodes, known.nodes, strict=True):
        found += [Event(at, node.name, text) for text in _node_changes(then, node, last, last_now)]
    return Told(shown, known, now, reached, split), tuple(found)


def events_from_logs(state: ClusterState) -> tuple[Event, ...]:
    """The last transitions in the notify logs, oldest first, on the operator's clock."""
    found: list[Event] = []
    for node in state.nodes:
        tail = node.notify_log.value
        offset = node.clock.value.offset if node.clock.value else 0.0
        found += [
            Event(one.at - offset, node.name, f"keepalived {one.state}", from_log=True)
            for one in (tail.transitions[-LOG_EVENTS_AT_START:] if tail else ())
            if one.at is not None
        ]
    return tuple(sorted(found, key=lambda event: event.at))


def _read_holders(state: ClusterState) -> dict[str, bool]:
    return {node.name: held for node in state.nodes if (held := node.holds(state.vip)) is not None}


def _holders(holds_vip: Mapping[str, bool]) -> str:
    return " and ".join(name for name, held in holds_vip.items() if held) or "no node"


def _reached(known: ClusterState, shown: ClusterState) -> str:
    """The node that answers at the virtual IP now; empty: that is not known."""
    if shown.vip_reach.ok:
        return known.vip_reaches or ""
    refused = shown.vip_reach.problem is not None and shown.vip_reach.problem.kind is ProblemKind.REFUSED
    return REFUSED if refused else ""


def _dropped(before: ClusterState, after: ClusterState) -> Iterator[tuple[str, str]]:
    """One of several masters follows another node now. Whether the console saw both as masters does not matter."""
    for name in before.masters if len(before.masters) > 1 else ():
        source = source_of(after, after.node(name))
        if source is not None:
            yield name, f"follows {source.name} now: what only {name} had acknowledged as a master is dropped"


def _watcher_changes(told: Told, shown: ClusterState, known: ClusterState) -> Iterator[tuple[str, str]]:
    """Subject and text: the service name, Sentinels, the read VIP and its real servers."""
    before = told.known
    if before.consul and known.consul and before.consul.dns.ok and known.consul.dns.ok:
        then, now = dns_nodes(before), dns_nodes(known)
        if then != now:
            yield full_name(known.consul), f"resolves to {_names(then)} → {_names(now)}"
    for was, seen, old, new in zip(
        told.shown.sentinels, shown.sentinels, before.sentinels, known.sentinels, strict=False
    ):
        for text in _source_changes("Sentinel", was.sentinel, seen.sentinel, old.sentinel):
            yield new.name, text
        yield from ((new.name, text) for text in _sentinel_changes(old.sentinel.value, new.sentinel.value))
    for earlier, director in zip(before.directors, known.directors, strict=False):
        yield from ((director.name, text) for text in _director_changes(known.read_vip, earlier, director))


def _source_changes(name: str, before: Reading[Any], now: Reading[Any], last: Reading[Any]) -> Iterator[str]:
    """That a source was lost, or answers again. `last`: its last known reading, from before."""
    if before.ok and now.problem and now.problem.kind is not ProblemKind.NOT_READ:
        yield f"{name} lost: {now.problem}"
    elif now.ok and before.problem and before.problem.kind is not ProblemKind.NOT_READ and _was_told(before, last):
        yield f"{name} answers"


def _was_told(before: Reading[Any], last: Reading[Any]) -> bool:
    """Whether the source was lost, or refused. One that has never answered is only being connected."""
    return last.ok or not says_nothing(before)


def _sentinel_changes(then: Sentinel | None, now: Sentinel | None) -> Iterator[str]:
    if then is None or now is None:
        return
    if then.tilt is not now.tilt:
        yield "TILT begins" if now.tilt else "TILT ends"
    if then.master and now.master:
        if then.master.address != now.master.address:
            yield f"names {then.master.address} → {now.master.address}, epoch {now.master.config_epoch}"
        if then.master.failing_over is not now.master.failing_over:
            yield "failover begins" if now.master.failing_over else "failover ends"


def _director_changes(read_vip: str, before: DirectorState, after: DirectorState) -> Iterator[str]:
    if None not in {before.holds(read_vip), after.holds(read_vip)} and before.holds(read_vip) != after.holds(read_vip):
        yield "took the read VIP" if after.holds(read_vip) else "lost the read VIP"
    then, now = before.service(read_vip), after.service(read_vip)
    if then is None or now is None:
        return
    old = {f"{one.address}:{one.port}": one.weight for one in then.servers}
    new = {f"{one.address}:{one.port}": one.weight for one in now.servers}
    for server in dict.fromkeys((*old, *new)):
        if old.get(server) != new.get(server):
            was, weight = (f"weight {table[server]}" if server in table else "not in it" for table in (old, new))
            yield f"real server {server}: {was} → {weight}"


def _window_changes(before: ClusterState, after: ClusterState) -> Iterator[str]:
    then, now = loss_window(before), loss_window(after)
    was_open, is_open = (one is not None and one.opens is None for one in (then, now))
    if now is not None and is_open and not was_open:
        yield f"a failure of {now.master} now loses writes, until {now.successor} is in sync"
    elif then is not None and was_open and not is_open and _is_in_sync(after, then.successor, then.master):
        yield f"{then.successor} is in sync: a failure of {then.master} loses no writes any more"


def _is_in_sync(state: ClusterState, heir: str, master: str) -> bool:
    """Whether the heir is known to replicate from this master. Where it cannot be read, the answer is no."""
    redis, source = state.node(heir).redis.value, source_of(state, state.node(heir))
    link = redis.master if redis is not None else None
    return source is not None and source.name == master and link is not None and link.up and not link.sync_in_progress


def _node_changes(before: NodeState, now: NodeState, last: NodeState, known: NodeState) -> Iterator[str]:
    """`before` and `now` as shown; `last` and `known` with the last known readings."""
    yield from _source_changes("SSH", before.ssh, now.ssh, last.ssh)
    if last.ssh.value and known.ssh.value and last.ssh.value.boot_id != known.ssh.value.boot_id:
        yield "host was rebooted"
    for text in _source_changes("Redis", before.redis, now.redis, last.redis):
        role = f": {now.redis.value.role}" if now.redis.value and not last.redis.ok else ""
        yield f"{text}{role}"
    yield from _redis_changes(last.redis.value, known.redis.value)
    yield from _keepalived_changes(last, known)


def _redis_changes(then: Redis | None, now: Redis | None) -> Iterator[str]:
    if then is None or now is None:
        return
    if then.run_id != now.run_id:
        yield "Redis restarted"
    if then.role is not now.role:
        yield f"Redis {then.role} → {now.role}"
    yield from _link_changes(then.master, now.master)


def _link_changes(then: MasterLink | None, now: MasterLink | None) -> Iterator[str]:
    if now is None:
        return
    if then is None or (then.host, then.port) != (now.host, now.port):
        yield f"follows {now.host}:{now.port}, link {_link(up=now.up)}"
    elif then.up != now.up:
        yield f"link {_link(up=then.up)} → {_link(up=now.up)}"
    elif then.sync_in_progress != now.sync_in_progress:
        yield "sync began" if now.sync_in_progress else "sync ended"


def _keepalived_changes(before: NodeState, after: NodeState) -> Iterator[str]:
    then, now = before.keepalived.value, after.keepalived.value
    if then is None or now is None:
        return
    if then.state is not now.state:
        yield f"keepalived {then.state} → {now.state}"
    elif then.running != now.running:
        yield "keepalived started" if now.running else "keepalived stopped"
    was, effective = then.effective_priority, now.effective_priority
    if None not in {was, effective} and was != effective and then.running and now.running:
        yield f"effective priority {was} → {effective}"


def _link(*, up: bool) -> str:
    return "up" if up else "down"


def _names(names: tuple[str, ...]) -> str:
    return " and ".join(names) or "no address"
