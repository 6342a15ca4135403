"""The texts of the list of clusters: its counts, its columns, one line for each cluster, and what is worst in one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from textual.content import Content

from console.core.diagnosis.finding import Severity
from console.core.kept import kept_while_same
from console.core.model import ClusterState
from console.core.model.facts import source_of, unread_redis
from console.core.model.verdict import Verdict
from console.core.quantities import counted
from console.tui.present.clusters.cluster import SURVIVAL, master_cells, next_action, survival, urgency
from console.tui.present.clusters.kinds import presentation_of
from console.tui.present.formatting import (
    BAD,
    BOLD,
    DIM,
    GOOD,
    HEALTH,
    NOTE,
    SEVERITY,
    WARN,
    Lines,
    Part,
    bytes_text,
    fitted,
    line,
    marked,
    rewrapped,
    seconds_text,
)
from console.tui.state.cluster_view import ClusterView
from console.tui.state.fleet import GroupHead, Order, Row, Standing, counts, critical_unknown

STANDING: dict[Standing, tuple[str, str, str]] = {
    **{Standing(health): marks for health, marks in HEALTH.items()},
    Standing.UNUSABLE: ("✗", "UNUSABLE", BAD),
    Standing.WAITING: ("?", "waiting", DIM),
}
SENTENCES_FROM, WORDS_FROM = 110, 150
"""Widths from which findings have their sentences instead of their codes; and from which marks have words, and tags a
column."""
_SURVIVES = {Verdict.HOLDS: "yes", Verdict.FAILS: "NO", Verdict.UNKNOWN: ""}
ABOUT_LINES = 4
"""Lines of the worst finding and its next action, below the list."""
HEALTH_WIDTH, LAG_WIDTH, AGE_WIDTH = 10, 7, 7


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells. 0: there is no such column."""

    width: int
    name: int
    master: int
    endpoint: int
    lag: int
    survives: int
    tags: int
    finding: int

    @property
    def sentences(self) -> bool:
        """Whether findings have their sentences."""
        return self.width >= SENTENCES_FROM

    @property
    def words(self) -> bool:
        """Whether marks have words."""
        return self.width >= WORDS_FROM


def columns(rows: Iterable[Row], width: int) -> Columns:
    """The columns for these rows at this width. The finding gets what is left."""
    sentences, words, listed = width >= SENTENCES_FROM, width >= WORDS_FROM, tuple(rows)
    nodes = [node.name for row in listed if row.view is not None for node in row.view.spec.nodes]
    longest = max(map(len, nodes), default=0)
    name = _between(8, max((len(row.name) for row in listed), default=0), 30 if sentences else 15)
    master = _between(6, longest + 2, 22 if sentences else 11)
    endpoint, survives = (longest + 3, 11) if words else (3, 5)
    tags = min(24, max((len(" ".join(row.tags)) for row in listed), default=0)) if words else 0
    taken = [HEALTH_WIDTH, name, master, endpoint, LAG_WIDTH, survives, AGE_WIDTH, *([tags] if tags else [])]
    return Columns(width, name, master, endpoint, LAG_WIDTH, survives, tags, width - sum(taken) - len(taken))


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def head_line(at: Columns) -> Content:
    """The titles of the columns."""
    titles = ["health", "cluster", "master", "VIP", "behind", "failover" if at.words else "ready"]
    return _row_line(at, [(one, DIM) for one in titles], ("tags", DIM), ("worst finding", DIM), ("age", DIM))


def row_line(row: Row, at: Columns, now: float, stale_after: float) -> Content:
    """One cluster. An age above `stale_after` seconds has a mark."""
    first: list[Part] = [marked(STANDING[row.standing]), (row.name, BOLD)]
    tags: Part = (" ".join(row.tags), DIM)
    view = row.view
    if view is None:
        return _row_line(at, [*first, "", "", "", ""], tags, (row.problem, DIM), "")
    state = view.state
    if state is None:
        note = view.trouble or f"connecting to {counted(len(view.spec.nodes), 'node')}"
        return _row_line(at, [*first, "", "", "", ""], tags, (note, WARN if view.trouble else DIM), "")
    age = max(0.0, now - state.observed_at)
    return _observed_line(row, at, sys.intern(seconds_text(age)), age > stale_after)


@kept_while_same(256)
def _observed_line(row: Row, at: Columns, age: str, old: bool) -> Content:
    """The line of a cluster that was observed. Most of them are as they were a second ago."""
    view = row.view
    assert view is not None
    assert view.state is not None
    cells: list[Part] = [
        marked(STANDING[row.standing]),
        (row.name, BOLD),
        _master(view.state, at),
        _endpoint(view.state, at),
        _behind(row, view.state),
        _survives(view, at),
    ]
    shown: Part = (f"! {age}", WARN) if old else (age, DIM)
    return _row_line(at, cells, (" ".join(row.tags), DIM), _finding(view, at), shown)


def _row_line(at: Columns, cells: list[Part], tags: Part, finding: Part, age: Part) -> Content:
    widths = (at.name, at.master, at.endpoint, at.lag, at.survives)
    health, *others = cells
    text = line(age)
    parts: list[Part] = [fitted(line(health), HEALTH_WIDTH), " " * max(1, AGE_WIDTH - text.cell_length), text, " "]
    for cell, width in zip(others, widths, strict=True):
        parts += [fitted(line(cell), width), " "]
    if at.tags:
        parts += [fitted(line(tags), at.tags), " "]
    return fitted(line(*parts, finding), at.width)


def _endpoint(state: ClusterState, at: Columns) -> Content:
    _, target = presentation_of(state.kind).endpoint(state, True)
    if at.words:
        return target
    if "✗" in target.plain:
        return line(("✗", BAD))
    if "?" in target.plain:
        return line(("?", WARN))
    name = target.plain.partition(" ")[2]
    if name in state.masters:
        return line(("✓", GOOD))
    return line(("?", WARN)) if unread_redis(state) else line(("✗", BAD))


def _behind(row: Row, state: ClusterState) -> Content:
    """The slowest replica's lag; a word where a link is down, or where no replica could be compared."""
    links = [node.redis.value.master for node in state.nodes if node.redis.value and node.redis.value.master]
    if any(link.sync_in_progress for link in links):
        return line(("! sync", WARN))
    if any(not link.up for link in links):
        return line(("✗ down", BAD))
    if row.behind is not None:
        return line(bytes_text(row.behind))
    strange = any(source_of(state, node) is None for node in state.nodes if node.redis.value)
    return line(("?" if unread_redis(state) or (links and strange) else "—", DIM))


def _survives(view: ClusterView, at: Columns) -> Content:
    if view.protection is None:
        return line(("?", WARN))
    mark, word, style = SURVIVAL[view.protection.verdict]
    return line((f"{mark} {word if at.words else _SURVIVES[view.protection.verdict]}", style))


def _finding(view: ClusterView, at: Columns) -> Content:
    """The worst finding: its sentence, or its code where there is little room."""
    if view.trouble:
        return line((f"! {view.trouble}", WARN))
    if not view.findings:
        return line((survival(view) if at.sentences else "", DIM))
    top = view.findings[0]
    mark, _, style = SEVERITY[top.severity]
    others = sum(one.severity is not Severity.INFO for one in view.findings[1:])
    more = f" +{others}" if others else ""
    said = top.summary if at.sentences else top.code
    room = at.finding - len(f"{mark} ")
    if not at.sentences and len(said) + len(more) > room:
        more = ""  # the code decides, the number does not
    return line((f"{mark} ", style), _at_border(said, room - len(more)), (more, DIM))


def _at_border(text: str, room: int) -> str:
    """The text, cut between its words where it is longer than this."""
    if len(text) <= room:
        return text
    at = max(text.rfind(" ", 0, room), text.rfind("-", 0, room - 1) + 1)
    return f"{text[: at if at > room // 2 else room - 1]}…"


def _master(state: ClusterState, at: Columns) -> Content:
    """The master; only its mark where there is no room for the words that it is not known."""
    cells = master_cells(state, short=True)
    unknown = not state.masters and cells.cell_length > at.master
    return line((cells.plain.partition(" ")[0], WARN)) if unknown else cells


def group_line(head: GroupHead, width: int) -> Content:
    """`── prod: 12 clusters, 1 critical ───`."""
    parts: list[Part] = [("── ", DIM), (head.title, f"{BOLD} {NOTE}"), f": {counted(len(head.rows), 'cluster')}"]
    parts += _counted(head.rows, ", ")
    text = line(*parts, " ")
    return fitted(line(text, ("─" * max(0, width - text.cell_length), DIM)), width)


@kept_while_same(4)
def scope_lines(all_rows: tuple[Row, ...], shown: tuple[Row, ...], sorting: str, typed: str, width: int) -> Lines:
    """How many clusters there are and how they stand; what is left by the filter; the order.

    What does not fit into one line goes on in a line below: nothing of it is cut.
    """
    total = counted(len(all_rows), "cluster")
    head: Part = (f"{len(shown)} of {total}" if typed else total, BOLD)
    right = line((sorting, DIM))
    text = line(head, *_counted(shown, "  "))
    if text.cell_length + right.cell_length + 2 > width:
        text = line(head, *_counted(shown, "  ", short=True))
    if text.cell_length + right.cell_length + 2 <= width:
        return (line(fitted(text, width - right.cell_length), right),)
    return (*rewrapped((text,), width, indent="  "), fitted(line(" " * (width - right.cell_length), right), width))


def _counted(rows: tuple[Row, ...], gap: str, *, short: bool = False) -> list[Part]:
    """`? 28 unknown (28 with critical findings)`; short: `? 28 unknown (28 critical)`."""
    parts: list[Part] = []
    for standing, count in counts(rows).items():
        mark, word, style = STANDING[standing]
        parts += [gap, (f"{mark} {count} {word.lower()}", style)]
        if standing is Standing.UNKNOWN and (critical := critical_unknown(rows)):
            parts.append((f" ({critical} {'critical' if short else 'with critical findings'})", BAD))
    return parts


def sorting_text(order: Order, by: str) -> str:
    """`worst first, grouped by site`."""
    return f"{order}, grouped by {by}" if by else str(order)


def about_lines(row: Row | None, width: int) -> Lines:
    """The worst finding of a cluster in a sentence, and the next action. The action may have a command: it is whole."""
    if row is None:
        return ()
    name: Part = (f"{row.name}: ", BOLD)
    view = row.view
    if view is None:
        return rewrapped((line(name, row.problem),), width, indent="  ")[:2]
    if view.state is None or view.trouble:
        return fitted(line(name, view.trouble or "waiting for the first answers of its nodes"), width), line("")
    if not view.findings:
        return fitted(line(name, survival(view) or "nothing is wrong"), width), line("")
    top = view.findings[0]
    mark, _, style = SEVERITY[top.severity]
    said = line(name, (f"{mark} ", style), top.summary)
    action = next_action(top)
    if top.next.runbook:
        action = line((urgency(top), NOTE), f"Enter opens it; there b has the runbook {top.next.runbook}")
    rows = rewrapped((action,), width, indent="  ")
    return (*rewrapped((said,), width, indent="  ")[: max(1, ABOUT_LINES - len(rows))], *rows)[:ABOUT_LINES]


def no_match(typed: str, width: int) -> Lines:
    """What is shown where no cluster matches the filter."""
    return (fitted(line((f"No cluster has “{typed}”. Esc removes the filter.", DIM)), width),)
