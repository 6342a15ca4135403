"""The kind `sentinel-consul`: Sentinels choose the master. Clients find it by a service name in Consul."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.conditions.sentinel_sets.set_protection import set_protection
from console.core.diagnosis import reachability, replicas, roles, settings
from console.core.diagnosis.finding import NextAction
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.watchers import consul, sentinel
from console.core.kinds.gate_facts import consul_facts, sentinel_facts
from console.core.kinds.kind import Kind
from console.core.model import ClusterState
from console.core.replication.backups import restore_runbook

_RESUME = NextAction(runbook="consul-resume-writes")

_START_NEWEST = advise("start the Redis that holds the newest data first, then the Sentinel")


def _of_the_masters(state: ClusterState) -> Mapping[str, NextAction]:
    """With several masters the return helps. With one there is nobody to follow. Without any it cannot begin."""
    if not state.masters:
        return {"resume-writes": _RESUME, "one-shot-rebuild": _START_NEWEST}
    back = _return(state)
    returns = dict.fromkeys(("one-shot-rebuild", "resolve-dual-master"), back)
    return {**returns, "resume-writes": back if len(state.masters) > 1 else _RESUME}


def _return(state: ClusterState) -> NextAction:
    """The runbook of the return, or what lets it begin: its first step keeps the node out of the name."""
    silent = consul.told_nothing(state)
    if not silent:
        return consul.RETURN
    return advise(
        f"let Consul answer first ({silent}): a node comes back only while Consul keeps it out of the name; then run"
        f" {consul.RETURN.runbook}"
    )


def _facts(state: ClusterState) -> Mapping[str, str]:
    return {**sentinel_facts(state), **consul_facts(state)}


_NAME = "sentinel-consul"
KIND = Kind(
    name=_NAME,
    description="a master that Sentinels choose, found by a name in Consul",
    rules=(
        *reachability.RULES,
        *consul.RULES,
        *sentinel.RULES,
        *roles.RULES,
        *replicas.RULES,
        *settings.RULES,
    ),
    protection=set_protection,
    protected="a replica is in sync, the Sentinels can fail over, and the name leads to the master",
    facts=_facts,
    keepalived_on_nodes=False,
    runbook_replacements={
        "one-shot-rebuild": consul.RETURN,
        "resolve-dual-master": consul.RETURN,
        "initial-build": _START_NEWEST,
        "resume-writes": _RESUME,
        "restore-backup": NextAction(runbook=restore_runbook(_NAME)),
        "break-replication-loop": advise("look at the Sentinel: it promotes the node that it names"),
    },
    state_replacements=_of_the_masters,
)
