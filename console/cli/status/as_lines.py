"""`status` of many clusters: one line each, the worst first, and a line that counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from console.cli.layout import GAP, folded
from console.cli.status.as_json import ClusterStatus
from console.cli.status.as_table import NONE, NOT_KNOWN, Paint, as_table
from console.cli.status.selection import WORST_FIRST, is_shown
from console.core.diagnosis.finding import Health, Severity
from console.core.inventory import UnusableCluster
from console.core.kinds.protection import protection
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, Role
from console.core.model.facts import bytes_behind, unread_redis
from console.core.model.verdict import Verdict
from console.core.quantities import counted, size
from console.core.visible import visible

_HEALTH, _CLUSTER, _FINDING = "HEALTH", "CLUSTER", "FINDING"
_MASTER, _LAG, _FAILOVER = "MASTER+VIP", "LAG", "FAILOVER"
_COLUMNS = (_HEALTH, _CLUSTER, _MASTER, _LAG, _FAILOVER, _FINDING)
_LEFT_OUT_FIRST = (_LAG, _FAILOVER, _MASTER)
"""The columns that a narrow terminal has no room for, in this order. Health, name and finding are always whole."""
_READY = {Verdict.HOLDS: "ready", Verdict.FAILS: "NOT ready", Verdict.UNKNOWN: NOT_KNOWN}
"""As the screen says it."""

_REPEATED = 8
"""The most clusters that are repeated at the end: with the other lines they fit into a terminal of 24 rows."""


@dataclass(frozen=True, slots=True)
class _Row:
    health: str
    ranked: str
    """The health by which it is sorted and selected."""
    cells: dict[str, str]


Ranked = TypeVar("Ranked", _Row, ClusterStatus)


def as_lines(
    seen: Sequence[ClusterStatus],
    unusable: Sequence[UnusableCluster] = (),
    *,
    colour: bool,
    width: int | None = None,
    only: str | None = None,
    height: int | None = None,
) -> str:
    """The lines. `only`: this health and what is worse. `width`: columns that do not fit are left out, and named.

    `height`: rows of the terminal. Where the lines do not fit, the worst clusters are repeated at the end.
    """
    rows = [*map(_row, seen), *map(_unusable_row, unusable)]
    shown = [one for one in _worst_first(rows) if is_shown(one.ranked, only)]
    lines = list(_table(shown, width, Paint(colour))) if shown else []
    for kept in (kept for one in seen if is_shown(one.ranked, only) for kept in one.kept if kept.reminds):
        told = visible(f"{kept.cluster}: {kept.in_words}, {kept.file}; to bring them back:")
        lines += [*folded(told, width, 2), f"  {visible(kept.command)}"]
    if is_shown(Health.UNKNOWN, only):
        for one in unusable:
            lines += [line for text in one.problems for line in folded(visible(f"{one.name}: {text}"), width, 2)]
    lines.append(_counts(rows, only))
    return "\n".join((*lines, *_worst_again(shown, len(lines), width, height, Paint(colour)), ""))


def in_detail(
    seen: Sequence[ClusterStatus],
    unusable: Sequence[UnusableCluster] = (),
    *,
    colour: bool,
    width: int | None = None,
    only: str | None = None,
    height: int | None = None,
) -> str:
    """`--verbose`: the same clusters in the same order, with all that `status` of one cluster prints."""
    rows = [*map(_row, seen), *map(_unusable_row, unusable)]
    shown = _worst_first([one for one in seen if is_shown(one.ranked, only)])
    left = unusable if is_shown(Health.UNKNOWN, only) else ()
    table = as_table(shown, left, colour=colour, width=width)
    lines = [*(table.split("\n") if table else ()), _counts(rows, only)]
    worst = _worst_first([one for one in rows if is_shown(one.ranked, only)])
    return "\n".join((*lines, *_worst_again(worst, len(lines), width, height, Paint(colour)), ""))


def _worst_again(
    rows: Sequence[_Row], printed: int, width: int | None, height: int | None, paint: Paint
) -> Iterator[str]:
    """The first rows once more, below everything, where they have scrolled off the top of the terminal.

    The last row of a terminal is the prompt's. Where all are healthy, nothing is missed.
    """
    if height is None or printed < height or len(rows) < 2 or rows[0].ranked == Health.HEALTHY:  # noqa: PLR2004 - one is seen
        return
    worst = [one for one in rows if one.ranked == rows[0].ranked]
    yield f"Above the top of the terminal, the worst first ({len(worst)} {rows[0].ranked}):"
    _, *lines = _table(worst, width, paint)
    yield from lines[: min(len(worst), _REPEATED)]
    if len(worst) > _REPEATED:
        yield f"and {len(worst) - _REPEATED} more: --only {rows[0].ranked} prints no others"


def _worst_first(clusters: Iterable[Ranked]) -> list[Ranked]:
    return sorted(clusters, key=lambda one: WORST_FIRST.index(one.ranked))


def _counts(rows: Sequence[_Row], only: str | None) -> str:
    """`12 clusters: 1 critical, 3 unknown (2 with critical findings), 8 healthy; 8 not shown`."""
    found = Counter(one.health for one in rows)
    raised = Counter(one.health for one in rows if one.ranked != one.health)
    each = ", ".join(
        f"{found[health]} {health}" + (f" ({raised[health]} with critical findings)" if raised[health] else "")
        for health in WORST_FIRST
        if found[health]
    )
    hidden = sum(not is_shown(one.ranked, only) for one in rows)
    if hidden == len(rows):
        return (
            f"none of {counted(len(rows), 'cluster')} is {only}{'' if only == WORST_FIRST[0] else ' or worse'}: {each}"
        )
    return f"{counted(len(rows), 'cluster')}: {each}" + (f"; {hidden} not shown" if hidden else "")


def _table(rows: Sequence[_Row], width: int | None, paint: Paint) -> Iterator[str]:
    widths = {name: max(len(name), *(len(one.cells[name]) for one in rows)) for name in _COLUMNS}
    columns, left_out = list(_COLUMNS), []
    for name in _LEFT_OUT_FIRST:
        if width is None or sum(widths[one] for one in columns) + len(GAP) * (len(columns) - 1) <= width:
            break
        columns.remove(name)
        left_out.append(name)

    def line(cells: dict[str, str]) -> str:
        return GAP.join(cells[name].ljust(widths[name]) for name in columns).rstrip()

    yield line({name: name for name in _COLUMNS})
    for one in rows:
        text = line(one.cells)
        word = one.cells[_HEALTH]
        yield paint(word, one.health) + text[len(word) :]
    if left_out:
        yield f"Not shown for lack of room: {', '.join(left_out)}; --verbose shows it."


def _row(seen: ClusterStatus) -> _Row:
    state = seen.state
    cells = {
        _HEALTH: seen.health.value.upper(),
        _CLUSTER: state.name,
        _MASTER: _master(state),
        _LAG: _lag(state),
        _FAILOVER: _READY[protection(state).verdict],
        _FINDING: _top_finding(seen),
    }
    return _Row(seen.health.value, seen.ranked, {name: visible(text) for name, text in cells.items()})


def _unusable_row(one: UnusableCluster) -> _Row:
    cells = dict.fromkeys(_COLUMNS, NOT_KNOWN)
    cells |= {_HEALTH: Health.UNKNOWN.value.upper(), _CLUSTER: visible(one.name), _FINDING: "cannot be used"}
    return _Row(Health.UNKNOWN.value, Health.UNKNOWN.value, cells)


def _master(state: ClusterState) -> str:
    """`redis-b +VIP`: the master has the virtual IP. `redis-b, VIP redis-a`: another node has it."""
    masters = _names(state.masters, unread=bool(unread_redis(state)))
    if not state.vip:
        return masters
    holders = _names(state.vip_holders, unread=bool(state.vip_unread))
    return f"{masters} +VIP" if masters == holders and len(state.masters) == 1 else f"{masters}, VIP {holders}"


def _names(names: Sequence[str], *, unread: bool) -> str:
    """`redis-a`, `redis-a+?` (one that could not be read may be another one), `none`, `?`."""
    if unread:
        return "+".join((*names, NOT_KNOWN))
    return "+".join(names) or "none"


def _lag(state: ClusterState) -> str:
    """How far the slowest replica is behind. It is not known if it is not known of one of them."""
    replicas = [node for node in state.nodes if node.redis.value is not None and node.redis.value.role is Role.REPLICA]
    behind = [bytes_behind(state, node) for node in replicas]
    if unread_redis(state) or None in behind:
        return NOT_KNOWN
    return size(max(one for one in behind if one is not None)) if behind else NONE


def _top_finding(seen: ClusterStatus) -> str:
    """`vip-duplicate +2`: the worst finding, and how many more there are. Information does not count."""
    codes = [one.code for one in seen.findings if one.severity is not Severity.INFO]
    if not codes:
        return NONE if seen.health is Health.HEALTHY else "too little could be read"
    return codes[0] + (f" +{len(codes) - 1}" if len(codes) > 1 else "")
