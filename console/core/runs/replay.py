"""A journal read back: what a run that is past, or that another console holds, has done so far.

Nothing is said here of how the servers stand now: an observation tells that (`step_assessment`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.journal import ChainCheck, Entry, check_chain, parse_entry
from console.core.runs.state import PASSED_STATUSES, Outcome, StepStatus


class Standing(StrEnum):
    """What has become of a run, as its journal and the lock on it tell."""

    CLOSED = "closed"
    """It has an outcome, and nothing more will be written."""
    UNDER_WAY = "under way"
    """A console holds its journal open for writing."""
    DIED = "died"
    """It has no end and nobody writes it: `runs resume` goes on with it."""
    BROKEN = "broken chain"
    """A line does not fit the one before: nothing from there on can be relied on, and it cannot be resumed."""


@dataclass(frozen=True, slots=True)
class PastCommand:
    """A command whose intent is in the journal."""

    seq: int
    """Number of the intent's entry."""
    at: str
    """When the intent was written; RFC 3339, UTC."""
    node: str
    sent: str
    """As it was shown and sent."""
    verb: str
    digest: str
    """Of what was shown when it was confirmed: commands of one gate have the same."""
    place: int = 1
    """Among what was confirmed there, from 1."""
    summary: str = ""
    answer: Answer | None = None
    """None: no answer is recorded. It may have been carried out (H27)."""
    answered_at: str | None = None

    @property
    def arrived(self) -> bool:
        """Whether it may have reached the server."""
        return self.answer is None or self.answer.kind is not AnswerKind.NOT_SENT


@dataclass(frozen=True, slots=True)
class PastStep:
    """What a journal tells of one step."""

    number: int
    """From 1."""
    id: str
    status: StepStatus
    """Where the journal leaves it. One that was under way stands where it stood; with an intent that has no result in a
    run that died, it is UNKNOWN; one that was never reached is WAITING."""
    note: str = ""
    began_at: str | None = None
    ended_at: str | None = None
    commands: tuple[PastCommand, ...] = ()
    """Everything that was sent for it, in order."""
    planned: tuple[Mapping[str, Any], ...] = ()
    """All commands of the gate at which the last of them was confirmed, as the journal has them."""
    open_since: int = 0
    """Number of the entry after which it was begun again, by a resumed run that found it undone; 0: it never was."""
    chosen: bool = False
    """It was skipped because the operator said so, not because it was done already."""

    @property
    def attempt(self) -> tuple[PastCommand, ...]:
        """What was sent since it was confirmed last: the first of `planned`, in the same order."""
        sent = [one for one in self.commands if one.seq > self.open_since]
        return tuple(sent[-sent[-1].place :]) if sent else ()


@dataclass(frozen=True, slots=True)
class PastRun:
    """A whole run, as its journal tells it."""

    run_id: str
    folder: str
    standing: Standing
    chain: ChainCheck
    entries: tuple[Entry, ...]
    """The sound ones."""
    opened: Mapping[str, Any]
    """What the first entry says: program, operator, host, inventory, runbook and its digest, nodes."""
    roles: Mapping[str, str]
    steps: tuple[PastStep, ...]
    outcome: Outcome | None
    """None: it is not closed."""
    message: str = ""
    ended_at: str | None = None
    resumed: tuple[Mapping[str, Any], ...] = ()
    """Who went on with it, and from where, each time."""

    @property
    def cluster(self) -> str:
        return str(self.opened.get("cluster") or "")

    @property
    def runbook(self) -> str:
        """Its name."""
        return str(self.opened.get("runbook") or "")

    @property
    def title(self) -> str:
        return str(self.opened.get("runbook_title") or self.runbook)

    @property
    def digest(self) -> str:
        """SHA-256 of the runbook."""
        return str(self.opened.get("runbook_sha256") or "")

    @property
    def operator(self) -> str:
        """`user@host` of who began it."""
        return str(self.opened.get("operator") or "")

    @property
    def terminal(self) -> str:
        return str(self.opened.get("terminal") or "")

    @property
    def opened_at(self) -> str | None:
        return self.entries[0].at if self.entries else None

    @property
    def unanswered(self) -> tuple[PastCommand, ...]:
        """Intents without a result: a death between them leaves it open whether they were carried out."""
        return tuple(one for step in self.steps for one in step.commands if one.answer is None)

    @property
    def resumable(self) -> bool:
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why nobody can go on with it, and what can be done, in one line; empty: it can be resumed."""
        match self.standing:
            case Standing.DIED if not self.roles:
                return f"the run {self.run_id} died before its roles were bound: nothing was sent; begin a new one"
            case Standing.DIED:
                return ""
            case Standing.UNDER_WAY:
                return f"the run {self.run_id} is under way: another console writes its journal; `runs show --follow`"
            case Standing.CLOSED:
                return f"the run {self.run_id} is closed: {self.verdict}; begin a new one, it starts from what it finds"
        return (
            f"the journal of {self.run_id} is broken at line {self.chain.broken_line}: {self.chain.reason}; nothing"
            " from there on can be relied on: look at the nodes, and begin a new run"
        )

    @property
    def verdict(self) -> str:
        """How it ended in the words of outcomes, or why it has none yet: for lists."""
        if self.standing is Standing.CLOSED and self.outcome is not None:
            return self.outcome.value
        if self.standing is Standing.BROKEN:
            return f"journal broken at line {self.chain.broken_line}"
        return "not closed" + (", under way" if self.standing is Standing.UNDER_WAY else "")


@dataclass(frozen=True, slots=True)
class Cut:
    """The unfinished end of a line that a console left behind when it died: set aside, never thrown away."""

    line: int
    """Number that the line would have had."""
    bytes: int
    sha256: str
    kept_in: str
    """Name of the file in the run's folder that has them now."""


class ArchiveError(Exception):
    """A journal cannot be read. The text says which, and why, in one line."""


def recall(run_id: str, folder: str, lines: Iterable[str], *, under_way: bool) -> PastRun:
    """Reads a journal back. `under_way`: a console holds it open for writing now."""
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
        roles={str(role): str(node) for role, node in _first(entries, "bound").get("roles", {}).items()},
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
    """One step, from the entries that speak of it."""
    mine = [entry for entry in entries if entry.data.get("step") == number]
    commands = _commands(mine)
    ended = mine[-1] if mine and mine[-1].kind == "step" else None
    status, note = _status(ended), str(ended.data.get("note") or "") if ended else ""
    since = _passed_at(mine, before=ended)
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
        open_since=since,
        chosen=status is StepStatus.SKIPPED and _last_choice(mine) == "skip",
    )


def _status(ended: Entry | None) -> StepStatus:
    try:
        return StepStatus(str(ended.data.get("status"))) if ended else StepStatus.WAITING
    except ValueError:
        return StepStatus.UNKNOWN


def _passed_at(mine: Sequence[Entry], *, before: Entry | None) -> int:
    """Number of the entry with which the step was done or skipped before it was begun again; 0: it never was."""
    return max(
        (
            entry.seq
            for entry in mine
            if entry is not before and _status(entry) in PASSED_STATUSES and entry.kind == "step"
        ),
        default=0,
    )


def _under_way(mine: Sequence[Entry]) -> StepStatus:
    """Where a step without an end stands, by the last entry that moves it."""
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
            case "preview":
                return StepStatus.ASKING
    return StepStatus.CHECKING


def _last_choice(mine: Sequence[Entry]) -> str:
    decided = [entry.data.get("decision") or {} for entry in mine if entry.kind == "decided"]
    return str(decided[-1].get("choice") or "") if decided else ""


def _commands(mine: Sequence[Entry]) -> tuple[PastCommand, ...]:
    """Every intent with the result that follows it."""
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
        place=int(intent.data.get("place") or 1),
        summary=str(planned.get("summary") or ""),
    )


def _answered(command: PastCommand, result: Entry) -> PastCommand:
    said = result.data.get("answer") or {}
    try:
        kind = AnswerKind(str(said.get("kind")))
    except ValueError:
        kind = AnswerKind.UNKNOWN
    status = said.get("exit_status")
    answer = Answer(kind, str(said.get("text") or ""), status if isinstance(status, int) else None)
    return replace(command, answer=answer, answered_at=result.at)


def _planned(mine: Sequence[Entry], commands: Sequence[PastCommand]) -> tuple[Mapping[str, Any], ...]:
    """What the last gate showed at which something was confirmed and sent."""
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
    """A run that found everything done before its first step says so once, not step by step."""
    if step.status is not StepStatus.WAITING:
        return step
    return PastStep(step.number, step.id, StepStatus.SKIPPED, "nothing to do")
