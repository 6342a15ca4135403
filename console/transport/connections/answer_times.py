"""How long the answers of one server take, and so how long it is worth waiting for the next one."""

from __future__ import annotations

from collections import deque

SHORTEST_DEADLINE = 2.0
"""Seconds that every answer is waited for."""
LONGEST_DEADLINE = 10.0
"""Seconds after which nobody waits for an answer, however slow the server has been."""
_SHORTEST_GIVE_UP = 8.0
_TIMES_THE_SLOWEST = 2.0
"""An answer may be so many times as late as the slowest of the last answers."""
_REMEMBERED = 20
"""Answers. A server that is quick again is soon taken for quick."""


class AnswerTimes:
    """The last answers' times of one server, from all its connections.

    A server that answers late is waited for longer. So a slow network blocks nothing, and a server that was quick and
    then hangs costs two seconds.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def add(self, seconds: float) -> None:
        """Takes down how long an answer took."""
        self._seconds.append(seconds)

    @property
    def deadline(self) -> float:
        """Seconds that the next answer is worth waiting for."""
        slowest = max(self._seconds, default=0.0)
        return min(LONGEST_DEADLINE, max(SHORTEST_DEADLINE, _TIMES_THE_SLOWEST * slowest))

    @property
    def give_up(self) -> float:
        """Seconds after which the connection counts as lost: a new one may be answered sooner.

        At least 8: on a busy machine one answer of a server that was quick may take that, and so does a handshake.
        """
        return max(_SHORTEST_GIVE_UP, 1.5 * self.deadline)
