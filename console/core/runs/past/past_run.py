"""A run as its journal tells it: a past one, or one that another console holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.records.journal import ChainCheck, Entry
from console.core.runs.state import Outcome, StepStatus


class Standing(StrEnum):
    """Whether a run has ended, as its journal and the lock on that file tell."""

    CLOSED = "closed"
    """It has an outcome. Nothing more will be written."""
    UNDER_WAY = "under way"
    """A console holds its journal open for writing."""
    DIED = "died"
    """It has no end, and no console writes its journal: `runs resume` goes on with it."""
    BROKEN = "broken chain"
    """A line does not fit the one before. Nothing from there on can be relied on, and the run cannot be resumed."""


@dataclass(frozen=True, slots=True)
class PastCommand:
    """A command whose intent is in the journal."""

    seq: int
    """Number of the intent's entry."""
    at: str
    """When the intent was written: RFC 3339, UTC."""
    node: str
    sent: str
    """As it was shown and sent."""
    verb: str
    digest: str
    """Of what was shown when it was confirmed. Commands that were confirmed together have the same one."""
    position: int = 1
    """Among the commands that were confirmed together, from 1."""
    summary: str = ""
    answer: Answer | None = None
    """None: no answer is recorded, so it may have been carried out (H27)."""
    answered_at: str | None = None

    @property
    def may_have_arrived(self) -> bool:
        """Whether the server may have got it."""
        return self.answer is None or self.answer.kind is not AnswerKind.NOT_SENT


@dataclass(frozen=True, slots=True)
class PastStep:
    """What a journal tells of one step."""

    number: int
    """From 1."""
    id: str
    status: StepStatus
    """The last one that the journal tells. A step under way keeps the status that it had, but is UNKNOWN where a run
    died between an intent and its result. A step that was never reached is WAITING."""
    note: str = ""
    began_at: str | None = None
    ended_at: str | None = None
    commands: tuple[PastCommand, ...] = ()
    """Every command whose intent was written for it, in order."""
    planned: tuple[Mapping[str, Any], ...] = ()
    """All commands that were shown when the last of them was confirmed, as the journal has them."""
    reopened_after: int = 0
    """A resumed run found the step undone and began it again after the entry with this number. 0: it never was."""
    skipped_by_operator: bool = False
    """It was skipped because the operator chose so, not because it was done already."""

    @property
    def attempt(self) -> tuple[PastCommand, ...]:
        """The commands begun since the last confirmation: the first ones of `planned`, in the same order."""
        sent = [one for one in self.commands if one.seq > self.reopened_after]
        return tuple(sent[-sent[-1].position :]) if sent else ()


_IN_MEMORY = "/dev/shm/"  # noqa: S108 - only compared


def in_laboratory(inventory: str) -> bool:
    """Whether an inventory at this path is that of a laboratory: only these are in a file system of the memory."""
    return inventory.startswith(_IN_MEMORY)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A whole run."""

    run_id: str
    folder: str
    standing: Standing
    chain: ChainCheck
    entries: tuple[Entry, ...]
    """The entries before the first broken line."""
    opened: Mapping[str, Any]
    """The first entry: program, operator, host, inventory, runbook and its digest, nodes."""
    roles: Mapping[str, str]
    steps: tuple[PastStep, ...]
    outcome: Outcome | None
    """None: the run is not closed."""
    message: str = ""
    ended_at: str | None = None
    resumed: tuple[Mapping[str, Any], ...] = ()
    """Who resumed it, and from where: one for each time."""

    @property
    def cluster(self) -> str:
        return str(self.opened.get("cluster") or "")

    @property
    def inventory(self) -> str:
        """The path of the inventory that it ran with."""
        return str(self.opened.get("inventory") or "")

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes. Older journals do not have them."""
        return tuple(map(str, self.opened.get("nodes") or ()))

    @property
    def runbook(self) -> str:
        """The name of its runbook."""
        return str(self.opened.get("runbook") or "")

    @property
    def title(self) -> str:
        return str(self.opened.get("runbook_title") or self.runbook)

    @property
    def digest(self) -> str:
        """SHA-256 of the runbook."""
        return str(self.opened.get("runbook_sha256") or "")

    @property
    def brings_keys(self) -> bool:
        """It brings kept keys back (`runs replay`), and runs no runbook."""
        return isinstance(self.opened.get("replays"), Mapping)

    @property
    def operator(self) -> str:
        """`user@host` of the operator who began it."""
        return str(self.opened.get("operator") or "")

    @property
    def terminal(self) -> str:
        return str(self.opened.get("terminal") or "")

    @property
    def opened_at(self) -> str | None:
        return self.entries[0].at if self.entries else None

    @property
    def unanswered(self) -> tuple[PastCommand, ...]:
        """Intents without a result: the console died between them, so that the commands may have been carried out."""
        return tuple(one for step in self.steps for one in step.commands if one.answer is None)

    @property
    def resumable(self) -> bool:
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why it cannot be resumed, and what can be done instead, in one line. Empty: it can be resumed."""
        match self.standing:
            case Standing.DIED if not self.roles:
                return f"the run {self.run_id} died before its roles were bound: nothing was sent; begin a new run"
            case Standing.DIED:
                return ""
            case Standing.UNDER_WAY:
                return f"the run {self.run_id} is under way: another console writes its journal; `runs show --follow`"
            case Standing.CLOSED:
                return f"the run {self.run_id} is closed: {self.verdict}; begin a new run, it starts from what it finds"
        return (
            f"the journal of {self.run_id} is broken at line {self.chain.broken_line}: {self.chain.reason}; nothing"
            " from there on can be relied on: look at the nodes, and begin a new run"
        )

    @property
    def verdict(self) -> str:
        """Its outcome, or why it has none yet: for lists."""
        if self.standing is Standing.CLOSED and self.outcome is not None:
            return self.outcome.value
        if self.standing is Standing.BROKEN:
            return f"journal broken at line {self.chain.broken_line}"
        return "not closed" + (", under way" if self.standing is Standing.UNDER_WAY else "")


@dataclass(frozen=True, slots=True)
class UnfinishedLine:
    """The beginning of a line that a console could not finish before it died. It is set aside, never thrown away."""

    line: int
    """The number that the line would have had."""
    bytes: int
    sha256: str
    kept_in: str
    """Name of the file in the run's folder that keeps these bytes now."""


class ArchiveError(Exception):
    """A journal cannot be read. The text says which, and why, in one line."""
