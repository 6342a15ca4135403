"""Which node gets a role: the facts that decide stand beside each candidate, and none is chosen where they do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
import sample_sets as sets
import samples as s

from console.core.model import ProblemKind, Role, read, unread
from console.core.model.verdict import Verdict
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.candidates import judged
from console.core.runbooks.document import Condition
from console.core.runbooks.role_choice import better_choice
from console.core.runbooks.vocabulary import evaluate
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook

A, B = sets.APP01, sets.APP02
OLD, NEW = "1" * 40, "2" * 40


def second_master(**changes):
    """app02 was promoted and took writes. app01 died before, and came back as a master while the Sentinel was away."""
    state = sets.sentinel_consul_set()
    state = s.with_redis(
        state, B, offset=707_427, replid=NEW, replid2=OLD, second_offset=705_728, uptime=600, keys={0: 5_010}
    )
    stale = {"offset": 704_907, "replid": "3" * 40, "replid2": OLD, "second_offset": 704_908, "keys": {0: 5_001}}
    state = s.with_redis(state, A, role=Role.MASTER, master=None, uptime=60, **{**stale, **changes})
    quiet = unread(ProblemKind.REFUSED, "nothing listens there", s.NOW)
    state = replace(state, sentinels=tuple(replace(one, sentinel=quiet) for one in state.sentinels))
    passing = tuple(sets.instance(name, "passing") for name in (A, B))
    return replace(state, consul=replace(state.consul, instances=read(passing, s.NOW)))


def asked(book, state, chosen=None):
    found = bind_roles(RUNBOOKS[book], state, chosen or {})
    return judged(RUNBOOKS[book], state, found, chosen or {}) if isinstance(found, Unbound) else None


RUNBOOKS = {one.stem: load_runbook(one) for one in sorted(shipped_folder().glob("*.yaml"))}


def test_the_master_with_all_data_stands_first_with_the_reason():
    found = asked("consul-return-old-master", second_master())
    assert [one.name for one in found.of] == [B, A]
    assert found.decided == B
    new, old = ("; ".join(one.facts) for one in found.of)
    for fact in ("707,427", "left history 11111111 at byte 705,727", "5,010 keys", "up 10 min", "clients here"):
        assert fact in new, fact
    for fact in ("704,907", "5,001 keys", f"it was started while {B} ran, with older data", "last save"):
        assert fact in old, fact


def test_where_both_took_writes_nobody_is_chosen():
    state = second_master(offset=709_000)
    disk = {"changes_since_save": 12}
    state = s.with_persistence(state, A, **disk)
    found = asked("consul-return-old-master", state)
    assert found.decided == ""
    assert "does not decide" in found.reason


STATES = {
    "healthy": s.healthy_pair(),
    "failed over": s.failed_over_pair(),
    "stale master": s.stale_master_back(),
    "split": s.split_brain(),
    "fresh": s.fresh_pair(),
    "rebuilt": s.rebuilt_pair(),
    "set": sets.sentinel_vip_set(),
    "consul": sets.sentinel_consul_set(),
    "second master": second_master(),
}


@pytest.mark.parametrize("where", STATES)
def test_a_candidate_fits_as_the_page_after_it_judges_the_roles(where):
    """For every runbook and every choice of nodes: one that is refused afterwards was not offered without a word."""
    state, asked_for = STATES[where], 0
    for book in (one for one in RUNBOOKS.values() if one.kind == state.kind):
        chosen: dict[str, str] = {}
        while isinstance(unbound := bind_roles(book, state, chosen), Unbound) and unbound.candidates:
            found = judged(book, state, unbound, chosen)
            asked_for += 1
            assert {one.name for one in found.of} == set(unbound.candidates)
            assert all(one.facts for one in found.of)
            for one in found.of:
                after = _completions(book, state, {**chosen, unbound.role: one.name})
                refused = [roles for roles in after if _refused(book, state, roles)]
                if len(refused) == len(after) and after:
                    assert one.against, (book.name, unbound.role, one)
                else:
                    assert not one.against, (book.name, unbound.role, one)
            assert not found.decided or not next(one for one in found.of if one.name == found.decided).against
            chosen[unbound.role] = found.decided or found.of[0].name


def _completions(book, state, chosen):
    nodes = [node.name for node in state.nodes]
    every = (dict(zip([role.name for role in book.roles], picked, strict=True))
             for picked in product(nodes, repeat=len(book.roles)))  # fmt: skip
    return [
        one
        for one in every
        if all(one[role] == node for role, node in chosen.items())
        and all(one[role.name] != one.get(role.other_than) for role in book.roles)
    ]


def _refused(book, state, roles):
    """As the page before arming does."""
    required = (evaluate(one, state, roles) for one in book.require)
    return better_choice(book, state, roles) is not None or any(one.verdict is Verdict.FAILS for one in required)


def given_back(state=None):
    """Clients write to redis-a since redis-b died. Only the keepalived of redis-a has a script that promotes."""
    return s.with_instance(state or s.failed_over_pair(), s.B, notify={"notify_backup": "/etc/keepalived/alone.sh"})


@pytest.mark.parametrize(
    "moment", [None, s.stale_master_back()], ids=["its Redis does not run", "its Redis is back with old data"]
)
def test_the_role_goes_to_the_node_after_which_somebody_is_promoted(moment):
    """The data is copied to the node that comes back: that it has none now speaks against no choice."""
    state, book = given_back(moment), RUNBOOKS["recover-from-rdb"]
    found = asked("recover-from-rdb", state)
    assert [one.name for one in found.of] == [s.B, s.A]
    assert found.decided == s.B
    assert found.reason == (
        f"With {s.B} a later failover makes {s.A} the master. With {s.A} one to {s.B} promotes nobody."
    )
    given, stays = found.lines
    assert given.endswith("then redis-a follows redis-b, and a later failover makes redis-a the master")
    assert stays.endswith("then redis-b follows redis-a, and a later failover to redis-b promotes nobody")
    for master in (s.A, s.B):
        assert not _refused(book, state, bind_roles(book, state, {"master": master}))


@pytest.mark.parametrize("alone", [s.A, s.B])
def test_scripts_never_decide_whose_data_stays(alone):
    """Both took writes, and only one node has a script that promotes."""
    state = s.with_instance(s.split_brain(), alone, notify={})
    lost = unread(ProblemKind.TIMEOUT, "no answer", s.NOW)
    found = asked("resolve-dual-master", replace(state, vip_reach=lost))
    assert len(found.of) == len(state.nodes), "it is asked, and each says what comes of it"
    assert all(one.then is not None for one in found.of)
    assert "promotes nobody" not in found.reason


def test_nothing_is_recommended_where_what_the_scripts_do_is_not_known():
    state = s.with_instance(given_back(), s.A, uncertain=frozenset({"notify_master"}), notify={})
    found = asked("recover-from-rdb", state)
    assert found.decided == ""
    assert any("whether a later failover promotes redis-a is not known" in one for one in found.lines)


def test_what_a_node_gets_from_another_one_counts_only_after_that_step():
    """The first build copies nothing to the node that it starts from: an empty one does not fit."""
    state = s.with_redis(s.stale_master_back(), s.B, keys={})
    book = RUNBOOKS["one-shot-rebuild"]
    assert _refused(book, state, {"survivor": s.B, "returning": s.A})


@pytest.mark.parametrize("book", sorted(one.name for one in RUNBOOKS.values() if one.kind == "keepalived"))
def test_each_choice_of_a_runbook_that_makes_a_pair_says_what_comes_of_it(book):
    makes_a_pair = any(step.action and step.action.verb == "replicate" for step in RUNBOOKS[book].steps)
    for state in (one for one in STATES.values() if one.kind == "keepalived"):
        found = asked(book, state)
        for one in found.of if found is not None else ():
            assert (one.then is not None) == makes_a_pair, (book, one)
            assert one.then is None or one.then.words in one.line


def test_the_helper_of_this_test_knows_a_refusal():
    book = RUNBOOKS["one-shot-rebuild"]
    assert _refused(book, s.stale_master_back(), {"survivor": s.B, "returning": s.A})
    assert not _refused(book, s.stale_master_back(), {"survivor": s.A, "returning": s.B})
    assert evaluate(Condition("redis-is-master", "it"), s.stale_master_back(), {"it": s.A}).holds
