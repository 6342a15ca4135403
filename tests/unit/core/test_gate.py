from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.command import Identity
from console.core.model import ProblemKind, unread
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.document import Condition, RoleSpec, Runbook, Step
from console.core.runs.gate import differences, digest, evidence, identity, known, material, unread_facts

ROLES = {"survivor": s.A, "returning": s.B}
BACK = s.stale_master_back()


def facts(state):
    return material(state, ROLES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (s.with_redis(BACK, s.B, run_id="d" * 40), "redis-b: run_id"),
        (s.with_redis(BACK, s.A, role=s.Role.REPLICA), "redis-a: role: was master, is replica now"),
        (s.with_redis(BACK, s.A, keys={}), "redis-a: data set: was holds keys, is empty now"),
        (s.with_priority(BACK, s.B, 137), "redis-b: priority: was 139, is 137 now"),
        (s.with_vip(BACK, s.B, held=True), "redis-b: holds the VIP: was no, is yes now"),
        (s.with_script_running(BACK, s.A), "redis-a: scripts running: was none"),
        (s.with_keepalived(BACK, s.B, running=True), "redis-b: keepalived: was stopped"),
        (s.failed_over_pair(), "redis-b: Redis: was answers, is does not run now"),
        (s.syncing_pair(), "redis-b: follows: was nobody, is 192.168.100.201:6379 now"),
    ],
)
def test_what_changed_is_told_in_a_line(change, words):
    lines = differences(facts(BACK), facts(change))
    assert any(line.startswith(words) for line in lines), lines
    assert digest(facts(BACK)) != digest(facts(change))


@pytest.mark.parametrize(
    "moved",
    [
        s.with_redis(BACK, s.A, offset=99_999, ops_per_second=900, clients=7, uptime=90_000, keys={0: 11}),
        s.stale_master_back(s.NOW + 60),
        s.with_script_running(BACK, s.A, "/etc/keepalived/scripts/redis_check.sh"),
    ],
)
def test_what_moves_by_itself_closes_no_gate(moved):
    assert differences(facts(BACK), facts(moved)) == ()
    assert digest(facts(BACK)) == digest(facts(moved))


def test_what_could_not_be_read_again_is_told_apart_from_what_changed():
    silent = facts(s.with_node(BACK, s.B, redis=unread(ProblemKind.TIMEOUT)))
    assert differences(facts(BACK), silent) == ()
    assert unread_facts(facts(BACK), silent) == (
        "redis-b: Redis: was answers, could not be read again (not known: no answer in time)",
    )
    assert unread_facts(silent, facts(BACK)) == ("redis-b: Redis: was not known: no answer in time, is answers now",)
    assert digest(facts(BACK)) != digest(silent)


def test_a_redis_that_answers_and_is_of_no_known_node_was_read():
    silent = s.with_node(BACK, s.A, redis=unread(ProblemKind.TIMEOUT))
    nothing, somebody = replace(silent, vip_reach=unread(ProblemKind.TIMEOUT)), silent
    assert facts(somebody)["VIP reaches"].startswith("not known whose Redis")
    assert [one.split(":")[0] for one in unread_facts(facts(nothing), facts(somebody))] == ["VIP answers with"]


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_the_digest_is_of_the_facts_and_not_of_their_order(one, two):
    assert digest(one) == digest(dict(reversed(one.items())))
    assert differences(one, one) == ()
    changed = {key for key in {*one, *two} if key in one and key in two and one[key] != two[key]}
    assert len(differences(one, two)) == len(
        changed - {key for key in changed if not (known(one, key) and known(two, key))}
    )


def test_identity_is_what_was_read():
    assert identity(BACK.node(s.B)) == Identity(s.B, "boot-of-redis-b", s.RUN_ID_RESTARTED, "/etc/redis/redis.conf")
    assert identity(s.unreachable_node().node(s.B)) == Identity()


def test_the_evidence_begins_with_the_target_and_has_figures():
    lines = evidence(BACK, ROLES, Step("replicate", "t", "w", "returning"))
    assert lines[0].startswith("redis-b (returning)")
    text = "\n".join(lines)
    for words in ("249,935 keys", "priority 139", "192.168.100.123: held by redis-a", "keepalived stopped"):
        assert words in text


@pytest.mark.parametrize("state", [s.unreachable_node(), s.failed_over_pair(), s.fresh_pair()])
def test_evidence_of_what_cannot_be_read_says_why(state):
    assert evidence(state, ROLES, Step("x", "t", "w", "returning"))
    assert facts(state)


# --- roles ------------------------------------------------------------------------------------------------------------


def book(*roles):
    return Runbook("b", "t", "s", "keepalived", roles, ())


SURVIVOR = RoleSpec("survivor", "the master", (Condition("redis-is-master", "node"), Condition("behind-vip", "node")))
RETURNING = RoleSpec("returning", "the other", other_than="survivor")
CHOSEN = RoleSpec("first", "to be the master", (Condition("redis-is-master", "first"),), operator_may_choose=True)


@pytest.mark.parametrize("state", [s.failed_over_pair(), BACK, s.syncing_pair(), s.unreachable_node()])
def test_roles_find_their_nodes(state):
    assert bind_roles(book(SURVIVOR, RETURNING), state, {}) == ROLES


def test_without_a_fitting_node_the_reasons_are_given():
    found = bind_roles(book(SURVIVOR, RETURNING), s.fresh_pair(), {})
    assert isinstance(found, Unbound)
    assert (found.role, found.candidates) == ("survivor", ())
    assert any("redis-a" in reason.words and "does not run" in reason.words for reason in found.reasons)


def test_the_operator_chooses_only_where_the_role_says_so():
    free = bind_roles(book(CHOSEN, RoleSpec("second", "", other_than="first")), s.fresh_pair(), {"first": s.B})
    assert free == {"first": s.B, "second": s.A}
    taken = bind_roles(
        book(CHOSEN, RoleSpec("second", "", other_than="first")), s.fresh_pair(), {"first": s.B, "second": s.B}
    )
    assert isinstance(taken, Unbound)
    assert f"{s.B} is first already" in map(str, taken.reasons)
    asked = bind_roles(book(CHOSEN), s.fresh_pair(), {})
    assert isinstance(asked, Unbound)
    assert asked.candidates == (s.A, s.B)
    refused = bind_roles(book(SURVIVOR, RETURNING), BACK, {"survivor": s.B})
    assert isinstance(refused, Unbound)
    assert refused.candidates == (s.A,)
    stranger = bind_roles(book(CHOSEN), BACK, {"first": "redis-c"})
    assert isinstance(stranger, Unbound)
    assert "redis-c is no node of cache" in map(str, stranger.reasons)
