"""Tells of the progress of a fetch: what is fetched, how far it is, and how long it has taken."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass
class Progress:
    """Tells on a stream. A terminal has one line for a step, which is rewritten; other streams get it once.

    Without a stream nothing is told.
    """

    stream: TextIO | None
    title: str = ""
    """What is fetched."""
    steps: int = 0
    """How many steps that takes."""
    _step: int = 0
    _text: str = ""
    _began: float = field(default_factory=time.monotonic)

    def begin(self, title: str, steps: int) -> None:
        """Another server is fetched from here on."""
        self.title, self.steps, self._step, self._text = title, steps, 0, ""
        self._began = time.monotonic()

    def step(self, text: str) -> None:
        """The next step begins."""
        self._end_line()
        self._step += 1
        self._text = f"{self.title}: step {self._step} of {self.steps}, {text}"
        if self._is_terminal:
            self.update(None)
        else:
            self._write(f"{self._clock} {self._text}\n")

    def update(self, percent: float | None) -> None:
        """The step goes on. `percent`: how much of it is done; None: not known."""
        if self._is_terminal:
            done = "" if percent is None else f", {percent:.0f} %"
            line = f"{self._clock} {self._text}{done}"
            self._write(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K")

    def note(self, text: str) -> None:
        """Something else that is to be known, in a line of its own."""
        self._end_line()
        self._write(f"{self._clock} {self.title}: {text}\n")

    def close(self) -> None:
        """Ends the line of the last step, so that what follows begins a new one."""
        self._end_line()

    def _end_line(self) -> None:
        if self._text and self._is_terminal:
            self._write("\n")
        self._text = ""

    @property
    def _is_terminal(self) -> bool:
        return self.stream is not None and self.stream.isatty()

    @property
    def _clock(self) -> str:
        return f"[{time.monotonic() - self._began:5.1f} s]"

    def _write(self, text: str) -> None:
        if self.stream is not None:
            self.stream.write(text)
            self.stream.flush()
