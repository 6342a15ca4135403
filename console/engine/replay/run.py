"""A run that brings kept keys back to the master: it looks, asks for each class of keys, sends, and reads back.

What is guaranteed: nothing is sent without the journal, the run's lock and a master that was proved by a fresh
observation, at most `PROVED_FOR` seconds ago. Before each batch its keys are named on the disk, and values that are
replaced are kept in a file. How a write of a client is never replaced unseen stands in the sender.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from console.core.inventory import ClusterSpec
from console.core.keys.comparing import CONFLICTS, Fate
from console.core.keys.counted import FileCheck, Standing, warning
from console.core.keys.exported import ExportedKey
from console.core.model import ClusterState, NodeState
from console.core.quantities import counted
from console.core.runs.answer import AnswerKind
from console.core.runs.gate import identity
from console.core.runs.replays.batch import Left
from console.core.runs.replays.ending import ALL_GONE, LINES
from console.core.runs.replays.master import ROLE, NoMasterError, identity_of, proved_master
from console.core.runs.replays.order import LOADS, READS, STEPS, ReplayOrder
from console.core.runs.replays.progress import SentLines
from console.core.runs.replays.wording import (
    FILE_SENTENCE,
    Ages,
    end_message,
    exported_in_words,
    question_text,
    sentence_for,
)
from console.core.runs.state import Outcome, StepStatus
from console.core.runs.state_summary import state_summary
from console.engine.ports import Clock, Inspector
from console.engine.replay.ahead import Ahead
from console.engine.replay.backup import BackupLoader, NoBackupError
from console.engine.replay.kept_file import KeptFile
from console.engine.replay.last_look import LastLook
from console.engine.replay.leaving import leave_the_rest, write_left
from console.engine.replay.look import NOTHING_THERE, Found, Looked, look, warnings, what_was_there
from console.engine.replay.ports import KeyActuator, KeyFiles, KeySender, ReplayOperator, ReplayQuestion
from console.engine.replay.recording import Tally, what_is_left
from console.engine.replay.sending import BatchSender, prepared, replaced_file
from console.engine.steps.kept_journal import KeptJournal
from console.engine.steps.run_guard import LockTakenError, RunGuard

PROVED_FOR = 2.0
"""Seconds after which the master is proved again while keys are sent."""
SAMPLES = 20
"""Keys of each class that are shown with both values."""
ABORT = "abort"


class ReplayStoppedError(Exception):
    """The run ends here. The text says why."""

    def __init__(self, outcome: Outcome, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class ReplayRun:
    """One run, from its first look to its end, in the thread of the caller."""

    def __init__(
        self,
        order: ReplayOrder,
        inspector: Inspector,
        clock: Clock,
        journal: KeptJournal,
        guard: RunGuard,
        adapters: tuple[KeyFiles, KeyActuator, ClusterSpec],
    ) -> None:
        self._order = order
        self._inspector = inspector
        self._clock = clock
        self._journal = journal
        self._guard = guard
        self._files, self._actuator, self._spec = adapters
        self._tally = Tally()
        self._last_look = LastLook()
        self._looked = Looked()
        self._declined: set[Fate] = set()
        self._state: ClusterState | None = None
        self._master = ""
        """The node and the run_id of the server that keys are brought to."""
        self._node = ""
        self._proved_at = 0.0
        self.outcome = Outcome.RUNNING
        self.message = ""

    def execute(self, operator: ReplayOperator, before: SentLines, master_before: str = "") -> None:
        """Runs to the end, and closes the journal. `before`: what an earlier part sent, to which server."""
        try:
            with _no_collection():
                self._run(operator, before, master_before)
            self._end(*self._how_it_ended())
        except ReplayStoppedError as stop:
            self._end(stop.outcome, str(stop))
        except NoMasterError as error:
            self._end(Outcome.FAILED if self._tally.brought else Outcome.REFUSED, f"{error}; nothing more is sent")
        except LockTakenError as taken:
            self._end(Outcome.FAILED if self._tally.brought else Outcome.REFUSED, f"{taken}; nothing more is sent")
        except (KeyboardInterrupt, EOFError):
            self._end(Outcome.ABORTED, "ended by the operator")
        except (OSError, ValueError, NoBackupError) as error:
            self._end(Outcome.FAILED, str(error))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 (a bug of this program is a line in the journal, never a traceback)
            self._end(Outcome.FAILED, f"a mistake in this program: {type(error).__name__}: {error}")
        finally:
            operator.end_progress()
            for close in (self._guard.release, self._actuator.close, self._journal.close):
                with contextlib.suppress(Exception):
                    close()

    # --- looking ------------------------------------------------------------------------------------------------------

    def _run(self, operator: ReplayOperator, before: SentLines, master_before: str) -> None:
        node = self._prove()
        if master_before != self._master:  # another server, or a new process: what was sent may be there or not
            before = SentLines(frozenset(), before.brought | before.unknown)
            self._journal.append("bound", {"roles": {ROLE: node.name}, "server": self._master})
        if self._order.backup and not self._load_backup(operator, node):
            return
        check = self._same_file()
        with contextlib.closing(self._inspector.read_keys(node.name)) as reader:
            self._looked = look(
                self._order,
                self._files.lines(self._order.file),
                reader,
                self._clock.now,
                lambda done: operator.progress("looked at", done, 0),
                before=before,
                was_there=self._was_there(before),
                shown=SAMPLES,
            )
        operator.end_progress()
        check = check.with_keys(self._looked.lines, self._order.keys, self._order.digest)
        self._looked.warning = warnings(self._looked, self._order.file, check, node)
        counts = {"lines": self._looked.lines, "counts": self._looked.counts()}
        file = {"path": self._order.file, "sha256": check.digest, "standing": check.standing}
        self._journal.append("looked", {**counts, "file": file})
        if not self._looked.chosen:
            what = "no key of it is chosen by --keys" if self._looked.lines else "there is no key in it"
            raise ReplayStoppedError(Outcome.REFUSED, f"{self._order.file}: {what}; nothing was sent")
        operator.show(self._looked, node.name)
        if check.standing is Standing.NOT_WHOLE:
            self._ask_about_file(operator, check)
        for number, (fate, step) in enumerate(STEPS.items(), start=1 + bool(self._order.backup)):
            self._step(operator, number, fate, step)

    def _ask_about_file(self, operator: ReplayOperator, check: FileCheck) -> None:
        """Goes on with a file that is not whole only after a typed sentence. Raises ReplayStoppedError."""
        why = f"{warning(self._order.file, check)}: {counted(self._looked.lines, 'key')} can be read"
        number = 1 + bool(self._order.backup)
        question = ReplayQuestion(number, len(self._order.steps), READS, f"{why}.", FILE_SENTENCE, "ends the run")
        if not self._answered(question, operator.ask(question)):
            raise ReplayStoppedError(
                Outcome.REFUSED, f"{why}; nothing was sent. With --export FILE a whole copy of it is brought"
            )

    def _was_there(self, before: SentLines) -> Mapping[tuple[int, bytes], ExportedKey]:
        """What this run was about to replace when it was interrupted. Raises OSError, ValueError."""
        if before.unknown <= before.were_missing:
            return NOTHING_THERE
        return what_was_there(self._files.lines(replaced_file(self._journal.path, self._node)))

    def _same_file(self) -> FileCheck:
        """What the file of keys says about itself. Raises ReplayStoppedError where the run began with another one.

        The journal names keys by their lines: in another file these are other keys.
        """
        path, check = self._order.file, self._files.check(self._order.file)
        before = [entry.data.get("file") for entry in self._journal.entries if entry.kind == "looked"]
        began = next((one for one in before if isinstance(one, dict) and one.get("path") == path), None)
        if began is not None and began.get("sha256") != check.digest:
            raise ReplayStoppedError(
                Outcome.FAILED,
                f"{path} was changed since this run began: its lines are other keys now. Nothing more was sent. The"
                " same command begins a new run with the file as it is",
            )
        return check

    def _prove(self) -> NodeState:
        """A fresh observation that proves the master. Raises NoMasterError, also where it is another one now."""
        state = self._inspector.observe(fresh=True)
        self._state = state
        node, checks = proved_master(state, self._master)
        if not self._master:
            seen = {"observed_at": state.observed_at, "checks": checks, "figures": state_summary(state)}
            self._journal.append("observed", seen)
        self._master, self._node = identity_of(node), node.name
        self._proved_at = self._clock.monotonic()
        return node

    def _load_backup(self, operator: ReplayOperator, master: NodeState) -> bool:
        """Makes the file of kept keys from the backup, unless an earlier part has. False: the master has all of it."""
        assert self._state is not None
        loader = BackupLoader(self._journal, self._actuator, self._spec, self._order)
        if not (file := loader.made_already()):
            asked = loader.asked(self._state, self._node)
            if not self._answered(asked, operator.ask(asked)):
                raise ReplayStoppedError(Outcome.ABORTED, "ended by the operator")
            self._guard_or_stop(f"1/{asked.of} {LOADS}")
            file = loader.load(self._state, master, operator.doing)
            operator.end_progress()
        self._end_step(1, LOADS, StepStatus.DONE, file or "the master has all of it")
        self._order = replace(self._order, file=file, digest="")  # that was the backup's
        return bool(file)

    def _answered(self, question: ReplayQuestion, typed: str) -> bool:
        """Whether it is a yes. The decision is on the disk when this returns. Raises ReplayStoppedError."""
        yes = " ".join(typed.split()) == question.sentence if question.sentence else typed.lower() in ("y", "yes")
        choice = "run" if yes else "abort" if typed.lower() == ABORT else "skip"
        asked = "type-sentence" if question.sentence else "confirm"
        decision = {"choice": choice, "typed": typed, "digest": ""}
        entry = {"step": question.number, "asked": asked, "reason": question.text, "decision": decision}
        self._journal.append("decided", entry)
        if choice == "abort":
            raise ReplayStoppedError(Outcome.ABORTED, "ended by the operator")
        return yes

    # --- one class of keys --------------------------------------------------------------------------------------------

    def _step(self, operator: ReplayOperator, number: int, fate: Fate, step: str) -> None:
        found = self._looked.found[fate]
        if not found:
            self._end_step(number, step, StepStatus.SKIPPED, "there are no such keys")
            return
        question = self._question(number, fate, step)
        if not self._answered(question, operator.ask(question)):
            self._declined.add(fate)
            self._end_step(number, step, StepStatus.SKIPPED, f"{counted(len(found), 'key')} not confirmed")
            return
        self._guard_or_stop(f"{number}/{len(self._order.steps)} {step}")
        node = self._prove()
        assert node.redis.value is not None
        failed_before, brought_before = self._tally.failed, self._tally.brought
        sender = self._actuator.open_keys(node.name, identity(node), node.redis.value)
        try:
            self._send_all(operator, number, fate, found, sender)
        except (Exception, KeyboardInterrupt):
            self._end_step(number, step, StepStatus.STOPPED, "it was not finished")
            raise
        finally:
            sender.close()
        failed = self._tally.failed - failed_before
        note = f"{self._tally.brought - brought_before} of {counted(len(found), 'key')} brought and verified"
        self._end_step(number, step, StepStatus.FAILED if failed else StepStatus.DONE, note)

    def _question(self, number: int, fate: Fate, step: str) -> ReplayQuestion:
        count, looked = len(self._looked.found[fate]), self._looked
        ages = None
        if fate in CONFLICTS:
            exported = exported_in_words(self._order.exported_at, self._clock.now())
            ages = Ages(exported, len(looked.newer[fate]), len(looked.same_since[fate]))
        text, sentence = question_text(fate, count, self._node, ages), sentence_for(fate, count, self._node)
        return ReplayQuestion(number, len(self._order.steps), step, text, sentence)

    def _send_all(
        self, operator: ReplayOperator, number: int, fate: Fate, found: Sequence[Found], sender: KeySender
    ) -> None:
        done, following = 0, Ahead(prepared(fate, found, KeptFile(self._order, self._files)))
        batch_sender = BatchSender(self._files, self._journal, self._clock, self._node, number, fate)
        for place, batch in enumerate(following, start=1):
            if operator.wants_to_stop:
                raise ReplayStoppedError(Outcome.ABORTED, "ended by the operator")
            if self._clock.monotonic() - self._proved_at > PROVED_FOR:
                self._prove()
            self._guard_or_stop("")
            answer = batch_sender.send(place, batch, sender, following)
            lost = answer.answer.kind is AnswerKind.UNKNOWN
            self._tally.take(batch.found, answer, lost=lost)
            if answer.stop:
                raise ReplayStoppedError(Outcome.UNKNOWN if lost else Outcome.FAILED, answer.stop)
            self._last_look.take(batch.keys, answer)
            done += len(batch.found)
            operator.progress(STEPS[fate], done, len(found))
        operator.end_progress()

    def _guard_or_stop(self, step: str) -> None:
        """Stops the run where its lock on the nodes is lost (H26)."""
        if step and self._state is not None:
            problem = self._guard.check_before_question(self._journal.append, step, self._state)
        else:
            problem = self._guard.problem(self._journal.append)
        if problem:
            raise ReplayStoppedError(Outcome.FAILED if self._tally.brought else Outcome.REFUSED, problem)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _end_step(self, number: int, step: str, status: StepStatus, note: str) -> None:
        self._journal.append("step", {"step": number, "id": step, "status": status, "note": note})

    def _how_it_ended(self) -> tuple[Outcome, str]:
        """The master is proved once more: keys on a server that is none any more are not brought."""
        if self._tally.brought:
            with contextlib.closing(self._inspector.read_keys(self._prove().name)) as reader:
                self._last_look.look(reader, self._clock.now())
        gone = self._last_look.in_words(self._node)
        if self._tally.failed:
            failed = f"{counted(self._tally.failed, 'key')} could not be brought or verified"
            return Outcome.FAILED, f"{failed}; {gone}" if gone else failed
        return Outcome.FAILED if self._last_look.all_gone else Outcome.DONE, gone

    def _end(self, outcome: Outcome, why: str) -> None:
        self.outcome = outcome
        what_is_left(self._looked, self._tally, frozenset(self._declined))
        leave_the_rest(self._looked, self._tally, self._journal.entries)
        if self._tally.left.get(Left.UNKNOWN):
            self.outcome = outcome = Outcome.UNKNOWN
        brought = self._tally.brought + self._looked.brought
        counts = self._tally.counts()
        self.message = end_message(why, brought, self._looked.chosen, self._node, counts)
        try:
            files = write_left(self._tally, KeptFile(self._order, self._files), self._files, self._journal.path)
        except (OSError, ValueError) as error:
            files = {}
            self.message = f"{self.message} The list of what was left could not be written: {error}."
        keys = {"chosen": self._looked.chosen, "brought": brought, "left": counts, **files}
        keys |= {LINES: self._tally.lines(self._looked), **({ALL_GONE: True} if self._last_look.all_gone else {})}
        state = self._state
        try:
            seen = {"observed_at": state.observed_at, "figures": state_summary(state)} if state is not None else {}
            self._journal.append("closed", {"outcome": outcome, "message": self.message, "keys": keys, **seen})
        except OSError as error:  # the screen shows the end even where it cannot be written
            self.message = self.message if str(error) in self.message else f"{self.message} {error}"


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Keys in their hundred thousands have no cycles: looking for some among them would take half of the time.

    What was made meanwhile counts as old at the end: otherwise the next collection would go through all of it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()
