"""A runbook's keys and what each may hold. `console.documents.runbooks.runbook` makes values of the core from them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from console.core.runbooks.verb import ArgumentKind, VerbArgument
from console.core.runbooks.verbs import VERBS
from console.core.runbooks.vocabulary import VOCABULARY
from console.documents.validation import Strict

_WORD = re.compile(r"[a-z][a-z0-9-]*")
_LONGEST = 86_400


def _word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError(f"{value!r} must be small letters, digits and dashes")
    return value


def _prose(value: str) -> str:
    text = " ".join(value.split())
    if not text:
        raise ValueError("must not be empty")
    return text


def _seconds(value: float) -> float:
    if not 0 < value <= _LONGEST:
        raise ValueError(f"{value:g} must be more than 0 and at most {_LONGEST} seconds")
    return value


def _condition_schema() -> dict[str, Any]:
    """Editors complete the vocabulary from this; checks that need roles are in `console.documents.runbooks.runbook`."""
    role_or_arguments = {"anyOf": [{"type": "string"}, {"type": "object"}]}
    documented = {name: {**role_or_arguments, "description": spec.doc} for name, spec in VOCABULARY.items()}
    return {
        "anyOf": [
            {"enum": list(VOCABULARY)},
            {
                "type": "object",
                "properties": documented,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


def _json_type(argument: VerbArgument) -> str:
    return "integer" if argument.kind is ArgumentKind.SECONDS else "string"


def _action_schema() -> dict[str, Any]:
    with_arguments = {
        name: {
            "type": "object",
            "description": spec.doc,
            "properties": {one.name: {"type": _json_type(one), "description": one.doc} for one in spec.arguments},
            "required": [one.name for one in spec.arguments if one.required],
            "additionalProperties": False,
        }
        for name, spec in VERBS.items()
        if spec.arguments
    }
    return {
        "anyOf": [
            {"enum": [name for name, spec in VERBS.items() if not spec.arguments]},
            {
                "type": "object",
                "properties": with_arguments,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ]
    }


Word = Annotated[str, AfterValidator(_word)]
Prose = Annotated[str, AfterValidator(_prose)]
Seconds = Annotated[float, AfterValidator(_seconds)]
ConditionText = Annotated[Any, WithJsonSchema(_condition_schema())]
ActionText = Annotated[Any, WithJsonSchema(_action_schema())]


class Role(Strict):
    """A role and how it finds its node."""

    description: Prose
    where: list[ConditionText] = Field([], description="All hold for the one node that gets the role.")
    other_than: Word | None = Field(None, description="A role above: this one is the other node of the pair.")
    operator_may_choose: bool = Field(False, description="The operator is asked where the conditions pick no node.")


class Step(Strict):
    """One step: why, on which role, under which conditions, what is done, how it is proved."""

    id: Word
    title: Prose
    why: Prose = Field(description="What could go wrong without this step, or with it at the wrong time.")
    role: Word
    skip_if: list[ConditionText] = Field([], description="All hold: the step is done already, also while it waits.")
    require: list[ConditionText] = Field([], description="All hold, or nothing is sent.")
    gate: Literal["none", "confirm", "type-name"] = Field(
        "confirm", description="How the operator confirms; none only where nothing is changed."
    )
    do: ActionText | None = Field(None, description="One verb; without it the step only looks.")
    verify: list[ConditionText] = Field([], description="All hold within the deadline, or the step has failed.")
    within: Seconds = Field(30.0, description="Seconds for verify.")
    on_failure: Prose | None = Field(None, description="What the operator is advised to do.")
    if_skipped: Prose | None = Field(None, description="What follows if the operator skips the step.")


class RunbookDocument(Strict):
    """A runbook: roles bound to nodes, and steps."""

    version: Literal[1]
    name: Word
    title: Prose
    summary: Prose
    kind: Literal["keepalived", "sentinel-vip", "sentinel-consul"]
    roles: dict[str, Role]
    require: list[ConditionText] = Field([], description="All hold before the first step.")
    done_if: list[ConditionText] = Field(
        [], description="All hold before the first step: there is nothing to do, and nothing is sent."
    )
    steps: Annotated[list[Step], Field(min_length=1)]
