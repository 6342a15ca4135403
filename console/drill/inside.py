"""What runs as PID 1 of the room: rebuilds the captured cluster, breaks it while its operator works, and grades.

What to do comes as JSON in $REDIS_HA_DRILL_REQUEST. `console.drill.commands` starts it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from base64 import b64decode
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from console.cli.context import APP
from console.cli.output import read_line, say
from console.core.diagnosis.finding import Severity
from console.core.drills.grade import ClientCount, Grade, Happened, KeptFile, best, grade
from console.core.drills.scenarios import DrillScenario, find_scenario
from console.core.typed_commands import enter_laboratory
from console.drill.clients import CountingClient
from console.drill.grades import report_text, table_text
from console.drill.rebuilt.building import rehearsal
from console.drill.rebuilt.rehearsal import Rehearsal, load_capture
from console.drill.records import GRADE, load_all, save
from console.drill.watching import Watcher
from console.lab.options import LabError
from console.lab.sessions.build import entries_in
from console.lab.sessions.room import leave_killed_screen, run_as_room, timed_report
from console.report.file import write_report
from console.transport.journals.archive import FolderArchive

REQUEST_VARIABLE = "REDIS_HA_DRILL_REQUEST"
KEYS_VARIABLE = "REDIS_HA_DRILL"
"""Names the file for the moments of key presses. Where it is set, the console is one of a drill."""
NOT_PASSED = 1
PAGE_WIDTH = 79
_CONSOLE_ENDS_WITHIN = 10.0
"""Seconds for a console to restore its terminal."""


@dataclass(frozen=True, slots=True)
class Request:
    """One drill of a human."""

    capture: str
    digest: str
    """Of the capture as it was described before."""
    record: str
    """The folder of the drill."""
    drill: str
    """Its name, also that of its laboratory, for `lab enter --in`."""
    scenario: str
    keys: int | None
    delay: tuple[float, float]
    """The fault comes so many seconds after the start, at random between the two."""
    command: list[str]
    """The console."""
    ask: bool = False
    """Whether the operator is waited for where something else differs."""
    differences: list[str] = field(default_factory=list)


class Director(threading.Thread):
    """Injects the fault at its moment, and mends later what mends itself."""

    def __init__(self, running: Rehearsal, scenario: DrillScenario, delay: tuple[float, float]) -> None:
        super().__init__(name="director of the drill", daemon=True)
        self.fault_at = 0.0
        """Epoch seconds; 0: it has not come."""
        self.failure = ""
        self.hit = ""
        """The machines that the fault hit."""
        chance = random.SystemRandom()
        self._wait, self._lasts = chance.uniform(*delay), running.lasts(scenario, chance.uniform(*scenario.mends_after))
        self._running, self._scenario = running, scenario
        self._end, self._done, self._closed = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        self._direct()
        self._done.set()
        self._closed.wait()  # the kernel ends a host that this thread has switched on with this thread

    def _direct(self) -> None:
        if self._end.wait(self._wait):
            return
        try:
            self.hit = ", ".join(self._running.targets(self._scenario))
            self.fault_at = time.time()
            self._running.break_it(self._scenario)
            mends = self._scenario.mended_by and not self._scenario.waits_for_operator
            if mends and not self._end.wait(self._lasts):
                self._running.mend(self._scenario)
        except (LabError, OSError) as error:
            self.failure = str(error)

    def stop(self) -> None:
        """Nothing happens any more. A host that came back goes on running, so that it can be looked at."""
        self._end.set()
        self._done.wait()

    def close(self) -> None:
        """Ends the thread, and with it the hosts that it has switched on."""
        self._closed.set()
        self.join()


def main() -> int:
    """0: passed. 1: not passed, or no fault came. 3: the cluster could not be rebuilt."""
    request = Request(**json.loads(os.environ.pop(REQUEST_VARIABLE)))
    return run_as_room(lambda: _work(request), partial(say, err=True))


def _work(request: Request) -> int:
    record = Path(request.record)
    try:
        made = _drill(request)
    finally:
        if not (record / GRADE).exists() and not (record / "state" / APP / "runs").exists():
            shutil.rmtree(record, ignore_errors=True)  # it has no grade and no run: nothing to keep
    if made is None:
        say("the drill ended before its fault came: no grade")
        return NOT_PASSED
    return 0 if made.passed else NOT_PASSED


def _drill(request: Request) -> Grade | None:
    capture = load_capture(request.capture, request.digest)
    scenario = find_scenario(request.scenario)
    assert scenario is not None
    record = Path(request.record)
    enter_laboratory(request.drill)  # the grade names commands for another terminal
    with rehearsal(capture, request.keys, timed_report(), request.drill) as running:
        _tell_what_else_differs(running, ask=request.ask)
        client, watcher = CountingClient(running.login(), running.find_master), Watcher(running.lab, capture)
        director = Director(running, scenario, (request.delay[0], request.delay[1]))
        before = {one.code for one in watcher.look(fresh=True)[1]}
        for thread in (client, watcher, director):
            thread.start()
        signal.signal(signal.SIGINT, lambda *_: None)  # a Ctrl-C is for the console
        keys = record / "keys.json"
        running.lab.also = {"XDG_STATE_HOME": str(record / "state")}  # the runs of this drill, also for who enters it
        running.lab.save()
        environment = os.environ | running.lab.environment | {KEYS_VARIABLE: str(keys)}
        ended = _console(request.command, environment)
        for one in (director, client, watcher):
            one.stop()
        entered = entries_in(running.lab.folder)
        missing = client.missing()
        lost = None if missing is None else len(missing)
        count = ClientCount(len(client.acknowledged), client.refused, lost, client.longest_gap)
        kept = _kept(record) if missing else ()
        director.close()
        if director.failure:
            raise LabError(f"the fault could not be injected: {director.failure}")
        if not director.fault_at:
            return None
        left = [one for one in watcher.last if one.code not in before and one.severity is not Severity.INFO]
        pressed = _pressed(keys)
        happened = Happened(
            request.drill, capture.cluster, scenario.name, f"{scenario.text} ({director.hit})",
            director.fault_at, pressed.keys, watcher.protected, count,
            (*request.differences, *running.dropped),
            tuple(one.summary for one in left), capture.kind, capture.identity, entered,
            tuple(one.code for one in left), pressed.refused, pressed.leaving, ended, tuple(missing or ()), kept,
            tuple(one.next.runbook for one in left if one.next.runbook),
        )  # fmt: skip
    return _graded(record, happened)


def _console(command: list[str], environment: dict[str, str]) -> str:
    """Runs the console, and says how it ended where its operator did not end it. Then the drill is graded as it is."""
    process = subprocess.Popen(command, env=environment)
    try:
        code = process.wait()
    except SystemExit:  # this process was told to end: `run_as_room`
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_CONSOLE_ENDS_WITHIN)
        process.kill()
        return "the drill was ended from outside, or its terminal was closed: graded as it was then"
    if code < 0:
        leave_killed_screen()
        return f"the console was killed ({signal.Signals(-code).name}): graded as it was then"
    return f"the console ended by itself (exit code {code}): graded as it was then" if code > 1 else ""


def _kept(record: Path) -> tuple[KeptFile, ...]:
    """What runs of this drill have kept in files, with the names of the keys."""
    found = []
    for one in FolderArchive(record / "state" / APP / "runs").kept_keys(dismissed_too=True):
        names: set[str] = set()
        with suppress(OSError, ValueError, KeyError), Path(one.file).open(encoding="utf-8") as lines:
            for line in lines:
                if "key_base64" in line:
                    names.add(b64decode(json.loads(line)["key_base64"]).decode(errors="replace"))
        found.append(KeptFile(one.run_id, one.file, one.command, frozenset(names)))
    return tuple(found)


def _tell_what_else_differs(running: Rehearsal, *, ask: bool) -> None:
    """What only the start of the servers has shown: the first page could not say it."""
    if not running.dropped:
        return
    differ = (textwrap.fill(f"  - {one}", PAGE_WIDTH, subsequent_indent="    ") for one in running.dropped)
    say("\n".join(("\nWhat else differs from production:", *differ, "")), err=True)
    if ask:
        read_line("Enter opens the console: ")


def _graded(record: Path, happened: Happened) -> Grade:
    """The grade, printed and written."""
    runs = FolderArchive(record / "state" / APP / "runs").summaries()
    made = grade(happened, runs)
    earlier = best(load_all(), made)
    save(record, made)
    for form in ("md", "html", "json"):
        write_report(record / f"report.{form}", report_text(made, earlier, form), replace=True)
    with suppress(OSError):  # a terminal that is closed
        say(f"\n{table_text(made, earlier)}")
        say(f"\n  report.md (also .html, .json) and the runs' journals are in\n  {record}")
    return made


@dataclass(frozen=True, slots=True)
class Pressed:
    """What the console of the drill has noted of its operator. Moments are epoch seconds."""

    keys: tuple[float, ...] = ()
    leaving: tuple[float, ...] = ()
    """Those of the keys that only leave."""
    refused: tuple[tuple[float, str], ...] = ()


def _pressed(file: Path) -> Pressed:
    """A line that is cut off, of a console that was killed, is left out."""
    found: list[dict[str, Any]] = []
    with suppress(OSError):
        for line in file.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
    keys = [one for one in found if "leaves" in one]
    refused = tuple((float(one["at"]), str(one["refused"])) for one in found if "refused" in one)
    leaving = tuple(float(one["at"]) for one in keys if one["leaves"])
    return Pressed(tuple(float(one["at"]) for one in keys), leaving, refused)


def request_text(request: Request) -> str:
    """For the environment of `main`."""
    return json.dumps(asdict(request))


if __name__ == "__main__":
    sys.exit(main())
