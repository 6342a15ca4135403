"""No text states an impossible value, or something that another text of the same observation denies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sample_sets as sets
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model import ClusterState, MasterLink, ProblemKind, Redis, Role, TrackScript, VrrpState, read, unread
from console.core.model.verdict import Check, Verdict
from console.core.previews.key_comparison import DbSample, KeyComparison, KeySample
from console.core.previews.loss_preview import LossPreview, preview
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.probes.redis.info import parse

HISTORIES = ("1" * 40, "2" * 40, "3" * 40)
INEQUALITY = re.compile(r"(\d+) < (\d+) < (\d+)(?: \+ (\d+))?( does not hold)?")
NEGATIVE = re.compile(r"(?<![\w.])-\d+ (s|min|h|d|bytes|kB|MB|keys?|changes?)\b")
LINKS = st.builds(
    MasterLink,
    host=st.sampled_from([*s.ADDRESS.values(), s.VIP]),
    port=st.just(6379),
    up=st.booleans(),
    sync_in_progress=st.booleans(),
    last_io_seconds=st.none() | st.integers(0, 99),
    down_seconds=st.none() | st.integers(-1, 99_999),
    sync_left_bytes=st.none() | st.integers(-1, 10**9),
)


@st.composite
def servers(draw: st.DrawFn, name: str) -> Redis:
    """A Redis in any role, history and state of its data."""
    link = draw(st.none() | LINKS)
    keys = draw(st.sampled_from([{}, {0: 1}, {0: 10, 1: 249_925}]))
    changes = draw(st.none() | st.sampled_from([0, 1, 22_456]))
    server = s.redis(
        name,
        role=Role.MASTER if link is None else Role.REPLICA,
        master=link,
        offset=draw(st.none() | st.integers(0, 20_000)),
        replid=draw(st.sampled_from(HISTORIES)),
        replid2=draw(st.sampled_from([*HISTORIES, "0" * 40])),
        second_offset=draw(st.integers(-1, 20_000)),
        keys=keys,
        uptime=draw(st.integers(0, 10**7)),
        loading=draw(st.booleans()),
    )
    return replace(server, persistence=replace(server.persistence, changes_since_save=changes))


@st.composite
def pairs(draw: st.DrawFn) -> ClusterState:
    state = draw(st.sampled_from([s.healthy_pair, s.failed_over_pair, s.split_brain, s.stale_master_back]))()
    weights = st.sampled_from([-10, -1, 0, 2, 254])
    for name in (s.A, s.B):
        if draw(st.booleans()):
            state = s.with_node(state, name, redis=read(draw(servers(name)), s.NOW))
        script = (TrackScript("chk_redis", "/check.sh", interval=2, weight=draw(weights), line=8),)
        state = s.with_instance(state, name, scripts=script, priority=draw(st.integers(1, 254)))
    return state


@st.composite
def comparisons(draw: st.DrawFn) -> KeyComparison:
    """What a sample of the keys of redis-b found that redis-a has not."""
    keys = draw(st.integers(0, 300))
    looked_at = draw(st.integers(0, keys))
    missing = draw(st.integers(0, looked_at))
    different = draw(st.integers(0, looked_at - missing))
    db = DbSample(0, keys, looked_at, missing=missing, alike=looked_at - missing - different, different=different)
    found = s.comparison(s.A, s.B)
    return replace(found, of_target=read(KeySample(s.B, s.A, (db,)), s.NOW))


CONDITIONS = (
    Condition("priority-rule", "node", {"master": "master"}),
    Condition("link-up", "node", {"source": "master"}),
    Condition("in-sync", "node", {"source": "master", "within_bytes": 100}),
    Condition("not-older-than", "master", {"target": "node"}),
)
ROLES = {"master": s.A, "node": s.B}


def checks(state: ClusterState) -> list[Check]:
    return [evaluate(one, state, ROLES) for one in CONDITIONS]


def texts(state: ClusterState, shown: LossPreview) -> Iterator[str]:
    for finding in diagnose(state, state.observed_at):
        yield from (finding.summary, finding.why, *finding.evidence, finding.next.advice or "")
    yield protection(state).reason
    yield from (shown.reason, *shown.lines, *shown.warnings, *shown.details)
    for check in checks(state):
        yield from (check.statement, check.evidence, check.advice)


@given(pairs(), comparisons())
def test_values_and_inequalities_are_possible(state, compared):
    for text in texts(state, preview(state, s.A, s.B, comparison=compared)):
        assert not NEGATIVE.search(text), text
        for low, middle, high, more, denied in INEQUALITY.findall(text):
            assert (int(low) < int(middle) < int(high) + int(more or 0)) is not bool(denied), text


@given(pairs(), comparisons())
def test_the_summary_of_a_loss_agrees_with_its_details(state, compared):
    shown = preview(state, s.A, s.B, comparison=compared)
    said = "\n".join((*shown.lines, *shown.warnings, *shown.details))
    sample = compared.of_target.value
    assert "nothing is lost" not in said
    if sample.missing or sample.different:
        assert "nothing is known to exist on redis-b alone" not in said
    if "nothing is known to exist on redis-b alone" in said:
        assert "would be lost" not in said
        assert not shown.warnings or "may be newer" not in "\n".join(shown.warnings)


@given(pairs())
def test_a_condition_is_not_denied_by_its_own_evidence(state):
    for check in checks(state):
        said = check.evidence.lower()
        if check.verdict is Verdict.HOLDS:
            assert "does not hold" not in said, check
            assert not re.search(r"link (down|never)", said), check
        if check.statement.endswith("is up") and check.verdict is Verdict.FAILS:
            assert not said.startswith("link up"), check


@given(pairs())
def test_who_has_the_newer_data_is_said_only_as_far_as_it_is_known(state):
    for finding in diagnose(state, state.observed_at):
        if finding.code in {"promotion-before-sync", "histories-diverged"} and "may" not in finding.summary:
            assert "and its sync has not ended" in finding.summary, finding


def test_a_promotion_before_the_sync_had_ended_claims_nothing_about_the_other_node():
    lines = (
        "1:S 21 Nov 2026 07:00:00.000 * Connecting to MASTER 192.168.100.202:6379",
        "1:M 21 Nov 2026 07:00:01.000 * MASTER MODE enabled (user request)",
    )
    state = s.split_brain()
    log = state.node(s.A).redis_log
    state = s.with_node(state, s.A, redis_log=log.map(lambda one: replace(one, lines=lines)))
    found = next(one for one in diagnose(state, s.NOW) if one.code == "promotion-before-sync")
    assert found.summary.endswith("redis-b may hold what it lacks.")


@pytest.mark.parametrize(
    ("synced_with", "found"), [("192.168.100.202:6379", False), ("192.168.100.203:6379", True), (None, True)]
)
def test_a_dead_master_that_refuses_does_not_undo_the_sync_with_it(synced_with, found):
    at = "1:S 21 Nov 2026 07:00:00.000"
    synced = (f"{at} * Connecting to MASTER {synced_with}", f"{at} * MASTER <-> REPLICA sync: Finished with success")
    refused = (f"{at} * Connecting to MASTER 192.168.100.202:6379", f"{at} # Error condition on socket for SYNC: x")
    lines = (*(synced if synced_with else ()), *refused, *refused, f"{at} * MASTER MODE enabled (user request)")
    state = s.split_brain()
    log = state.node(s.A).redis_log.map(lambda one: replace(one, lines=lines))
    state = s.with_node(state, s.A, redis_log=log)
    assert ("promotion-before-sync" in {one.code for one in diagnose(state, s.NOW)}) is found


@pytest.mark.parametrize(
    ("served", "found"),
    [
        ("", True),
        ("* Synchronization with replica 192.168.100.202:6379 succeeded", False),
        ("* Synchronization with slave 192.168.100.202:6379 succeeded", False),
        ("* Synchronization with slave succeeded", False),  # Redis 2.6 names nobody
        ("* Partial resynchronization request from 192.168.100.202:6379 accepted. Sending 9 bytes.", False),
        ("* Synchronization with replica 192.168.100.203:6379 succeeded", True),
    ],
)
def test_a_promotion_that_is_older_than_a_sync_of_the_other_node_is_no_evidence(served, found):
    """redis-a was promoted in the middle of a sync long ago, and redis-b has copied its data since."""
    at = "1:M 21 Nov 2026 07:00:00.000"
    lines = (f"{at} * Connecting to MASTER 192.168.100.202:6379", f"{at} * MASTER MODE enabled (user request)")
    state = s.split_brain()
    log = state.node(s.A).redis_log.map(lambda one: replace(one, lines=(*lines, f"{at} {served}")))
    state = s.with_node(state, s.A, redis_log=log)
    assert ("promotion-before-sync" in {one.code for one in diagnose(state, s.NOW)}) is found


@pytest.mark.parametrize(
    ("uptime", "down", "seconds"), [(50, -1, -1), (50, 1_795_246_800, -1), (50, 20, 20), (0, 1, 1)]
)
def test_a_link_that_was_never_up_is_told_apart_in_every_version(uptime, down, seconds):
    """Before 7.0 Redis reports the time since 1970."""
    info = (
        f"redis_version:6.2.7\r\nrun_id:{'a' * 40}\r\nprocess_id:1\r\ntcp_port:6379\r\nuptime_in_seconds:{uptime}\r\n"
        "role:slave\r\nmaster_host:redis-b\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
        f"master_link_down_since_seconds:{down}\r\n"
    )
    assert parse(info).master.down_seconds == seconds


def test_where_another_replica_is_in_sync_a_second_copy_is_there():
    state = sets.sentinel_vip_set()
    dead = s.with_node(
        state,
        sets.WEB03,
        redis=unread(ProblemKind.REFUSED, "connection refused", s.NOW),
        processes=state.node(sets.WEB03).processes.map(lambda one: replace(one, redis=())),
    )
    found = next(one for one in diagnose(dead, s.NOW) if one.code == "redis-down")
    assert found.why == "The data has one copy less. web02 still has all of it."
    alone = s.with_link(dead, sets.WEB02, up=False)
    found = next(one for one in diagnose(alone, s.NOW) if one.code == "redis-down")
    assert "no second copy" in found.why


def test_what_is_only_unread_is_not_called_absent():
    state = s.with_node(s.failed_over_pair(), s.A, redis=unread(ProblemKind.TIMEOUT, "no answer", s.NOW))
    found = next(one for one in diagnose(state, s.NOW) if one.code == "redis-down")
    assert found.next.advice == "start nothing yet: redis-a could not be read, and may be the master"
    stopped = s.with_keepalived(state, s.A, running=False, state=VrrpState.STOP)
    assert [one for one in diagnose(stopped, s.NOW) if one.code == "redis-down"]
