"""What the running notify scripts will still do, and when. Sources are the script's text, its age and the log (H09).

The progress of a script that sleeps is known from its sleep, otherwise from its age. If the processes cannot be read,
the notify log tells when the script began. All times are the latest possible ones: every branch counts as taken.
"""

from __future__ import annotations

from collections.abc import Iterator

from console.core.keepalived.script_calls import ScriptCall, script_calls
from console.core.lazy_dataclass import dataclass
from console.core.model import ActionKind, ClusterState, NodeState, Process, Role, ScriptAction, VrrpState
from console.core.model.facts import node_by_address, notify_scripts, serving_master, source_of, vrrp_instance
from console.core.numbers import port_number

SLACK = 1.0
"""Seconds that a line may be overdue and still count as pending: commands take time, too."""
_OF_STATE = {VrrpState.MASTER: "notify_master", VrrpState.BACKUP: "notify_backup", VrrpState.FAULT: "notify_fault"}
_CHANGES_ROLES = frozenset({ActionKind.PROMOTES, ActionKind.FOLLOWS})


@dataclass(frozen=True, slots=True)
class PendingLine:
    """A line of a running script that will change replication."""

    node: str
    trigger: str
    """`notify_backup`."""
    path: str
    pid: int | None
    """None: known from the log only."""
    kind: ActionKind
    target: str
    """The new master: the name of the node, else the text of the script; empty: the line promotes."""
    at: float | None
    """Epoch seconds on the operator's clock; None: not known."""
    conditional: bool

    @property
    def command(self) -> str:
        """`SLAVEOF redis-b`, `SLAVEOF NO ONE`."""
        return "SLAVEOF NO ONE" if self.kind is ActionKind.PROMOTES else f"SLAVEOF {self.target}"

    def left(self, now: float) -> float | None:
        """Seconds from now, never below 0."""
        return None if self.at is None else max(0.0, self.at - now)

    def words(self, now: float) -> str:
        """`SLAVEOF redis-b in 7 s`."""
        return f"{self.command} {in_seconds(self.left(now))}{', if its condition holds' if self.conditional else ''}"


def in_seconds(left: float | None) -> str:
    """`in 7 s`. Seconds are rounded up, so that 0 is not shown too early."""
    if left is None:
        return "at an unknown time"
    return f"in {whole_seconds(left)} s" if whole_seconds(left) else "now"


def whole_seconds(left: float) -> int:
    """Seconds, rounded up."""
    return -int(-left // 1)


def pending_lines(state: ClusterState, node: NodeState) -> tuple[PendingLine, ...]:
    """The pending lines of the node's scripts, the next one first."""
    keepalived = node.keepalived.value
    if keepalived is None or keepalived.instance is None:
        return ()
    if node.processes.value is not None and not node.processes.value.scripts:
        return ()
    known = list(script_calls(node, keepalived.instance))
    if node.processes.value is not None:
        running = set(notify_scripts(node))
        # A check that sleeps got no answer from Redis. It will restart or promote Redis next.
        found = [
            one
            for process in node.processes.value.scripts
            if process in running or process.sleeps is not None
            for one in _of_process(state, node, known, process)
        ]
    else:
        found = list(_by_log(state, node, known))
    return tuple(sorted(found, key=lambda one: (one.at is None, one.at or 0.0)))


def _of_process(
    state: ClusterState, node: NodeState, known: list[ScriptCall], process: Process
) -> Iterator[PendingLine]:
    call = next((call for call in known if call.path and call.path in process.command.split()), None)
    if call is None:
        return
    passed = _passed(call, process)
    for _, action in call.actions:
        if action.kind not in _CHANGES_ROLES:
            continue
        due = None if action.after is None or passed is None else action.after - passed
        if due is None or due > (0.0 if process.sleeps is not None else -SLACK):
            at = None if due is None else node.processes.at + due
            yield _pending_line(state, node, call, action, at, process.pid)


def _passed(call: ScriptCall, process: Process) -> float | None:
    """Seconds that the script has slept: known from the sleep that it waits for, otherwise from its age."""
    pauses = call.file.pauses if call.file is not None else ()
    if process.sleeps is None or process.age is None:
        return process.age
    ends = [sum(pauses[: place + 1]) - process.sleeps for place in range(len(pauses))]
    age = process.age
    return min(ends, key=lambda one: abs(one - age), default=age)


def _by_log(state: ClusterState, node: NodeState, known: list[ScriptCall]) -> Iterator[PendingLine]:
    tail, clock = node.notify_log.value, node.clock.value
    last = tail.transitions[-1] if tail is not None and tail.transitions else None
    if last is None or last.at is None:
        return
    began = last.at - (clock.offset if clock is not None else 0.0)
    for call in known:
        if call.trigger != _OF_STATE.get(last.state):
            continue
        for _, action in call.actions:
            if action.kind in _CHANGES_ROLES and action.after is not None:
                at = began + action.after
                if at > state.observed_at - SLACK:
                    yield _pending_line(state, node, call, action, at, None)


def _pending_line(
    state: ClusterState, node: NodeState, call: ScriptCall, action: ScriptAction, at: float | None, pid: int | None
) -> PendingLine:
    host, _, port = action.target.partition(" ")
    number = port_number(port)
    meant = node_by_address(state, host, node.redis_port if number is None else number) if host else None
    target = meant.name if meant is not None else host or "another server"
    return PendingLine(
        node.name, call.trigger, call.path, pid, action.kind, "" if action.kind is ActionKind.PROMOTES else target, at,
        action.conditional,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LossWindow:
    """A period in which a failure of the master loses writes, because the other node does not replicate yet."""

    master: str
    """The node whose failure loses writes."""
    successor: str
    """The node that would take over without the last writes."""
    opens: PendingLine | None
    """The line that begins the period; None: it has begun."""
    closes: PendingLine | None
    """The line that makes the successor follow; None: it follows already, and its sync is in progress."""


def loss_window(state: ClusterState) -> LossWindow | None:
    """The period in which the scripts leave writes unprotected, present or coming; None: there is none."""
    holder = state.node(state.vip_holders[0]) if len(state.vip_holders) == 1 and not state.vip_unread else None
    redis = holder.redis.value if holder is not None else None
    successor = next((node for node in state.nodes if node is not holder), None)
    if holder is None or redis is None or successor is None or not _would_take_over(successor):
        return None
    opens = None
    if redis.role is Role.REPLICA:
        opens = next((one for one in pending_lines(state, holder) if one.kind is ActionKind.PROMOTES), None)
        if opens is None or successor.name not in state.masters:
            return None
    follows = source_of(state, successor) is holder
    closes = next(
        (
            one
            for one in pending_lines(state, successor)
            if one.kind is ActionKind.FOLLOWS and one.target == holder.name
        ),
        None,
    )
    if follows and opens is None:
        link = successor.redis.value.master if successor.redis.value is not None else None
        return (
            LossWindow(holder.name, successor.name, None, None) if link is not None and link.sync_in_progress else None
        )
    return LossWindow(holder.name, successor.name, opens, closes) if closes is not None else None


def _would_take_over(node: NodeState) -> bool:
    keepalived = node.keepalived.value
    return node.redis.ok and keepalived is not None and keepalived.running and keepalived.state is not VrrpState.FAULT


def lacks_promotion_script(state: ClusterState) -> bool:
    """Whether a node that would be the replica has no script that promotes it: only a human could make it the master.

    Where it is not clear who serves, any node counts.
    """
    master = serving_master(state)
    others = [node.keepalived.value for node in state.nodes if node is not master]
    instances = [one.instance for one in others if one is not None]
    return any(
        one is not None and not {"notify_master", "notify"} & {*one.notify, *one.group_notify} for one in instances
    )


def new_master_would_follow(node: NodeState) -> bool:
    """Whether the script of a new master lets this node follow another one first."""
    instance = vrrp_instance(node)
    if instance is None:
        return False
    calls = [one for one in script_calls(node, instance) if one.trigger == "notify_master"]
    return any(action.kind is ActionKind.FOLLOWS for call in calls for _, action in call.actions)


def scripts_attach_replicas(state: ClusterState) -> bool:
    """Whether keepalived's scripts attach replicas by themselves."""
    return any(
        action.kind is ActionKind.FOLLOWS and call.trigger.startswith("notify")
        for node in state.nodes
        if node.keepalived.value is not None and node.keepalived.value.instance is not None
        for call in script_calls(node, node.keepalived.value.instance)
        for _, action in call.actions
    )
