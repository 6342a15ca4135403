"""The kind `keepalived`: a master and its replica behind a virtual IP that keepalived moves."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.conditions.pair_protection import survival_checks
from console.core.diagnosis import races, reachability, replicas, roles, settings, virtual_ip, vrrp
from console.core.diagnosis.finding import NextAction
from console.core.diagnosis.keepalived_conf import keepalived_files, script_security, vrrp_agreement
from console.core.diagnosis.next_actions import RECOVER, RESOLVE, SAFE_RETURN, advise
from console.core.diagnosis.roles import others_are_aside
from console.core.keepalived.running_scripts import (
    lacks_promotion_script,
    new_master_would_follow,
    scripts_attach_replicas,
)
from console.core.kinds.gate_facts import virtual_ip_facts
from console.core.kinds.kind import Kind
from console.core.model import ClusterState


def _instead_of_rebuild(state: ClusterState) -> Mapping[str, NextAction]:
    """The runbook that fits where the rebuild does not.

    With a split between two masters the rebuild is refused at its SLAVEOF: the split is ended first. For pairs whose
    scripts change replication by themselves, it is a runbook that keeps them from it. If no script can promote the
    returning node, it is the runbook that gives it the role: as a replica it would protect nothing. Both need a master
    that serves. No runbook starts the keepalived of a master whose own script would let it follow the other node (H10).
    So a human does.
    """
    if len(state.masters) > 1 and not others_are_aside(state):
        return {"one-shot-rebuild": RESOLVE}
    if not scripts_attach_replicas(state):
        return {}
    if not state.masters and any(node.redis.ok for node in state.nodes):
        first = "a node has to be the master before the other one can be rebuilt: see what the findings say of that"
        return {"one-shot-rebuild": advise(first)}
    returns = RECOVER if lacks_promotion_script(state) else SAFE_RETURN
    if _nobody_starts(state):
        return dict.fromkeys(("initial-build", "repair-vip", "one-shot-rebuild"), _alone(returns))
    return {"one-shot-rebuild": returns}


def _nobody_starts(state: ClusterState) -> bool:
    """Whether no keepalived runs on a node that is or could be the master, and its script is in the way of a start."""
    nodes = [state.node(name) for name in state.masters] or state.nodes
    running = [one.keepalived.value is None or one.keepalived.value.running for one in nodes]
    return not any(running) and all(map(new_master_would_follow, nodes))


def _alone(returns: NextAction) -> NextAction:
    return advise(
        "stop Redis and keepalived of the other node: the script of a new master follows any other Redis that answers;"
        " start Redis and then keepalived on the node with the newest data; once it is the master with the virtual IP,"
        f" run {returns.runbook}"
    )


KIND = Kind(
    name="keepalived",
    description="a pair behind a virtual IP that keepalived moves",
    rules=(
        *reachability.RULES,
        *races.RULES,
        *virtual_ip.RULES,
        *roles.RULES,
        *replicas.RULES,
        *vrrp.RULES,
        *vrrp_agreement.RULES,
        *keepalived_files.RULES,
        *script_security.RULES,
        *settings.RULES,
    ),
    protection=survival_checks,
    protected="the replica is in sync, and both keepaliveds are in their places",
    facts=virtual_ip_facts,
    state_replacements=_instead_of_rebuild,
)
