from __future__ import annotations

import pytest
import samples
from fakes import CLUSTER, RUNBOOK, A, B

from console.core.model import RedisFile, read
from console.core.runbooks.verbs import VERBS
from console.documents.runbook_library import load_runbooks
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
    "no-tilt": "a Sentinel leaves TILT by itself",
    "node-address-not-vip": "an address is the inventory's",
    "not-under-sentinels": "so is who watches the cluster",
    "quorum-reachable": "no verb starts a Sentinel",
    "ssh-readable": "no verb mends a host",
    "takes-over-well": "no verb edits a script",
    "unused-by-directors": "the configuration of a director is edited by hand",
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
