"""Walks a runbook through the plain interface, on a terminal of its own, as a careful operator would.

Yes to each step, the names that gates ask for. A step that is blocked or not proved is looked at again for a while, and
then the run is aborted. A loss that can be accepted in words is accepted only after the run has exported and backed up
what would be lost. No lock is taken over.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from console.core.drills.walks import RunbookWalk

_STEP = re.compile(r"^== \d+/\d+ (?P<step>[\w-]+): ", re.MULTILINE)
_LAST = re.compile(r"^run (?P<run>[\w.-]+): (?P<ended>done|failed|refused|aborted|unknown)\s*$", re.MULTILINE)
_PROMPTS = (
    (re.compile(r"Run this step\? \[y/N/skip/abort\] $"), "step"),
    (re.compile(r"Bring them\? \[y/N/abort\] $"), "step"),
    (re.compile(r'Type "(?P<name>[\w.-]+)" to confirm, anything else cancels: $'), "gate"),
    (re.compile(r"(?:Blocked|Not done)\. \[(?P<choices>[^\]]*)\] $"), "stuck"),
    (re.compile(r"Which node has the role [\w-]+\? \[(?P<name>[^/\]]+)[^\]]*\] $"), "role"),
    (re.compile(r'Type "(?P<name>[^"]+)" to override, anything else cancels: $'), "sentence"),
    (re.compile(r'Type "[^"]+" to take over, anything else cancels: $'), "lock"),
    (re.compile(r'Type "[^"]+": $'), "conflict"),
)
"""What a walk can be asked, and what kind of question it is."""
_LOOK_FOR = 45.0
"""Seconds for which a blocked step is looked at again."""
_LOOK_EVERY = 2.0
_WAITS_FOR = 75.0
"""Seconds for which nobody is asked, until a careful operator stops a step that waits for its proof."""
_LONGEST = 240.0
"""Seconds for one runbook."""
_MOST_QUESTIONS = 120
_REASON_LINES = 4
_SAVED_BY = ("export", "backup")
"""Steps after which nothing is lost by an override: the run has kept what would be replaced."""


CONSOLE = (sys.executable, "-m", "console")


REPLAY = "runs replay"


class PlainWalk:
    """One run of a runbook: `run RUNBOOK CLUSTER --plain`. Or of `runs replay RUN`: keys that are missing are brought.

    Keys that differ stay as the master has them.
    """

    def __init__(
        self,
        runbook: str,
        cluster: str,
        environment: Mapping[str, str],
        program: Sequence[str] = CONSOLE,
        *,
        replayed: str = "",
    ) -> None:
        """`replayed`: the run whose kept keys are brought back."""
        self.runbook = REPLAY if replayed else runbook
        self.text = ""
        """All that was shown."""
        self._blocked_since = 0.0
        self._questions = 0
        self._overridden = ""
        self._hurried = False
        words = [*program, *(["runs", "replay", replayed] if replayed else ["run", runbook, cluster, "--plain"])]
        self._terminal, inner = pty.openpty()
        settings = {"TERM": "dumb", "COLUMNS": "120", "NO_COLOR": "1"}
        self._process = subprocess.Popen(
            words, stdin=inner, stdout=inner, stderr=inner, env={**environment, **settings}, start_new_session=True
        )
        os.close(inner)

    def walk(self) -> RunbookWalk:
        """Answers until the run ends."""
        end = time.monotonic() + _LONGEST
        answered, asked_at = 0, time.monotonic()
        try:
            while time.monotonic() < end and self._read(0.2):
                tail = self.text[answered:]
                found = next(((kind, match) for place, kind in _PROMPTS if (match := place.search(tail))), None)
                if found is not None:
                    answered, asked_at = len(self.text), time.monotonic()
                    self._answer(*found)
                elif time.monotonic() - asked_at > _WAITS_FOR and not self._hurried:
                    self._hurried = True
                    self._process.send_signal(signal.SIGINT)  # it stops waiting for a proof, and asks what to do
        finally:
            self._end()
        return self._result()

    @property
    def run_id(self) -> str:
        """Of its journal; empty: it has not ended as a run."""
        last = _LAST.search(self.text)
        return last["run"] if last else ""

    def _answer(self, kind: str, found: re.Match[str]) -> None:
        self._questions += 1
        if kind != "stuck":
            self._blocked_since = 0.0
        if self._questions > _MOST_QUESTIONS:
            self._type("abort")
        elif kind in ("gate", "role", "sentence"):
            self._overridden = found["name"] if kind == "sentence" else self._overridden
            self._type(found["name"])
        elif kind == "step":
            self._type("y")
        elif kind == "stuck":
            self._blocked_since = self._blocked_since or time.monotonic()
            waited = time.monotonic() - self._blocked_since
            if self._may_override(found["choices"]) and waited > _LOOK_EVERY:
                self._type("override")
            elif waited < _LOOK_FOR and not self._hurried:
                time.sleep(_LOOK_EVERY)
                self._type("look")
            else:
                self._type("abort")
        else:
            self._type("")

    def _may_override(self, choices: str) -> bool:
        """Whether what would be lost was kept before: steps that are announced before this one have passed."""
        passed = [found["step"] for found in _STEP.finditer(self.text)][:-1]
        return "override" in choices.split("/") and not self._overridden and set(_SAVED_BY) <= set(passed)

    def _type(self, text: str) -> None:
        with suppress(OSError):
            os.write(self._terminal, f"{text}\n".encode())

    def _read(self, within: float) -> bool:
        """Takes what has come. False: the run has ended."""
        if select.select([self._terminal], [], [], within)[0]:
            try:
                data = os.read(self._terminal, 65536)
            except OSError:  # the other end is closed
                return False
            self.text += data.decode(errors="replace").replace("\r\n", "\n")
            return bool(data)
        return self._process.poll() is None

    def _end(self) -> None:
        """A run that has not ended is interrupted, so that its journal says so."""
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(10)
        os.close(self._terminal)

    def _result(self) -> RunbookWalk:
        steps = [found["step"] for found in _STEP.finditer(self.text)]
        last = _LAST.search(self.text)
        ended = last["ended"] if last else ""
        done = ended == "done"
        step = "" if done or not steps else steps[-1]
        return RunbookWalk(self.runbook, ended, step, "" if done else self._reason(), self._overridden)

    def _reason(self) -> str:
        """What was said last above the first prompt of the place where it stayed, or above the end."""
        stuck = list(re.finditer(r"(?:Blocked|Not done)\. \[", self.text))
        text = self.text[: stuck[-1].start()] if stuck else self.text
        failing = re.findall(r"^ +(?:NO|\?\?)  [^\n]*(?:\n {6,}[^\n]*)*", text[-3000:], re.MULTILINE)
        lines = [" ".join(line.split()) for line in (failing or text.splitlines()) if line.strip()]
        return "; ".join(dict.fromkeys(lines[-_REASON_LINES:]))[:400] or "nothing was said"
