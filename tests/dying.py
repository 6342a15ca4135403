"""A console that dies at a moment of its run, in this very process: for unit tests of what is gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fakes import CLUSTER, ROLES, RUNBOOK, FakeActuator, FakeClock, FakeInspector, FakeLocks, Pair, ScriptedOperator

from console.core.command import Identity, Planned
from console.core.inventory import ClusterSpec, Inventory
from console.core.runbooks.document import Runbook
from console.core.runs.past.past_run import PastRun
from console.core.runs.past.replay import replay_run
from console.core.runs.question import Choice, Decision, Question
from console.core.runs.records.journal import Entry
from console.core.runs.state import RunState
from console.engine.ports import Answer, ConsoleContext
from console.engine.sessions.arming import ClusterRunStarter
from console.transport.journals.journal_file import NAME, open_journal, read_lines, reopen_journal


class DiedError(BaseException):
    """What SIGKILL is to a process: nothing in the console catches it, and nothing is written after it."""


class Moments:
    """Counts the moments at which a console can die, and dies at one of them."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.names: list[str] = []

    def pass_by(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) - 1 == self.at:
            raise DiedError(name)


class DyingJournal:
    def __init__(self, journal: Any, moments: Moments) -> None:
        self._journal, self._moments = journal, moments
        self.run_id, self.path = journal.run_id, journal.path

    def append(self, kind: str, data: Mapping[str, object]) -> Entry:
        name = f"{kind} {data.get('step', '')}".rstrip()
        self._moments.pass_by(f"before {name}")
        entry: Entry = self._journal.append(kind, data)
        self._moments.pass_by(f"after {name}")
        return entry

    def close(self) -> None:
        self._journal.close()


class DyingActuator(FakeActuator):
    moments = Moments()

    def send(self, planned: Planned, expecting: Identity, *_: object) -> Answer:
        self.moments.pass_by(f"before sending {planned.render().splitlines()[0]}")
        answer = super().send(planned, expecting)
        self.moments.pass_by(f"after sending {planned.render().splitlines()[0]}")
        return answer


def insist(question: Question) -> Decision:
    """Yes, with the name or the sentence; in trouble again, where that is offered; else the end."""
    if Choice.OVERRIDE in question.choices:
        return Decision(Choice.OVERRIDE, question.digest, question.sentence)
    choice = Choice.RUN if Choice.RUN in question.choices else Choice.ABORT
    return Decision(choice, question.digest, question.node)


class Room:
    """A pair, a folder of journals, and one console after the other."""

    def __init__(
        self,
        folder: Path,
        pair: Pair | None = None,
        runbook: Runbook = RUNBOOK,
        roles: Mapping[str, str] = ROLES,
        table: Mapping[str, Any] | None = None,
        cluster: ClusterSpec = CLUSTER,
    ) -> None:
        self.folder, self.runbook, self.roles = folder, runbook, roles
        self.pair = pair or Pair()
        self.clock = FakeClock()
        self.actuator = DyingActuator(self.pair.carry_out, table, self.pair.files)
        self.operator = ScriptedOperator()
        self._opened: list[DyingJournal] = []
        self.console_context = ConsoleContext(
            Inventory("inventory.yaml", (cluster,)), (runbook,), lambda _: FakeInspector(self.pair.look), self.clock
        )

    def run_starter(self, moments: Moments) -> ClusterRunStarter:
        self.actuator.moments = moments

        def begin(run_id: str) -> DyingJournal:
            return self._dying(open_journal(self.folder, run_id, self.clock.now))

        def reopen(run_id: str) -> Any:
            journal, *past = reopen_journal(self.folder, run_id, self.clock.now)
            return self._dying(journal), *past

        return ClusterRunStarter(
            self.console_context, lambda _: self.actuator, begin, reopen, make_locks=lambda _: FakeLocks()
        )

    def _dying(self, journal: Any) -> DyingJournal:
        self._opened.append(DyingJournal(journal, self.moments))
        return self._opened[-1]

    def run(self, at: int | None = None, answer: Callable[[Question], Decision] = insist) -> RunState | None:
        """Until its end; None: it died at that moment, `moments` says at which."""
        self.moments = Moments(at)
        return self._execute(lambda run_starter: run_starter.arm("cache", self.runbook, self.roles), answer)

    def resume(self, at: int | None = None, answer: Callable[[Question], Decision] = insist) -> RunState | None:
        self.moments = Moments(at)
        return self._execute(lambda run_starter: run_starter.resume(self.run_id), answer)

    def _execute(
        self, arm: Callable[[ClusterRunStarter], Any], answer: Callable[[Question], Decision]
    ) -> RunState | None:
        self.operator = ScriptedOperator(*[answer] * 150)
        try:
            state: RunState = arm(self.run_starter(self.moments)).execute(self.operator)
        except DiedError:
            for journal in self._opened:  # a process that is gone holds no lock
                journal.close()
            return None
        return state

    @property
    def run_id(self) -> str:
        (folder,) = self.folder.iterdir()
        return folder.name

    @property
    def journal(self) -> Path:
        return self.folder / self.run_id / NAME

    def past(self, *, under_way: bool = False) -> PastRun:
        return replay_run(self.run_id, str(self.folder / self.run_id), read_lines(self.journal), under_way=under_way)
