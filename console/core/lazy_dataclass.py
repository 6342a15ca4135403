"""`dataclass(frozen=True, slots=True)` whose methods are compiled when they are first called.

The standard library compiles six methods for each class when its module is imported. A look at a pair imports a
hundred such classes and makes objects of half of them: this was a quarter of the time that `status` took to start.
The first objects of a class are made field by field, because compiling for a few of them takes longer. `__init__` is
compiled here: it sets each field by the descriptor of its slot, in half the time of the library's
`object.__setattr__`. Everything else is the standard library's: `fields`, `replace`, `asdict`, and the other methods.
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


FEW = 50
"""So many objects of a class are made field by field. To compile `__init__` takes as long as that."""
_METHODS: dict[str, dict[str, Any]] = {
    "__eq__": {"init": False, "repr": False},
    "__hash__": {"init": False, "repr": False},
    "__repr__": {"init": False, "eq": False},
}
"""Method → what the standard library need not compile together with it."""


def _lazily(cls: type) -> Any:
    own = set(vars(cls))
    if "__post_init__" in own:
        raise TypeError(f"{cls.__name__} has a __post_init__, which would not be called: use the standard library's")
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    for name, others in _METHODS.items():
        if name not in own:
            setattr(made, name, _compiled_when_called(made, name, others))
    if "__init__" not in own:
        made.__init__ = _few_field_by_field(made)
    for name, method in _FROZEN.items():
        setattr(made, name, method)
    return made


def _few_field_by_field(made: Any) -> Callable[..., None]:
    """`__init__` as it is until it is compiled."""
    calls = 0

    def method(self: Any, *values: Any, **named: Any) -> None:
        nonlocal calls
        calls += 1
        found = _field_by_field(dataclasses.fields(made), values, named) if calls <= FEW else None
        if found is None:
            made.__init__ = _compiled_init(made)
            made.__init__(self, *values, **named)
        else:
            for name, value in found.items():
                object.__setattr__(self, name, value)

    return method


def _field_by_field(
    fields: tuple[dataclasses.Field[Any], ...], values: tuple[Any, ...], named: dict[str, Any]
) -> dict[str, Any] | None:
    """Field → value. None: the call is wrong, and the compiled method says how."""
    in_order = [field.name for field in fields if not field.kw_only]
    given = dict(zip(in_order, values, strict=False))
    if len(values) > len(in_order) or given.keys() & named.keys():
        return None
    given |= named
    found: dict[str, Any] = {}
    for field in fields:
        if field.name in given:
            found[field.name] = given.pop(field.name)
        elif field.default is not dataclasses.MISSING:
            found[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            found[field.name] = field.default_factory()
        else:
            return None
    return None if given else found


def _compiled_init(made: Any) -> Callable[..., None]:
    """`__init__` with the signature and the errors of the standard library's."""
    known: dict[str, Any] = {"_given": dataclasses.MISSING}
    in_order, by_name, body = ["self"], ["*"], ["pass"]
    for number, field in enumerate(dataclasses.fields(made)):
        name = value = field.name
        known |= {f"_set{number}": getattr(made, name).__set__, f"_default{number}": field.default}
        default = "" if field.default is dataclasses.MISSING else f"=_default{number}"
        if field.default_factory is not dataclasses.MISSING:
            known[f"_new{number}"] = field.default_factory
            value, default = f"_new{number}() if {name} is _given else {name}", "=_given"
        (by_name if field.kw_only else in_order).append(f"{name}{default}")
        body.append(f"_set{number}(self, {value})")
    named = ", ".join(in_order + (by_name if by_name[1:] else []))
    text = f"def made({', '.join(known)}):\n def __init__({named}):\n  {'; '.join(body)}\n return __init__"
    outer: dict[str, Any] = {}
    exec(text, outer)  # noqa: S102 - it has names of fields and nothing else, as the library's text has
    init: Callable[..., None] = outer["made"](**known)
    init.__qualname__, init.__module__ = f"{made.__qualname__}.__init__", made.__module__
    return init


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
