"""A laboratory's room, from both sides: the process that becomes it, and what its PID 1 does around its work."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from console.lab.hosts.namespaces import command_in_namespaces, prepare_namespaces
from console.lab.options import LabError

EXIT_NO_LABORATORY = 3
_EXIT_TERMINATED, _EXIT_INTERRUPTED = 143, 130
"""128 and the number of the signal, as a shell has it."""


def room_command(module: str) -> list[str]:
    """The command that runs a module in a room: everything that it starts dies with it. Raises LabError."""
    return command_in_namespaces([sys.executable, "-m", module])


def become(command: list[str], variable: str, request: str) -> NoReturn:
    """Replaces this process by a room (`room_command`), with what to do in an environment variable.

    It is no argument: it may hold a password.
    """
    os.environ[variable] = request
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def run_as_room(work: Callable[[], int], tell: Callable[[str], object]) -> int:
    """What PID 1 of a room does: `work`, whose exit code it returns. Why there is no laboratory is told, in lines."""
    # As PID 1 it would not be told to end otherwise.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(_EXIT_TERMINATED))
    try:
        prepare_namespaces()
        return work()
    except LabError as error:
        tell("\n".join(part for part in (str(error), error.log) if part))
        return EXIT_NO_LABORATORY
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED


def timed_report() -> Callable[[str], None]:
    """Prints lines of progress on stderr, each with the seconds since now."""
    began = time.monotonic()

    def report(line: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:5.1f} s] {line}\n")
        sys.stderr.flush()

    return report
