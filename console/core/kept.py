"""Answers that are kept as long as what they were made of is the same object."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def kept_while_same(size: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keeps the answers of a pure function to the last arguments, at most `size` of them.

    Arguments are compared by identity: observations are frozen, and comparing two of them field by field would cost as
    much as the answer. What was read again and is equal is another object: then the function is called again.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        answers: dict[Hashable, tuple[object, T]] = {}

        @wraps(function)
        def answer(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (*map(id, args), *kwargs, *map(id, kwargs.values()))
            if (found := answers.get(key)) is not None:
                return found[1]
            made = function(*args, **kwargs)
            if len(answers) >= size:
                answers.clear()
            answers[key] = (args, kwargs), made  # while it is kept, no other object gets these ids
            return made

        return answer

    return decorate
