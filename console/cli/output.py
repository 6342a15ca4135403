"""Everything that commands print goes through here: no text of a server reaches the terminal as it is."""

from __future__ import annotations

import re
import select
import sys

import click

from console.core.visible import LINES, json_text, visible

_OWN_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_OVERWRITE = "\r\x1b[K"


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Prints a text of one or more lines."""
    _write(visible(text, LINES), err=err, nl=nl)


def say_painted(text: str, *, nl: bool = True) -> None:
    """Prints a text that has colours of the console in it. Its maker has made the texts of servers visible."""
    parts = _OWN_COLOUR.split(text)
    _write("".join(one if _OWN_COLOUR.fullmatch(one) else visible(one, LINES) for one in parts), err=False, nl=nl)


def say_json(document: object) -> None:
    """Prints a document as JSON."""
    _write(json_text(document, 2), err=False, nl=True)


def say_over(text: str, width: int | None = None, *, err: bool = False) -> None:
    """Prints a line of progress over the one before, without a line end."""
    _write(f"{_OVERWRITE}{visible(text)[:width]}", err=err, nl=False)


def read_line(prompt: str) -> str:
    """Prints the prompt and reads a line. `terminal_input.ask` is what commands use. Raises EOFError at the end."""
    return input(visible(prompt))


def reader_has_gone() -> bool:
    """Whether nobody reads standard output any more: it is a pipe whose other end is closed, or a lost terminal."""
    try:
        waiting = select.poll()
        waiting.register(sys.stdout.fileno(), 0)
        return any(what & (select.POLLERR | select.POLLHUP) for _, what in waiting.poll(0))
    except (OSError, ValueError):  # it is no file: standard output was replaced
        return False


def _write(text: str, *, err: bool, nl: bool) -> None:
    try:
        click.echo(text, err=err, nl=nl)
    except UnicodeEncodeError as error:  # a terminal of another encoding than UTF-8
        click.echo(text.encode(error.encoding, "backslashreplace").decode(error.encoding), err=err, nl=nl)
