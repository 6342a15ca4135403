"""No command has a figure in it that changes by itself: the gate would refuse it for a change that is none (H08)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import sample_sets
import samples
from fakes import CLUSTER
from tui_stage import spec_of

from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.engine.actions.commands import CommandContext, PlanError, plan_commands

STATES = (
    samples.failed_over_pair(), samples.split_brain(), samples.stale_master_back(), samples.healthy_pair(),
    samples.in_sync_unprotected(), sample_sets.sentinel_vip_set(), sample_sets.sentinel_consul_set(),
)  # fmt: skip


def later(state):
    """The same cluster a moment later: only figures that change all the time are others."""
    for node in state.nodes:
        redis = node.redis.value
        if redis is None:
            continue
        figures = {
            "used_memory": redis.used_memory + 4_096,
            "ops_per_second": redis.ops_per_second + 3,
            "uptime": redis.uptime + 2,
            "clients": redis.clients + 1,
            "keys": {number: count + 1 for number, count in redis.keys.items()},
        }
        if redis.offset is not None:
            figures["offset"] = redis.offset + 14
        state = samples.with_redis(state, node.name, **figures)
    return replace(state, observed_at=state.observed_at + 2)


def planned(step, state, roles):
    spec = CLUSTER if state.kind == CLUSTER.kind else spec_of(state)
    try:
        return plan_commands(step, state, CommandContext(spec, roles, "RUN-1", "20261121T034000Z"))
    except (PlanError, KeyError) as error:  # KeyError: a director that the sample's inventory does not name
        return type(error)


def test_what_a_step_sends_does_not_change_by_itself():
    verbs = set()
    for runbook in map(load_runbook, sorted(shipped_folder().glob("*.yaml"))):
        for state in (one for one in STATES if one.kind == runbook.kind):
            for nodes in permutations([node.name for node in state.nodes], len(runbook.roles)):
                roles = dict(zip([one.name for one in runbook.roles], nodes, strict=True))
                for step in runbook.steps:
                    now = planned(step, state, roles)
                    assert now == planned(step, later(state), roles), (runbook.name, step.id, roles)
                    if isinstance(now, tuple) and now and step.action is not None:
                        verbs.add(step.action.verb)
    assert {"backup", "replicate", "set-priorities", "start-redis", "stop-keepalived", "promote"} <= verbs
