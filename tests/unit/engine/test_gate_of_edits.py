"""The gate of the edit that makes a node start as a replica: it has the loss preview where the node is down."""

from __future__ import annotations

import pytest
import sample_sets as sets
import samples
from fakes import CLUSTER

from console.core.model import Processes, RedisFile, read
from console.documents.runbooks.library import load_runbooks
from console.engine.actions.commands import CommandContext
from console.engine.steps.step_view import view_step

RUNBOOKS = {one.name: one for one in load_runbooks(None).runbooks}
CASES = [
    ("sentinel-return-old-master", sets.sentinel_vip_set(), {"master": sets.WEB01, "returning": sets.WEB02}),
    ("consul-return-old-master", sets.sentinel_consul_set(), {"writable": sets.APP02, "returning": sets.APP01}),
]


@pytest.mark.parametrize(("name", "state", "roles"), CASES, ids=[name for name, *_ in CASES])
def test_before_a_dead_node_starts_as_a_replica_its_gate_says_what_its_disk_would_lose(name, state, roles):
    (follow,) = (one for one in RUNBOOKS[name].steps if one.action and one.action.verb == "set-replicaof")
    nothing = read(Processes(), samples.NOW)
    down = samples.with_node(state, roles["returning"], redis=samples.refused(), processes=nothing)
    context = CommandContext(CLUSTER, roles, "RUN-1", "20261121T034000Z")
    preview = view_step(follow, down, context).preview
    assert preview is not None
    assert preview.target == roles["returning"]
    assert any("disk" in line for line in preview.lines), preview.lines
    assert view_step(follow, state, context).preview is None, "a replica that runs loses nothing by an edit"


@pytest.mark.parametrize(("name", "state", "roles"), CASES, ids=[name for name, *_ in CASES])
def test_where_an_earlier_run_has_edited_the_file_the_gate_of_the_start_says_it(name, state, roles):
    (start,) = (one for one in RUNBOOKS[name].steps if one.action and one.action.verb == "start-redis")
    returning, source = roles["returning"], next(one for role, one in roles.items() if role != "returning")
    down = samples.with_node(state, returning, redis=samples.refused(), processes=read(Processes(), samples.NOW))
    context = CommandContext(CLUSTER, roles, "RUN-1", "20261121T034000Z")

    def preview(master):
        file = read(RedisFile("/etc/redis.conf", master, 9), samples.NOW)
        return view_step(start, samples.with_node(down, returning, redis_file=file), context).preview

    told = preview(f"{state.node(source).address} 6379")
    assert (told.source, told.target) == (source, returning)
    assert any("disk" in line for line in told.lines), told.lines
    assert preview("") is None, "it starts as a master"
