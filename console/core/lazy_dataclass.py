"""`dataclass(frozen=True, slots=True)` whose methods are compiled when they are first called.

The standard library compiles six methods for each class when its module is imported. A look at a pair imports a
hundred such classes and makes objects of half of them: this was a quarter of the time that `status` took to start.
Everything else is the standard library's: `fields`, `replace`, `asdict`, and the methods themselves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:  # for type checkers it is the standard library's
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """The decorator. A base class that is a dataclass has to be one of these; there is no `__post_init__`."""
        if not (frozen and slots):
            raise TypeError("only a frozen dataclass with slots is made here")
        return _lazily


_METHODS: dict[str, dict[str, Any]] = {
    "__init__": {"eq": False, "repr": False},
    "__eq__": {"init": False, "repr": False},
    "__hash__": {"init": False, "repr": False},
    "__repr__": {"init": False, "eq": False},
}
"""Method → what the standard library need not compile together with it."""


def _lazily(cls: type) -> Any:
    own = set(vars(cls))
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name, others in _METHODS.items():
        if name not in own:
            setattr(made, name, _compiled_when_called(made, name, others))
    for name, method in _FROZEN.items():
        setattr(made, name, method)
    return made


def _compiled_when_called(made: Any, name: str, others: dict[str, Any]) -> Callable[..., Any]:
    """A method that puts the real one in its place. Two threads may do so at once: they make the same."""

    def method(self: Any, *values: Any, **named: Any) -> Any:
        like_it = [(field.name, field.type, _again(field)) for field in dataclasses.fields(made)]
        said = {"__doc__": made.__name__}  # without a text the library makes one of the signature, which takes longest
        like = dataclasses.make_dataclass(
            made.__name__, like_it, namespace=said, frozen=True, match_args=False, **others
        )
        real = getattr(like, name)
        real.__qualname__, real.__module__ = f"{made.__qualname__}.{name}", made.__module__
        setattr(made, name, real)
        return real(self, *values, **named)

    return method


def _again(field: dataclasses.Field[Any]) -> Any:
    """The same field for another class."""
    kept = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only")
    return dataclasses.field(**{name: getattr(field, name) for name in kept})


def _set_nothing(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _delete_nothing(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _values(self: Any) -> list[Any]:
    """For copies and pickles."""
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_values(self: Any, values: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), values, strict=True):
        object.__setattr__(self, field.name, value)


_FROZEN = {
    "__setattr__": _set_nothing,
    "__delattr__": _delete_nothing,
    "__getstate__": _values,
    "__setstate__": _set_values,
}
