"""The kind `sentinel-vip`: Sentinels choose the master, and their script moves the virtual IP. LVS serves readers."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.conditions.predicate import Question
from console.core.conditions.sentinel_sets.conversion import unknown_to_sentinels
from console.core.conditions.sentinel_sets.read_vip import read_side_protection
from console.core.conditions.sentinel_sets.set_protection import set_protection
from console.core.diagnosis import reachability, replicas, roles, settings, virtual_ip
from console.core.diagnosis.finding import NextAction
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.watchers import lvs, sentinel
from console.core.kinds.gate_facts import director_facts, sentinel_facts, virtual_ip_facts
from console.core.kinds.kind import Kind
from console.core.model import ClusterState
from console.core.model.verdict import Check
from console.core.replication.backups import restore_runbook
from console.core.watchers.sentinels import agreed_master


def _facts(state: ClusterState) -> Mapping[str, str]:
    return {**virtual_ip_facts(state), **sentinel_facts(state), **director_facts(state)}


def _protection(state: ClusterState) -> tuple[Check, ...]:
    return (*set_protection(state), *read_side_protection(state))


_RETURN = NextAction(runbook="sentinel-return-old-master")
_START_NEWEST = advise("start the Redis that holds the newest data first: the Sentinels make the others follow")
_SETTLE = advise(
    "the Sentinels make a master that they do not name a replica within seconds; if not, look at what they report"
)


def _by_masters(state: ClusterState) -> Mapping[str, NextAction]:
    """The return of a node needs a master that it can follow. A second one settles by itself if a Sentinel knows it."""
    if not state.masters:
        return {"one-shot-rebuild": _START_NEWEST}
    named = agreed_master(state)
    others = [Question(state, state.node(name), {}) for name in state.masters if state.node(name) is not named]
    if named is not None and any(unknown_to_sentinels(one).holds for one in others):
        return {"resolve-dual-master": _RETURN}
    return {}


_NAME = "sentinel-vip"
KIND = Kind(
    name=_NAME,
    description="a master that Sentinels choose, behind a virtual IP that their script moves",
    rules=(
        *reachability.RULES,
        *sentinel.RULES,
        *virtual_ip.RULES,
        *roles.RULES,
        *replicas.RULES,
        *lvs.RULES,
        *settings.RULES,
    ),
    protection=_protection,
    protected="a replica is in sync, and the Sentinels can fail over",
    facts=_facts,
    keepalived_on_nodes=False,
    runbook_replacements={
        "one-shot-rebuild": _RETURN,
        "repair-vip": sentinel.VIP_OF_SENTINELS,
        "initial-build": _START_NEWEST,
        "break-replication-loop": _SETTLE,
        "resume-writes": NextAction(runbook="sentinel-resume-writes"),
        "resolve-dual-master": _SETTLE,
        "restore-backup": NextAction(runbook=restore_runbook(_NAME)),
    },
    state_replacements=_by_masters,
)
