"""What pydantic found wrong, in the words of this program and with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from console.core.numbers import whole_number
from console.documents.errors import DocumentError
from console.documents.yaml_text import Document, Location

SECRET_KEYS = ("password", "token")
"""Nothing that stands under these is ever repeated in an error, not even a key."""


class Strict(BaseModel):
    """A mapping of a document: every key is known, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Model = TypeVar("Model", bound=Strict)
Contradictions = Callable[[Model], Sequence[tuple[Location, str]]]


def validated(document: Document, model: type[Model], more: Contradictions[Model]) -> Model:
    """The document as a model. `more` finds what no single value shows: contradictions between values.

    Raises DocumentError with everything that is wrong, in the order of the lines.
    """
    value, problems = checked(document, model, more)
    if value is None:
        ordered = sorted(problems, key=lambda one: document.line(one[0]))
        raise DocumentError(*dict.fromkeys(document.problem(location, text) for location, text in ordered))
    return value


def checked(
    document: Document, model: type[Model], more: Contradictions[Model]
) -> tuple[Model | None, Sequence[tuple[Location, str]]]:
    """The document as a model, or None with everything that is wrong and where it stands."""
    try:
        value = model.model_validate(document.values)
    except ValidationError as error:
        return None, [_problem(model, one) for one in error.errors(include_url=False)]
    contradictions = more(value)
    return (None if contradictions else value), contradictions


def _problem(model: type[Strict], error: Mapping[str, Any]) -> tuple[Location, str]:
    location: Location = tuple(error["loc"])
    secret = next((index for index, key in enumerate(location) if key in SECRET_KEYS), None)
    kind = error["type"]
    if secret is not None and secret < len(location) - 1 and kind == "extra_forbidden":
        return location[: secret + 1], "needs exactly one of env, file, command and prompt"
    if kind == "extra_forbidden":
        return location, _unknown_key(model, location)
    if kind == "value_error":
        return location, str(error["ctx"]["error"])
    return location, _plainly(kind, error, secret=secret is not None)


_COMPLAINTS = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "model_type": "must be a mapping of keys",
    "model_attributes_type": "must be a mapping of keys",
    "dict_type": "must be a mapping of keys",
    "list_type": "must be a list: lines that begin with -",
    "too_short": "must not be empty",
}


def _plainly(kind: str, error: Mapping[str, Any], *, secret: bool) -> str:
    """A pydantic error in plain words, with the value if it is safe and short enough to repeat."""
    value = error.get("input")
    scalar = isinstance(value, str | bool | int | float) and not secret
    seen = f"{_as_written(value)} " if scalar else ""
    if kind == "literal_error":
        return f"{seen}is not known: it is one of {_words(error['ctx']['expected'])}"
    complaint = _COMPLAINTS.get(kind) or str(error["msg"])
    if value is None and kind.endswith("_type"):
        return f"is empty; it {complaint}"
    hint = _quoting(value) if kind == "string_type" else _unquoting(value) if kind in {"int_type", "float_type"} else ""
    return seen + complaint + hint


def _as_written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoting(value: object) -> str:
    return "; put it in quotes" if isinstance(value, bool | int | float) else ""


def _unquoting(value: object) -> str:
    return "; write it without quotes" if isinstance(value, str) and whole_number(value) is not None else ""


def _words(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


def _unknown_key(model: type[Strict], location: Location) -> str:
    key = str(location[-1])
    known = _keys_at(model, location[:-1])
    if key == "password" and "identity_file" in known:
        return "SSH logs in with the agent or with identity_file, never with a password"
    close = difflib.get_close_matches(key, known, n=1)
    return f"is not a key here; {'did you mean ' + close[0] + '?' if close else 'known here: ' + ', '.join(known)}"


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that may stand at a place: follows the fields' types down from the model."""
    here: Any = model
    for key in location:
        here = (
            _model_in(here.model_fields[key].annotation) if isinstance(key, str) and key in here.model_fields else here
        )
        if here is None:
            return []
    return [info.alias or name for name, info in here.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `X`, `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
