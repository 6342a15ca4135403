"""A line on stderr while `status` waits: how many nodes have answered, and what the others wait for."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence

from console.cli.output import say_over

WaitsFor = Sequence[tuple[str, str]]
"""A node, and what its first answer waits for; empty: nothing, it has come or failed."""
_EVERY = 0.5  # seconds
_NAMED = 3
"""So many of the nodes that have not answered are named."""


def progress_text(nodes: WaitsFor) -> str:
    """`17 of 20 answered, waiting for redis-a (login), redis-b (banner), redis-c (shell) and 1 more`."""
    waiting = [f"{node} ({step})" for node, step in nodes if step]
    text = f"{len(nodes) - len(waiting)} of {len(nodes)} answered"
    if waiting:
        text += f", waiting for {', '.join(waiting[:_NAMED])}"
    if len(waiting) > _NAMED:
        text += f" and {len(waiting) - _NAMED} more"
    return text


class Progress:
    """The line, renewed during a `with` block and removed at its end. It is not shown if stderr is not a terminal."""

    def __init__(self, text: str, look: Callable[[], WaitsFor]) -> None:
        """`text`: the first line. `look` is called in a thread of its own."""
        self._text = text
        self._look = look
        self._shown = sys.stderr.isatty()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> None:
        if self._shown:
            self._say(self._text)
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._end.set()
            self._thread.join()
            self._say("")

    def _run(self) -> None:
        while not self._end.wait(_EVERY):
            self._say(progress_text(self._look()))

    @staticmethod
    def _say(text: str) -> None:
        """A line that fits: a longer one could not be removed again."""
        try:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns
        except OSError:
            columns = 80
        say_over(text, max(1, columns - 1), err=True)
