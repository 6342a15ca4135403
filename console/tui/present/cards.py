"""A card a node: what is true of it, value by value, with the age of each. Boxes are drawn here, in text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from textual.content import Content

from console.core.model import ClusterState, NodeState, Reading, Role, VrrpState
from console.tui.present.words import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    STALE_AFTER,
    WARN,
    Lines,
    Part,
    age_note,
    beside,
    bytes_text,
    clock_text,
    counted,
    fitted,
    line,
    number_text,
    seconds_text,
)
from console.tui.view import bytes_behind, source_of

LABEL = 11
CARD_MIN = 38
AGE_COLUMN_FROM = 56
"""Width from which each value has its age in a column of its own; below it only old ones carry it."""
_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d[:T ](\d\d:\d\d:\d\d)[^|]*\|(?:\d+\|)?(.*)$")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card. `at` is when its value was read."""

    label: str
    cells: Content
    at: float = 0.0


def cards(state: ClusterState, now: float, width: int, height: int) -> Lines:
    """All nodes side by side, as many in a row as fit; `height` is for one row of cards."""
    across = max(1, min(len(state.nodes), (width + 1) // (CARD_MIN + 1)))
    each = (width - (across - 1)) // across
    drawn: list[Content] = []
    for start in range(0, len(state.nodes), across):
        row = [card(state, node, now, each, height) for node in state.nodes[start : start + across]]
        drawn += beside(row, [each] * len(row))
    return tuple(drawn)


def card(state: ClusterState, node: NodeState, now: float, width: int, height: int) -> Lines:
    """One node in a box of this size. Essential rows first, then what fits; the notify log's tail takes the rest."""
    inner, room = width - 4, height - 2
    drawn = [_row(row, now, inner) for row in rows(state, node, now)[:room]]
    drawn += _log_tail(node, inner, room - len(drawn))
    drawn += [line("")] * (room - len(drawn))
    style = _border_style(state, node)
    middle = [line(("│ ", style), fitted(one, inner), (" │", style)) for one in drawn]
    return (_top(state, node, width, style), *middle, _bottom(node, now, width, style))


def compact(state: ClusterState, now: float, width: int) -> Lines:
    """One line a node, for screens whose room belongs to something else."""
    longest = max((len(node.name) for node in state.nodes), default=0)
    return tuple(_compact_line(state, node, now, longest, width) for node in state.nodes)


def rows(state: ClusterState, node: NodeState, now: float) -> list[Row]:
    """Every row of a card, in the order to read them."""
    return [
        Row("SSH", _ssh(node), node.ssh.at),
        Row("Redis", role_cells(state, node), node.redis.at),
        Row(*_link(state, node), node.redis.at),
        Row("Offset", _offset(node), node.redis.at),
        Row("Data", _data(node), node.redis.at),
        Row("VIP", _vip(state, node), node.addresses.at),
        Row("keepalived", vrrp_cells(node), node.keepalived.at),
        Row("Priority", _priority(node), node.keepalived.at),
        Row("Notify log", _notify(node), node.notify_log.at),
        *_more(node, now),
    ]


def role_cells(state: ClusterState, node: NodeState) -> Content:
    """`✓ MASTER`, `✓ replica of redis-b`, or why Redis could not be read."""
    redis = node.redis.value
    if redis is None:
        return _problem(node.redis)
    if redis.loading:
        return line(("! loading its data set", WARN))
    if redis.role is Role.MASTER:
        return line(("✓ MASTER", f"{BOLD} {GOOD}"))
    source = source_of(state, node)
    name = source.name if source else f"{redis.master.host}:{redis.master.port}" if redis.master else "?"
    mark, style = ("✓", GOOD) if source else ("!", WARN)
    return line((f"{mark} replica of {name}", style))


def vrrp_cells(node: NodeState) -> Content:
    """`✓ MASTER since 03:40:12`: keepalived's own word for this node."""
    keepalived = node.keepalived.value
    if keepalived is None:
        return _problem(node.keepalived)
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
        down = redis.master.down_seconds
        return "link down" + (f" for {seconds_text(down)}" if down is not None else "")
    behind = bytes_behind(state, node)
    return "link up" + (f", {bytes_text(behind)} behind" if behind is not None else "")


def _problem(reading: Reading[Any]) -> Content:
    return line((f"✗ {_kind(reading)}", BAD))


def _kind(reading: Reading[Any]) -> str:
    """The reason in a word or two; findings and topology have the whole sentence."""
    return str(reading.problem.kind) if reading.problem else "not read yet"


def _ssh(node: NodeState) -> Content:
    if node.ssh.value is None:
        return _problem(node.ssh)
    offset = f", clock {round(node.clock.value.offset, 1) + 0.0:+.1f} s" if node.clock.value else ""
    return line(("✓ ok", GOOD), offset)


def _link(state: ClusterState, node: NodeState) -> tuple[str, Content]:
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


def _offset(node: NodeState) -> Content:
    redis = node.redis.value
    if redis is None:
        return line(("—", DIM))
    return line(number_text(redis.offset), (f" · {redis.ops_per_second} ops/s", ""))


def _data(node: NodeState) -> Content:
    redis = node.redis.value
    if redis is not None:
        return line(f"{number_text(redis.total_keys)} keys · {bytes_text(redis.used_memory)}")
    saved = node.saved.value
    if saved is not None:
        return line(f"saved {bytes_text(saved.size)} {clock_text(saved.modified)}")
    return line(("—", DIM))


def _vip(state: ClusterState, node: NodeState) -> Content:
    held = node.holds(state.vip)
    if held is None:
        return line(("? not known: ", WARN), (_kind(node.addresses), WARN))
    if not held:
        return line("not here")
    several = len(state.vip_holders) > 1
    return line((f"✗ held by {len(state.vip_holders)} nodes", BAD) if several else (f"✓ holds {state.vip}", GOOD))


def _priority(node: NodeState) -> Content:
    keepalived = node.keepalived.value
    if keepalived is None or keepalived.instance is None:
        return line(("—", DIM))
    own, now = keepalived.instance.priority, keepalived.effective_priority
    weight = keepalived.instance.weight
    if now is None or now == own:
        return line(f"{own}, effective {'—' if now is None else now}", (f" ({weight:+d})", DIM))
    return line(f"{own}, ", (f"effective {now}", WARN), (f" ({weight:+d})", DIM))


def short_log(text: str) -> str:
    """A line of a notify log without its date and process id, where it has the usual form."""
    found = _LOG_LINE.match(text)
    return f"{found[1]} {found[2]}" if found else text


def _notify(node: NodeState) -> Content:
    if scripts := (node.processes.value.scripts if node.processes.value else ()):
        return line((f"! a script runs: {scripts[0].command}", WARN))
    tail = node.notify_log.value
    if tail is None:
        return line((f"? {_kind(node.notify_log)}", DIM))
    return line(short_log(tail.lines[-1]) if tail.lines else ("empty", DIM))


def _more(node: NodeState, now: float) -> list[Row]:
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
            Row("History", line(redis.history[:16], ("…", DIM)), node.redis.at),
        ]
    if memory := node.memory.value:
        text = f"{bytes_text(memory.available)} of {bytes_text(memory.total)} free, overcommit {memory.overcommit}"
        more.append(Row("Memory", line(text), node.memory.at))
    if disk := node.disk.value:
        text = f"{bytes_text(disk.free)} of {bytes_text(disk.total)} free"
        more.append(Row("Disk", line(text, (f"  {disk.path}", DIM)), node.disk.at))
    return more


def _row(row: Row, now: float, inner: int) -> Content:
    age = max(0.0, now - row.at) if row.at else None
    label = (f"{row.label:<{LABEL}}", DIM)
    if inner < AGE_COLUMN_FROM - 4:
        note = age_note(age)
        return line(label, fitted(row.cells, max(0, inner - LABEL - note.cell_length)), note)
    text = "" if age is None else seconds_text(age) + (" old" if age > STALE_AFTER else "")
    column = (f"{text:>10}", WARN if age is not None and age > STALE_AFTER else DIM)
    return line(label, fitted(row.cells, inner - LABEL - 10), column)


def _log_tail(node: NodeState, inner: int, room: int) -> list[Content]:
    """The notify log's lines before the last, which has a row of its own; newest at the bottom."""
    tail = node.notify_log.value
    if tail is None or room < 3 or len(tail.lines) < 2:  # noqa: PLR2004
        return []
    lines = tail.lines[-(room - 1) :]
    title = line((f"─ notify log {tail.path} ".ljust(inner, "─")[:inner], DIM))
    return [title, *(fitted(line((short_log(one), DIM)), inner) for one in lines)]


def _badges(state: ClusterState, node: NodeState) -> list[Part]:
    badges: list[Part] = []
    redis = node.redis.value
    if redis is None:
        badges.append((" NO ANSWER " if node.ssh.value is None else " REDIS? ", f"reverse {BAD}"))
    if node.holds(state.vip):
        badges.append((" VIP ", f"{BOLD} reverse"))
    return badges


def _border_style(state: ClusterState, node: NodeState) -> str:
    if node.redis.value is None or node.ssh.value is None:
        return BAD
    return GOOD if node.holds(state.vip) else DIM


def _top(state: ClusterState, node: NodeState, width: int, style: str) -> Content:
    badges = line(*_badges(state, node))
    title = fitted_title(node, width - badges.cell_length - 6)
    filled = width - 5 - title.cell_length - badges.cell_length
    return line(("╭─", style), title, ("─" * max(0, filled), style), badges, ("──╮", style))


def fitted_title(node: NodeState, room: int) -> Content:
    """The node's name, and its address where there is room."""
    full = line((f" {node.name} ", BOLD), (f"{node.address} ", DIM))
    return full if full.cell_length <= room else line((f" {node.name} ", BOLD))


def _bottom(node: NodeState, now: float, width: int, style: str) -> Content:
    words = " · ".join(_read_when(name, reading, now) for name, reading in (("SSH", node.ssh), ("Redis", node.redis)))
    text = f" {words} " if len(words) <= width - 6 else ""
    return line(("╰─", style), (text, DIM), ("─" * (width - 3 - len(text)), style), ("╯", style))


def _read_when(name: str, reading: Reading[Any], now: float) -> str:
    age = reading.age(now)
    if age is None:
        return f"{name} never read"
    if reading.problem:
        return f"{name} tried {seconds_text(age)} ago"
    return f"{name} {seconds_text(age)}{' old' if age > STALE_AFTER else ''}"


def _compact_line(state: ClusterState, node: NodeState, now: float, longest: int, width: int) -> Content:
    redis, keepalived = node.redis.value, node.keepalived.value
    cells: list[Part] = [
        (f"{node.name:<{longest}} ", BOLD),
        (" VIP ", "reverse") if node.holds(state.vip) else "     ",
        " ",
        role_cells(state, node),
    ]
    if text := link_text(state, node):
        cells += [", ", text]
    state_word = _problem(node.keepalived) if keepalived is None else line(str(keepalived.state))
    cells += [(" · keepalived ", DIM), state_word]
    if keepalived and keepalived.effective_priority is not None:
        cells += [f" {keepalived.effective_priority}"]
    if redis is not None:
        cells += [(" · offset ", DIM), number_text(redis.offset), " · ", number_text(redis.total_keys), (" keys", DIM)]
    oldest = max((age for one in (node.ssh, node.redis) if (age := one.age(now)) is not None), default=None)
    note = line((" never read", WARN)) if oldest is None else age_note(oldest)
    return line(fitted(line(*cells), width - note.cell_length), note)
