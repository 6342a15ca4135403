"""Conditions about the virtual IP: which kernel holds it, and which server answers there."""

from __future__ import annotations

from console.core.conditions.spec import Ask, decided, fails, holds, need, redis_of, unknown
from console.core.model import ClusterState, ProblemKind
from console.core.model.verdict import Check

SILENT = {ProblemKind.REFUSED, ProblemKind.UNREACHABLE, ProblemKind.TIMEOUT}


def holds_vip(ask: Ask) -> Check:
    held = _held(ask)
    return decided(held, f"{ask.name} holds {ask.state.vip}", _addresses(ask, held=held))


def no_vip(ask: Ask) -> Check:
    held = _held(ask)
    advice = "stop its keepalived; an address that stays has been set by hand, or its keepalived was killed"
    return decided(not held, f"{ask.name} does not hold {ask.state.vip}", _addresses(ask, held=held), advice)


def _held(ask: Ask) -> bool:
    addresses = need(ask.node.addresses, f"the addresses of {ask.name}")
    return any(one.address == ask.state.vip for one in addresses)


def _addresses(ask: Ask, *, held: bool) -> str:
    addresses = need(ask.node.addresses, f"the addresses of {ask.name}")
    if held:
        return f"{ask.state.vip} on {next(one.interface for one in addresses if one.address == ask.state.vip)}"
    return "its kernel has " + (", ".join(one.address for one in addresses if one.interface != "lo") or "no address")


def only_vip_holder(ask: Ask) -> Check:
    statement = f"{ask.name} alone holds {ask.state.vip}"
    others = [one for one in ask.state.vip_holders if one != ask.name]
    if not _held(ask) or others:
        return fails(statement, holders_in_words(ask.state), "one node, and only one, may hold it")
    unread = [one for one in ask.state.vip_unread if one != ask.name]
    if unread:
        return unknown(statement, f"the addresses of {', '.join(unread)} could not be read")
    return holds(statement, holders_in_words(ask.state))


def holders_in_words(state: ClusterState) -> str:
    unread = f", not known of {', '.join(state.vip_unread)}" if state.vip_unread else ""
    return f"{state.vip} held by {' and '.join(state.vip_holders) or 'no node'}{unread}"


def vip_reaches(ask: Ask) -> Check:
    statement = f"{ask.state.vip} reaches the Redis of {ask.name}"
    problem = ask.state.vip_reach.problem
    if problem is not None and problem.kind is ProblemKind.REFUSED:
        return fails(statement, f"{ask.state.vip}: {problem}")
    reach = need(ask.state.vip_reach, ask.state.vip)
    reached = ask.state.vip_reaches
    figures = f"run_id {reach.run_id[:8]} answers there ({reach.route}), it is {reached or 'none of the nodes'}"
    if reached is None:
        redis_of(ask.node)  # not readable: then the stranger may be this very node
    return decided(reached == ask.name, statement, figures, "clients write elsewhere")


def behind_vip(ask: Ask) -> Check:
    """H04: clients must not be writing to another node. Nobody's VIP with nothing behind it is no such node."""
    state = ask.state
    statement = f"clients of {state.vip} write to {ask.name} or nowhere"
    problem = state.vip_reach.problem
    if state.vip_reach.value is not None:
        return _renamed(vip_reaches(ask), statement)
    others = [one for one in state.vip_holders if one != ask.name]
    if others:
        return fails(statement, holders_in_words(state), f"clients reach {others[0]}: choose it as the source")
    if state.vip_unread:
        return unknown(statement, f"{holders_in_words(state)}; {state.vip}: {problem}")
    if not state.vip_holders and problem is not None and problem.kind in SILENT:
        return holds(statement, f"{holders_in_words(state)}, and nothing answers there: {problem}")
    return unknown(statement, f"{holders_in_words(state)}; {state.vip}: {problem}")


def _renamed(check: Check, statement: str) -> Check:
    return Check(check.verdict, statement, check.evidence, check.advice)
