"""What notify scripts that run now will still do, and in how many seconds: by text, age and log (H09).

A script that sleeps is as far as its sleep says; else as far as its age says. Where the processes cannot be read, the
notify log tells when the script began. Figures are the latest times: every branch of a script counts as taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.core.keepalived.named_scripts import Use, uses
from console.core.model import ActionKind, ClusterState, NodeState, Process, Role, ScriptAction, VrrpState
from console.core.model.facts import named, notify_scripts, source_of

SLACK = 1.0
"""Seconds by which a line may be overdue and still be to come: commands take time, too."""
_OF_STATE = {VrrpState.MASTER: "notify_master", VrrpState.BACKUP: "notify_backup", VrrpState.FAULT: "notify_fault"}
_CHANGES_ROLES = frozenset({ActionKind.PROMOTES, ActionKind.FOLLOWS})


@dataclass(frozen=True, slots=True)
class PendingLine:
    """A line of a running script that changes replication and was not reached yet."""

    node: str
    what: str
    """`notify_backup`."""
    path: str
    pid: int | None
    """None: by the log alone."""
    kind: ActionKind
    target: str
    """Whom it will follow: the node's name, else as the script has it; empty where it promotes."""
    at: float | None
    """Epoch seconds on the operator's clock; None: nobody can tell."""
    conditional: bool

    @property
    def command(self) -> str:
        """`SLAVEOF redis-b`, `SLAVEOF NO ONE`."""
        return "SLAVEOF NO ONE" if self.kind is ActionKind.PROMOTES else f"SLAVEOF {self.target}"

    def left(self, now: float) -> float | None:
        """Seconds from now on, never below 0."""
        return None if self.at is None else max(0.0, self.at - now)

    def words(self, now: float) -> str:
        """`SLAVEOF redis-b in 7 s`."""
        return f"{self.command} {in_seconds(self.left(now))}{', if its condition holds' if self.conditional else ''}"


def in_seconds(left: float | None) -> str:
    """`in 7 s`; whole seconds, rounded up so that it does not say 0 before it is."""
    if left is None:
        return "at a time that its text does not tell"
    return f"in {whole(left)} s" if whole(left) else "now"


def whole(left: float) -> int:
    """Seconds, rounded up."""
    return -int(-left // 1)


def pending_lines(state: ClusterState, node: NodeState) -> tuple[PendingLine, ...]:
    """The soonest first."""
    keepalived = node.keepalived.value
    if keepalived is None or keepalived.instance is None:
        return ()
    known = list(uses(node, keepalived.instance))
    if node.processes.value is not None:
        running = set(notify_scripts(node))
        # A check that sleeps has found Redis silent: it goes on to restart or promote it.
        found = [
            one
            for process in node.processes.value.scripts
            if process in running or process.sleeps is not None
            for one in _of_process(state, node, known, process)
        ]
    else:
        found = list(_by_log(state, node, known))
    return tuple(sorted(found, key=lambda one: (one.at is None, one.at or 0.0)))


def _of_process(state: ClusterState, node: NodeState, known: list[Use], process: Process) -> Iterator[PendingLine]:
    use = next((use for use in known if use.path and use.path in process.command.split()), None)
    if use is None:
        return
    passed = _passed(use, process)
    for _, action in use.actions:
        if action.kind not in _CHANGES_ROLES:
            continue
        due = None if action.after is None or passed is None else action.after - passed
        if due is None or due > (0.0 if process.sleeps is not None else -SLACK):
            at = None if due is None else node.processes.at + due
            yield _pending_line(state, node, use, action, at, process.pid)


def _passed(use: Use, process: Process) -> float | None:
    """Seconds of its sleeps that are over: by the sleep that it waits for, else by its age."""
    pauses = use.file.pauses if use.file is not None else ()
    if process.sleeps is None or process.age is None:
        return process.age
    ends = [sum(pauses[: place + 1]) - process.sleeps for place in range(len(pauses))]
    age = process.age
    return min(ends, key=lambda one: abs(one - age), default=age)


def _by_log(state: ClusterState, node: NodeState, known: list[Use]) -> Iterator[PendingLine]:
    tail, clock = node.notify_log.value, node.clock.value
    last = tail.transitions[-1] if tail is not None and tail.transitions else None
    if last is None or last.at is None:
        return
    began = last.at - (clock.offset if clock is not None else 0.0)
    for use in known:
        if use.what != _OF_STATE.get(last.state):
            continue
        for _, action in use.actions:
            if action.kind in _CHANGES_ROLES and action.after is not None:
                at = began + action.after
                if at > state.observed_at - SLACK:
                    yield _pending_line(state, node, use, action, at, None)


def _pending_line(
    state: ClusterState, node: NodeState, use: Use, action: ScriptAction, at: float | None, pid: int | None
) -> PendingLine:
    host, _, port = action.target.partition(" ")
    meant = named(state, host, int(port) if port.isdigit() else node.redis_port) if host else None
    target = meant.name if meant is not None else host or "another server"
    return PendingLine(
        node.name, use.what, use.path, pid, action.kind, "" if action.kind is ActionKind.PROMOTES else target, at,
        action.conditional,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """The time in which the failure of one node loses what clients wrote to it, because the other is not fed yet."""

    master: str
    """Whose failure it is about."""
    heir: str
    """Who would take over without its last writes."""
    opens: PendingLine | None
    """None: it is open."""
    closes: PendingLine | None
    """The line that makes the heir follow; None: it follows already, and its sync has not ended."""


def window(state: ClusterState) -> Window | None:
    """The window that the scripts leave open, or are about to; None: there is none."""
    holder = state.node(state.vip_holders[0]) if len(state.vip_holders) == 1 and not state.vip_unread else None
    redis = holder.redis.value if holder is not None else None
    heir = next((node for node in state.nodes if node is not holder), None)
    if holder is None or redis is None or heir is None or not _would_take_over(heir):
        return None
    opens = None
    if redis.role is Role.REPLICA:
        opens = next((one for one in pending_lines(state, holder) if one.kind is ActionKind.PROMOTES), None)
        if opens is None or heir.name not in state.masters:
            return None
    follows = source_of(state, heir) is holder
    closes = next(
        (one for one in pending_lines(state, heir) if one.kind is ActionKind.FOLLOWS and one.target == holder.name),
        None,
    )
    if follows and opens is None:
        link = heir.redis.value.master if heir.redis.value is not None else None
        return Window(holder.name, heir.name, None, None) if link is not None and link.sync_in_progress else None
    return Window(holder.name, heir.name, opens, closes) if closes is not None else None


def _would_take_over(node: NodeState) -> bool:
    keepalived = node.keepalived.value
    return node.redis.ok and keepalived is not None and keepalived.running and keepalived.state is not VrrpState.FAULT


def promotes_one_way(state: ClusterState) -> bool:
    """Whether a node has no script that would make it a master: the role comes back to it only by a human's hand."""
    instances = [node.keepalived.value.instance for node in state.nodes if node.keepalived.value is not None]
    return any(one is not None and not {"notify_master", "notify"} & set(one.notify) for one in instances)


def follows_by_itself(state: ClusterState) -> bool:
    """Whether keepalived's scripts make replicas by themselves, after a sleep or at once: nobody has to attach them."""
    return any(
        action.kind is ActionKind.FOLLOWS and use.what.startswith("notify")
        for node in state.nodes
        if node.keepalived.value is not None and node.keepalived.value.instance is not None
        for use in uses(node, node.keepalived.value.instance)
        for _, action in use.actions
    )
