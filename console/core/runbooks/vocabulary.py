"""The closed vocabulary of conditions: what a runbook may require, skip on, verify, or bind a role by.

A predicate is a function in `console.core.conditions` and a row in the table of its subject in `predicates`. Every
answer is HOLDS, FAILS or UNKNOWN. What could not be read is UNKNOWN, never down (H28).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from console.core.conditions.predicate import ArgumentSpec, ArgumentType, PredicateSpec, Question, UnreadError, Value
from console.core.conditions.sentinel_sets import service_name, set_protection
from console.core.model import ClusterState
from console.core.model.verdict import Check, Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.predicates import (
    backups,
    conversion,
    next_start,
    replication,
    servers,
    switching,
    taking_over,
    virtual_ip,
    watchers,
)

__all__ = ["VOCABULARY", "ArgumentSpec", "ArgumentType", "PredicateSpec", "evaluate"]

_ROWS: tuple[PredicateSpec, ...] = (
    *servers.ROWS,
    *virtual_ip.ROWS,
    *replication.ROWS,
    *taking_over.ROWS,
    *backups.ROWS,
    *next_start.ROWS,
    *switching.ROWS,
    *set_protection.ROWS,
    *service_name.ROWS,
    *watchers.ROWS,
    *conversion.ROWS,
)

VOCABULARY: Mapping[str, PredicateSpec] = {spec.name: spec for spec in _ROWS}


def evaluate(condition: Condition, state: ClusterState, roles: Mapping[str, str]) -> Check:
    """The condition's answer on this observation, `roles` being role → node. Never raises."""
    spec = VOCABULARY.get(condition.predicate)
    if spec is None:
        return Check(Verdict.UNKNOWN, condition.predicate, "no such predicate", "see `runbooks check`")
    asked = f"{condition.predicate} of {condition.subject}" if condition.subject else condition.predicate
    try:
        check = spec.rule(_ask(spec, condition, state, roles))
    except UnreadError as unread:
        check = Check(unread.verdict, _statement(spec, condition, roles), str(unread), unread.advice)
    except (KeyError, ValueError) as error:
        check = Check(Verdict.UNKNOWN, asked, f"the question cannot be asked: {error}", "see `runbooks check`")
    return Check(check.verdict, check.statement, check.evidence, check.advice, spec.hazard, check.override)


def _ask(spec: PredicateSpec, condition: Condition, state: ClusterState, roles: Mapping[str, str]) -> Question:
    subject = state.node(roles[condition.subject]) if spec.subject else None
    values: dict[str, Value] = {one.name: one.default for one in spec.arguments if one.default is not None}
    for argument in spec.arguments:
        if argument.name in condition.arguments:
            value = condition.arguments[argument.name]
            values[argument.name] = roles[str(value)] if argument.is_role else value
        elif argument.required:
            raise KeyError(argument.name)
    return Question(state, subject, values)


def _statement(spec: PredicateSpec, condition: Condition, roles: Mapping[str, str]) -> str:
    """What is asked, where the rule could not begin: its sentence with the names of the nodes."""
    named = {"node": roles.get(condition.subject, condition.subject)} if spec.subject else {}
    named |= {role: name for role in spec.roles if (name := roles.get(str(condition.arguments.get(role, ""))))}
    text = spec.doc.rstrip(".")
    for word, name in named.items():
        text = re.sub(rf"\b[Tt]he {word}\b", name, text)
    return text
