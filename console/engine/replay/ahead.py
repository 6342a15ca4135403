"""What comes one after the other, such as batches of keys: the next one can be made while a server works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """The items of an iterator, of which the next one can be made before it is asked for."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ready: list[T] = []
        self._failure: Exception | None = None

    def make_ready(self) -> None:
        """Makes the next one. Raises nothing: what goes wrong is raised when it is asked for."""
        try:
            if not self._ready and self._failure is None:
                self._ready.append(next(self._items))
        except Exception as error:  # noqa: BLE001 (StopIteration as well; nothing is lost, as `__next__` raises it)
            self._failure = error

    def __next__(self) -> T:
        """Raises what the iterator raises."""
        self.make_ready()
        if self._ready:
            return self._ready.pop()
        assert self._failure is not None
        raise self._failure
