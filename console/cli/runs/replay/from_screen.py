"""`runs replay` on the terminal that the screen has left to it. Then the screen comes back."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.output import say
from console.cli.runs.plain.terminal_input import ask, discard_typed
from console.core.typed_commands import PROGRAM

if TYPE_CHECKING:
    from console.cli.context import CliContext
    from console.core.runs.past.kept_keys import KeptKeys
    from console.engine.ports import BringKeys


def keys_from_screen(context: CliContext) -> BringKeys:
    """What the screen calls while it is suspended: the same command, with the same questions, as in a shell."""

    def bring(kept: KeptKeys) -> None:
        words = [kept.run_id, "--export", Path(kept.file).name]
        say(f"\n$ {PROGRAM} runs replay {' '.join(words)}")
        with _ctrl_c_ends_the_command():
            _run(context, words)
            with contextlib.suppress(EOFError, KeyboardInterrupt):
                say()
                ask("Enter goes back to the screen. ")
            with contextlib.suppress(KeyboardInterrupt):
                discard_typed()

    return bring


def _run(context: CliContext, words: list[str]) -> None:
    """Runs the command. Whatever ends it is one line: the screen must come back."""
    from console.cli.runs.replay.command import replay

    try:
        replay.main(words, prog_name="runs replay", standalone_mode=False, obj=context)
    except (KeyboardInterrupt, EOFError, click.exceptions.Abort):
        say("\ninterrupted: nothing more was sent", err=True)
    except click.ClickException as error:
        say(error.format_message(), err=True)
    except Exception as error:  # noqa: BLE001 - every error of the engine's is shown, and none ends the screen
        say(" ".join(str(error).split()) or type(error).__name__, err=True)


@contextlib.contextmanager
def _ctrl_c_ends_the_command() -> Iterator[None]:
    """The screen's event loop would take Ctrl-C as the end of the console."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
