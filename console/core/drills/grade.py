"""The grade of a drill: how long each part took, what was lost, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.core.drills.scenarios import find_scenario
from console.core.runs.past.past_run import PastRun
from console.core.runs.records.journal import Entry
from console.core.runs.state import Outcome, StepStatus

CANCELLED = "cancelled, "
"""How a gate's reason begins after a text that was not the one that it asks for."""
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
    """The first key that was pressed after the fault, or the first entry to work by hand."""
    right_action: float | None
    """The first command of a run that ended as done, or the first entry of a repair by hand."""
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
    identity: str = ""
    """What tells clusters of one name apart: see `Capture.identity`. Empty: of a drill that did not say so yet."""
    by_hand: int = 0
    """How often somebody has entered the laboratory after the fault, to work there by hand."""
    undone: str = ""
    """What the scenario asks of an operator and nobody has done, though the cluster is protected. Empty: nothing."""

    @property
    def passed(self) -> bool:
        """Whether the cluster is protected again, no acknowledged write is lost, and what is asked was done."""
        return self.protected is not None and self.clients.lost == 0 and not self.undone


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
    identity: str = ""
    entered: Sequence[float] = ()
    """When somebody entered the laboratory to work there by hand."""
    left_codes: tuple[str, ...] = ()
    """The codes of what was left."""
    refused_texts: tuple[tuple[float, str], ...] = ()
    """Moment, and which text was asked for, of each typed text that a screen has refused."""


def grade(happened: Happened, runs: Sequence[PastRun]) -> Grade:
    """The grade. `runs`: the journals of the drill, oldest first."""
    fault = happened.fault_at
    presses = sorted(at for at in happened.key_presses if at >= fault)
    sent = [(_epoch(one.at), run) for run in runs for step in run.steps for one in step.commands]
    right = [at for at, run in sent if run.outcome is Outcome.DONE and at >= fault]
    protected = _protected_since(happened.protected, fault)
    by_hand = [at for at in happened.entered if at >= fault]
    right += by_hand if protected is not None else []
    return Grade(
        drill=happened.drill,
        cluster=happened.cluster,
        scenario=happened.scenario,
        happened=happened.text,
        began_at=fault,
        notice=min((*presses, *by_hand)) - fault if presses or by_hand else None,
        right_action=min(right) - fault if right else None,
        protected=protected,
        clients=happened.clients,
        keys=len(presses),
        wrong_turns=(
            *(turn for run in runs for turn in _wrong_turns(run)),
            *(f"a typed text was refused: asked was {asked}" for at, asked in happened.refused_texts if at >= fault),
        ),
        commands=len(sent),
        runs=tuple(f"{run.runbook}: {run.outcome.value if run.outcome else 'not ended'}" for run in runs),
        differences=happened.differences,
        left=happened.left,
        kind=happened.kind,
        identity=happened.identity,
        by_hand=len(by_hand),
        undone=_undone(happened, acted=bool(by_hand or [at for at, _ in sent if at >= fault])),
    )


def _undone(happened: Happened, *, acted: bool) -> str:
    """What was asked of the operator and not done. A cluster can be protected while that is so."""
    scenario = find_scenario(happened.scenario)
    if scenario is None or not happened.left:
        return ""
    if acted and not set(scenario.ends) & set(happened.left_codes):
        return ""
    return scenario.asks


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
        if entry.kind == "decided" and (why := _refused_text(entry)):
            yield f"{run.runbook}: a typed text was refused: {why}"
        if entry.kind == "refused":
            changes = "; ".join(map(str, entry.data.get("differences") or ()))
            yield f"{run.runbook}: an answer was refused: {changes or 'nothing was sent'}"
    for step in run.steps:
        if step.status in _WRONG:
            yield f"{run.runbook}, {step.id}: {step.status.value}{': ' + step.note if step.note else ''}"
    if run.outcome in (Outcome.REFUSED, Outcome.ABORTED) and not any(step.status in _WRONG for step in run.steps):
        yield f"{run.runbook}: {run.message or run.outcome.value}"


def _refused_text(entry: Entry) -> str:
    """Why the text that was typed before this question, or at it, was not taken. Empty: none was refused."""
    reason = str(entry.data.get("reason") or "")
    if reason.startswith(CANCELLED):
        return reason.removeprefix(CANCELLED)
    decision = entry.data.get("decision")
    typed = isinstance(decision, dict) and decision.get("choice") == "skip" and decision.get("typed")
    return "it is not the sentence" if typed and entry.data.get("asked") == "type-sentence" else ""


def best(earlier: Iterable[Grade], this: Grade) -> Grade | None:
    """The best earlier drill of the same cluster, of the same scenario where there is one. None: there is none."""
    ours = (this.cluster, this.kind, this.identity)
    mine = [one for one in earlier if (one.cluster, one.kind, one.identity) == ours]
    same = [one for one in mine if one.scenario == this.scenario] or mine
    return min(same, key=_rank, default=None)


def _rank(one: Grade) -> tuple[bool, int, float]:
    lost = one.clients.lost
    return not one.passed, 1_000_000_000 if lost is None else lost, one.protected if one.protected is not None else 1e9


def _epoch(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
