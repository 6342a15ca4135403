"""What running scripts will still do, and when: from their texts, their ages, their sleeps and the logs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_races as races
import samples as s

from console.core.keepalived.running_scripts import loss_window, pending_lines, scripts_attach_replicas, whole_seconds
from console.core.keepalived.script_text import read_script
from console.core.keepalived.script_timing import sleep_seconds
from console.core.kinds.diagnose import diagnose
from console.core.model import ActionKind

BEGAN = "45:S 21 Nov 2026 07:39:50.000 * Connecting to MASTER 192.168.100.201:6379"
ENDED = "45:S 21 Nov 2026 07:39:55.000 * MASTER <-> REPLICA sync: Finished with success"
PROMOTED = "45:M 21 Nov 2026 07:39:58.000 * MASTER MODE enabled (user request from 'id=9')"
STARTED = "45:M 21 Nov 2026 07:39:59.000 * Ready to accept connections"


@pytest.mark.parametrize(
    ("text", "after", "pauses"),
    [
        ("sleep 10\nredis-cli SLAVEOF NO ONE", 10, (10,)),
        ("redis-cli SLAVEOF NO ONE\nsleep 10", 0, (10,)),
        ("sleep 10; redis-cli SLAVEOF NO ONE", 10, (10,)),
        ("sleep 0.5\nsleep 2m 3s\nredis-cli SLAVEOF NO ONE", 123.5, (0.5, 123)),
        ("WAIT=7\nsleep $WAIT\nredis-cli SLAVEOF NO ONE", 7, (7,)),
        ('A=4\nWAIT="${A}"\nsleep ${WAIT}s\nredis-cli SLAVEOF NO ONE', 4, (4,)),
        ("if [ $x ]; then sleep 5; fi\nif true\nthen\n  sleep 1\nfi\nredis-cli SLAVEOF NO ONE", 6, (5, 1)),
        ("# sleep 10\necho sleep 10\nredis-cli SLAVEOF NO ONE", 0, ()),
        ("sleep 10 &\nredis-cli SLAVEOF NO ONE", 0, ()),
        ("/bin/sleep 2 && redis-cli SLAVEOF NO ONE", 2, (2,)),
        ("case $3 in\nMASTER) sleep 3 ;;\nesac\nredis-cli SLAVEOF NO ONE", 3, (3,)),
        ("sleep $1\nredis-cli SLAVEOF NO ONE", None, ()),
        ("sleep $(cat /wait)\nredis-cli SLAVEOF NO ONE", None, ()),
        ("W=3\nW=5\nsleep $W\nredis-cli SLAVEOF NO ONE", None, ()),
        ("until redis-cli PING; do sleep 1; done\nredis-cli SLAVEOF NO ONE", None, ()),
        ("for i in 1 2 3\ndo\n  sleep 1\ndone\nsleep 2\nredis-cli SLAVEOF NO ONE", None, ()),
        ("while true; do :; done\nsleep 2\nredis-cli SLAVEOF NO ONE", 2, (2,)),
    ],
)
def test_the_sleeps_before_a_line_are_added_up_or_said_to_be_not_known(text, after, pauses):
    actions, found, _ = read_script(text)
    (promotes,) = [one for one in actions if one.kind is ActionKind.PROMOTES]
    assert promotes.after == after
    assert found == pauses


@pytest.mark.parametrize(
    ("words", "seconds"),
    [(("10",), 10), ((".5",), 0.5), (("1m", "5"), 65), (("2h",), 7200), (("1d",), 86_400), ((), None), (("x",), None)],
)
def test_what_sleep_takes(words, seconds):
    assert sleep_seconds(words) == seconds


@pytest.mark.parametrize(
    ("text", "target", "conditional"),
    [
        ("peer=$1\nport=$2\nredis-cli SLAVEOF $peer $port", "$1 $2", False),
        ('HOST=10.0.0.1\nif true; then\nredis-cli SLAVEOF "$HOST" 6379\nfi', "10.0.0.1 6379", True),
        ("x=$(cat /peer)\nredis-cli SLAVEOF $x 6379", "$x 6379", False),
        ("case $3 in\nBACKUP) redis-cli replicaof 10.0.0.2 6380 ;;\nesac", "10.0.0.2 6380", True),
    ],
)
def test_whom_a_line_means_and_whether_it_stands_under_a_condition(text, target, conditional):
    ((action,), *_) = read_script(text)
    assert (action.target, action.conditional) == (target, conditional)


def test_what_is_to_come_on_each_node_and_in_how_many_seconds():
    state = races.returning(age=3.0)
    (promotes,) = pending_lines(state, state.node(s.B))
    assert (promotes.kind, promotes.pid, promotes.trigger) == (ActionKind.PROMOTES, 146, "notify_master")
    assert promotes.left(s.NOW) == pytest.approx(7)
    assert promotes.words(s.NOW) == "SLAVEOF NO ONE in 7 s"
    assert promotes.words(s.NOW + 2.5) == "SLAVEOF NO ONE in 5 s", "it counts down with the age of what was seen"
    assert promotes.left(s.NOW + 60) == 0
    (follows,) = pending_lines(state, state.node(s.A))
    assert (follows.target, follows.conditional) == (s.B, True)
    assert follows.words(s.NOW) == "SLAVEOF redis-b in 12 s, if its condition holds"


def test_a_script_whose_start_took_long_is_as_far_as_its_sleep_says():
    state = races.running(races.promoted(age=99), s.B, "master", 25.0, 9.0)
    (promotes,) = pending_lines(state, state.node(s.B))
    assert promotes.left(s.NOW) == pytest.approx(9), "it waited 24 s for an answer before it slept"


def test_without_a_sleep_to_be_seen_the_age_decides_and_what_is_overdue_is_gone():
    state = races.running(races.with_scripts(s.healthy_pair()), s.A, "backup", 14.5, None)
    assert [one.left(s.NOW) for one in pending_lines(state, state.node(s.A))] == [pytest.approx(0.5)]
    state = races.running(races.with_scripts(s.healthy_pair()), s.A, "backup", 17.0, None)
    assert pending_lines(state, state.node(s.A)) == ()


def test_a_sleep_that_nobody_can_tell_is_said_to_be_so():
    state = races.promoted()
    unknown = tuple(
        replace(one, pauses=(), actions=tuple(replace(line, after=None) for line in one.actions))
        for one in state.node(s.A).scripts.value
    )
    state = s.with_node(state, s.A, scripts=s.read(unknown, s.NOW))
    (follows,) = pending_lines(state, state.node(s.A))
    assert follows.left(s.NOW) is None
    (finding,) = [one for one in diagnose(state, s.NOW) if one.code == "failover-loses-writes"]
    assert "nobody can tell when" in finding.summary


def test_where_processes_cannot_be_read_the_log_tells_when_the_script_began():
    state = races.told_by_log(age=11.0)
    (follows,) = pending_lines(state, state.node(s.A))
    assert follows.pid is None
    assert follows.left(s.NOW) == pytest.approx(4, abs=0.1)
    assert pending_lines(races.told_by_log(age=20.0), races.told_by_log(age=20.0).node(s.A)) == ()


def test_the_window_is_announced_open_counted_down_and_closed():
    before = loss_window(races.returning(age=3.0))
    assert before is not None
    assert (before.master, before.successor) == (s.B, s.A)
    assert before.opens is not None
    assert before.opens.left(s.NOW) == pytest.approx(7)
    assert before.closes is not None
    left = []
    for age in (10.5, 12.0, 14.9):
        state = races.promoted(age=age)
        found = loss_window(state)
        assert found is not None
        assert found.opens is None
        left.append(whole_seconds(found.closes.left(s.NOW)))
        (finding,) = [one for one in diagnose(state, s.NOW) if one.code == "failover-loses-writes"]
        assert f"For another {left[-1]} s" in finding.summary
        assert finding.severity == "critical"
    assert left == [5, 3, 1]
    syncing = loss_window(races.attached(up=False, sync_in_progress=True))
    assert syncing is not None
    assert syncing.closes is None, "it follows, and its sync has not ended"
    assert loss_window(races.attached()) is None
    assert loss_window(s.healthy_pair()) is None


def test_no_window_where_nobody_would_take_over():
    state = races.promoted()
    assert loss_window(s.with_keepalived(state, s.A, running=False)) is None
    assert loss_window(s.with_vip(state, s.B, held=False)) is None


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (races.returning(up=False, sync_in_progress=True), True),
        (races.returning(up=False), True),
        (races.returning(), False),
        (races.promoted(11.0, BEGAN, PROMOTED), True),
        (races.promoted(11.0, BEGAN, ENDED, PROMOTED), False),
        (races.promoted(11.0, BEGAN, PROMOTED, STARTED), False),
        (races.promoted(11.0, PROMOTED), False),
    ],
)
def test_a_promotion_before_the_end_of_the_sync_is_named_with_what_would_stop_the_scripts(state, found):
    hits = [one for one in diagnose(state, s.NOW) if one.code == "promotion-before-sync"]
    assert bool(hits) is found
    for one in hits:
        assert "kill 82 on redis-a" in (one.next.advice or "")


def test_the_pair_that_follows_by_itself_is_led_to_its_own_runbook():
    assert scripts_attach_replicas(races.with_scripts(s.healthy_pair()))
    assert not scripts_attach_replicas(s.healthy_pair())
    led = {one.next.runbook for one in diagnose(races.with_scripts(s.failed_over_pair()), s.NOW)}
    assert "safe-return" in led
    assert "one-shot-rebuild" not in led


@pytest.mark.parametrize("roles", ["a master and its replica", "nothing runs"])
def test_a_pair_that_no_runbook_can_start_is_started_by_hand(roles):
    """keepalived is stopped on both: a script would let the first master follow the other Redis (H10)."""
    state = races.with_scripts(s.healthy_pair() if roles == "a master and its replica" else s.fresh_pair())
    for node in (s.A, s.B):
        state = s.with_vip(s.with_keepalived(state, node, running=False), node, held=False)
    led = [one.next for one in diagnose(state, s.NOW) if one.code in ("vip-missing", "no-master", "keepalived-down")]
    assert led
    assert all("stop Redis and keepalived of the other node" in (one.advice or "") for one in led), led
    nodes = tuple(replace(node, scripts=s.healthy_pair().node(node.name).scripts) for node in state.nodes)
    plain = diagnose(replace(state, nodes=nodes), s.NOW)
    assert {one.next.runbook for one in plain if one.code == "vip-missing"} <= {"repair-vip", "initial-build"}


def test_a_master_that_no_runbook_starts_is_started_by_hand_and_the_other_one_as_ever():
    state = races.with_scripts(s.with_vip(s.healthy_pair(), s.B, held=False))
    assert state.masters == (s.B,)
    stopped = {name: s.with_keepalived(state, name, running=False) for name in (s.A, s.B)}
    led = {
        name: next(one.next for one in diagnose(found, s.NOW) if one.code == "vip-missing")
        for name, found in stopped.items()
    }
    assert led[s.A].runbook == "repair-vip"
    assert "run safe-return" in (led[s.B].advice or "")


@pytest.mark.parametrize(
    ("without", "runbook", "others"),
    [
        (s.B, "recover-from-rdb", {"safe-return", "one-shot-rebuild"}),
        (s.A, "safe-return", {"recover-from-rdb", "one-shot-rebuild"}),
    ],
)
def test_the_node_that_nothing_would_promote_gets_the_role_back(without, runbook, others):
    """redis-a serves, redis-b comes back. As a replica that nobody promotes, redis-b would protect nothing."""
    failed = races.with_scripts(s.failed_over_pair())
    only = {"notify_backup": failed.node(without).keepalived.value.instance.notify["notify_backup"]}
    led = {one.next.runbook for one in diagnose(s.with_instance(failed, without, notify=only), s.NOW)}
    assert runbook in led
    assert not others & led
