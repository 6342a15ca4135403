"""Reads a journal back: what a run has done so far.

It says nothing about the servers as they are now. An observation tells that (`step_assessment`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past.past_run import PastCommand, PastRun, PastStep, Standing
from console.core.runs.records.journal import ChainCheck, Entry, check_chain, parse_entry
from console.core.runs.state import PASSED_STATUSES, Outcome, StepStatus


def replay_run(run_id: str, folder: str, lines: Iterable[str], *, under_way: bool) -> PastRun:
    """The run that these lines tell. `under_way`: a console holds the journal open for writing now."""
    found = list(lines)
    chain = check_chain(found)
    entries = tuple(parse_entry(line) for line in found[: chain.entries])
    opened = _first(entries, "opened")
    closed = entries[-1] if chain.closed else None
    standing = _standing(chain, under_way=under_way)
    outcome = _outcome(closed)
    names = [str(one) for one in opened.get("steps") or ()]
    steps = tuple(_step(number, name, entries, standing) for number, name in enumerate(names, start=1))
    if outcome is Outcome.DONE:
        steps = tuple(_nothing_to_do(step) for step in steps)
    return PastRun(
        run_id=run_id,
        folder=folder,
        standing=standing,
        chain=chain,
        entries=entries,
        opened=opened,
        roles={str(role): str(node) for role, node in (_first(entries, "bound").get("roles") or {}).items()},
        steps=steps,
        outcome=outcome,
        message=str(closed.data.get("message") or "") if closed else "",
        ended_at=closed.at if closed else None,
        resumed=tuple({"at": entry.at, **entry.data} for entry in entries if entry.kind == "resumed"),
    )


def _standing(chain: ChainCheck, *, under_way: bool) -> Standing:
    if not chain.sound and not chain.unfinished:
        return Standing.BROKEN
    if chain.closed and chain.sound:
        return Standing.CLOSED
    return Standing.UNDER_WAY if under_way else Standing.DIED


def _outcome(closed: Entry | None) -> Outcome | None:
    try:
        return Outcome(str(closed.data.get("outcome"))) if closed else None
    except ValueError:
        return Outcome.UNKNOWN


def _first(entries: Sequence[Entry], kind: str) -> Mapping[str, Any]:
    return next((entry.data for entry in entries if entry.kind == kind), {})


def _step(number: int, name: str, entries: Sequence[Entry], standing: Standing) -> PastStep:
    """One step, from the entries that have its number."""
    mine = [entry for entry in entries if entry.data.get("step") == number]
    commands = _commands(mine)
    ended = mine[-1] if mine and mine[-1].kind == "step" else None
    status, note = _status(ended), str(ended.data.get("note") or "") if ended else ""
    since = _last_passed(mine, before=ended)
    if ended is None and mine:
        status = _under_way([entry for entry in mine if entry.seq > since])
        if status is StepStatus.SENDING and standing is not Standing.UNDER_WAY:
            status, note = StepStatus.UNKNOWN, f"no answer is recorded: {commands[-1].node}> {commands[-1].sent}"
    return PastStep(
        number=number,
        id=name,
        status=status,
        note=note,
        began_at=mine[0].at if mine else None,
        ended_at=ended.at if ended else None,
        commands=commands,
        planned=_planned(mine, [one for one in commands if one.seq > since]),
        reopened_after=since,
        skipped_by_operator=status is StepStatus.SKIPPED and _last_choice(mine) == "skip",
    )


def _status(ended: Entry | None) -> StepStatus:
    try:
        return StepStatus(str(ended.data.get("status"))) if ended else StepStatus.WAITING
    except ValueError:
        return StepStatus.UNKNOWN


def _last_passed(mine: Sequence[Entry], *, before: Entry | None) -> int:
    """Number of the last entry that ended the step as done or skipped, before it was begun again. 0: there is none."""
    return max(
        (
            entry.seq
            for entry in mine
            if entry is not before and _status(entry) in PASSED_STATUSES and entry.kind == "step"
        ),
        default=0,
    )


def _under_way(mine: Sequence[Entry]) -> StepStatus:
    """The status of a step without an end, by the last entry that changes it."""
    for entry in reversed(mine):
        match entry.kind:
            case "intent":
                return StepStatus.SENDING
            case "result" | "verified":
                return StepStatus.VERIFYING
            case "observed" if "proofs" in entry.data:
                return StepStatus.VERIFYING
            case "observed" | "decided" | "refused" | "overridden":
                return StepStatus.CHECKING
            case "preview" | "compared":
                return StepStatus.ASKING
    return StepStatus.CHECKING


def _last_choice(mine: Sequence[Entry]) -> str:
    decided = [entry.data.get("decision") or {} for entry in mine if entry.kind == "decided"]
    return str(decided[-1].get("choice") or "") if decided else ""


def _commands(mine: Sequence[Entry]) -> tuple[PastCommand, ...]:
    """Every intent, with the result that follows it."""
    found: list[PastCommand] = []
    for entry in mine:
        if entry.kind == "intent":
            found.append(_command(entry))
        elif entry.kind == "result" and found and found[-1].answer is None:
            found[-1] = _answered(found[-1], entry)
    return tuple(found)


def _command(intent: Entry) -> PastCommand:
    planned = intent.data.get("planned") or {}
    return PastCommand(
        seq=intent.seq,
        at=intent.at,
        node=str(planned.get("node") or ""),
        sent=str((planned.get("command") or {}).get("sent") or ""),
        verb=str(intent.data.get("verb") or ""),
        digest=str(intent.data.get("digest") or ""),
        position=int(intent.data.get("place") or 1),
        summary=str(planned.get("summary") or ""),
    )


def _answered(command: PastCommand, result: Entry) -> PastCommand:
    answer = result.data.get("answer") or {}
    try:
        kind = AnswerKind(str(answer.get("kind")))
    except ValueError:
        kind = AnswerKind.UNKNOWN
    status, text = answer.get("exit_status"), str(answer.get("text") or "")
    found = Answer(kind, text, status if isinstance(status, int) else None)
    return replace(command, answer=found, answered_at=result.at)


def _planned(mine: Sequence[Entry], commands: Sequence[PastCommand]) -> tuple[Mapping[str, Any], ...]:
    """What the gate showed when the last command was confirmed."""
    if not commands:
        return ()
    last = commands[-1]
    shown = [
        entry.data["planned"]
        for entry in mine
        if entry.kind == "observed"
        and entry.seq < last.seq
        and entry.data.get("digest") == last.digest
        and entry.data.get("planned")
    ]
    return tuple(one for one in shown[-1] if isinstance(one, dict)) if shown else ()


def _nothing_to_do(step: PastStep) -> PastStep:
    """A run that found everything done before its first step records that once, and no entry for each step."""
    if step.status is not StepStatus.WAITING:
        return step
    return PastStep(step.number, step.id, StepStatus.SKIPPED, "nothing to do")
