"""Events: what changed between two observations of a cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.core.keepalived.running_scripts import window
from console.core.model import ClusterState, DirectorState, NodeState, Reading, Sentinel
from console.core.model.facts import source_of
from console.core.watchers.service_name import full_name, resolved

LOG_EVENTS_AT_START = 5
"""Transitions of each notify log that the timeline shows when the console opens."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `at` is on the operator's clock."""

    at: float
    subject: str
    """A node, `VIP`, the service name, a Sentinel or a director."""
    text: str
    from_log: bool = False
    """Read from a notify log: this console did not observe it itself."""


def changes(before: ClusterState, after: ClusterState) -> tuple[Event, ...]:
    """The changes of the VIP first, then of service name, Sentinels and directors, then of each node."""
    found = [
        Event(after.observed_at, "VIP", text)
        for text in (*_vip_changes(before, after), *_window_changes(before, after))
    ]
    found += [Event(after.observed_at, subject, text) for subject, text in _watcher_changes(before, after)]
    for node in after.nodes:
        then = next((one for one in before.nodes if one.name == node.name), None)
        if then is not None:
            found += [Event(after.observed_at, node.name, text) for text in _node_changes(then, node)]
    return tuple(found)


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


def _vip_changes(before: ClusterState, after: ClusterState) -> Iterator[str]:
    if before.vip_holders != after.vip_holders and (after.vip_holders or not after.vip_unread):
        yield f"held by {_names(before.vip_holders)} → {_names(after.vip_holders)}"
    if before.vip_reaches != after.vip_reaches:
        yield f"clients reach {before.vip_reaches or 'nobody'} → {after.vip_reaches or 'nobody'}"


def _watcher_changes(before: ClusterState, after: ClusterState) -> Iterator[tuple[str, str]]:
    """Subject and text: the service name, Sentinels, the read VIP and its real servers."""
    if before.consul and after.consul and before.consul.dns.ok and after.consul.dns.ok:
        then, now = resolved(before), resolved(after)
        if then != now:
            yield full_name(after.consul), f"resolves to {_names(then)} → {_names(now)}"
    for old, new in zip(before.sentinels, after.sentinels, strict=False):
        yield from ((new.name, text) for text in _sentinel_changes(old.sentinel, new.sentinel))
    for was, director in zip(before.directors, after.directors, strict=False):
        yield from ((director.name, text) for text in _director_changes(after.read_vip, was, director))


def _sentinel_changes(before: Reading[Sentinel], after: Reading[Sentinel]) -> Iterator[str]:
    then, now = before.value, after.value
    if before.ok and after.problem:
        yield f"Sentinel lost: {after.problem}"
    elif now and before.problem:
        yield "Sentinel answers"
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
    then, now = window(before), window(after)
    was_open, is_open = (one is not None and one.opens is None for one in (then, now))
    if now is not None and is_open and not was_open:
        yield f"a failure of {now.master} now loses writes, until {now.heir} is in sync"
    elif then is not None and was_open and not is_open and _is_in_sync(after, then.heir, then.master):
        yield f"{then.heir} is in sync: a failure of {then.master} loses no writes any more"


def _is_in_sync(state: ClusterState, heir: str, master: str) -> bool:
    """Whether the heir is known to replicate from this master. Where it cannot be read, the answer is no."""
    redis, source = state.node(heir).redis.value, source_of(state, state.node(heir))
    link = redis.master if redis is not None else None
    return source is not None and source.name == master and link is not None and link.up and not link.sync_in_progress


def _node_changes(before: NodeState, after: NodeState) -> Iterator[str]:
    yield from _ssh_changes(before, after)
    yield from _redis_changes(before, after)
    yield from _link_changes(before, after)
    yield from _keepalived_changes(before, after)


def _ssh_changes(before: NodeState, after: NodeState) -> Iterator[str]:
    if before.ssh.ok and after.ssh.problem:
        yield f"SSH lost: {after.ssh.problem}"
    elif after.ssh.ok and before.ssh.problem:
        yield "SSH answers"
    elif before.ssh.value and after.ssh.value and before.ssh.value.boot_id != after.ssh.value.boot_id:
        yield "host was rebooted"


def _redis_changes(before: NodeState, after: NodeState) -> Iterator[str]:
    if before.redis.ok and after.redis.problem:
        yield f"Redis lost: {after.redis.problem}"
    elif after.redis.value and before.redis.problem:
        yield f"Redis answers: {after.redis.value.role}"
    elif before.redis.value and after.redis.value:
        if before.redis.value.run_id != after.redis.value.run_id:
            yield "Redis restarted"
        if before.redis.value.role is not after.redis.value.role:
            yield f"Redis {before.redis.value.role} → {after.redis.value.role}"


def _link_changes(before: NodeState, after: NodeState) -> Iterator[str]:
    then = before.redis.value.master if before.redis.value else None
    now = after.redis.value.master if after.redis.value else None
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
    if then.effective_priority != now.effective_priority and then.running and now.running:
        yield f"effective priority {then.effective_priority} → {now.effective_priority}"


def _link(*, up: bool) -> str:
    return "up" if up else "down"


def _names(names: tuple[str, ...]) -> str:
    return " and ".join(names) or "nobody"
