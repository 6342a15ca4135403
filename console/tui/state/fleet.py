"""The list of clusters: one row each, worst first, filtered, sorted and grouped. Pure.

A cluster that gets worse moves up at once. One that gets better stays in its place for a while, so that a state that
comes and goes does not move rows up and down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import is_
from typing import TypeVar

from console.core.diagnosis.finding import Severity, ranked_as
from console.core.inventory import ClusterSpec, UnusableCluster
from console.core.model.facts import bytes_behind
from console.tui.state.cluster_view import ClusterView

BETTER_AFTER = 10.0
"""Seconds for which a cluster must be better before its row moves down."""


class Standing(StrEnum):
    """A cluster in one word, as the list counts it; the worst first."""

    CRITICAL = "critical"
    UNKNOWN = "unknown"
    UNUSABLE = "unusable"
    """Its part of the inventory is wrong: it is not observed."""
    WARNING = "warning"
    WAITING = "waiting"
    """It has not been observed yet."""
    HEALTHY = "healthy"


RANKS = {one: at for at, one in enumerate(Standing)}


class Order(StrEnum):
    """What the rows are sorted by."""

    WORST = "worst first"
    NAME = "by name"
    LAG = "most behind first"
    INVENTORY = "as in the inventory"


@dataclass(frozen=True, slots=True)
class Row:
    """A cluster of the list."""

    name: str
    standing: Standing
    tags: tuple[str, ...]
    text: str
    """What a filter searches, in lower case."""
    behind: int | None = None
    """Bytes that the slowest replica is behind; None: no replica could be compared."""
    view: ClusterView | None = None
    """None: it is not usable."""
    problem: str = ""
    """Why it is not usable."""

    @property
    def ranked(self) -> Standing:
        """The standing by which it is sorted: an unknown cluster may rank as a critical one (`ranked_as`)."""
        if self.view is None or self.standing is not Standing.UNKNOWN:
            return self.standing
        return Standing(ranked_as(self.view.health, self.view.findings))

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return RANKS[self.ranked]


@dataclass(frozen=True, slots=True)
class GroupHead:
    """The line above the rows of a group."""

    title: str
    rows: tuple[Row, ...]


Entry = Row | GroupHead
T = TypeVar("T")


def row_of(view: ClusterView) -> Row:
    """The row of a cluster that is observed."""
    standing = Standing.WAITING
    behind = None
    if view.state is not None or view.trouble:
        standing = Standing(view.health)
    if view.state is not None:
        found = (bytes_behind(view.state, node) for node in view.state.nodes)
        behind = max((one for one in found if one is not None), default=None)
    severities = dict.fromkeys(one.severity for one in view.findings if one.severity is Severity.CRITICAL)
    words = (standing, *severities, *(one.code for one in view.findings), *_words(view.spec))
    return Row(view.name, standing, view.spec.tags, " ".join(words).lower(), behind, view)


def _words(spec: ClusterSpec) -> Iterable[str]:
    yield from (spec.name, spec.kind, spec.vip, *spec.tags)
    for node in spec.nodes:
        yield from (node.name, node.address)


def unusable_row(one: UnusableCluster) -> Row:
    """The row of a cluster whose part of the inventory is wrong."""
    tags = one.tags or ()
    text = " ".join((one.name, Standing.UNUSABLE, *tags)).lower()
    return Row(one.name, Standing.UNUSABLE, tags, text, problem=one.problems[0])


class Steady:
    """The rank of each cluster by which it is sorted: it gets worse at once, and better only after a while."""

    def __init__(self) -> None:
        self._ranks: dict[str, tuple[int, float | None]] = {}
        """Name → the rank, and since when it has been better than that."""

    def rank(self, row: Row, now: float) -> int:
        """0 is the worst. `now`: seconds on any clock that only goes on."""
        rank = row.rank
        shown, better_since = self._ranks.get(row.name, (rank, None))
        if shown == RANKS[Standing.WAITING] or rank <= shown:
            self._ranks[row.name] = rank, None
            return rank
        since = now if better_since is None else better_since
        if now - since >= BETTER_AFTER:
            self._ranks[row.name] = rank, None
            return rank
        self._ranks[row.name] = shown, since
        return shown

    @property
    def is_settled(self) -> bool:
        """Whether every row is in its place: as long as no row changes, no time moves one."""
        return all(since is None for _, since in self._ranks.values())

    def forget(self) -> None:
        """The operator sorts anew: every row goes to its place at once."""
        self._ranks.clear()


def matching(rows: Iterable[Row], typed: str) -> tuple[Row, ...]:
    """The rows that have every typed word in their names, addresses, health, findings or tags."""
    words = typed.lower().split()
    if not words:
        return tuple(rows)
    return tuple(row for row in rows if all(word in row.text for word in words))


def ordered(rows: Sequence[Row], order: Order, rank: Callable[[Row], int]) -> tuple[Row, ...]:
    """The rows in this order. Rows that are equal in it stay in the order of the inventory."""
    keys: dict[Order, Callable[[Row], object]] = {
        Order.WORST: rank,
        Order.NAME: lambda row: row.name,
        Order.LAG: lambda row: -(row.behind or 0),
        Order.INVENTORY: lambda _: 0,
    }
    return tuple(sorted(rows, key=keys[order]))  # type: ignore[arg-type]


def groupings(rows: Iterable[Row]) -> tuple[str, ...]:
    """By what the rows can be grouped: `tag` for words like `prod`, `site` for tags like `site:berlin`."""
    return tuple(dict.fromkeys(_key(tag) for row in rows for tag in row.tags))


def grouped(rows: Sequence[Row], by: str) -> tuple[Entry, ...]:
    """The rows with a head above each group. Groups come in the order of their first rows. Empty `by`: no groups."""
    if not by:
        return tuple(rows)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_group(row, by), []).append(row)
    entries: list[Entry] = []
    for title, members in groups.items():
        entries += [GroupHead(title, tuple(members)), *members]
    return tuple(entries)


def critical_unknown(rows: Iterable[Row]) -> int:
    """How many unknown clusters have critical findings."""
    return sum(row.standing is not row.ranked for row in rows)


def counts(rows: Iterable[Row]) -> Mapping[Standing, int]:
    """How many clusters stand how; the worst first, without zeros."""
    found = dict.fromkeys(Standing, 0)
    for row in rows:
        found[row.standing] += 1
    return {standing: count for standing, count in found.items() if count}


def _key(tag: str) -> str:
    return tag.partition(":")[0] if ":" in tag else "tag"


def _group(row: Row, by: str) -> str:
    return next((tag for tag in row.tags if _key(tag) == by), f"no {by}")


class Fleet:
    """The rows of all clusters, and how the operator wants to see them."""

    def __init__(self) -> None:
        self.rows: tuple[Row, ...] = ()
        """All of them, in the order of the inventory."""
        self.order = Order.WORST
        self.by = ""
        """By what they are grouped; empty: they are not."""
        self._steady = Steady()
        self._of_views: dict[str, Row] = {}
        self._seen: Mapping[str, ClusterView] | None = None
        self._made_of: tuple[object, ...] | None = None
        """What the entries were made of; None: every row is to go to its place."""
        self._entries: tuple[Entry, ...] = ()

    def update(self, views: Mapping[str, ClusterView], unusable: Iterable[UnusableCluster]) -> None:
        """Makes the rows of the clusters that have changed."""
        if self._seen is views:
            return
        self._seen = views
        for name, view in views.items():
            made = self._of_views.get(name)
            if made is None or made.view is not view:
                self._of_views[name] = row_of(view)
        self.rows = (*(self._of_views[name] for name in views), *(unusable_row(one) for one in unusable))

    def entries(self, typed: str, now: float) -> tuple[Entry, ...]:
        """The rows that match what was typed, sorted and grouped. `now`: seconds on a clock that only goes on."""
        made_of = (self.rows, typed, self.order, self.by)
        if self._made_of is not None and self._steady.is_settled and all(map(is_, made_of, self._made_of)):
            return self._entries
        ranks = {row.name: self._steady.rank(row, now) for row in self.rows}
        rows = ordered(matching(self.rows, typed), self.order, lambda row: ranks[row.name])
        self._made_of, self._entries = made_of, grouped(rows, self.by)
        return self._entries

    @property
    def waiting(self) -> bool:
        """Whether a cluster has not been observed yet."""
        return any(row.standing is Standing.WAITING for row in self.rows)

    def settle(self) -> None:
        """Every row goes to its place at once: the operator comes back to the list."""
        self._forget_places()

    def next_order(self) -> None:
        """Sorts by the next order; every row goes to its place at once."""
        self.order = _after(tuple(Order), self.order)
        self._forget_places()

    def _forget_places(self) -> None:
        self._steady.forget()
        self._made_of = None

    def next_grouping(self) -> None:
        """Groups by the next kind of tag; after the last, there are no groups."""
        self.by = _after(("", *groupings(self.rows)), self.by)


def _after(all_of_them: Sequence[T], one: T) -> T:
    at = all_of_them.index(one) if one in all_of_them else -1
    return all_of_them[(at + 1) % len(all_of_them)]
