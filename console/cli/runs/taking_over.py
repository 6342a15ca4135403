"""Arms a run where another run may have the lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from console.cli.context import CliError
from console.cli.output import say
from console.cli.runs.plain.terminal_input import ask
from console.cli.runs.plain.text import wrapped

if TYPE_CHECKING:
    from console.engine.ports import Takeover

Armed = TypeVar("Armed")


def or_taken_over(arm: Callable[[Takeover | None], Armed]) -> Armed:
    """Arms a run. If another run has the lock, it names that run and asks for the takeover sentence (H26)."""
    from console.core.runs.lock import takeover_sentence
    from console.engine.ports import LockHeldError, Takeover

    try:
        return arm(None)
    except LockHeldError as held:
        if held.holder is None:
            raise
        say(wrapped(str(held)))
        sentence = takeover_sentence(held.holder)
        try:
            typed = ask(f'Type "{sentence}" to take over, anything else cancels: ')
        except (EOFError, KeyboardInterrupt):
            typed = ""
        if not typed:
            raise CliError("cancelled: nothing was taken over, and nothing was armed") from None
        return arm(Takeover(held.holder, typed))
