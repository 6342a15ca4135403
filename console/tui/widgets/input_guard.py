"""Keeps keys from answering a question that nobody could have read yet."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.events import Event

SECONDS = 0.3
"""How long a question must have been on the screen, without a key, before a key counts."""


class InputGuard:
    """Refuses what was typed, pasted or clicked before a question was on the screen, or within `SECONDS` after that.

    Until `begin` everything is refused. A refused key begins the time anew: a key that is held down, or a long paste,
    never becomes an answer.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.refused = 0
        """How many keys, pastes and clicks were refused since the question appeared."""
        self._monotonic = monotonic
        self._shown_at: float | None = None
        self._quiet_since = 0.0

    def begin(self) -> None:
        """The question is on the screen."""
        self._shown_at = self._quiet_since = self._monotonic()

    @property
    def shown(self) -> bool:
        """Whether the question is on the screen."""
        return self._shown_at is not None

    @property
    def open(self) -> bool:
        """Whether a key that is pressed now counts."""
        return self._shown_at is not None and self._monotonic() >= self._quiet_since + SECONDS

    def refuses(self, event: Event) -> bool:
        """Whether this event came too early. The time of the key press counts, not the time of its handling."""
        waited = max(0.0, time.monotonic() - event.time)
        pressed_at = self._monotonic() - waited
        if self._shown_at is not None and pressed_at >= self._quiet_since + SECONDS:
            return False
        self.refused += 1
        self._quiet_since = max(self._quiet_since, pressed_at)
        return True
