"""What `status --watch` tells of keys that are only in a file on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.core.runs.past.kept_keys import KeptKeys

SUBJECT = "kept-keys"
LOOK_AGAIN_AFTER = 10.0
"""Seconds between two looks at the folder of the runs."""


class KeptTeller:
    """Which kept keys were told of each cluster."""

    def __init__(self, kept_keys: Callable[[], tuple[KeptKeys, ...]]) -> None:
        self._kept_keys = kept_keys
        self._looked_at: float | None = None
        self._now: tuple[KeptKeys, ...] = ()
        self._told: dict[str, tuple[KeptKeys, ...]] = {}

    def lines(self, cluster: str, at: float) -> Iterator[str]:
        """What is new of one cluster, and what is settled. `at`: epoch seconds of its observation."""
        if self._looked_at is None or not 0 <= at - self._looked_at < LOOK_AGAIN_AFTER:
            self._looked_at, self._now = at, self._kept_keys()
        before = self._told.get(cluster, ())
        now = self._told[cluster] = tuple(one for one in self._now if one.cluster == cluster and one.reminds)
        told, files = {(one.file, one.in_words) for one in before}, {one.file for one in now}
        for one in now:
            if (one.file, one.in_words) not in told:
                yield f"open: {one.in_words}, {one.file}; to bring them back: {one.command}"
        for one in before:
            if one.file not in files:
                yield f"closed: {one.file} of {one.node} was brought back or dismissed, or is gone"
