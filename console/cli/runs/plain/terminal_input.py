"""Answers from a terminal. What was typed or pasted before a question could be read is discarded."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
from collections.abc import Iterator

from console.cli.context import CliError
from console.cli.output import read_line, say
from console.core.quantities import counted

QUIET_SECONDS = 0.3
"""How long nothing must have been typed before the prompt appears. Every character begins this time anew."""


def check_terminal() -> None:
    """Raises CliError if stdin or stdout is not a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("a run needs a terminal: answers cannot be piped in; `plan` prints the commands anywhere")


def ask(prompt: str) -> str:
    """Asks for one line, without blanks around it. Raises EOFError where the input ends."""
    if count := discard_typed():
        was = "was" if count == 1 else "were"
        say(f"  {counted(count, 'character')} that {was} typed before this question: discarded")
    return read_line(prompt).strip()


def discard_typed() -> int:
    """Discards what the terminal holds and what comes within the next moment. Returns how many bytes that were.

    Ctrl-C still interrupts.
    """
    count = 0
    with contextlib.suppress(termios.error), _bytewise() as terminal:  # of one that is gone, input() itself tells
        while terminal is not None and select.select([terminal], [], [], QUIET_SECONDS)[0] and (got := _read(terminal)):
            count += len(got)
    return count


@contextlib.contextmanager
def _bytewise() -> Iterator[int | None]:
    """The terminal, which hands out every byte within this block, and not whole lines only: half a line goes, too.

    None: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        yield None
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    mode = [*before[:6], list(before[6])]
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 0, 0
    termios.tcsetattr(terminal, termios.TCSANOW, mode)
    try:
        yield terminal
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)


def _read(terminal: int) -> bytes:
    """What the terminal has; empty where it is gone."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
