"""What runs as PID 1 of the room: builds the laboratory, runs the operator's command in it, ends everything.

What to do comes as JSON in $REDIS_HA_LAB_REQUEST: scenario, options, command, quiet. `console.lab.commands` starts it,
through `console.lab.sessions.room`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from console.lab.options import LabOptions
from console.lab.sessions.build import laboratory, program_in_words, run_inside
from console.lab.sessions.room import leave_killed_screen, run_as_room, timed_report

REQUEST_VARIABLE = "REDIS_HA_LAB_REQUEST"
_KILLED = {128 + signal.SIGKILL, 128 + signal.SIGSEGV, 128 + signal.SIGABRT}


def main() -> int:
    """The command's exit code; 3 where the laboratory could not be built."""
    request: dict[str, Any] = json.loads(os.environ.pop(REQUEST_VARIABLE))
    report = _silent if request["quiet"] else timed_report()
    return run_as_room(lambda: _run(request, report), lambda text: sys.stderr.write(f"{text}\n"))


def _run(request: dict[str, Any], report: Callable[[str], None]) -> int:
    options = LabOptions(**{key: _frozen(value) for key, value in request["options"].items()})
    with laboratory(request["scenario"], options, report) as lab:
        # A Ctrl-C is for the command, which decides what it means.
        signal.signal(signal.SIGINT, lambda *_: None)
        first = next(iter(lab.hosts))
        report(f"inventory {lab.inventory}; by hand: ssh -F {lab.folder}/ssh_config {first}")
        own = program_in_words()
        which = f"--in {lab.folder.name}"
        report(f"break something from another terminal: {own} lab fault {which} kill {first} redis")
        report(f"type the commands of the screens in another terminal: {own} lab enter {which}")
        code = run_inside(lab.environment, request["command"])
        if code not in _KILLED or not request.get("outlives_a_kill"):
            return code
        _say_what_is_left(lab.folder.name, own)
        return run_inside(lab.environment, [os.environ.get("SHELL", "/bin/sh")])


def _say_what_is_left(name: str, own: str) -> None:
    """Says how to go on."""
    leave_killed_screen()
    sys.stderr.write(
        f"\nThe console was killed. Its laboratory {name} is still here.\nThis is a shell in it:\n"
        f"  {own} runs resume   goes on with a run that was under way\n"
        f"  {own} watch cache   opens the screen again\n"
        "  exit   ends the laboratory\n"
    )
    sys.stderr.flush()


def _silent(_: str) -> None:
    """Reports nothing."""


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main())
