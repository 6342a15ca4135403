"""The grade of a drill: how long each part took, what was lost, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from console.core.drills.entries import Entered, Work
from console.core.drills.scenarios import find_scenario
from console.core.quantities import counted
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
    """The first key that was pressed after the fault and does not only leave, or the first entry."""
    right_action: float | None
    """The first command of a run that ended as done, or the first one that was entered and changed something."""
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
    """How many commands have changed something that were entered after the fault (`lab enter`)."""
    entered_at: tuple[float, ...] = ()
    """Seconds at which somebody entered of whom it is not known whether they have worked by hand: shells."""
    looked: int = 0
    """How many commands were entered after the fault that only look."""
    console_ended: str = ""
    """How the console ended, where its operator did not end it. Empty: it was ended as usual."""
    lost_keys: tuple[str, ...] = ()
    """What was lost, and where it is kept: a line each."""
    next_time: tuple[str, ...] = ()
    """What this drill's own course says to do better."""
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
    entered: Sequence[Entered] = ()
    """When somebody entered the laboratory, and what that did."""
    left_codes: tuple[str, ...] = ()
    """The codes of what was left."""
    refused_texts: tuple[tuple[float, str], ...] = ()
    """Moment, and which text was asked for, of each typed text that a screen has refused."""
    leaving: Sequence[float] = ()
    """Those of the key presses that only leave: Ctrl-C, q. They are no sign that something was noticed."""
    console_ended: str = ""
    """How the console ended, where its operator did not end it."""
    lost_keys: Sequence[str] = ()
    """The names of the acknowledged writes that are lost, in their order."""
    kept: Sequence[KeptFile] = ()
    """What runs have kept in files and nobody has brought back."""
    advised: Sequence[str] = ()
    """The runbooks that the findings named which were left."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """Keys that a run has kept in a file."""

    run_id: str
    file: str
    command: str
    """What would have brought them back while the drill ran."""
    keys: frozenset[str]


def grade(happened: Happened, runs: Sequence[PastRun]) -> Grade:
    """The grade. `runs`: the journals of the drill, oldest first."""
    fault = happened.fault_at
    presses = sorted(at for at in happened.key_presses if at >= fault)
    sent = [(_epoch(one.at), run) for run in runs for step in run.steps for one in step.commands]
    right = [at for at, run in sent if run.outcome is Outcome.DONE and at >= fault]
    protected = _protected_since(happened.protected, fault)
    entered = [one for one in happened.entered if one.at >= fault]
    by_hand = [one.at for one in entered if one.work is Work.CHANGED]
    unclear = [one.at for one in entered if one.work is Work.UNKNOWN]
    right += by_hand if protected is not None else []
    signs = [*(at for at in presses if at not in happened.leaving), *(one.at for one in entered)]
    made = Grade(
        drill=happened.drill,
        cluster=happened.cluster,
        scenario=happened.scenario,
        happened=happened.text,
        began_at=fault,
        notice=min(signs) - fault if signs else None,
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
        entered_at=tuple(at - fault for at in unclear),
        looked=len(entered) - len(by_hand) - len(unclear),
        console_ended=happened.console_ended,
        lost_keys=tuple(_lost_keys(happened)),
        undone=_undone(happened, acted=bool(by_hand or unclear or [at for at, _ in sent if at >= fault])),
    )
    return replace(made, next_time=tuple(islice(_next_time(made, happened), _MOST_ADVICE)))


_MOST_ADVICE = 3
_LATE = 60.0
"""Seconds for one part of a repair after which it is worth a word."""
_SHOWN_KEYS = 5


def _lost_keys(happened: Happened) -> Iterator[str]:
    """Which writes are lost, and which file holds them."""
    names = list(happened.lost_keys)
    if not names:
        return
    shown = ", ".join(names[:_SHOWN_KEYS])
    yield f"lost: {shown}{f' and {len(names) - _SHOWN_KEYS:,} more' if len(names) > _SHOWN_KEYS else ''}"
    for one in happened.kept:
        if held := len(one.keys.intersection(names)):
            yield f"{held:,} of them are in {one.file}, which the run {one.run_id} has kept"
            yield f"while the drill runs, this brings them back: {one.command}"


def _next_time(made: Grade, happened: Happened) -> Iterator[str]:
    """What to do better, the dearest first. Each line is about something that this drill has shown."""
    if made.clients.lost and any(one.keys.intersection(happened.lost_keys) for one in happened.kept):
        yield "before you end it: bring back what a run has kept (`runs replay`); the status page names what is open"
    elif made.clients.lost:
        yield "before you give a node another master: a loss preview says which writes only that node has"
    if made.notice is None:
        yield "nobody pressed a key after the fault: watch the findings, the worst stands first"
    elif made.notice > _LATE:
        yield f"it was noticed after {made.notice:.0f} s: let a monitor page you (`status --listen`)"
    if made.undone or made.protected is None:
        books = ", ".join(dict.fromkeys(happened.advised))
        yield f"what was left names a runbook: {books}" if books else f"what it asks of you: {_asked(happened)}"
    waited = made.right_action - made.notice if made.right_action is not None and made.notice is not None else 0.0
    if waited > _LATE:
        yield f"{waited:.0f} s between the first key and the first right command: a finding names its runbook"
    if made.wrong_turns:
        yield f"{counted(len(made.wrong_turns), 'wrong turn')}: read the lines above a question before you answer it"


def _asked(happened: Happened) -> str:
    scenario = find_scenario(happened.scenario)
    return scenario.asks if scenario is not None else "see what is left"


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
    """The best earlier drill of the same cluster and scenario. None: there is none."""
    ours = (this.cluster, this.kind, this.identity, this.scenario)
    same = (one for one in earlier if (one.cluster, one.kind, one.identity, one.scenario) == ours)
    return min(same, key=_rank, default=None)


def _rank(one: Grade) -> tuple[bool, int, float]:
    lost = one.clients.lost
    return not one.passed, 1_000_000_000 if lost is None else lost, one.protected if one.protected is not None else 1e9


def _epoch(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
