"""Transitions: what changed between two observations of a cluster, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.core.keepalived.running_scripts import window
from console.core.model import ClusterState, DirectorState, NodeState, Reading, Sentinel
from console.core.model.facts import source_of
from console.core.watchers.service_name import full_name, resolved

LOGGED_AT_FIRST = 5
"""Transitions a node's notify log may bring to the timeline when the console opens: what happened before."""


@dataclass(frozen=True, slots=True)
class Event:
    """One transition. `at` is the operator's clock, but for `logged` ones: there it is the node's."""

    at: float
    subject: str
    """Node, or `VIP`."""
    text: str
    logged: bool = False
    """Not seen by this console: a log on the node tells of it."""


def changes(before: ClusterState, after: ClusterState) -> tuple[Event, ...]:
    """What is different now: what points clients at the master, who watches it, then node by node."""
    found = [Event(after.observed_at, "VIP", text) for text in (*_of_vip(before, after), *_of_window(before, after))]
    found += [Event(after.observed_at, subject, text) for subject, text in _of_watchers(before, after)]
    for node in after.nodes:
        then = next((one for one in before.nodes if one.name == node.name), None)
        if then is not None:
            found += [Event(after.observed_at, node.name, text) for text in _of_node(then, node)]
    return tuple(found)


def told_by_logs(state: ClusterState) -> tuple[Event, ...]:
    """The last transitions that the notify logs tell of, oldest first."""
    found: list[Event] = []
    for node in state.nodes:
        tail = node.notify_log.value
        offset = node.clock.value.offset if node.clock.value else 0.0
        found += [
            Event(one.at - offset, node.name, f"keepalived {one.state}", logged=True)
            for one in (tail.transitions[-LOGGED_AT_FIRST:] if tail else ())
            if one.at is not None
        ]
    return tuple(sorted(found, key=lambda event: event.at))


def _of_vip(before: ClusterState, after: ClusterState) -> Iterator[str]:
    if before.vip_holders != after.vip_holders and (after.vip_holders or not after.vip_unread):
        yield f"held by {_names(before.vip_holders)} → {_names(after.vip_holders)}"
    if before.vip_reaches != after.vip_reaches:
        yield f"clients reach {before.vip_reaches or 'nobody'} → {after.vip_reaches or 'nobody'}"


def _of_watchers(before: ClusterState, after: ClusterState) -> Iterator[tuple[str, str]]:
    """Subject and text: the name in Consul, Sentinels, the read VIP and its tables."""
    if before.consul and after.consul and before.consul.dns.ok and after.consul.dns.ok:
        then, now = resolved(before), resolved(after)
        if then != now:
            yield full_name(after.consul), f"leads to {_names(then)} → {_names(now)}"
    for old, new in zip(before.sentinels, after.sentinels, strict=False):
        yield from ((new.name, text) for text in _of_sentinel(old.sentinel, new.sentinel))
    for was, director in zip(before.directors, after.directors, strict=False):
        yield from ((director.name, text) for text in _of_director(after.read_vip, was, director))


def _of_sentinel(before: Reading[Sentinel], after: Reading[Sentinel]) -> Iterator[str]:
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


def _of_director(read_vip: str, before: DirectorState, after: DirectorState) -> Iterator[str]:
    if None not in {before.holds(read_vip), after.holds(read_vip)} and before.holds(read_vip) != after.holds(read_vip):
        yield "read VIP came" if after.holds(read_vip) else "read VIP went"
    then, now = before.service(read_vip), after.service(read_vip)
    if then is None or now is None:
        return
    old = {f"{one.address}:{one.port}": one.weight for one in then.servers}
    new = {f"{one.address}:{one.port}": one.weight for one in now.servers}
    for server in dict.fromkeys((*old, *new)):
        if old.get(server) != new.get(server):
            was, weight = (f"weight {table[server]}" if server in table else "not in it" for table in (old, new))
            yield f"real server {server}: {was} → {weight}"


def _of_window(before: ClusterState, after: ClusterState) -> Iterator[str]:
    then, now = window(before), window(after)
    was, is_ = (one is not None and one.opens is None for one in (then, now))
    if now is not None and is_ and not was:
        yield f"from here on the failure of {now.master} loses writes, until {now.heir} is in sync"
    elif then is not None and was and not is_ and _fed(after, then.heir, then.master):
        yield f"{then.heir} is in sync: the failure of {then.master} loses no writes any more"


def _fed(state: ClusterState, heir: str, master: str) -> bool:
    """Not known is not so: a window that cannot be seen any more has not closed."""
    redis, source = state.node(heir).redis.value, source_of(state, state.node(heir))
    link = redis.master if redis is not None else None
    return source is not None and source.name == master and link is not None and link.up and not link.sync_in_progress


def _of_node(before: NodeState, after: NodeState) -> Iterator[str]:
    yield from _of_ssh(before, after)
    yield from _of_redis(before, after)
    yield from _of_link(before, after)
    yield from _of_keepalived(before, after)


def _of_ssh(before: NodeState, after: NodeState) -> Iterator[str]:
    if before.ssh.ok and after.ssh.problem:
        yield f"SSH lost: {after.ssh.problem}"
    elif after.ssh.ok and before.ssh.problem:
        yield "SSH answers"
    elif before.ssh.value and after.ssh.value and before.ssh.value.boot_id != after.ssh.value.boot_id:
        yield "host was rebooted"


def _of_redis(before: NodeState, after: NodeState) -> Iterator[str]:
    if before.redis.ok and after.redis.problem:
        yield f"Redis lost: {after.redis.problem}"
    elif after.redis.value and before.redis.problem:
        yield f"Redis answers: {after.redis.value.role}"
    elif before.redis.value and after.redis.value:
        if before.redis.value.run_id != after.redis.value.run_id:
            yield "Redis restarted"
        if before.redis.value.role is not after.redis.value.role:
            yield f"Redis {before.redis.value.role} → {after.redis.value.role}"


def _of_link(before: NodeState, after: NodeState) -> Iterator[str]:
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


def _of_keepalived(before: NodeState, after: NodeState) -> Iterator[str]:
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
