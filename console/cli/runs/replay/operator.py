"""The operator of `runs replay` at a terminal: prints both values, asks for each class of keys, shows the progress."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from console.cli.output import say, say_over
from console.cli.runs.plain.terminal_input import ask
from console.cli.runs.plain.text import ending_lines, wrapped
from console.core.keys.comparing import CONFLICTS, Fate
from console.core.quantities import counted
from console.core.runs.replays.order import LOADS, STEPS
from console.core.runs.replays.wording import CLASSES, on_their_way_in_words

if TYPE_CHECKING:
    from console.core.runs.ending import EndSection
    from console.core.runs.state import Outcome
    from console.engine.replay.look import Looked, Sample
    from console.engine.replay.ports import ReplayQuestion


VALUES = "values"
"""What is typed instead of an answer to see both values."""


class PlainReplayOperator:
    """Implements the engine's ReplayOperator with print and input."""

    def __init__(self, run_id: str = "") -> None:
        self._run_id = run_id
        self._asking = False
        self._interrupted = False
        self._overwrites = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._shown = ""
        self._asked = 0
        """The number of the last step that was asked about."""
        self._looked: Looked | None = None
        self._master = ""

    # --- signals ------------------------------------------------------------------------------------------------------

    @property
    def wants_to_stop(self) -> bool:
        """Ctrl-C was pressed while keys were looked at or sent."""
        return self._interrupted

    @contextlib.contextmanager
    def listens(self) -> Iterator[None]:
        """Inside the block, Ctrl-C ends the run after what is under way; a second one at once.

        SIGTERM and SIGHUP end the process: the same command goes on then.
        """

        def interrupt(_: int, __: object) -> None:
            if self._asking or self._interrupted:
                raise KeyboardInterrupt
            self._interrupted = True
            say("\nthe run ends after what is under way; Ctrl-C again ends it at once", err=True)

        def end_process(number: int, _: object) -> None:
            with contextlib.suppress(OSError):
                say(f"\nrun {self._run_id} is not over: `runs replay {self._run_id}` goes on with it", err=True)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        wanted: dict[signal.Signals, Callable[[int, object], None]] = {
            signal.SIGINT: interrupt,
            signal.SIGTERM: end_process,
            signal.SIGHUP: end_process,
        }
        before = {one: signal.getsignal(one) for one in wanted}
        for one, handler in wanted.items():
            if before[one] is not signal.SIG_IGN:
                signal.signal(one, handler)
        try:
            yield
        finally:
            for one, was in before.items():
                signal.signal(one, was)

    # --- what is printed ----------------------------------------------------------------------------------------------

    def print_start(self, journal: str) -> None:
        say("Bring kept keys back. ARMED: each class of keys is shown, and asked for, before it is sent.")
        say(f"  journal: {journal}")

    def show(self, looked: Looked, master: str) -> None:
        self._looked, self._master = looked, master
        say("\n".join(looked_lines(looked, master)))

    def progress(self, what: str, done: int, of: int) -> None:
        text = f"  {what}: {done:,} of {counted(of, 'key')}" if of else f"  {what}: {counted(done, 'key')}"
        if self._overwrites:
            say_over(text, shutil.get_terminal_size((80, 24)).columns - 1)
        self._shown = text

    def doing(self, line: str) -> None:
        if self._overwrites:
            say_over(f"  {line}", shutil.get_terminal_size((80, 24)).columns - 1)
        elif line != self._shown:
            say(f"  {line}")
        self._shown = line

    def end_progress(self) -> None:
        if self._shown:
            say("" if self._overwrites else self._shown)
        self._shown = ""

    def print_end(self, message: str, ending: Sequence[EndSection], outcome: Outcome) -> None:
        say()
        say(wrapped(message))
        for section in ending:
            say("\n".join(("", section.heading, *ending_lines(section))))
        say()
        say(f"run {self._run_id}: {outcome.value}")

    # --- what is asked ------------------------------------------------------------------------------------------------

    def ask(self, question: ReplayQuestion) -> str:
        say("\n".join(self._passed_over(question)))
        say(f"== {question.number}/{question.of} {question.step}")
        say(wrapped(question.text, "  ", "  "))
        fate = next((fate for fate, step in STEPS.items() if step == question.step and fate in CONFLICTS), None)
        if fate is not None:
            say(
                wrapped(
                    f"Values may be secret, so they are not shown by themselves. Type {VALUES} to see both values of"
                    " the keys that are named above.",
                    "  ",
                )
            )
        if question.sentence:
            say(wrapped(f"Anything but the sentence {question.otherwise}.", "  "))
            prompt = f'Type "{question.sentence}": '
        else:
            prompt = "Load it? [y/N] " if question.step == LOADS else "Bring them? [y/N/abort] "
        if self._interrupted:
            raise KeyboardInterrupt
        self._asking = True
        try:
            while (typed := ask(prompt)).strip().lower() == VALUES and fate is not None and self._looked is not None:
                say("\n".join(value_lines(self._looked, fate, self._master)))
            return typed
        finally:
            self._asking = False

    def _passed_over(self, question: ReplayQuestion) -> Iterator[str]:
        """The steps between the last question and this one: nothing was to be asked there."""
        yield ""
        steps = list(STEPS.values())
        before = question.of - len(steps)
        for number in range(max(self._asked, before) + 1, question.number):
            yield f"== {number}/{question.of} {steps[number - before - 1]}: there are no such keys"
        self._asked = question.number


def value_lines(looked: Looked, fate: Fate, master: str) -> Iterator[str]:
    """Both values of the keys of this class that were named. Only for an operator who has asked for them."""
    for one in looked.samples[fate]:
        yield f"  {one.key}" + (f" (db{one.db})" if one.db else "")
        yield f"    kept: {one.kept_value}"
        yield f"    {master}: {one.value_there}"


def looked_lines(looked: Looked, master: str) -> Iterator[str]:
    """How many keys are in each class, then those that would be brought, with both values."""
    yield ""
    yield f"{looked.chosen:,} of {counted(looked.lines, 'key')} of the file chosen:"
    counts = [(len(looked.found[fate]), text.format(node=master)) for fate, text in CLASSES.items()]
    counts.append((looked.brought, "brought by this run before it was interrupted"))
    counts.append((len(looked.changed_since), "brought by this run, changed by a client since"))
    counts.append((len(looked.written_since), "on their way when it was interrupted, written by a client: they stay"))
    counts.append((looked.older, "older: the same key stands again further down, and that is what is meant"))
    yield from (f"  {count:>9,}  {text}" for count, text in counts if count)
    if looked.warning:
        yield wrapped(f"!!  {looked.warning}", "  ", "      ")
    if looked.on_their_way:
        yield wrapped(on_their_way_in_words(looked.on_their_way, looked.not_sent_or_removed, master), "  ")
    for fate in (Fate.MISSING, *CONFLICTS, Fate.EXPIRED):
        if samples := looked.samples[fate]:
            yield ""
            yield f"{CLASSES[fate].format(node=master)}:"
            for one in samples:
                yield from _sample_lines(one, master, both=fate in CONFLICTS)
            if more := len(looked.found[fate]) - len(samples):
                yield f"  and {counted(more, 'more key', 'more keys')}"


def _sample_lines(one: Sample, master: str, *, both: bool) -> Iterator[str]:
    yield f"  {one.key}" + (f" (db{one.db})" if one.db else "")
    yield wrapped(f"kept: {one.kept}; {one.kept_written}", "    ", "      ")
    if both:
        yield wrapped(f"{master}: {one.there}; {one.there_written}", "    ", "      ")
