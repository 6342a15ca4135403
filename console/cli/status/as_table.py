"""`status --format table`: an observation as an aligned table. Colours only repeat what the words say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from console.cli.layout import folded, table_lines
from console.cli.status.as_json import ClusterStatus
from console.cli.status.watchers import watchers_text
from console.core.diagnosis.finding import Finding, Severity
from console.core.inventory import UnusableCluster
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, MasterLink, NodeState, ProblemKind, Reading, Role
from console.core.model.carried import says_nothing
from console.core.model.facts import (
    bytes_behind,
    masters_in_words,
    source_of,
    vip_holders_in_words,
    vip_reached_in_words,
)
from console.core.quantities import size
from console.core.runs.lock import lock_in_words, runs_on
from console.core.visible import visible

HEADINGS = ("NODE", "ADDRESS", "SSH", "REDIS", "FOLLOWS", "OFFSET", "LAG", "KEYS", "MEMORY", "OPS/S")
VIP_HEADING = ("VIP",)
KEEPALIVED_HEADINGS = ("KEEPALIVED", "PRIORITY")
NOT_KNOWN = "?"
NONE = "-"
AGAIN = 3
"""Findings that are repeated below an output that is longer than the terminal: they fit into it."""
_EVIDENCE = 11
"""Where the evidence of a finding begins."""
_COLOURS = {"critical": "31;1", "warning": "33;1", "unknown": "35;1", "healthy": "32;1", "info": "36"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Adds colours to words if they are switched on."""

    on: bool

    def __call__(self, word: str, kind: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{word}\x1b[0m" if self.on and kind in _COLOURS else word


def as_table(
    seen: Sequence[ClusterStatus],
    unusable: Sequence[UnusableCluster] = (),
    *,
    colour: bool,
    width: int | None = None,
    height: int | None = None,
) -> str:
    """All clusters, an empty line between them. `width`: what is longer is wrapped; None: nothing is.

    `height`: rows of the terminal. Where one cluster does not fit, its verdict and its worst findings are repeated.
    """
    paint = Paint(colour)
    blocks = (*(_cluster(one, paint, width) for one in seen), *(_unusable(one, paint) for one in unusable))
    printed = "\n".join("\n".join((*_folded(lines, width), "")) for lines in blocks)
    if height is None or len(seen) != 1 or printed.count("\n") < height:
        return printed
    return "\n".join((printed, *_folded(_again(seen[0], paint), width), ""))


def _again(seen: ClusterStatus, paint: Paint) -> Iterator[str]:
    """What has scrolled off the top of the terminal and is acted on: the verdict, and the worst findings."""
    worst = [one for one in seen.findings if one.severity is not Severity.INFO]
    if not worst:
        return
    yield f"{seen.state.name}  {paint(seen.health.value.upper(), seen.health.value)}, the worst of it again:"
    for one in worst[:AGAIN]:
        word = one.severity.value.upper()
        yield f"  {paint(word, one.severity.value)}{' ' * (9 - len(word))}{one.code}: {visible(one.summary)}"
        yield from _next(one)
    if len(worst) > AGAIN:
        yield f"  and {len(worst) - AGAIN} more above"


def _folded(lines: Iterable[str], width: int | None) -> Iterator[str]:
    for line in lines:
        hang = len(line) - len(line.lstrip())
        yield from folded(line, width, _EVIDENCE if hang < _EVIDENCE else hang + 2)


def _unusable(one: UnusableCluster, paint: Paint) -> Iterator[str]:
    yield f"{one.name}  {paint('UNKNOWN', 'unknown')}  cannot be used, and was not looked at"
    yield from (f"  {visible(problem)}" for problem in one.problems)


def _cluster(seen: ClusterStatus, paint: Paint, width: int | None) -> Iterator[str]:
    state = seen.state
    health = paint(seen.health.value.upper(), seen.health.value)
    yield f"{state.name}  {health}  " + (f"VIP {state.vip} {_vip_text(state)}" if state.vip else _master_text(state))
    yield ""
    rows = [_headings(state), *(_row(state, node) for node in state.nodes)]
    yield from table_lines(rows, width, "  ")
    yield from (f"  {visible(line)}" for line in watchers_text(state))
    yield from (f"  {visible(lock_in_words(one))}" for one in runs_on(state))
    yield from _unread_lines(state)
    if seen.findings:
        yield ""
    for finding in seen.findings:
        yield from _finding(finding, paint)
    for kept in (one for one in seen.kept if one.reminds):
        yield ""
        yield f"  {visible(kept.in_words)}, {visible(kept.file)}; to see them, and to be asked before any comes back:"
        yield f"  {visible(kept.command)}"
        yield "  To hear no more of it; the file stays:"
        yield f"  {visible(kept.dismiss_command)}"


def _headings(state: ClusterState) -> tuple[str, ...]:
    """The columns that have values for this kind of cluster."""
    vip = VIP_HEADING if state.vip else ()
    return (*HEADINGS, *vip, *(KEEPALIVED_HEADINGS if _has_keepalived(state) else ()))


def _has_keepalived(state: ClusterState) -> bool:
    """Whether keepalived moves the virtual IP of these nodes."""
    return bool(state.vip) and not state.sentinels


def _master_text(state: ClusterState) -> str:
    return f"master {masters_in_words(state)}"


def _vip_text(state: ClusterState) -> str:
    held, problem = vip_holders_in_words(state, "on"), state.vip_reach.problem
    if problem is not None and problem.kind is not ProblemKind.REFUSED:
        return f"{held}; what it reaches is not known: {visible(str(problem))}"
    return f"{held}, reaches {state.vip_reaches or vip_reached_in_words(state)}"


def _row(state: ClusterState, node: NodeState) -> tuple[str, ...]:
    holds = node.holds(state.vip)
    return tuple(
        visible(cell)
        for cell in (
            node.name,
            node.address,
            "ok" if node.ssh.ok else _missing(node.ssh),
            *_redis(state, node),
            *((NOT_KNOWN if holds is None else "holds" if holds else NONE,) if state.vip else ()),
            *(_keepalived(node) if _has_keepalived(state) else ()),
        )
    )


def _missing(reading: Reading[Any]) -> str:
    """`no`: it refused, or cannot be reached. `?`: it gave no answer, and one may still come."""
    return NOT_KNOWN if says_nothing(reading) else "no"


def _redis(state: ClusterState, node: NodeState) -> tuple[str, ...]:
    redis = node.redis.value
    if redis is None:
        return (_missing(node.redis), *[NOT_KNOWN] * 6)
    link = redis.master
    lag = bytes_behind(state, node)
    return (
        f"{redis.role.value} (loading)" if redis.loading else redis.role.value,
        NONE if link is None else f"{_source_name(state, node, link)} {'up' if link.up else 'down'}",
        NOT_KNOWN if redis.offset is None else str(redis.offset),
        NONE if redis.role is Role.MASTER else NOT_KNOWN if lag is None else size(lag),
        str(redis.total_keys),
        size(redis.used_memory),
        str(redis.ops_per_second),
    )


def _source_name(state: ClusterState, node: NodeState, link: MasterLink) -> str:
    """The name of the node that it follows. A server that is not in the inventory is named by host and port."""
    source = source_of(state, node)
    return source.name if source is not None else f"{link.host}:{link.port}"


def _keepalived(node: NodeState) -> tuple[str, str]:
    found = node.keepalived.value
    if found is None:
        return NOT_KNOWN, NOT_KNOWN
    if found.instance is None:
        return found.state.value, NOT_KNOWN
    priority = found.instance.priority
    if found.effective_priority in {None, priority}:
        return found.state.value, str(priority)
    return found.state.value, f"{priority} (now {found.effective_priority})"


def _unread_lines(state: ClusterState) -> Iterator[str]:
    """The reasons for the cells `no` and `?`."""
    for node in state.nodes:
        printed: set[str] = set()
        for subject, problem in (
            ("ssh", node.ssh.problem),
            ("redis", node.redis.problem),
            ("addresses", node.addresses.problem),
            ("keepalived", node.keepalived.problem),
        ):
            if problem is not None and str(problem) not in printed:
                printed.add(str(problem))
                yield f"  {node.name}: {subject}: {visible(str(problem))}"


def _finding(finding: Finding, paint: Paint) -> Iterator[str]:
    word = finding.severity.value.upper()
    yield f"  {paint(word, finding.severity.value)}{' ' * (9 - len(word))}{finding.code}: {visible(finding.summary)}"
    if finding.severity is not Severity.INFO:
        for line in finding.evidence:
            yield f"           {visible(line)}"
    yield from _next(finding)


def _next(finding: Finding) -> Iterator[str]:
    if finding.next.runbook is not None:
        yield f"           next: run {finding.next.runbook}"
    elif finding.next.advice is not None:
        yield f"           next: {visible(finding.next.advice)}"
