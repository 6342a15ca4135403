"""The master to which keys may be brought, proved by one observation: the only one, and the one that clients reach."""

from __future__ import annotations

from console.core.model import ClusterState, NodeState
from console.core.model.verdict import Check
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import VOCABULARY, evaluate

ROLE = "master"
_ALWAYS = ("only-master", "redis-not-loading", "redis-on-this-host", "writes-accepted")
_BEHIND_VIP = ("vip-reaches",)
_UNDER_SENTINELS = ("sentinels-name", "no-failover-running")
_IN_NAME = ("only-in-name",)


class NoMasterError(Exception):
    """No master can be proved. The text is one line and says what was seen."""


def proofs_of(state: ClusterState, node: NodeState) -> tuple[Check, ...]:
    """What must hold for the node: as the kind of its cluster decides it, by address, Sentinels or name (H04, H18)."""
    names = [*_ALWAYS]
    names += _BEHIND_VIP if state.vip else ()
    names += _UNDER_SENTINELS if state.sentinels else ()
    names += _IN_NAME if state.consul is not None else ()
    asked = [Condition(name, ROLE if VOCABULARY[name].subject else "", {}) for name in names]
    return tuple(evaluate(one, state, {ROLE: node.name}) for one in asked)


def proved_master(state: ClusterState, expected: str = "") -> tuple[NodeState, tuple[Check, ...]]:
    """The master, and what proves it. Raises NoMasterError. `expected`: the node and the run_id that it must be."""
    if not state.masters:
        unread = [one.name for one in state.nodes if not one.redis.ok]
        seen = f"; {' and '.join(unread)} could not be read" if unread else ""
        raise NoMasterError(f"no node of {state.name} is seen as a master{seen}")
    if len(state.masters) > 1:
        raise NoMasterError(f"{' and '.join(state.masters)} are masters: run resolve-dual-master first")
    node = state.node(state.masters[0])
    checks = proofs_of(state, node)
    missing = [one for one in checks if not one.holds]
    if missing:
        said = "; ".join(f"{one.statement}: {one.verdict.value} ({one.evidence})" for one in missing)
        raise NoMasterError(f"{node.name} is not proved to be the master of {state.name}: {said}")
    if expected and identity_of(node) != expected:
        raise NoMasterError(f"the master was {expected}, and is {identity_of(node)} now")
    return node, checks


def identity_of(node: NodeState) -> str:
    """The node and the server that runs there: another process has another run_id."""
    redis = node.redis.value
    return f"{node.name} (run_id {redis.run_id[:12] if redis else 'not known'})"
