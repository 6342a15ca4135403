"""A soak: laboratories of every kind in turn, some nights in each, until the time is over."""

from __future__ import annotations

import contextlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lab.soak import soak as soak_one_console
from soak.clients import Clients
from soak.ground import Ground
from soak.kinds import KINDS, Kind
from soak.night import Night
from soak.starts import starts_of
from soak.tally import Story, Tally, Violation

from console.__main__ import ADAPTERS
from console.cli.context import CliContext
from console.lab.options import LabError, LabOptions
from console.lab.sessions.build import laboratory

NIGHTS_OF_A_LAB = 4
ONE_CONSOLE = "one-console"
"""The kind in which one console lives on: its memory, threads and descriptors are measured. See `lab.soak`."""
SECONDS_OF_ONE_CONSOLE = 200.0


class Soak:
    """One soak. `kept`: where the files of nights go in which something is wrong."""

    def __init__(self, seed: int, kept: Path, say: Callable[[str], None]) -> None:
        self.tally = Tally(seed)
        self._seed, self._kept, self._say = seed, kept, say
        self._starts = {name: _all_in_turn(kind, f"{seed}:{name}") for name, kind in KINDS.items()}

    def run(self, names: Sequence[str], seconds: float, *, nights: int = 10**9) -> Tally:
        """Laboratories of these kinds until the time is over, or so many nights."""
        end = time.monotonic() + seconds
        turns = self._turns(names)
        while time.monotonic() < end and self.tally.nights.total() < nights:
            turn, name = next(turns)
            began = time.monotonic()
            try:
                if name == ONE_CONSOLE:
                    self._one_console(turn, min(SECONDS_OF_ONE_CONSOLE, end - time.monotonic()))
                else:
                    self._watch(turn, KINDS[name], end, nights)
            except LabError as error:
                self._wrong("the soak", name, f"{error}\n{error.log}")
            self.tally.minutes[name] += round((time.monotonic() - began) / 60)
        return self.tally

    def _turns(self, names: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Each kind once, and from then on by weight."""
        chance = random.Random(f"{self._seed}:turns")
        first = chance.sample(list(names), len(names))
        weights = [KINDS[name].weight if name in KINDS else 1 for name in names]
        for turn in range(10**9):
            yield turn, first[turn] if turn < len(first) else chance.choices(names, weights)[0]

    def _watch(self, turn: int, kind: Kind, end: float, nights: int) -> None:
        """Some nights in one laboratory of this kind, until one of them leaves it as it cannot be used."""
        chance = random.Random(f"{self._seed}:{kind.name}:{turn}")
        options = LabOptions.quick(redis=chance.choice(kind.versions), keys=200, **kind.options)
        with laboratory(kind.scenario, options) as lab, contextlib.ExitStack() as stack:
            context = CliContext(ADAPTERS, inventory=lab.inventory)
            stack.callback(context.close)
            clients = stack.enter_context(Clients(lab))
            ground = Ground(lab, kind, clients)
            ground.start()
            stack.callback(ground.close)
            for number in range(NIGHTS_OF_A_LAB):
                if time.monotonic() > end or self.tally.nights.total() >= nights:
                    break
                seed = f"{self._seed}:{kind.name}:{turn}:{number}"
                story = Story(self._say, kind.name)
                ground.tell = story.tell
                inspector = context.inspector(lab.cluster)
                start = next(self._starts[kind.name])
                if not self._night((lab, kind, ground, clients, inspector), seed, story, start):
                    break
            for what in ("refused", "unanswered"):
                self.tally.writes[what] += getattr(clients, what)
            self.tally.writes["acknowledged"] += clients.total

    def _night(self, parts: tuple, seed: str, story: Story, start: str) -> bool:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            place = self._kept / seed.replace(":", "-")
            night = Night(*parts, seed=seed, folder=Path(folder), tally=self.tally, story=story, place=place)
            self.tally.nights[parts[1].name] += 1
            try:
                return night.play(start)
            except (LabError, OSError, AssertionError) as error:
                night.must(False, "the soak", f"{type(error).__name__}: {error}")
                return False
            finally:
                night.troubles.end_all()
                night.report()

    def _one_console(self, turn: int, seconds: float) -> None:
        seed = random.Random(f"{self._seed}:{ONE_CONSOLE}:{turn}").randrange(10**6)
        with (
            laboratory("healthy", LabOptions.quick(password="s3cret")) as lab,
            tempfile.TemporaryDirectory() as folder,
            _state_in(folder),
        ):
            report = soak_one_console(lab, seconds, seed, Path(folder), self._say)
        self._say(report.text())
        self.tally.nights[ONE_CONSOLE] += report.rounds.total()
        for outcome, count in report.runs.items():
            self.tally.runs[ONE_CONSOLE, "one-shot-rebuild", outcome] += count
        for problem in report.problems:
            self._wrong("one console", ONE_CONSOLE, problem)

    def _wrong(self, rule: str, name: str, text: str) -> None:
        self._say(f"VIOLATION {rule}: {text}")
        self.tally.violations.append(Violation(rule, text, f"{name} {self._seed}", ""))


def _all_in_turn(kind: Kind, seed: str) -> Iterator[str]:
    """The starts of a kind, again and again, each time in another order: a short soak has most of them."""
    chance, names = random.Random(seed), list(starts_of(kind))
    while True:
        yield from chance.sample(names, len(names))


@contextlib.contextmanager
def _state_in(folder: str) -> Iterator[None]:
    import os

    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = folder
    try:
        yield
    finally:
        os.environ.pop("XDG_STATE_HOME")
        if before is not None:
            os.environ["XDG_STATE_HOME"] = before
