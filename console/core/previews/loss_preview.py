"""What a node would lose by following another: the loss preview of gates and plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.core.model import ClusterState, NodeState, Role
from console.core.model.facts import age_at, proved_down
from console.core.model.verdict import Verdict
from console.core.previews.disk_preview import DiskFinding, disk_lines, disk_warnings
from console.core.previews.key_comparison import KeyComparison, comparison_warnings, gained_lines, lost_lines
from console.core.previews.quiescence import BUSY_OPS, Quiescence
from console.core.previews.sync_cost import cost
from console.core.quantities import counted, size, span
from console.core.replication.history import LARGE_SHARE, HistoryComparison, compare_advice, compare_histories
from console.core.replication.resync import ResyncKind, predict_resync, resync_in_words

LARGE_DUMP = 10_000
"""Bytes. The RDB of an empty server is always smaller."""


@dataclass(frozen=True, slots=True)
class LossPreview:
    """What SLAVEOF would do to the target's data. The journal keeps it: its names are keys there."""

    source: str
    target: str
    resync: ResyncKind
    reason: str
    """Why full or partial, in one sentence."""
    source_keys: Mapping[int, int] | None
    """Database → keys. None: could not be read."""
    target_keys: Mapping[int, int] | None
    lines: tuple[str, ...]
    """What would be lost, in words and numbers, in reading order."""
    warnings: tuple[str, ...] = ()
    """What the operator should consider before confirming."""
    comparison: KeyComparison | None = None
    """A sample of both servers' keys. None: it was not made for this preview."""
    traffic: Quiescence | None = None
    """How busy the source is, compared with its last minutes."""
    details: tuple[str, ...] = ()
    """What the copy brings and costs, in words and numbers: more to read, nothing of it is a loss."""


@dataclass(frozen=True, slots=True)
class RunFindings:
    """What the steps of a run have found of the target's data before its gate asks."""

    disk: tuple[DiskFinding, ...] = ()
    """On the target's disk while its Redis was down."""
    exported: str = ""
    """By an export for which every key was looked at: then no sample is told beside it. Empty: there was none."""

    @property
    def compared(self) -> tuple[DiskFinding, ...]:
        """What was compared on the disk."""
        return tuple(one for one in self.disk if one.known)


NOTHING_FOUND = RunFindings()


def preview(
    state: ClusterState,
    source: str,
    target: str,
    *,
    comparison: KeyComparison | None = None,
    traffic: Quiescence | None = None,
    found: RunFindings = NOTHING_FOUND,
) -> LossPreview:
    """What SLAVEOF of the target to the source would do, by one observation and the measurements for it.

    `found`: what the run has found before.
    """
    from_node, to_node = state.node(source), state.node(target)
    kind, reason = predict_resync(state, from_node, to_node)
    s, t = from_node.redis.value, to_node.redis.value
    older = compare_histories(state, from_node, to_node)
    lines = [
        *((found.exported,) if found.exported else ()),
        f"{resync_in_words(kind.value)}: {reason}",
        *_keys(from_node, to_node),
        *disk_lines(state, to_node, compared=bool(found.compared)),
    ]
    if not _says_nothing_more(found, to_node, older, comparison):
        lines.append(_own_data(source, target, older, comparison))
        lines += lost_lines(comparison) if comparison is not None else []
    told = found.disk if proved_down(to_node) else [one for one in found.disk if one.lost or not one.known]
    if found.exported:  # it has looked at every key, and the disk held these
        told = []
    lines += [one.line for one in told]
    details = gained_lines(comparison) if comparison is not None else []
    details += [one.line for one in found.disk if one not in told]
    details += [line for node in (to_node, from_node) if not proved_down(node) for line in _saves(state, node)]
    if traffic is not None:
        details += traffic.lines
    elif s is not None:
        details.append(f"{source} now: {s.ops_per_second} operations/s, {counted(s.clients, 'client')}")
    estimate = cost(state, from_node, to_node) if kind in {ResyncKind.FULL, ResyncKind.UNKNOWN} else None
    warnings = [] if found.exported else _newer(from_node, to_node, older)
    warnings += [*_warnings(from_node, to_node), *disk_warnings(from_node, to_node)]
    if comparison is not None:
        warnings += comparison_warnings(comparison, counted_already=bool(found.exported))
    if traffic is not None and traffic.advice:
        warnings.append(traffic.advice)
    elif s is not None and s.ops_per_second >= BUSY_OPS:
        warnings.append(f"{source} is busy: {s.ops_per_second:,} operations/s; a quieter hour is better")
    return LossPreview(
        source=source,
        target=target,
        resync=kind,
        reason=reason,
        source_keys=None if s is None else dict(s.keys),
        target_keys=None if t is None else dict(t.keys),
        lines=tuple(lines),
        warnings=(*warnings, *(estimate.warnings if estimate else ())),
        comparison=comparison,
        traffic=traffic,
        details=(*details, *(estimate.lines if estimate else ())),
    )


def _keys(source: NodeState, target: NodeState) -> list[str]:
    s, t = source.redis.value, target.redis.value
    if s is None or t is None:
        missing = source if s is None else target
        word = "does not run" if proved_down(missing) else f"could not be read: {missing.redis.problem}"
        return [f"keys: Redis on {missing.name} {word}"]
    lines = [
        f"db{number}: {target.name} has {counted(t.keys.get(number, 0), 'key')},"
        f" and {s.keys.get(number, 0):,} after the copy of {source.name}"
        for number in sorted({*s.keys, *t.keys})
    ]
    return lines or ["keys: both are empty"]


def _own_data(source: str, target: str, older: HistoryComparison, comparison: KeyComparison | None) -> str:
    """Whether the target has data of its own. Keys that were found there and not on the source count more."""
    sample = comparison.of_target.value if comparison is not None else None
    if older.verdict is Verdict.HOLDS and sample is not None and (sample.missing or sample.different):
        return f"{target} has keys that differ from those of {source}, although by their histories: {older.reason}"
    words = {
        Verdict.HOLDS: f"nothing is known to exist on {target} alone",
        Verdict.FAILS: f"{target} may hold what would be lost",
        Verdict.UNKNOWN: f"whether {target} holds anything of its own is not known",
    }
    return f"{words[older.verdict]}: {older.reason}"


def _saves(state: ClusterState, node: NodeState) -> list[str]:
    redis = node.redis.value
    if redis is None:
        saved = node.dump.value
        return [f"{node.name}: dump of {size(saved.size)} on disk at {saved.path}"] if saved else []
    last, changes = redis.persistence.rdb_last_save, redis.persistence.changes_since_save
    when = "last save not known" if last is None else f"last save {span(age_at(node, state.observed_at, last))} ago"
    since = "" if changes is None else f", {counted(changes, 'change')} since"
    return [f"{node.name}: up {span(redis.uptime)}, {when}{since}"]


def _says_nothing_more(
    found: RunFindings, target: NodeState, older: HistoryComparison, comparison: KeyComparison | None
) -> bool:
    """Whether histories and a sample tell nothing beside what a run has counted: "none differs" there would mislead.

    After an export nothing more is written. What was compared on the disk may have got more once its Redis runs.
    """
    if found.exported or (found.compared and proved_down(target)):
        return True
    sample = comparison.of_target.value if comparison is not None else None
    alike = sample is not None and not sample.missing and not sample.different
    return bool(found.compared) and alike and older.verdict is Verdict.HOLDS


def _newer(source: NodeState, target: NodeState, older: HistoryComparison) -> list[str]:
    if older.verdict is not Verdict.FAILS:
        return []
    advice = compare_advice(source.name, target.name)
    return [f"{target.name} may be newer than {source.name}: {older.reason}: {advice}"]


def _warnings(source: NodeState, target: NodeState) -> list[str]:
    found: list[str] = []
    s, t = source.redis.value, target.redis.value
    if s is None or t is None:
        return found
    if s.total_keys == 0 and t.total_keys > 0:
        found.append(f"{source.name} is empty: {counted(t.total_keys, 'key')} of {target.name} would be wiped")
    elif s.total_keys < t.total_keys * (1 - LARGE_SHARE):
        found.append(f"{source.name} holds {counted(s.total_keys, 'key')}, {target.name} {t.total_keys:,}")
    if t.persistence.aof and t.role is Role.MASTER:
        found.append(f"{target.name} loads an AOF: writes of its own since its start cannot be seen in its counters")
    if t.total_keys == 0 and target.dump.value is not None and target.dump.value.size > LARGE_DUMP:
        dump = target.dump.value
        found.append(
            f"{target.name} holds no keys, but a dump of {size(dump.size)} lies at {dump.path}: it is replaced"
        )
    if t.config.diskless_load not in {None, "disabled"}:
        found.append(f"repl-diskless-load is {t.config.diskless_load}: {target.name} may empty itself while it loads")
    return found
