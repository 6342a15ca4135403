"""Conditions about the virtual IP: which node holds it, and which server answers there."""

from __future__ import annotations

from console.core.conditions.predicate import Question, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.model import ClusterState, ProblemKind
from console.core.model.facts import reaches_stranger, vip_holders_in_words
from console.core.model.verdict import Check

SILENT = {ProblemKind.REFUSED, ProblemKind.UNREACHABLE, ProblemKind.TIMEOUT}


def holds_vip(question: Question) -> Check:
    held = _held(question)
    return holds_if(held, f"{question.name} holds {question.state.vip}", _addresses(question, held=held))


def no_vip(question: Question) -> Check:
    held = _held(question)
    advice = "stop its keepalived; if the address stays, it was set by hand, or keepalived was killed"
    return holds_if(
        not held, f"{question.name} does not hold {question.state.vip}", _addresses(question, held=held), advice
    )


def _held(question: Question) -> bool:
    addresses = value_of(question.node.addresses, f"the addresses of {question.name}")
    return any(one.address == question.state.vip for one in addresses)


def _addresses(question: Question, *, held: bool) -> str:
    addresses = value_of(question.node.addresses, f"the addresses of {question.name}")
    if held:
        return (
            f"{question.state.vip} on {next(one.interface for one in addresses if one.address == question.state.vip)}"
        )
    return "its kernel has " + (", ".join(one.address for one in addresses if one.interface != "lo") or "no address")


def only_vip_holder(question: Question) -> Check:
    statement = f"{question.name} alone holds {question.state.vip}"
    others = [one for one in question.state.vip_holders if one != question.name]
    if not _held(question) or others:
        return fails(statement, holders_in_words(question.state), "exactly one node may hold it")
    unread = [one for one in question.state.vip_unread if one != question.name]
    if unread:
        return unknown(statement, f"the addresses of {', '.join(unread)} could not be read")
    return holds(statement, holders_in_words(question.state))


def holders_in_words(state: ClusterState) -> str:
    return f"{state.vip} {vip_holders_in_words(state)}"


def vip_reaches(question: Question) -> Check:
    statement = f"{question.state.vip} reaches the Redis of {question.name}"
    problem = question.state.vip_reach.problem
    if problem is not None and problem.kind is ProblemKind.REFUSED:
        return fails(statement, f"{question.state.vip}: {problem}")
    reach = value_of(question.state.vip_reach, question.state.vip)
    reached = question.state.vip_reaches
    it_is = reached or ("none of the nodes" if reaches_stranger(question.state) else f"not {question.name}")
    figures = f"run_id {reach.run_id[:8]} answers there ({reach.route}), it is {it_is}"
    if reached is None:
        redis_of(question.node)  # if it cannot be read, the other server may be this node
    return holds_if(reached == question.name, statement, figures, "clients write to another server")


def behind_vip(question: Question) -> Check:
    """H04: clients must not write to another node. It also holds if no node has the virtual IP and nothing answers."""
    state = question.state
    statement = f"clients of {state.vip} write to {question.name} or to no node"
    problem = state.vip_reach.problem
    if state.vip_reach.value is not None:
        return _renamed(vip_reaches(question), statement)
    others = [one for one in state.vip_holders if one != question.name]
    if others:
        return fails(statement, holders_in_words(state), f"clients reach {others[0]}: choose it as the source")
    if state.vip_unread:
        return unknown(statement, f"{holders_in_words(state)}; {state.vip}: {problem}")
    if not state.vip_holders and problem is not None and problem.kind in SILENT:
        return holds(statement, f"{holders_in_words(state)}, and nothing answers there: {problem}")
    return unknown(statement, f"{holders_in_words(state)}; {state.vip}: {problem}")


def _renamed(check: Check, statement: str) -> Check:
    return Check(check.verdict, statement, check.evidence, check.advice)
