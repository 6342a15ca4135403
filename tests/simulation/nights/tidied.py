"""Many nights without a search for cycles in the middle of each: that is a tenth of their time in a large process."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator

NIGHTS_KEPT = 50
"""Nights after which their memory is collected."""


def tidied(seeds: Iterable[int]) -> Iterator[int]:
    """The seeds one by one. Memory is collected between nights, and as before when they are over."""
    on = gc.isenabled()
    gc.disable()
    try:
        for number, seed in enumerate(seeds, start=1):
            yield seed
            if number % NIGHTS_KEPT == 0:
                gc.collect()
    finally:
        if on:
            gc.enable()
