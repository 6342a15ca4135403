"""The console as it is called at a terminal, but killed at chosen moments: for the crash tests, and only for them.

    python dying_console.py FILE WHERE WORDS… [-- WORDS…]

WHERE is `everywhere`, or one moment. `everywhere` means each moment that is not in FILE yet, which
then gets its name; what is sent is written to `FILE.sent`. Looks and answers come several times in one step, by the
same code in each: the second, third … of them is died at in two steps, the first one in three steps that send something
and in three that send nothing. Whenever it was killed, the WORDS after `--` are called.
Each console is a process of its own, forked from this one, so that hundreds of deaths do not import everything anew.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import console.cli.runs.plain.operator
import console.cli.runs.recorded_runs
import console.cli.runs.replay.operator
import console.cli.runs.run
import console.documents.runbooks.library
import console.engine.replay.starter
import console.engine.sessions.arming
import console.transport.inspector
import console.transport.ssh.connection  # noqa: F401
from console.__main__ import ADAPTERS
from console.cli.main import run
from console.cli.runs.plain import terminal_input
from console.core.command import Identity, Planned
from console.core.runs.records.journal import Entry
from console.engine.ports import Actuator, Answer, Journal
from console.engine.replay.ports import KeySender
from console.transport import actuator
from console.transport.journals import journal_file

QUIET_SECONDS = 0.02
"""In which nothing may be typed before a question: most of what a console that soon dies would wait."""
REPEATED = ("observed", "decided")
"""Entries that send nothing and come several times in one step."""
STEPS_OF_REPEATS = 2
OF_NO_COMMAND = ("observed", "decided", "verified", "step")
"""Entries that belong to no command: the same code writes them in each step."""
STEPS_OF_A_KIND = 3
"""How many steps each of them is died at in, of those that send something, and of those that send nothing."""


class Death:
    """Kills this process at the moments that were asked for."""

    def __init__(self, file: Path, where: str) -> None:
        self.file, self.where = file, where
        self._seen = set(file.read_text().splitlines()) if file.exists() else set()
        self._passed: Counter[str] = Counter()

    def at(self, moment: str, leaving: Callable[[], None] = lambda: None, *, sending: bool | None = None) -> None:
        """`sending`: whether the step sends something. None: the moment belongs to a command, or to no step."""
        self._passed[moment] += 1
        name = f"{moment} #{self._passed[moment]}"
        if self.where == "everywhere" and sending is not None and self._is_known(moment, sending=sending):
            return
        if self._is_lived_through(name) if self.where == "everywhere" else self._seen or moment != self.where:
            return
        with self.file.open("a") as file:
            file.write(f"{name}\n")
        leaving()
        os.kill(os.getpid(), signal.SIGKILL)

    def has_intent(self, step: object) -> bool:
        """Whether a console has died after an intent of this step, as one does at each of them."""
        return any(one.startswith(f"after intent {step} ") for one in self._seen)

    def _is_known(self, moment: str, *, sending: bool) -> bool:
        """Whether enough steps of this kind were died at after the same first entry."""
        after, kind, step = moment.split()
        steps = {one.split()[2] for one in self._seen if one.startswith(f"{after} {kind} ") and one.endswith(" #1")}
        known = self._passed[moment] == 1 and step not in steps
        return known and len([step for step in steps if self.has_intent(step) is sending]) >= STEPS_OF_A_KIND

    def _is_lived_through(self, name: str) -> bool:
        """Whether this moment, or enough moments of its kind, have been died at."""
        return name in self._seen or repeats([*self._seen])[repeat(name)] >= STEPS_OF_REPEATS


def repeat(moment: str) -> str:
    """`after decided 5 #2` → `decided #2`; empty: no repeat of a look or an answer."""
    words, _, number = moment.rpartition(" #")
    kind = words.removeprefix("after ").partition(" ")[0]
    return f"{kind} #{number}" if kind in REPEATED and number != "1" else ""


def repeats(moments: list[str]) -> Counter[str]:
    """How many steps each kind of repeat was died at in."""
    found = Counter(map(repeat, moments))
    del found[""]
    return found


class DyingJournal:
    """A journal whose writer may die before an entry, in the middle of its line, and after it."""

    def __init__(self, journal: Journal, death: Death) -> None:
        self._journal, self._death = journal, death
        self.run_id, self.path = journal.run_id, journal.path
        self._sending: dict[object, bool] = {}

    def append(self, kind: str, data: Mapping[str, Any]) -> Entry:
        what = " ".join(str(data[key]) for key in ("step", "place") if key in data)
        name = f"{kind}{' on resume' if data.get('on_resume') else ''} {what}".rstrip()
        one = self._death.where != "everywhere"
        if one:  # at every moment: the same as after the entry before
            self._death.at(f"before {name}")
        entry = self._journal.append(kind, data)
        if one:
            self._death.at(f"within {name}", lambda: _cut(Path(self.path) / journal_file.NAME))
        if kind not in ("opened", "closed"):  # before its roles are bound, and when it is over, nothing goes on
            self._death.at(f"after {name}", sending=self._sends(kind, data))
        return entry

    def _sends(self, kind: str, data: Mapping[str, Any]) -> bool | None:
        """Whether the step of this entry sends something, by its last look and by what was sent of it before.

        Steps that were over before are recorded again by who goes on, without a look. None: see `Death.at`.
        """
        if kind not in OF_NO_COMMAND or "step" not in data:
            return None
        step = data["step"]
        if "planned" in data and "skip_if" in data:
            done = bool(data["skip_if"]) and all(check.holds for check in data["skip_if"])
            self._sending[step] = not done and bool(data["planned"] or data["obstacle"])
        return self._sending.get(step, False) or self._death.has_intent(step)

    def close(self) -> None:
        self._journal.close()


def _cut(path: Path) -> None:
    """The last line as a power cut leaves it: its second half never came to the disk."""
    lines = path.read_bytes().splitlines(keepends=True)
    os.truncate(path, path.stat().st_size - len(lines[-1]) // 2)


class DyingActuator:
    """Hands whose owner may die when a command was carried out and its answer not yet written down."""

    def __init__(self, hands: Actuator, death: Death) -> None:
        self._hands, self._death = hands, death
        self.read_file = hands.read_file
        self.close = hands.close

    def open_keys(self, *args):
        return DyingSender(self._hands.open_keys(*args), self._death)

    def send(self, planned: Planned, expecting: Identity, *_: object) -> Answer:
        line = f"{planned.node}> {planned.render().splitlines()[0]}"
        with Path(f"{self._death.file}.sent").open("a") as file:
            file.write(f"{line}\n")
        answer = self._hands.send(planned, expecting)
        self._death.at(f"sent {line}")
        return answer


class DyingSender:
    """Sends keys; its owner may die when they were sent and what came of them is not yet written down."""

    def __init__(self, sender: KeySender, death: Death) -> None:
        self._sender, self._death = sender, death
        self.close = sender.close

    def send(self, batch, keep, meanwhile):
        answer = self._sender.send(batch, keep, meanwhile)
        self._death.at(f"sent {batch[0].fate.value} keys")
        return answer


def _console(words: list[str], death: Death) -> int:
    opened, reopened, hands = journal_file.open_journal, journal_file.reopen_journal, actuator.make_actuator

    def reopen(*args):
        journal, *past = reopened(*args)
        return DyingJournal(journal, death), *past

    journal_file.open_journal = lambda *args: DyingJournal(opened(*args), death)  # type: ignore[assignment]
    journal_file.reopen_journal = reopen  # type: ignore[assignment]
    actuator.make_actuator = lambda *args: DyingActuator(hands(*args), death)  # type: ignore[assignment]
    return run(words, ADAPTERS)


def main() -> int:
    terminal_input.QUIET_SECONDS = QUIET_SECONDS
    file, where, *words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    first, again = words[:split], words[split + 1 :]
    while True:
        child = os.fork()
        if child == 0:
            os._exit(_console(first, Death(Path(file), where)))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or not again:
            return os.waitstatus_to_exitcode(status) & 0xFF
        first = again


if __name__ == "__main__":
    sys.exit(main())
