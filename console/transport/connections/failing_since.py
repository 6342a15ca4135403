"""Since when a server that had answered has brought no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from console.core.model import Reading

T = TypeVar("T")


class FailingSince:
    """Takes down each look at one server, and tells its problems since when they last.

    A server that has not answered this program yet may have failed for an hour: then no time is told.
    """

    def __init__(self) -> None:
        self._answered = False
        self._since: float | None = None

    def noted(self, reading: Reading[T]) -> Reading[T]:
        """The reading; a problem has the time of the first failure after the last answer."""
        if reading.problem is None:
            self._answered, self._since = True, None
            return reading
        if self._answered and self._since is None:
            self._since = reading.at
        return Reading(None, replace(reading.problem, since=self._since), reading.at)
