"""Arms and resumes runs that bring kept keys back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from console.core.inventory import ClusterSpec
from console.core.runs.past.past_run import PastRun, UnfinishedLine
from console.core.runs.records.journal import Entry
from console.core.runs.replays.order import RUNBOOK, TITLE, ReplayOrder, order_of
from console.core.runs.replays.progress import NOTHING_SENT, SentLines, sent_lines
from console.core.runs.state import Outcome
from console.engine.ports import ArmingError, ConsoleContext, Journal, Takeover
from console.engine.replay.ports import KeyFiles, ReplayOperator, ReplayPorts
from console.engine.replay.run import ReplayRun
from console.engine.sessions.arming import claim, new_journal, opening, who
from console.engine.sessions.resumption import moved
from console.engine.steps.kept_journal import KeptJournal
from console.engine.steps.run_guard import RunGuard


@dataclass(frozen=True, slots=True)
class PreparedReplay:
    """Implements ArmedReplay."""

    run: ReplayRun
    journal: KeptJournal
    before: SentLines = NOTHING_SENT
    master_before: str = ""

    @property
    def run_id(self) -> str:
        return self.journal.run_id

    @property
    def folder(self) -> str:
        return self.journal.path

    @property
    def entries(self) -> Sequence[Entry]:
        return self.journal.entries

    def execute(self, operator: ReplayOperator) -> ReplayRun:
        """Runs to the end in the caller's thread."""
        self.run.execute(operator, self.before, self.master_before)
        return self.run


class ClusterReplayStarter:
    """Implements ReplayStarter on the clusters of an inventory."""

    def __init__(
        self,
        console_context: ConsoleContext,
        ports: ReplayPorts,
        open_journal: Callable[[str], Journal],
        reopen_journal: Callable[[str], tuple[Journal, PastRun, UnfinishedLine | None]],
    ) -> None:
        """`open_journal` makes a new journal for a run id. `reopen_journal` opens one again. Both raise OSError."""
        self._console_context = console_context
        self._ports = ports
        self._open_journal = open_journal
        self._reopen_journal = reopen_journal

    @property
    def files(self) -> KeyFiles:
        return self._ports.files

    def arm(self, order: ReplayOrder, takeover: Takeover | None = None) -> PreparedReplay:
        """Opens the journal and locks the nodes. Sends nothing yet. Raises ArmingError, in one line."""
        spec = self._console_context.inventory.cluster(order.cluster)
        try:
            journal = new_journal(self._open_journal, self._console_context.clock.now(), order.cluster, RUNBOOK)
        except OSError as error:
            raise ArmingError(f"the journal cannot be opened, so nothing may be sent: {error}") from None
        with self._closed_after_errors(journal, new=True):
            journal.append("opened", self._opening(spec, order))
            guard = self._guard(spec, journal)
            guard.arm(journal.append, takeover=takeover)
            return PreparedReplay(self._run(spec, order, journal, guard), journal)

    def resume(self, run_id: str) -> PreparedReplay:
        """Goes on in the journal of a run whose console died. Raises ArmingError with one line of text."""
        try:
            reopened, past, cut = self._reopen_journal(run_id)
        except OSError as error:
            raise ArmingError(str(error)) from None
        journal = KeptJournal(reopened, past.entries)
        with self._closed_after_errors(journal, new=False):
            order = order_of(past.opened)
            if order is None:
                raise ArmingError(f"{run_id} brings no keys back: `runs resume {run_id}` goes on with it")
            spec = self._unmoved(past, order)
            entries = past.chain.entries
            journal.append("resumed", {**who(), "entries": entries, "cut": cut, "cluster": spec.name})
            guard = self._guard(spec, journal)
            guard.arm(journal.append, resumed=True)
            run = self._run(spec, order, journal, guard)
            return PreparedReplay(run, journal, sent_lines(past.entries), _last_master(past))

    @contextlib.contextmanager
    def _closed_after_errors(self, journal: KeptJournal, *, new: bool) -> Iterator[None]:
        try:
            yield
        except ArmingError as refused:
            if new:
                with contextlib.suppress(OSError):
                    journal.append("closed", {"outcome": Outcome.REFUSED, "message": str(refused)})
            journal.close()
            raise
        except Exception as error:
            journal.close()
            raise ArmingError(f"the run {journal.run_id} cannot begin, and nothing was sent: {error}") from error

    def _run(self, spec: ClusterSpec, order: ReplayOrder, journal: KeptJournal, guard: RunGuard) -> ReplayRun:
        context, adapters = self._console_context, (self._ports.files, self._ports.make_actuator(spec), spec)
        return ReplayRun(order, context.inspector(spec.name), context.clock, journal, guard, adapters)

    def _guard(self, spec: ClusterSpec, journal: KeptJournal) -> RunGuard:
        return RunGuard(self._ports.make_locks(spec), claim(journal.run_id, spec, RUNBOOK, self._console_context))

    def _unmoved(self, past: PastRun, order: ReplayOrder) -> ClusterSpec:
        try:
            spec = self._console_context.inventory.cluster(order.cluster)
        except KeyError:
            raise ArmingError(f"{past.run_id} ran on {order.cluster}, which the inventory does not have") from None
        if changed := moved(past, spec):
            raise ArmingError(f"the inventory was changed since {past.run_id} began: {changed}; begin a new run")
        return spec

    def _opening(self, spec: ClusterSpec, order: ReplayOrder) -> dict[str, object]:
        return {
            **opening(spec, self._console_context),
            "runbook": RUNBOOK,
            "runbook_title": TITLE,
            "steps": list(order.steps),
            **order.as_entry(),
        }


def _last_master(past: PastRun) -> str:
    """The server that the run brought keys to last. Empty: not known."""
    bound = [entry.data for entry in past.entries if entry.kind == "bound"]
    return str(bound[-1].get("server") or "") if bound else ""
