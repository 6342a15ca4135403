"""What a step advises fits the kind of cluster: no runbook of another kind is named."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
import sample_sets as sets
import samples
from fakes import CLUSTER, B

from console.core.model import DataForm
from console.core.runbooks.verbs import VERBS
from console.documents.runbooks.library import load_runbooks
from console.engine.actions.backup import how_to_restore
from console.engine.steps.remedies import remedies

RUNBOOKS = load_runbooks(None).runbooks
KIND_OF = {one.name: one.kind for one in RUNBOOKS}
STEPS = [pytest.param(one, step, id=f"{one.name}: {step.id}") for one in RUNBOOKS for step in one.steps if step.action]


def named(text: str) -> set[str]:
    return {name for name in KIND_OF if re.search(rf"(?<![\w-]){name}(?![\w-])", text)}


@pytest.mark.parametrize(("runbook", "step"), STEPS)
def test_remedies_name_runbooks_of_the_same_kind(runbook, step):
    verb = VERBS.get(step.action.verb)
    if verb is None:
        return
    text = "\n".join(remedies(step, verb, None, repeatable=True, kind=runbook.kind))
    assert {KIND_OF[name] for name in named(text)} <= {runbook.kind}, text


@pytest.mark.parametrize("kind", ["keepalived", "sentinel-vip"])  # the third has no address for these verbs to move
@pytest.mark.parametrize("verb", [one for one in VERBS.values() if one.undo], ids=lambda one: one.name)
def test_no_verb_is_taken_back_by_a_runbook_of_another_kind(kind, verb):
    step = replace(RUNBOOKS[0].steps[0], on_failure="")
    text = "\n".join(remedies(step, verb, None, repeatable=False, kind=kind))
    assert "take it back: " in text
    assert {KIND_OF[name] for name in named(text)} <= {kind}, text


def test_a_backup_is_put_back_as_its_kind_of_cluster_allows():
    path = "/data/redis/dump.rdb.redis-ha-console.20261121T034000Z"

    def request(state, name):
        context = SimpleNamespace(cluster=CLUSTER, run_id="RUN-1")
        return SimpleNamespace(node=replace(CLUSTER.node(B), name=name), state=state, context=context)

    pair = "\n".join(how_to_restore(request(samples.stale_master_back(), B), path))
    assert "redis-ha-console run restore-backup cache --bind target=redis-b" in pair
    for state, name in ((sets.sentinel_vip_set(), sets.WEB02), (sets.sentinel_consul_set(), sets.APP01)):
        text = "\n".join(how_to_restore(request(state, name), path))
        assert {KIND_OF[one] for one in named(text)} == {state.kind}, text
        assert "how to get it back" in text
        assert f"redis-ha-console runs replay RUN-1 --backup {path}" in text
        assert "--dir /data/redis --dbfilename dump.rdb.redis-ha-console.20261121T034000Z" in text
        assert "--save ''" in text


@pytest.mark.parametrize("form", [DataForm.AOF, DataForm.AOF_FOLDER])
def test_an_append_only_file_is_read_from_a_copy_of_it(form):
    path = "/data/redis/appendonly.aof.redis-ha-console.20261121T034000Z"
    state = sets.sentinel_vip_set()
    work = SimpleNamespace(cluster=CLUSTER, run_id="RUN-1")
    asked = SimpleNamespace(node=replace(CLUSTER.node(B), name=sets.WEB02), state=state, context=work)
    text = "\n".join(how_to_restore(asked, path, form))
    assert f"cp -a {path} read-it/appendonly.aof" in text
    assert '--dir "$PWD/read-it"' in text, "a server with AOF on writes to its files"
    assert "--dir /data/redis" not in text
