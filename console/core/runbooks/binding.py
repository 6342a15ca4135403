"""Which node has which role: the only one that fits all of its conditions, else the one that the operator names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.runbooks.document import RoleSpec, Runbook
from console.core.runbooks.vocabulary import evaluate


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a node fits a role, or does not."""

    words: str
    node: str = ""
    """The node that it is about; empty: a node that was named and may not be taken."""

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Unbound:
    """A role for which no node fits, or several."""

    role: str
    candidates: tuple[str, ...]
    """Nodes that the operator may choose from. Empty: none fits, and the run cannot begin."""
    reasons: tuple[Reason, ...]
    """Why each node fits or does not."""


def bind_roles(runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]) -> Mapping[str, str] | Unbound:
    """Role → node for every role of the runbook, in its order. `chosen`: what the operator has named so far.

    A chosen node must fit like any other, unless the role says that the operator may choose. Then any node without
    another role is accepted, and the runbook's own requirements decide.
    """
    bound, unbound = _bound(runbook, state, chosen)
    return bound if unbound is None else unbound


def roles_so_far(runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Role → node, for the roles before the first one that is not bound."""
    return _bound(runbook, state, chosen)[0]


def _bound(
    runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]
) -> tuple[Mapping[str, str], Unbound | None]:
    bound: dict[str, str] = {}
    for role in runbook.roles:
        found = _bind(role, state, bound, chosen.get(role.name))
        if isinstance(found, Unbound):
            return bound, found
        bound[role.name] = found
    return bound, None


def bindable(runbook: Runbook, state: ClusterState) -> bool:
    """Whether its roles are bound by this observation, or could be by the operator's choice."""
    found = bind_roles(runbook, state, {})
    return not isinstance(found, Unbound) or bool(found.candidates)


def _bind(role: RoleSpec, state: ClusterState, bound: Mapping[str, str], chosen: str | None) -> str | Unbound:
    taken = {bound[role.other_than]} if role.other_than in bound else set()
    free = [node.name for node in state.nodes if node.name not in taken]
    answers = {name: role_checks(role, state, bound, name) for name in free}
    fitting = [name for name in free if all(check.holds for check in answers[name])]
    reasons = tuple(_reason(name, answers[name]) for name in free)
    if chosen is not None:
        allowed = free if role.operator_may_choose else fitting
        if chosen in allowed:
            return chosen
        why = "" if chosen in {node.name for node in state.nodes} else f"{chosen} is no node of {state.name}"
        if chosen in taken:
            why = f"{chosen} is {role.other_than} already"
        return Unbound(role.name, tuple(allowed), (Reason(why), *reasons) if why else reasons)
    if len(fitting) == 1:
        return fitting[0]
    return Unbound(role.name, tuple(free if role.operator_may_choose else fitting), reasons)


def role_checks(role: RoleSpec, state: ClusterState, bound: Mapping[str, str], name: str) -> tuple[Check, ...]:
    """The role's conditions, evaluated for this node, whatever the conditions call their subject."""
    roles = {**bound, role.name: name, "node": name, "": name}
    return tuple(
        evaluate(replace(one, subject=one.subject if one.subject in bound else role.name), state, roles)
        for one in role.where
    )


def _reason(name: str, checks: tuple[Check, ...]) -> Reason:
    against = [check for check in checks if not check.holds]
    if not against:
        return Reason(f"{name} fits", name)
    told = "; ".join(f"{one.told} ({one.evidence})" for one in against)
    return Reason(f"{name}: {told}", name)
