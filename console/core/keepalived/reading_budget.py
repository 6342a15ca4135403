"""Limits what reading a script may cost: a script may nest its commands without an end."""

from __future__ import annotations

DEEPEST = 8
"""How many substitutions and `sh -c` may stand inside each other."""
_STEPS_A_CHARACTER = 50
_STEPS = 100_000


class NotReadableError(Exception):
    """The script cannot be understood. The text says why: `too deeply nested`."""


class Budget:
    """The steps that are left for a text. A step reads about one character."""

    def __init__(self, text: str) -> None:
        self._left = _STEPS + _STEPS_A_CHARACTER * len(text)

    def spend(self, steps: int) -> None:
        """Raises NotReadableError if no steps are left."""
        self._left -= steps
        if self._left < 0:
            raise NotReadableError("too long commands")

    @staticmethod
    def enter(depth: int) -> int:
        """The next depth. Raises NotReadableError if it is too deep."""
        if depth >= DEEPEST:
            raise NotReadableError("too deeply nested")
        return depth + 1
