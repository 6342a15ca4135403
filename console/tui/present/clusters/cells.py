"""The values of one node in marks and words. Cards and tables are made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from textual.content import Content

from console.core.conditions.replication import refuses_writes
from console.core.conditions.switching import paused
from console.core.keepalived.running_scripts import pending_lines, whole_seconds
from console.core.model import ClusterState, DataForm, NodeState, Reading, Role, VrrpState
from console.core.model.facts import bytes_behind, link_down_in_words, serving_master, source_of
from console.core.quantities import counted
from console.core.replication.disk_data import UnreadDataError, as_data, disk_data
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    WARN,
    bytes_text,
    clock_text,
    line,
    number_text,
    seconds_text,
)

_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d[:T ](\d\d:\d\d:\d\d)[^|]*\|(?:\d+\|)?(.*)$")


_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "env", "busybox"})
"""Programs that run a script: the name of its file says more."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a card. `at` is when its value was read."""

    label: str
    cells: Content
    at: float = 0.0
    short: Content | None = None
    """The cells for a column or card that is too narrow for them; None: `cells` are short enough."""
    countdown: Callable[[float], Content] | None = None
    """(now) → the cells, where they change every second without a new reading."""

    def cells_at(self, now: float) -> Content:
        """The cells at this moment."""
        return self.cells if self.countdown is None else self.countdown(now)


def role_cells(state: ClusterState, node: NodeState) -> Content:
    """`✓ MASTER`, `✓ replica of redis-b`, or why Redis could not be read.

    Of several masters none has a tick, and none that refuses every write. Nor has a replica whose link is not up.
    """
    redis = node.redis.value
    if redis is None:
        return problem(node.redis)
    if redis.loading:
        return line(("! loading its data set", WARN))
    if redis.role is Role.MASTER:
        if refusal := refuses_writes(node):
            why = "writes paused" if paused(redis) else f"refuses writes: {refusal[0]}"
            return line((f"✗ MASTER, {why}", f"{BOLD} {BAD}"))
        if len(state.masters) > 1:
            mark, style = ("!", WARN) if serving_master(state) in (None, node) else ("✗", BAD)
            return line((f"{mark} MASTER", f"{BOLD} {style}"))
        return line(("✓ MASTER", f"{BOLD} {GOOD}"))
    source = source_of(state, node)
    name = source.name if source else f"{redis.master.host}:{redis.master.port}" if redis.master else "?"
    follows = source is not None and redis.master is not None and redis.master.up
    mark, style = ("✓", GOOD) if follows else ("!", WARN)
    return line((f"{mark} replica of {name}", style))


def writable_cells(state: ClusterState, node: NodeState) -> Content:
    """As `role_cells`, at the end of the path of clients that write: one that is a replica refuses their writes."""
    redis = node.redis.value
    if redis is None or redis.loading or redis.role is Role.MASTER:
        return role_cells(state, node)
    source = source_of(state, node)
    return line((f"✗ replica{f' of {source.name}' if source else ''}: refuses writes", BAD))


def vrrp_cells(node: NodeState) -> Content:
    """`✓ MASTER since 03:40:12`: the VRRP state of this node."""
    keepalived = node.keepalived.value
    if keepalived is None:
        return problem(node.keepalived)
    if not keepalived.running:
        return line(("✗ not running", BAD))
    mark, style = {
        VrrpState.MASTER: ("✓", GOOD),
        VrrpState.BACKUP: ("✓", GOOD),
        VrrpState.FAULT: ("✗", BAD),
    }.get(keepalived.state, ("?", WARN))
    word = "runs, state unknown" if keepalived.state is VrrpState.UNKNOWN else str(keepalived.state)
    since = f" since {clock_text(keepalived.since)}" if keepalived.since else ""
    return line((f"{mark} {word}", style), since)


def link_text(state: ClusterState, node: NodeState) -> str:
    """A replica's link in words; empty for a master and where Redis could not be read."""
    redis = node.redis.value
    if redis is None or redis.master is None:
        return ""
    if redis.master.sync_in_progress:
        left = redis.master.sync_left_bytes
        return "syncing" + (f", {bytes_text(left)} left" if left is not None else "")
    if not redis.master.up:
        return link_down_in_words(redis.master)
    behind = bytes_behind(state, node)
    return "link up" + (f", {bytes_text(behind)} behind" if behind is not None else "")


def problem(reading: Reading[Any]) -> Content:
    """Why this reading failed, with a mark."""
    return line((f"✗ {kind_of_problem(reading)}", BAD))


def kind_of_problem(reading: Reading[Any]) -> str:
    """The reason in one or two words. Findings and topology have the whole sentence."""
    return str(reading.problem.kind) if reading.problem else "not read yet"


def ssh_cells(node: NodeState) -> Content:
    """SSH, and the offset of the node's clock."""
    if node.ssh.value is None:
        return problem(node.ssh)
    offset = f", clock {round(node.clock.value.offset, 1) + 0.0:+.1f} s" if node.clock.value else ""
    return line(("✓ ok", GOOD), offset)


def link_cells(state: ClusterState, node: NodeState) -> tuple[str, Content]:
    """Label and text: a replica's link to its master, or the number of the master's replicas."""
    redis = node.redis.value
    if redis is None:
        return "Link", line(("—", DIM))
    if redis.master is None:
        count = len(redis.replicas)
        if not count:
            return "Replicas", line(("! none attached", WARN))
        lag = max((one.lag_seconds or 0 for one in redis.replicas), default=0)
        return "Replicas", line(("✓ ", GOOD), f"{count} attached, lag {lag} s")
    good = redis.master.up and not redis.master.sync_in_progress
    mark, style = ("✓ ", GOOD) if good else ("! ", WARN) if redis.master.sync_in_progress else ("✗ ", BAD)
    return "Lag", line((mark, style), (link_text(state, node), "" if good else style))


def offset_cells(node: NodeState) -> Content:
    """Replication offset and operations per second."""
    redis = node.redis.value
    if redis is None:
        return line(("—", DIM))
    return line(number_text(redis.offset), (f" · {redis.ops_per_second} ops/s", ""))


def data_cells(node: NodeState) -> Content:
    """Keys and memory; where the server is down, the file that it would load."""
    redis = node.redis.value
    if redis is not None:
        return line(f"{counted(redis.total_keys, 'key')} · {bytes_text(redis.used_memory)}")
    try:
        found = disk_data(node)[:1]
    except UnreadDataError:
        found = (as_data(node.dump.value),) if node.dump.value is not None else ()
    for one in found:
        word = "saved" if one.form is DataForm.DUMP else "AOF"
        return line(f"{word} {bytes_text(one.size)} {clock_text(one.modified)}")
    return line(("—", DIM))


def vip_cells(state: ClusterState, node: NodeState) -> Content:
    """Whether the node's kernel has the virtual IP."""
    held = node.holds(state.vip)
    if held is None:
        return line(("? not known: ", WARN), (kind_of_problem(node.addresses), WARN))
    if not held:
        return line("not here")
    if len(state.vip_holders) > 1:
        return line((f"✗ held by {counted(len(state.vip_holders), 'node')}", BAD))
    return line((f"✓ holds {state.vip}", GOOD))


def priority_cells(node: NodeState) -> Content:
    """Keepalived's priority: as configured and as it is now, and when the weight of its check counts."""
    keepalived = node.keepalived.value
    if keepalived is None or keepalived.instance is None:
        return line(("—", DIM))
    own, now = keepalived.instance.priority, keepalived.effective_priority
    weight = keepalived.instance.weight
    if now is None:
        return line(
            f"{own}; the present one is not known" if keepalived.running else f"{own}, not in use: it does not run"
        )
    if now != own:
        return line(f"{own}, ", (f"now {now}", WARN), (f" (check {weight:+d})", DIM))
    if not weight:
        return line(f"{own}")
    return line(f"{own}", (f" ({weight:+d} if check {'fails' if weight < 0 else 'is ok'})", DIM))


def short_log(text: str) -> str:
    """A line of a notify log without its date and process id, where it has the usual form."""
    found = _LOG_LINE.match(text)
    return f"{found[1]} {found[2]}" if found else text


def notify_cells(node: NodeState) -> Content:
    """A notify script that runs now; otherwise the newest line of the notify log."""
    if scripts := (node.processes.value.scripts if node.processes.value else ()):
        return line((f"! a script runs: {scripts[0].command}", WARN))
    tail = node.notify_log.value
    if tail is None:
        return line((f"? {kind_of_problem(node.notify_log)}", DIM))
    return line(short_log(tail.lines[-1]) if tail.lines else ("empty", DIM))


def _short_notify(node: NodeState) -> Content | None:
    """That a script runs, with the name of its file alone: not the shell that runs it, nor its folder."""
    scripts = node.processes.value.scripts if node.processes.value else ()
    if not scripts:
        return None
    words = scripts[0].command.split()
    names = [one.rpartition("/")[2] for one in words if "/" in one]
    name = next((one for one in names if one not in _SHELLS), words[0] if words else "?")
    return line((f"! runs {name}", WARN))


def notify_row(state: ClusterState, node: NodeState) -> Row:
    """The notify log; while a notify script sleeps, its next command and a countdown in seconds."""
    pending = pending_lines(state, node)
    row = Row("Notify log", notify_cells(node), node.notify_log.at, _short_notify(node))
    if not pending:
        return row

    def count(now: float) -> Content:
        left = pending[0].left(now)
        when = "? s" if left is None else f"{whole_seconds(left)} s"
        return line((f"! {when} → {pending[0].command}", WARN))

    return replace(row, at=node.processes.at or row.at, short=None, countdown=count)


def further_rows(node: NodeState, now: float) -> list[Row]:
    """The rows that are shown only where there is room."""
    more: list[Row] = []
    if redis := node.redis.value:
        saved = redis.persistence.rdb_last_save
        when = f"{seconds_text(max(0.0, now - saved))} ago" if saved else "never"
        changes = redis.persistence.changes_since_save
        pending = "" if changes is None else f", {counted(changes, 'change')} since"
        bad = redis.persistence.rdb_last_status != "ok"
        more += [
            Row("Server", line(f"{redis.flavour} {redis.version}, up {seconds_text(redis.uptime)}"), node.redis.at),
            Row("Clients", line(number_text(redis.clients)), node.redis.at),
            Row("Saved", line(("✗ failing, last ", BAD) if bad else "", when, pending), node.redis.at),
            Row("History", line(redis.history), node.redis.at),
        ]
    if memory := node.memory.value:
        text = f"{bytes_text(memory.available)} of {bytes_text(memory.total)} free, overcommit {memory.overcommit}"
        more.append(Row("Memory", line(text), node.memory.at))
    if disk := node.disk.value:
        text = f"{bytes_text(disk.free)} of {bytes_text(disk.total)} free"
        more.append(Row("Disk", line(text, (f"  {disk.path}", DIM)), node.disk.at))
    return more


def redis_rows(state: ClusterState, node: NodeState) -> list[Row]:
    """The rows of every kind: SSH, Redis, replication link, offset, data."""
    label, link = link_cells(state, node)
    redis, data = node.redis.value, data_cells(node)
    short_data = data
    if redis is not None:
        short_data = line(f"{number_text(redis.total_keys)} · {bytes_text(redis.used_memory)}")
    return [
        Row("SSH", ssh_cells(node), node.ssh.at),
        Row("Redis", role_cells(state, node), node.redis.at),
        Row(label, link, node.redis.at, _short_link(link)),
        Row("Offset", offset_cells(node), node.redis.at),
        Row("Data", data, node.redis.at, short_data),
    ]


def _short_link(link: Content) -> Content:
    """`✓ up, 14 B behind`: the label says that it is the link."""
    at = link.plain.find("link ")
    return link if at < 0 else link[:at] + link[at + len("link ") :]
