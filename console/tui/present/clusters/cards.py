"""One card for each node: its values and the age of each, in a box drawn as text.

Where the cards do not fit side by side, the nodes become columns of one table.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from textual.content import Content

from console.core.model import ClusterState, NodeState, Reading
from console.tui.present.clusters.cells import Row, further_rows, link_text, role_cells, short_log
from console.tui.present.clusters.kinds import presentation_of
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    KEPT,
    STALE_AFTER,
    UNCUT,
    WARN,
    Key,
    Lines,
    Part,
    age_note,
    content_of,
    fitted,
    key_of,
    line,
    number_text,
    rewrapped,
    seconds_text,
    side_by_side,
    told_apart,
    wrapped,
)

LABEL = 11
CARD_MIN = 38
LEAST_NAME = 8
"""Cells that a shortened name has at least. With less room than that, the address of the node stands below it."""
COLUMN_MIN = 16
"""Cells that a node's column needs in a table."""
AGE_COLUMN_FROM = 56
"""Width from which the ages have a column of their own. Below it only old values show their age."""


def cards(state: ClusterState, now: float, width: int, height: int) -> Lines:
    """All nodes side by side, each in a box of this height; one table where the width is not enough."""
    count = len(state.nodes)
    if count * (CARD_MIN + 1) - 1 > width:
        return table(state, now, width, height)
    each = (width - (count - 1)) // count
    return side_by_side([card(state, node, now, each, height) for node in state.nodes], [each] * count)


def table(state: ClusterState, now: float, width: int, height: int) -> Lines:
    """One column for each node; nodes that do not fit side by side go below."""
    across = max(1, min(len(state.nodes), (width - LABEL + 1) // (COLUMN_MIN + 1)))
    each = (width - LABEL - (across - 1)) // across
    drawn: list[Content] = []
    for start in range(0, len(state.nodes), across):
        drawn += _columns(state, state.nodes[start : start + across], now, each, height)
    return tuple(drawn)


def _columns(state: ClusterState, nodes: tuple[NodeState, ...], now: float, each: int, height: int) -> Lines:
    all_rows = [[*presentation_of(state.kind).rows(state, node), *further_rows(node, now)] for node in nodes]
    titles = [_column_title(state, node, each) for node in nodes]
    drawn = [_table_line("", titles, each)]
    for at in range(min(height - 2, max(len(rows) for rows in all_rows))):
        cells = [rows[at] if at < len(rows) else Row("", line("")) for rows in all_rows]
        label = cells[0].label if len({one.label for one in cells}) == 1 else "Link"
        drawn.append(_table_line(label, [one.cells_at(now) if one.short is None else one.short for one in cells], each))
    return (*drawn, _table_line("Read", [_ages(node, now) for node in nodes], each))


def _column_title(state: ClusterState, node: NodeState, width: int) -> Content:
    """The name, shortened where it is long, and the badges."""
    badges = line(*_badges(state, node))
    name = told_apart(node.name, tuple(one.name for one in state.nodes), width - 1 - badges.cell_length)
    return line((name, f"{BOLD} underline"), " ", badges)


def _table_line(label: str, cells: list[Content], each: int) -> Content:
    return line((f"{label:<{LABEL}}", DIM), Content(" ").join([fitted(one, each) for one in cells]))


def _ages(node: NodeState, now: float) -> Content:
    """The age of the last reading; marked where it is old."""
    ages = [age for one in (node.ssh, node.redis) if (age := one.age(now)) is not None]
    if not ages:
        return line(("never", WARN))
    old = max(ages) > STALE_AFTER
    return line((f"{seconds_text(max(ages))} {'old' if old else 'ago'}", WARN if old else DIM))


def card(state: ClusterState, node: NodeState, now: float, width: int, height: int) -> Lines:
    """One node in a box of this size: the rows of its kind, then others that fit, then the notify log."""
    inner, room = width - 4, height - 2
    style = _border_style(state, node)
    top, address = _top(state, node, width, style)
    drawn = [*(_boxed(one, inner, style) for one in address)][:room]
    drawn += [_row(row, now, inner, style) for row in rows(state, node, now)[: room - len(drawn)]]
    drawn += [_boxed(one, inner, style) for one in _log_tail(node, inner, room - len(drawn))]
    middle = (*drawn, *[_boxed(line(""), inner, style)] * (room - len(drawn)))
    return (top, *middle, _bottom(node, now, width, style))


def compact(state: ClusterState, now: float, width: int) -> Lines:
    """One line for each node, for screens that need the room for something else."""
    longest = max((len(node.name) for node in state.nodes), default=0)
    return tuple(_compact_line(state, node, now, longest, width) for node in state.nodes)


def in_full(state: ClusterState, now: float, width: int) -> Lines:
    """Every row of every node, its notify log, and the paths between them, wrapped: nothing is cut."""
    drawn: list[Content] = []
    for node in state.nodes:
        drawn.append(line((node.name, f"{BOLD} underline"), (f"  {node.address} ", DIM), *_badges(state, node)))
        drawn += (line((f"{row.label:<{LABEL}}", DIM), row.cells_at(now)) for row in rows(state, node, now))
        drawn.append(line((f"{'Read':<{LABEL}}", DIM), _ages(node, now)))
        if (log := node.notify_log.value) is not None:
            drawn += [line((f"Notify log {log.path}", DIM)), *(line("  ", one) for one in log.lines)]
        drawn.append(line(""))
    paths = presentation_of(state.kind).topology(state, UNCUT)
    return rewrapped((*drawn, line(("Paths", DIM)), *paths), width, indent=" " * LABEL)


def rows(state: ClusterState, node: NodeState, now: float) -> list[Row]:
    """Every row of a card in order."""
    return [*presentation_of(state.kind).rows(state, node), *further_rows(node, now)]


def _row(row: Row, now: float, inner: int, style: str) -> Content:
    age = max(0.0, now - row.at) if row.at else None
    old = age is not None and age > STALE_AFTER
    cells, told = row.cells_at(now), "" if age is None else seconds_text(age)
    if row.short is not None and cells.cell_length > inner - LABEL - _age_note(told, old, inner).cell_length:
        cells = row.short  # what decides comes first there, and is not cut
    return _boxed_row(row.label, key_of(cells), told, old, inner, style)


def _age_note(age: str, old: bool, inner: int) -> Content:
    """The age of a row: in a column of its own, where there is room; else only an old value has one."""
    if inner < AGE_COLUMN_FROM - 4:
        return line((f" {age} old", WARN)) if old else line("")
    return line((f"{age + (' old' if old else ''):>10}", WARN if old else DIM))


@lru_cache(KEPT)
def _boxed_row(label: str, cells: Key, age: str, old: bool, inner: int, style: str) -> Content:
    """A row with its border."""
    note = _age_note(age, old, inner)
    value = fitted(content_of(cells), max(0, inner - LABEL - note.cell_length))
    return _boxed(line((f"{label:<{LABEL}}", DIM), value, note), inner, style)


def _boxed(one: Content, inner: int, style: str) -> Content:
    return line(("│ ", style), fitted(one, inner), (" │", style))


def _log_tail(node: NodeState, inner: int, room: int) -> list[Content]:
    """Lines of the notify log, newest at the bottom, without the last one, which has a row of its own."""
    tail = node.notify_log.value
    if tail is None or room < 3 or len(tail.lines) < 2:  # noqa: PLR2004
        return []
    lines = tail.lines[-(room - 1) :]
    title = line((f"─ notify log {tail.path} ".ljust(inner, "─")[:inner], DIM))
    return [title, *(fitted(line((short_log(one), DIM)), inner) for one in lines)]


def _badges(state: ClusterState, node: NodeState) -> list[tuple[str, str]]:
    badges: list[tuple[str, str]] = []
    redis = node.redis.value
    if redis is None:
        badges.append((" NO ANSWER " if node.ssh.value is None else " REDIS? ", f"reverse {BAD}"))
    if state.vip and node.holds(state.vip):
        badges.append((" VIP ", f"{BOLD} reverse"))
    return badges


def _border_style(state: ClusterState, node: NodeState) -> str:
    if node.redis.value is None or node.ssh.value is None:
        return BAD
    return GOOD if state.vip and node.holds(state.vip) else DIM


def _top(state: ClusterState, node: NodeState, width: int, style: str) -> tuple[Content, Lines]:
    """The border with the node's name, its address and its badges; and lines for an address that it has no room for.

    Where they do not fit, the badges stand closer; then a long name is shortened. The address is whole.
    """
    address: Part = (f"{node.address} ", DIM)
    wide, close = _badges(state, node), [(text.strip(), look) for text, look in _badges(state, node)]
    spaced = [part for one in close for part in (" ", one)][1:]
    for badges, end in ((wide, "──╮"), (spaced, "╮")):
        drawn = line(*badges)
        room = width - len("╭─  ─") - len(node.address) - 1 - drawn.cell_length - len(end)
        if len(node.name) <= room:
            break
    below: Lines = ()
    if room < min(len(node.name), LEAST_NAME):
        room, address, below = room + len(node.address) + 1, "", wrapped(node.address, width - 4, DIM)
    names = tuple(one.name for one in state.nodes)
    title = line((f" {told_apart(node.name, names, room)} ", BOLD), address)
    filled = width - 2 - title.cell_length - drawn.cell_length - len(end)
    return line(("╭─", style), title, ("─" * max(0, filled), style), drawn, (end, style)), below


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
    redis = node.redis.value
    cells: list[Part] = [
        (f"{node.name:<{longest}} ", BOLD),
        (" VIP ", "reverse") if state.vip and node.holds(state.vip) else "     ",
        role_cells(state, node),
    ]
    if text := link_text(state, node):
        cells += [", ", text]
    cells.append(presentation_of(state.kind).compact_suffix(node))
    oldest = max((age for one in (node.ssh, node.redis) if (age := one.age(now)) is not None), default=None)
    note = line((" never read", WARN)) if oldest is None else age_note(oldest)
    figures = (
        ()
        if redis is None
        else (
            line((" · offset ", DIM), number_text(redis.offset)),
            line(" · ", number_text(redis.total_keys), (" keys", DIM)),
        )
    )
    drawn = line(*cells)
    for one in figures:  # a figure that does not fit is left out: half of a number would be another number
        if drawn.cell_length + one.cell_length <= width - note.cell_length:
            drawn = line(drawn, one)
    return line(fitted(drawn, width - note.cell_length), note)
