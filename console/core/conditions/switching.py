"""Conditions of moving the role of the master: who has everything, whose writes are held, who has caught up exactly."""

from __future__ import annotations

from console.core.conditions.spec import Ask, fails, holds, redis_of, unknown
from console.core.history import COMPARE, ancestry
from console.core.predicate import Check, Verdict


def newest(ask: Ask) -> Check:
    """H03: by the histories, and not by the roles, which tell nothing where nobody is a master."""
    statement = f"no other node holds anything that {ask.name} has not"
    redis_of(ask.node)
    reasons = []
    for other in ask.state.nodes:
        if other is ask.node:
            continue
        found = ancestry(ask.state, ask.node, other)
        if found.verdict is Verdict.FAILS:
            return fails(statement, found.reason, f"choose {other.name}, or {COMPARE}")
        if found.verdict is Verdict.UNKNOWN:
            return unknown(statement, found.reason, COMPARE)
        reasons.append(found.reason)
    return holds(statement, "; ".join(reasons))
