from __future__ import annotations

from dataclasses import replace

import pytest
import samples
from fakes import CLUSTER, RUNBOOK, A, B

from console.cli.runs.plain.text import LONGEST
from console.cli.runs.plan import plan_text
from console.core.inventory import ServiceSpec
from console.core.model import RedisFile, read
from console.core.runbooks.verbs import VERBS
from console.documents.runbooks.library import load_runbooks
from console.engine.actions.commands import CommandContext
from console.engine.plan import Prospect, make_plan


def plan(state, survivor=A, returning=B):
    work = CommandContext(CLUSTER, {"survivor": survivor, "returning": returning}, "RUN-ID", "20261121T034000Z")
    return make_plan(RUNBOOK, state, work)


def prospects(made):
    return {one.step.id: one.prospect for one in made.steps}


@pytest.mark.parametrize(
    "state", [samples.failed_over_pair(), samples.stale_master_back(), samples.fresh_pair(), samples.rebuilt_pair()]
)
def test_the_rebuild_could_start_from_each_documented_state(state):
    made = plan(state)
    reasons = [
        (one.number, one.obstacle, [check.check for check in one.checks if check.blocks])
        for one in made.steps
        if one.prospect is Prospect.BLOCKED
    ]
    assert made.could_start, reasons


def test_what_is_done_already_would_be_skipped():
    found = prospects(plan(samples.stale_master_back()))
    assert found["stop-keepalived"] is Prospect.SKIPPED
    assert found["start-returning"] is Prospect.SKIPPED
    assert found["save"] is Prospect.SKIPPED
    assert found["backup"] is Prospect.READY
    assert found["replicate"] is Prospect.LATER
    backed_up = samples.with_backup(samples.stale_master_back(), B)
    assert prospects(plan(backed_up)) == found | {"backup": Prospect.SKIPPED, "replicate": Prospect.READY}


def test_what_needs_an_earlier_step_names_it():
    made = plan(samples.failed_over_pair())
    replicate = next(one for one in made.steps if one.step.id == "replicate")
    assert replicate.prospect is Prospect.LATER
    waiting = [check for check in replicate.checks if check.after]
    assert {check.after for check in waiting} <= set(range(1, replicate.number))
    assert [one.render() for one in replicate.planned] == ["SLAVEOF 192.168.100.201 6379"]
    assert replicate.preview is not None


def test_an_empty_source_blocks():
    made = plan(samples.with_redis(samples.stale_master_back(), A, keys={}))
    assert not made.could_start
    assert prospects(made)["replicate"] is Prospect.BLOCKED


def test_the_wrong_direction_blocks():
    assert not plan(samples.stale_master_back(), survivor=B, returning=A).could_start


UNMOVED = {
    "histories-compared": "it holds wherever both nodes can be read",
    "in-read-tables": "which nodes a director has is its configuration",
    "no-script-steers": "no verb edits a script",
    "no-tilt": "a Sentinel leaves TILT by itself",
    "node-address-not-vip": "an address is the inventory's",
    "not-under-sentinels": "so is who watches the cluster",
    "ssh-readable": "no verb mends a host",
    "unused-by-directors": "the configuration of a director is edited by hand",
    "takes-over-well": "no verb edits one",
    "takes-read-vip": "nor the loopback and the ARP settings of a node",
}
"""What nothing that is sent can change, and why."""


def test_every_predicate_is_moved_by_a_verb_or_by_none_for_a_reason():
    """A plan and a resumed run rely on it: a proof that a later step has overtaken would be waited for in vain."""
    from console.core.runbooks.vocabulary import VOCABULARY

    moved = frozenset[str]().union(*(verb.affects for verb in VERBS.values()))
    assert moved | set(UNMOVED) == set(VOCABULARY)
    assert not moved & set(UNMOVED)


@pytest.mark.parametrize(
    ("name", "state", "roles"),
    [
        ("planned-switchover", samples.rebuilt_pair(), {"old-master": A, "new-master": B}),
        (
            "recover-from-rdb",
            samples.with_node(
                samples.failed_over_pair(),
                B,
                redis_file=read(RedisFile("/etc/redis.conf", "", dir="/data/redis", dbfilename="dump6379.rdb"), 0),
            ),
            {"survivor": A, "returning": B, "master": B, "replica": A},
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_is_held_back_in_a_plan_can_be_resumed_in_it(name, state, roles):
    (book,) = [one for one in load_runbooks(None).runbooks if one.name == name]
    made = make_plan(book, state, CommandContext(CLUSTER, roles, "RUN-ID", "20261121T034000Z"))
    assert made.could_start, [
        (one.number, one.obstacle, [check.check for check in one.checks if check.blocks])
        for one in made.steps
        if one.prospect is Prospect.BLOCKED
    ]
    resumed = next(one for one in made.steps if one.step.id == "resume-writes")
    assert [command.render() for command in resumed.planned] == ["CONFIG SET min-replicas-to-write 0", "CLIENT UNPAUSE"]


PAIR_STATES = {
    name: make
    for name, make in vars(samples).items()
    if name.endswith("_pair") or name in ("stale_master_back", "split_brain", "in_sync_unprotected")
}
PAIR_BOOKS = [one for one in load_runbooks(None).runbooks if one.kind == "keepalived"]


def plan_of(book, state):
    names = iter((A, B))
    roles = {one.name: next(names, A) for one in book.roles}
    return make_plan(book, PAIR_STATES[state](), CommandContext(CLUSTER, roles, "RUN-ID", "20261121T034000Z"))


@pytest.mark.parametrize("state", PAIR_STATES)
@pytest.mark.parametrize("book", PAIR_BOOKS, ids=lambda one: one.name)
def test_every_step_of_every_runbook_is_told_and_those_that_wait_say_for_which(book, state):
    made = plan_of(book, state)
    told = "\n".join(plan_text(made))
    assert len(made.steps) == len(book.steps)
    for one in made.steps:
        assert f"== {one.number}/{len(book.steps)} {one.step.id}: " in told
        assert (one.prospect is Prospect.LATER) is (one.depends_on is not None)
        if one.depends_on is not None:
            assert 1 <= one.depends_on < one.number
            earlier = made.steps[one.depends_on - 1]
            assert earlier.prospect is not Prospect.SKIPPED, "a step that would not run changes nothing"
        if one.obstacle:
            assert one.prospect in (Prospect.BLOCKED, Prospect.LATER)
    later = [one for one in made.steps if one.depends_on is not None]
    assert told.count("cannot be judged yet: depends on step") == len(later)


def test_an_obstacle_that_no_step_can_take_away_blocks():
    """The inventory has no command for it: that is so after every step, too."""
    service = replace(CLUSTER.nodes[1].redis, service=ServiceSpec(status="x"))
    nodes = (CLUSTER.nodes[0], replace(CLUSTER.nodes[1], redis=service))
    work = CommandContext(replace(CLUSTER, nodes=nodes), {"survivor": A, "returning": B}, "RUN-ID", "20261121T034000Z")
    made = make_plan(RUNBOOK, samples.failed_over_pair(), work)
    (blocked,) = [one for one in made.steps if one.prospect is Prospect.BLOCKED]
    assert blocked.step.id == "start-returning"
    assert blocked.obstacle


@pytest.mark.parametrize("state", PAIR_STATES)
@pytest.mark.parametrize("book", PAIR_BOOKS, ids=lambda one: one.name)
def test_a_plan_is_short_and_begins_with_what_matters(book, state):
    made = plan_of(book, state)
    told, whole = list(plan_text(made, scripts=False)), "\n".join(plan_text(made))
    assert (told[0] == "nothing to do: protected") == (made.nothing_to_do and made.protected)
    assert told[0].startswith("nothing to do") == made.nothing_to_do
    assert "; none; " not in "\n".join(told)
    for planned in (one for step in made.steps for one in step.planned):
        lines = planned.render().splitlines()
        assert all(one.strip() in whole for one in lines)
        if len(lines) > LONGEST:
            assert "\n".join(f"    {one}".rstrip() for one in lines) not in "\n".join(told)
            assert any(f"a script of {len(lines)} lines" in " ".join(one.split()) for one in told)
