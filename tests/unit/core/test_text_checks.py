"""What the text of a step requires on an observation: the interlocks of the verb, a sentence, and kept data."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets
import samples

from console.core.model import Role
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Action, Condition, Step
from console.core.runbooks.hazards.table import override_sentence
from console.core.runbooks.interlocks import interlocks
from console.core.runbooks.shell.checks import text_checks, text_follow
from console.core.runbooks.shell.reading import read_shell

A, B = samples.A, samples.B
ADDRESS_A, ADDRESS_B = samples.ADDRESS[A], samples.ADDRESS[B]
RUN = "20261121T034000Z-cache-own-3f2a"
IN_THE_FIELD = 74
"""Letters that the field of a sentence shows at 80 columns."""
ROLES = {"node": B, "other": A}
SAME = {
    f"redis-cli slaveof {ADDRESS_A} 6379": ("replicate", {"source": "other"}),
    "redis-cli slaveof no one": ("promote", {}),
    "redis-cli shutdown": ("stop-redis", {}),
    "systemctl start redis": ("start-redis", {}),
    "systemctl stop redis": ("stop-redis", {}),
    "systemctl start keepalived": ("start-keepalived", {}),
    "systemctl stop keepalived": ("stop-keepalived", {}),
    "systemctl restart keepalived": ("restart-keepalived", {}),
    "systemctl reload keepalived": ("reload-keepalived", {}),
    "redis-cli bgsave": ("save-dump", {}),
    "redis-cli client pause 100": ("pause-writes", {}),
    "redis-cli client unpause": ("resume-writes", {}),
}
"""Text → the verb that does the same."""


def step(text, verb="shell"):
    argument = "script" if verb == "shell" else "instruction"
    return Step("act", "title", "why", "node", action=Action(verb, {argument: text}))


def asked(text, state=None, roles=None, verb="shell", run=RUN):
    state = samples.stale_master_back() if state is None else state
    return text_checks(step(text, verb), state, ROLES if roles is None else roles, run)


def sentence(found):
    return override_sentence([one.check for one in found], None)


@pytest.mark.parametrize("verb", ["shell", "manual"])
@pytest.mark.parametrize("text", SAME)
def test_the_text_asks_everything_that_the_verb_asks(text, verb):
    name, arguments = SAME[text]
    wanted = interlocks(Step("act", "title", "why", "node", action=Action(name, arguments)))
    found = [one.condition for one in asked(f"`{text}`" if verb == "manual" else text, verb=verb) if one.condition]
    keys = {(one.predicate, one.subject, str(one.arguments)) for one in found}
    assert {(one.predicate, one.subject, str(one.arguments)) for one in wanted} <= keys
    assert not sentence(asked(text)), "a text that is understood needs no sentence, and gets none"


def test_a_node_without_a_role_is_judged_all_the_same():
    found = asked(f"redis-cli slaveof {ADDRESS_A} 6379", roles={"node": B})
    behind = [one.check for one in found if one.condition and one.condition.predicate == "behind-vip"]
    assert [one.statement for one in behind] == [f"clients of {samples.VIP} write to redis-a or to no node"]


def test_the_server_that_is_reached_is_judged_and_not_the_node_where_the_text_runs():
    found = asked(f"redis-cli -h {ADDRESS_A} shutdown")
    assert Condition("clients-can-do-without", "other") in [one.condition for one in found]
    assert any(one.check.verdict is Verdict.FAILS for one in found), "redis-a is the only one that serves"
    local = asked("redis-cli -h 127.0.0.1 shutdown")
    assert Condition("clients-can-do-without", "node") in [one.condition for one in local]


@pytest.mark.parametrize(
    "text",
    [
        f"redis-cli -h {samples.VIP} shutdown",
        "redis-cli -h 10.99.99.99 shutdown",
        "redis-cli -p 7000 shutdown",
        f"redis-cli -h {ADDRESS_A} -p 7000 flushall",
    ],
)
def test_a_server_that_is_no_node_counts_as_not_understood(text):
    assert any(one.check.override for one in asked(text))


@pytest.mark.parametrize("source", [samples.VIP, "10.99.99.99", "127.0.0.1", ADDRESS_B, "$MASTER"])
def test_only_another_node_is_a_source(source):
    found = asked(f"redis-cli slaveof {source} 6379")
    assert any(not one.check.holds and not one.check.override for one in found)
    assert not sentence(found), "no sentence takes that"
    assert text_follow(step(f"redis-cli slaveof {source} 6379"), samples.stale_master_back(), ROLES) is None


def test_the_preview_is_that_of_the_nodes_that_the_text_names():
    state = samples.stale_master_back()
    assert text_follow(step(f"redis-cli slaveof {ADDRESS_A} 6379"), state, ROLES) == (A, B)
    assert text_follow(step(f"redis-cli -h {ADDRESS_A} slaveof {ADDRESS_B} 6379"), state, ROLES) == (B, A)
    assert text_follow(step("uptime"), state, ROLES) is None


@pytest.mark.parametrize("text", ["uptime", "df -h; redis-cli info >/dev/null", ""])
def test_a_text_that_changes_nothing_asks_for_nothing(text):
    assert asked(text) == ()
    assert asked("Replace the disk of the node.", verb="manual") == ()


# --- text that is not understood ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["shell", "manual"])
@pytest.mark.parametrize(
    ("state", "node", "served"),
    [
        (samples.healthy_pair(), B, "serves clients"),
        (samples.healthy_pair(), A, "serves no clients"),
        (samples.rebuilt_pair(), A, "serves clients"),
        (sample_sets.sentinel_consul_set(), sample_sets.APP02, "serves clients"),
        (sample_sets.sentinel_consul_set(), sample_sets.APP01, "serves no clients"),
    ],
)
def test_it_needs_a_sentence_that_says_whether_clients_are_served_there(state, node, served, verb):
    text = "`./repair.sh`" if verb == "manual" else "./repair.sh"
    found = asked(text, state, {"node": node}, verb)
    assert sentence(found) == f"I know what this text does on {node}, which {served}"
    assert len(sentence(found)) <= IN_THE_FIELD
    failing = [one.check for one in found if not one.check.holds]
    assert "./repair.sh" in failing[0].evidence


@pytest.mark.parametrize(
    "state",
    [
        samples.failed_over_pair(),
        samples.unreachable_node(),
        samples.syncing_pair(),
        samples.with_redis(samples.stale_master_back(), B, loading=True),
    ],
)
def test_it_is_refused_on_the_only_node_that_has_the_data(state):
    found = asked("./repair.sh", state, {"node": A})
    assert any(one.check.hazard == "H25" and not one.check.holds for one in found)
    assert sentence(found) == "", "no sentence takes that"


BEGUN = 1_795_232_400.0
"""The time in the name of the run."""


def copied(stamp="20261121T034500Z", modified=BEGUN + 60, **more):
    """redis-a, which alone has the data, changes all the time. A copy of its dump was made."""
    state = samples.with_persistence(samples.failed_over_pair(), A, changes_since_save=7)
    path = f"/var/lib/redis/dump.rdb.redis-ha-console.{stamp}"
    return samples.with_backup(state, A, path=path, modified=modified, **more)


@pytest.mark.parametrize(
    ("state", "opens"),
    [
        (copied(), True),
        (copied("20261121T034000Z", BEGUN), True),
        (copied("20261121T033959Z"), False),
        (copied(modified=BEGUN - 3600), False),
        (copied(origin=B), False),
    ],
    ids=["saved and copied by this run", "at its begin", "by an earlier run", "of an older dump", "of another node"],
)
def test_only_a_backup_that_this_run_has_made_of_its_data_opens_the_way(state, opens):
    assert bool(sentence(asked("./repair.sh", state, {"node": A}))) == opens
    assert not sentence(asked("./repair.sh", state, {"node": A}, run="RUN-ID")), "a plan has no run"


@pytest.mark.parametrize("changed", [{"uptime": 5}, {"role": Role.REPLICA}])
def test_a_copy_of_this_run_does_not_count_for_a_data_set_that_came_after_it(changed):
    """It was started again, or has become a replica: what was saved for the copy may be something else."""
    state = samples.with_redis(copied(), A, **changed)
    assert not sentence(asked("./repair.sh", state, {"node": A}))


def test_what_was_written_after_the_copy_is_told():
    (kept,) = (one.check for one in asked("./repair.sh", copied(), {"node": A}) if one.check.hazard == "H25")
    assert "7 changes since the last save are not in it" in kept.evidence


def test_a_copy_of_an_older_dump_counts_where_nothing_has_changed_since():
    state = samples.failed_over_pair()
    path = f"{state.node(B).dump.value.path}.redis-ha-console.20261121T034500Z"
    assert sentence(asked("./repair.sh", samples.with_backup(state, B, path=path), {"node": B}))


def test_every_node_that_the_text_names_is_asked_about():
    state = samples.failed_over_pair()
    for text in (f"ssh {ADDRESS_A} reboot", f"ssh {A} reboot", f"redis-cli -h {samples.VIP} eval x 0"):
        found = asked(text, state, {"node": B})
        assert f"another node, or a backup of this run, has the data of {A}" in [one.check.statement for one in found]
        assert not sentence(found), text


def test_an_empty_node_has_nothing_to_lose():
    state = samples.with_redis(samples.stale_master_back(), B, keys={})
    assert sentence(asked("./repair.sh", state, {"node": B}))


def test_one_that_is_down_keeps_its_dump():
    down = samples.failed_over_pair()
    assert not sentence(asked("./repair.sh", down, {"node": B})), "its dump may hold what nobody else has"
    path = f"{down.node(B).dump.value.path}.redis-ha-console.20261121T030000Z"
    copied = samples.with_backup(down, B, path=path)
    assert sentence(asked("./repair.sh", copied, {"node": B}))


def test_what_cannot_be_read_is_neither_served_nor_kept():
    state = samples.healthy_pair()
    silent = samples.unreachable_node()
    gone = replace(state, nodes=tuple(silent.node(one.name) if one.name == B else one for one in state.nodes))
    found = asked("./repair.sh", gone, {"node": A})
    assert {one.check.verdict for one in found if not one.check.override} <= {Verdict.UNKNOWN, Verdict.HOLDS}


@pytest.mark.parametrize("text", ["redis-cli client pause 999999999 all", "redis-cli client pause soon"])
def test_a_pause_without_an_end_in_sight_is_not_understood(text):
    assert read_shell(text).unclear
    assert not read_shell("redis-cli client pause 100").unclear
