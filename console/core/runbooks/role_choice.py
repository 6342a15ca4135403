"""Whether the nodes that were named for the roles are the cause of a refusal, and which other choice passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from console.core.model import ClusterState
from console.core.model.verdict import Check, Verdict
from console.core.quantities import capital
from console.core.runbooks.binding import role_checks
from console.core.runbooks.document import Condition, Runbook
from console.core.runbooks.interlocks import interlocks
from console.core.runbooks.vocabulary import evaluate

ABOUT_THE_CHOICE = frozenset({"behind-vip", "has-data-if", "not-older-than"})
"""Conditions that a wrong choice of roles fails: clients, or the newest data, are on the other node."""
_OF_DATA = frozenset({"has-data-if", "not-older-than"})
"""Those of them that are about what the node holds."""
_BRINGS_DATA = frozenset({"copy-dump", "replicate"})
"""Verbs that give the step's node the data of another one. What it holds before is no reason against it then."""


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """The choice of roles that passes where the present one does not."""

    roles: Mapping[str, str]
    reason: str
    """What the present choice fails, in one sentence, and which one to take."""


def better_choice(runbook: Runbook, state: ClusterState, roles: Mapping[str, str]) -> RoleChoice | None:
    """The one other choice with the fewest changes that fails nothing; None: the roles fit, or none is better.

    It is asked before anything was sent: later the steps have changed what the roles are chosen by.
    """
    failing = next((check for check in _checks(runbook, state, roles) if check.verdict is Verdict.FAILS), None)
    if failing is None:
        return None
    passing = [one for one in _choices(runbook, state) if _passes(runbook, state, one)]
    changed = [sum(one[role] != node for role, node in roles.items()) for one in passing]
    nearest = [one for one, count in zip(passing, changed, strict=True) if count == min(changed)]
    if len(nearest) != 1:
        return None
    wanted = " and ".join(f"{role} = {node}" for role, node in nearest[0].items())
    reason = f"The roles do not fit. {capital(failing.told)} ({failing.evidence}). Choose {wanted}."
    return RoleChoice(nearest[0], reason)


def what_fails(
    runbook: Runbook, state: ClusterState, chosen: Mapping[str, str], role: str, *, at_the_start: bool = False
) -> str:
    """What fails with these nodes, however the other roles are chosen: the nearest miss. Empty: some choice passes.

    It is what the page judges a choice by before a run is armed, so a node that fits here is not refused there.
    `at_the_start`: only what keeps the run from starting, not what a step of it could still bring about.
    """
    misses: list[tuple[Check, ...]] = []
    for choice in choices_with(runbook, state, chosen):
        checks = [*(() if at_the_start else _checks(runbook, state, choice))]
        checks += (evaluate(one, state, choice) for one in runbook.require)
        failing = tuple(one for one in checks if one.verdict is Verdict.FAILS)
        if not failing:
            return ""
        misses.append(failing)
    nearest = min(misses, key=len, default=())
    first = next(iter(nearest), None)
    return f"{first.told} ({first.evidence})" if first is not None else f"no other node for a role beside {role}"


def choices_with(runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Every choice of nodes that has these ones for their roles."""
    for choice in _choices(runbook, state):
        if all(choice[name] == node for name, node in chosen.items() if name in choice):
            yield choice


def _choices(runbook: Runbook, state: ClusterState) -> Iterator[dict[str, str]]:
    """Every choice of nodes in which no two roles that exclude each other have the same node."""
    names = [node.name for node in state.nodes]
    for nodes in product(names, repeat=len(runbook.roles)):
        choice = {role.name: node for role, node in zip(runbook.roles, nodes, strict=True)}
        if all(choice[role.name] != choice.get(role.other_than) for role in runbook.roles):
            yield choice


def _passes(runbook: Runbook, state: ClusterState, roles: Mapping[str, str]) -> bool:
    """Whether nothing fails, and each role's own conditions hold."""
    return all(check.holds for check in _of_roles(runbook, state, roles)) and not any(
        check.verdict is Verdict.FAILS for check in _checks(runbook, state, roles)
    )


def _checks(runbook: Runbook, state: ClusterState, roles: Mapping[str, str]) -> Iterator[Check]:
    yield from _of_roles(runbook, state, roles)
    yield from (evaluate(one, state, roles) for one in _conditions(runbook, roles))


def _of_roles(runbook: Runbook, state: ClusterState, roles: Mapping[str, str]) -> Iterator[Check]:
    for role in runbook.roles:
        before = {one.name: roles[one.name] for one in runbook.roles if one.name != role.name}
        yield from role_checks(role, state, before, roles[role.name])


def _conditions(runbook: Runbook, roles: Mapping[str, str]) -> Iterator[Condition]:
    """What the runbook and its verbs require of the choice, each condition once.

    Each counts for the role of which it is asked first. What is asked of another role later, the steps before that
    bring about: the runbook moves the virtual IP, or the data, to that node. Another role may have brought its data
    to the same node.
    """
    seen: list[Condition] = []
    first: dict[str, str] = {}
    for one, filled in _wanted(runbook, roles):
        if one.predicate not in ABOUT_THE_CHOICE or (one.predicate in _OF_DATA and roles.get(one.subject) in filled):
            continue
        if one.subject == first.setdefault(one.predicate, one.subject) and one not in seen:
            seen.append(one)
            yield one


def _wanted(runbook: Runbook, roles: Mapping[str, str]) -> Iterator[tuple[Condition, frozenset[str]]]:
    """Each condition of the runbook, with the nodes that have the data of another one by then."""
    filled: frozenset[str] = frozenset()
    yield from ((one, filled) for one in runbook.require)
    for step in runbook.steps:
        yield from ((one, filled) for one in (*step.require, *interlocks(step)))
        if step.action is not None and step.action.verb in _BRINGS_DATA:
            filled |= {roles[step.role]}
