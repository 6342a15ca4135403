"""What the runs of a night have left: their journals, what was sent, and what the operator said yes to."""

from __future__ import annotations

from collections.abc import Callable

from simulation.ports.actuator import Sent
from simulation.ports.journal import MemoryJournal

from console.core.runs.past.past_run import PastRun

BEGINS_A_COPY = ("replicate", "start-redis")
"""Verbs after which a server may drop its data for that of another."""
LOSS_WORDS = ("would be lost", "is not known", "keys that differ", " differ; kept in ", "are not on", "is not on")
"""With these words a preview says that something of the target is, or may be, lost."""


class Records:
    """Of all runs of a night. `journal` is that of the last one."""

    def __init__(self, now: Callable[[], float], touch: Callable[[str], None]) -> None:
        self._now = now
        self._touch = touch
        self._journals: dict[str, MemoryJournal] = {}
        self._yes: dict[str, set[str]] = {}
        self.sent: dict[str, list[Sent]] = {}
        self.journal = MemoryJournal("none", now, touch)

    def open_journal(self, run_id: str) -> MemoryJournal:
        self.journal = self._journals[run_id] = MemoryJournal(run_id, self._now, self._touch)
        return self.journal

    def reopen_journal(self, run_id: str) -> tuple[MemoryJournal, PastRun, None]:
        """Raises OSError where the run cannot be resumed."""
        self.journal = self._journals[run_id]
        past = self.journal.reopened()
        if past.why_not:
            raise OSError(past.why_not)
        return self.journal, past, None

    def add(self, run_id: str, yes: set[str], sent: list[Sent]) -> None:
        self._yes.setdefault(run_id, set()).update(yes)
        self.sent.setdefault(run_id, []).extend(sent)

    @property
    def yes_of_run(self) -> set[str]:
        """Digests of the questions of the last run that were answered with a yes."""
        return self._yes[self.journal.run_id]

    @property
    def sent_of_run(self) -> list[Sent]:
        return self.sent[self.journal.run_id]

    @property
    def sent_something(self) -> bool:
        """Whether the last run has begun to send a command."""
        return any(one.kind == "intent" for one in self.journal.entries)

    def accepted_loss(self) -> bool:
        """Whether the operator typed the sentence of the last run that began a copy."""
        return any(one.kind == "overridden" for one in self._deciding().entries)

    def loss_was_named(self) -> bool:
        """Whether the last preview of that run said that something of the target is, or may be, lost."""
        previews = [one.data["preview"] for one in self._deciding().entries if one.kind == "preview"]
        words = " ".join((*previews[-1]["lines"], *previews[-1]["warnings"])) if previews else ""
        return any(word in words for word in LOSS_WORDS)

    def _deciding(self) -> MemoryJournal:
        """The journal of that run: a copy may be complete when another run is under way."""
        for journal in reversed(self._journals.values()):
            if any(one.kind == "intent" and one.data["verb"] in BEGINS_A_COPY for one in journal.entries):
                return journal
        return self.journal
