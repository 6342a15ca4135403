"""A laboratory's room, from both sides: the process that becomes it, and what its PID 1 does around its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from console.lab.hosts.namespaces import command_in_namespaces, prepare_namespaces, program
from console.lab.options import LabError

EXIT_NO_LABORATORY = 3
_EXIT_TERMINATED, _EXIT_INTERRUPTED = 143, 130
"""128 and the number of the signal, as a shell has it."""
_LEAVE_SCREEN = "\x1b[<u\x1b[?2004l\x1b[?1000;1002;1003;1006;1015l\x1b[?25h\x1b[?1049l\x1b[?7h"
"""Keyboard, pasting, mouse, cursor, the other screen and long lines of the terminal, as a shell wants them."""
_TOLD = (signal.SIGTERM, signal.SIGHUP)
_LIFELINE = "REDIS_HA_LIFELINE"
"""Names the descriptor of a pipe that is closed when the process outside ends."""
_PATIENCE = 120.0
"""Seconds for a room to end in good order."""


def _told_to_end(*_: object) -> NoReturn:
    for number in _TOLD:
        signal.signal(number, lambda *_: None)  # not ignored: what is started now would inherit that
    sys.exit(_EXIT_TERMINATED)


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


def attend(command: list[str], variable: str, request: str) -> NoReturn:
    """Runs a room (`room_command`) and waits for it, so that a signal to this process ends its work in good order.

    `unshare` itself hears no SIGTERM, and its end ends the room at once. So this process stays, and holds one end of a
    pipe. Where it is told to end, or is killed, the pipe is closed; PID 1 of the room sees that (`run_as_room`).
    """
    reader, writer = os.pipe()
    environment = os.environ | {variable: request, _LIFELINE: str(reader)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: _close(writer))
    signal.signal(signal.SIGINT, lambda *_: None)  # it is for what runs in the room
    process = subprocess.Popen(
        ["env", "--ignore-signal=HUP", *command], env=environment, pass_fds=(reader,)
    )  # a terminal that closes would end unshare, and with it the room
    os.close(reader)
    code = process.wait()
    sys.exit(code if code >= 0 else 128 - code)


def _close(descriptor: int) -> None:
    with suppress(OSError):
        os.close(descriptor)


def _end_with_outside(descriptor: int) -> None:
    """Waits until the process outside has gone or was told to end. Then this one is told to end, as by a signal."""
    with suppress(OSError):
        os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(_EXIT_TERMINATED)


def run_as_room(work: Callable[[], int], tell: Callable[[str], object]) -> int:
    """What PID 1 of a room does: `work`, whose exit code it returns. Why there is no laboratory is told, in lines."""
    # As PID 1 it would not be told to end otherwise. It is told once: what it does at its end is not cut off.
    for number in _TOLD:
        signal.signal(number, _told_to_end)
    if lifeline := os.environ.pop(_LIFELINE, ""):
        os.set_inheritable(int(lifeline), False)
        threading.Thread(target=_end_with_outside, args=(int(lifeline),), daemon=True).start()
    try:
        prepare_namespaces()
        return work()
    except LabError as error:
        tell("\n".join(part for part in (str(error), error.log) if part))
        return EXIT_NO_LABORATORY
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED


def leave_killed_screen() -> None:
    """A screen that was killed has left the terminal as it was while it drew: makes it fit for lines again."""
    subprocess.call([program("stty"), "sane"], stderr=subprocess.DEVNULL)
    sys.stderr.write(_LEAVE_SCREEN)
    sys.stderr.flush()


def timed_report() -> Callable[[str], None]:
    """Prints lines of progress on stderr, each with the seconds since now."""
    began = time.monotonic()

    def report(line: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:5.1f} s] {line}\n")
        sys.stderr.flush()

    return report
