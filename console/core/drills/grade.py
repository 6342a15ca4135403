"""The grade of a drill: how long each part took, what was lost, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.core.runs.past.past_run import PastRun
from console.core.runs.state import Outcome, StepStatus

_WRONG = (StepStatus.REFUSED, StepStatus.FAILED, StepStatus.STOPPED, StepStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ClientCount:
    """What the client saw that wrote through the virtual IP."""

    acknowledged: int
    refused: int
    lost: int | None
    """Acknowledged, and not there at the end. None: nobody answered at the virtual IP."""
    longest_gap: float
    """Seconds of the longest time without an acknowledged write."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One drill. Times are seconds after the fault; None: it did not happen."""

    drill: str
    cluster: str
    scenario: str
    happened: str
    """What the fault was, with its host."""
    began_at: float
    """Epoch seconds of the fault."""
    notice: float | None
    """The first key that was pressed after the fault."""
    right_action: float | None
    """The first command of a run that ended as done."""
    protected: float | None
    """Since when the cluster would survive the next failure, up to the end of the drill."""
    clients: ClientCount
    keys: int
    """Key presses after the fault."""
    wrong_turns: tuple[str, ...]
    commands: int
    """Commands that were sent."""
    runs: tuple[str, ...]
    """`RUNBOOK: outcome`, in their order."""
    differences: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """What was found at the end and not before the fault. A set can be protected again while a node is still down."""
    kind: str = ""
    """Of the cluster; empty: of a drill that did not say so yet."""

    @property
    def passed(self) -> bool:
        """Whether the cluster is protected again and no acknowledged write is lost."""
        return self.protected is not None and self.clients.lost == 0


@dataclass(frozen=True, slots=True)
class Happened:
    """What was measured of a drill, beside its runs. Moments are epoch seconds."""

    drill: str
    cluster: str
    scenario: str
    text: str
    fault_at: float
    key_presses: Sequence[float]
    protected: Sequence[tuple[float, bool]]
    """Each observation: whether the cluster was protected."""
    clients: ClientCount
    differences: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    kind: str = ""


def grade(happened: Happened, runs: Sequence[PastRun]) -> Grade:
    """The grade. `runs`: the journals of the drill, oldest first."""
    fault = happened.fault_at
    presses = sorted(at for at in happened.key_presses if at >= fault)
    sent = [(_epoch(one.at), run) for run in runs for step in run.steps for one in step.commands]
    right = [at for at, run in sent if run.outcome is Outcome.DONE and at >= fault]
    return Grade(
        drill=happened.drill,
        cluster=happened.cluster,
        scenario=happened.scenario,
        happened=happened.text,
        began_at=fault,
        notice=presses[0] - fault if presses else None,
        right_action=min(right) - fault if right else None,
        protected=_protected_since(happened.protected, fault),
        clients=happened.clients,
        keys=len(presses),
        wrong_turns=tuple(turn for run in runs for turn in _wrong_turns(run)),
        commands=len(sent),
        runs=tuple(f"{run.runbook}: {run.outcome.value if run.outcome else 'not ended'}" for run in runs),
        differences=happened.differences,
        left=happened.left,
        kind=happened.kind,
    )


def _protected_since(seen: Sequence[tuple[float, bool]], fault: float) -> float | None:
    """Since when every observation up to the last one was of a protected cluster.

    An observation soon after the fault may still show the cluster as it was before: it counts only where another one
    has shown it unprotected, or where none ever did.
    """
    after = [(at, holds) for at, holds in seen if at >= fault]
    if not after or not after[-1][1]:
        return None
    last_bad = max((at for at, holds in after if not holds), default=None)
    if last_bad is None:
        return 0.0
    return next(at for at, _ in after if at > last_bad) - fault


def _wrong_turns(run: PastRun) -> Iterable[str]:
    for entry in run.entries:
        if entry.kind == "refused":
            changes = "; ".join(map(str, entry.data.get("differences") or ()))
            yield f"{run.runbook}: an answer was refused: {changes or 'nothing was sent'}"
    for step in run.steps:
        if step.status in _WRONG:
            yield f"{run.runbook}, {step.id}: {step.status.value}{': ' + step.note if step.note else ''}"
    if run.outcome in (Outcome.REFUSED, Outcome.ABORTED) and not any(step.status in _WRONG for step in run.steps):
        yield f"{run.runbook}: {run.message or run.outcome.value}"


def best(earlier: Iterable[Grade], cluster: str, scenario: str, kind: str = "") -> Grade | None:
    """The best earlier drill of the same cluster, of the same scenario where there is one. None: there is none."""
    mine = [one for one in earlier if (one.cluster, one.kind) == (cluster, kind)]
    same = [one for one in mine if one.scenario == scenario] or mine
    return min(same, key=_rank, default=None)


def _rank(one: Grade) -> tuple[bool, int, float]:
    lost = one.clients.lost
    return not one.passed, 1_000_000_000 if lost is None else lost, one.protected if one.protected is not None else 1e9


def _epoch(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
