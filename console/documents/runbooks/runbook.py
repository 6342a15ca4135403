"""A runbook: YAML → checked values. Verbs and predicates are closed vocabularies; there is nothing to evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from console.core.model import VrrpState
from console.core.runbooks.document import CANDIDATE, Action, Condition, GateKind, RoleSpec, Runbook, Step
from console.core.runbooks.verb import ArgumentKind, VerbSpec
from console.core.runbooks.verbs import VERBS
from console.core.runbooks.vocabulary import VOCABULARY, ArgumentSpec, ArgumentType, PredicateSpec
from console.documents.document_file import bytes_of
from console.documents.runbooks import model as written
from console.documents.suggestions import suggestion
from console.documents.validation import validated
from console.documents.yaml_text import Document, Location, document_of

Problems = Iterator[tuple[Location, str]]
Scalar = str | int | float | bool


def load_runbook(path: Path) -> Runbook:
    """Reads a runbook. Raises DocumentError: `FILE:LINE: KEY: what is wrong, what to do`."""
    return _runbook_in(path, bytes_of(path))


@lru_cache(maxsize=128)
def _runbook_in(path: Path, data: bytes) -> Runbook:
    """A file that says what it said when it was read last is not parsed again: a runbook never changes."""
    return runbook_of(document_of(path, data))


def runbook_of(document: Document) -> Runbook:
    """A runbook from a document that was read. Raises DocumentError."""
    model = validated(document, written.RunbookDocument, lambda model: list(_contradictions(model)))
    return Runbook(
        name=model.name,
        title=model.title,
        summary=model.summary,
        kind=model.kind,
        roles=tuple(_role(name, role) for name, role in model.roles.items()),
        steps=tuple(_step(step) for step in model.steps),
        require=_conditions(model.require),
        done_if=_conditions(model.done_if),
        digest=document.digest,
        path=str(document.path),
    )


# --- checks that need the whole document --------------------------------------------------------------------------


def _of_conditions(items: Iterable[Any], at: Location, roles: tuple[str, ...], *, candidate: bool = False) -> Problems:
    """`candidate`: they stand in a role's `where`, and the subject is the node that is tried."""
    for index, item in enumerate(items):
        yield from _of_condition(item, (*at, index), roles, candidate=candidate)


def _contradictions(model: written.RunbookDocument) -> Problems:
    names = tuple(model.roles)
    if not names:
        yield ("roles",), "must not be empty: a runbook acts on roles"
    yield from _of_roles(model)
    yield from _of_conditions(model.require, ("require",), names)
    yield from _of_conditions(model.done_if, ("done_if",), names)
    seen: dict[str, int] = {}
    for index, step in enumerate(model.steps):
        at: Location = ("steps", index)
        if step.id in seen:
            yield (*at, "id"), f"{step.id} is the id of step {seen[step.id] + 1} already"
        seen.setdefault(step.id, index)
        if step.role not in names:
            yield (*at, "role"), f"there is no role {step.role}{suggestion(step.role, names)}"
        for key in ("skip_if", "require", "verify"):
            yield from _of_conditions(getattr(step, key), (*at, key), names)
        yield from _of_action(step, at, names)


def _of_roles(model: written.RunbookDocument) -> Problems:
    before: list[str] = []
    for name, role in model.roles.items():
        at: Location = ("roles", name)
        if name == CANDIDATE or not name.replace("-", "").isalnum():
            yield at, f"{name!r} cannot be the name of a role"
        if role.other_than is not None and role.other_than not in before:
            yield (
                (*at, "other_than"),
                f"there is no role {role.other_than} above this one{suggestion(role.other_than, before)}",
            )
        if not role.where and role.other_than is None and not role.operator_may_choose:
            yield at, "can never be bound: give it where, other_than, or operator_may_choose: true"
        yield from _of_conditions(role.where, (*at, "where"), tuple(before), candidate=True)
        before.append(name)


def _of_condition(item: Any, at: Location, roles: tuple[str, ...], *, candidate: bool) -> Problems:
    name, value = _split(item)
    if name is None:
        yield at, "must be a predicate, like `redis-up: survivor` or `in-sync: {subject: returning, source: survivor}`"
        return
    spec = VOCABULARY.get(name)
    if spec is None:
        yield at, f"there is no predicate {name}{suggestion(name, VOCABULARY)}"
        return
    given = _arguments(value)
    yield from _of_subject(spec, given.pop("subject", None), at, roles, candidate=candidate)
    kinds = {one.name: one for one in spec.arguments}
    for key in given:
        if key not in kinds:
            yield at, f"{name} takes no argument {key}{suggestion(str(key), kinds)}"
    for one in spec.arguments:
        if one.name in given:
            yield from _of_value(name, one, given[one.name], at, roles)
        elif one.required:
            yield at, f"{name} needs the argument {one.name}"


def _of_subject(
    spec: PredicateSpec, subject: Any, at: Location, roles: tuple[str, ...], *, candidate: bool
) -> Problems:
    if subject is None:
        if spec.subject and not candidate:
            yield at, f"{spec.name} needs the role that it speaks of: `{spec.name}: ROLE`"
    elif not spec.subject:
        yield at, f"{spec.name} speaks of the whole cluster and takes no role"
    elif subject not in roles:
        yield at, f"there is no role {subject}{suggestion(str(subject), roles)}"


def _of_value(name: str, one: ArgumentSpec, value: Any, at: Location, roles: tuple[str, ...]) -> Problems:
    if one.type is ArgumentType.ROLE and value not in roles:
        yield at, f"there is no role {value}{suggestion(str(value), roles)}"
    elif one.type is ArgumentType.INTEGER and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        yield at, f"{name}: {one.name} must be a whole number, 0 or more"
    elif one.type is ArgumentType.STATE and value not in list(VrrpState):
        yield at, f"{name}: {one.name} must be one of {', '.join(VrrpState)}"


def _of_action(step: written.Step, at: Location, roles: tuple[str, ...]) -> Problems:
    if step.do is None:
        if not step.verify:
            yield at, "does nothing and verifies nothing: give it do or verify"
        return
    here: Location = (*at, "do")
    name, value = _split(step.do)
    spec = VERBS.get(name or "")
    if name is None or spec is None:
        said = f"there is no verb {name}{suggestion(name, VERBS)}" if name else "must be a verb, like start-redis"
        yield here, said
        return
    yield from _of_arguments(spec, value, here, roles)
    gate = GateKind(step.gate)
    if spec.wipes_data and gate is not GateKind.TYPE_NAME:
        yield (*at, "gate"), f"{name} can destroy a data set: its gate must be type-name"
    elif spec.mutating and gate is GateKind.NONE:
        yield (*at, "gate"), f"{name} changes something: its gate must be confirm or type-name"
    if spec.mutating and not step.verify:
        yield at, f"{name} changes something: give it verify, because an answer alone proves nothing"


def _of_arguments(spec: VerbSpec, value: Any, at: Location, roles: tuple[str, ...]) -> Problems:
    if value is not None and not isinstance(value, dict):
        yield at, f"the arguments of {spec.name} must be a mapping, like {{source: survivor}}"
        return
    given: dict[str, Any] = value or {}
    names = [one.name for one in spec.arguments]
    for key in given:
        if key not in names:
            yield at, f"{spec.name} takes no argument {key}{suggestion(key, names)}"
    missing = [one.name for one in spec.arguments if one.required and one.name not in given]
    yield from ((at, f"{spec.name} needs the argument {name}") for name in missing)
    for one in spec.arguments:
        if one.name not in given:
            continue
        if one.kind is ArgumentKind.SECONDS:
            if type(given[one.name]) is not int or given[one.name] < 1:
                yield at, f"{spec.name}: {one.name} must be a whole number of seconds"
        elif not isinstance(given[one.name], str) or not given[one.name].strip():
            yield at, f"{spec.name}: {one.name} must be text"
        elif one.is_role and given[one.name] not in roles:
            yield at, f"there is no role {given[one.name]}{suggestion(given[one.name], roles)}"


def _split(item: Any) -> tuple[str | None, Any]:
    """`name` or `{name: value}`; (None, None) for anything else."""
    if isinstance(item, str):
        return item, None
    if isinstance(item, dict) and len(item) == 1:
        return next(iter(item.items()))
    return None, None


def _arguments(value: Any) -> dict[str, Any]:
    """The short form `predicate: ROLE` written out."""
    if isinstance(value, dict):
        return dict(value)
    return {} if value is None else {"subject": value}


# --- values -------------------------------------------------------------------------------------------------------


def _role(name: str, role: written.Role) -> RoleSpec:
    return RoleSpec(
        name=name,
        description=role.description,
        where=_conditions(role.where, subject=CANDIDATE),
        other_than=role.other_than or "",
        operator_may_choose=role.operator_may_choose,
    )


def _step(step: written.Step) -> Step:
    return Step(
        id=step.id,
        title=step.title,
        why=step.why,
        role=step.role,
        skip_if=_conditions(step.skip_if),
        require=_conditions(step.require),
        gate=GateKind(step.gate),
        action=_action(step.do),
        verify=_conditions(step.verify),
        within=step.within,
        on_failure=step.on_failure or "",
        if_skipped=step.if_skipped or "",
    )


def _conditions(items: Iterable[Any], subject: str = "") -> tuple[Condition, ...]:
    return tuple(_condition(item, subject) for item in items)


def _condition(item: Any, subject: str) -> Condition:
    name, value = _split(item)
    assert name is not None
    given: dict[str, Scalar] = _arguments(value)
    own = str(given.pop("subject", subject if VOCABULARY[name].subject else ""))
    return Condition(predicate=name, subject=own, arguments=given)


def _action(item: Any) -> Action | None:
    name, value = _split(item)
    return None if name is None else Action(verb=name, arguments=dict(value or {}))
