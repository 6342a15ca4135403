from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import sample_races as races
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.conditions.switching import PAUSED
from console.core.diagnosis.finding import Health, Severity
from console.core.kinds import kind_of
from console.core.kinds.diagnose import all_rules, diagnose, health
from console.core.model import (
    ActionKind,
    LogTail,
    Problem,
    ProblemKind,
    Process,
    Processes,
    Reading,
    RedisFile,
    ScriptAction,
    VrrpState,
    read,
    unread,
)

HEALTHY, FAILED, BACK, SPLIT = s.healthy_pair(), s.failed_over_pair(), s.stale_master_back(), s.split_brain()
REBUILT, SYNCING, GONE = s.rebuilt_pair(), s.syncing_pair(), s.unreachable_node()
HUNG = {"redis": unread(ProblemKind.TIMEOUT, "no answer in 3 s", s.NOW)}


def lost(node, reading, kind):
    return s.with_node(HEALTHY, node, **{reading: unread(kind, kind.value, s.NOW)})


def mutual():
    master = s.replica_of(s.A, s.B)
    return s.with_redis(s.in_sync_unprotected(), s.A, role=master.role, master=master.master)


def weighing(weight):
    script = HEALTHY.node(s.A).keepalived.value.instance.scripts[0]
    return s.with_instance(HEALTHY, s.A, scripts=(replace(script, weight=weight),))


def reaching(state, run_id):
    return replace(state, vip_reach=state.vip_reach.map(lambda reach: replace(reach, run_id=run_id)))


def config_with(state, *lines):
    config = state.node(s.A).keepalived_config.map(lambda one: replace(one, not_understood=lines))
    return s.with_node(state, s.A, keepalived_config=config)


def locked_out(*lines):
    down = s.with_link(HEALTHY, s.A, up=False, down_seconds=40)
    return s.with_node(down, s.A, redis_log=read(LogTail("/data/redis/redis.log", lines), s.NOW))


def in_file(state, node, master, **more):
    return s.with_node(state, node, redis_file=read(RedisFile("/etc/redis/redis.conf", master, 212, **more), s.NOW))


def script_does(word, kind, text, node=s.A):
    return s.with_script(HEALTHY, node, word, actions=(ScriptAction(kind, 12, text),))


def busy(rate, size=1_048_576):
    backlog = replace(HEALTHY.node(s.B).redis.value.backlog, size=size)
    return s.with_redis(HEALTHY, s.B, write_rate=rate, backlog=backlog)


TRIED = "7:S 21 Nov 2026 07:00:00.000 * Connecting to MASTER 192.168.100.202:6379"
WRONG = "7:S 21 Nov 2026 07:00:00.001 # Unable to AUTH to MASTER: -WRONGPASS invalid username-password pair"
SYNCED = "7:S 21 Nov 2026 07:00:01.000 * MASTER <-> REPLICA sync: Finished with success"


def two_versions():
    return s.with_redis(HEALTHY, s.A, version="6.2.16")


SHIPPED = {path.stem for path in (Path(__file__).parents[3] / "runbooks").glob("*.yaml")}

# One state for each code in which it must be found, on these nodes, and as bad as this.
FOUND = [
    ("ssh-host-key-changed", lost(s.A, "ssh", ProblemKind.HOST_KEY_CHANGED), (s.A,), "critical"),
    ("ssh-auth-failed", lost(s.A, "ssh", ProblemKind.AUTH_FAILED), (s.A,), "warning"),
    ("too-long-to-read", lost(s.A, "keepalived_config", ProblemKind.TOO_LONG), (s.A,), "warning"),
    ("ssh-unreachable", lost(s.A, "ssh", ProblemKind.TIMEOUT), (s.A,), "warning"),
    ("ssh-unreachable", GONE, (s.B,), "critical"),
    ("redis-hung", s.with_node(HEALTHY, s.B, **HUNG), (s.B,), "critical"),
    ("redis-down", FAILED, (s.B,), "warning"),
    ("redis-auth-failed", lost(s.A, "redis", ProblemKind.AUTH_FAILED), (s.A,), "warning"),
    ("redis-loading", s.with_redis(HEALTHY, s.A, loading=True), (s.A,), "warning"),
    ("redis-misconf", s.with_persistence(HEALTHY, s.B, rdb_last_status="err"), (s.B,), "critical"),
    ("clock-skew", s.with_node(HEALTHY, s.A, clock=read(s.ClockReading(0, -9.0, 0.1), s.NOW)), (s.A,), "warning"),
    ("vip-duplicate", SPLIT, (s.A, s.B), "critical"),
    ("vip-missing", s.fresh_pair(), (s.A, s.B), "critical"),
    ("vip-on-dead-redis", s.with_vip(s.with_vip(FAILED, s.A, held=False), s.B, held=True), (s.B,), "critical"),
    ("vip-on-replica", s.with_vip(s.with_vip(HEALTHY, s.B, held=False), s.A, held=True), (s.A,), "critical"),
    ("vip-reaches-stranger", reaching(HEALTHY, "f" * 40), (), "critical"),
    ("vip-reaches-stranger", reaching(HEALTHY, s.RUN_ID[s.A]), (s.A, s.B), "critical"),
    ("vip-silent", replace(HEALTHY, vip_reach=unread(ProblemKind.TIMEOUT, "x", s.NOW)), (s.B,), "warning"),
    ("mutual-replication", mutual(), (s.A, s.B), "critical"),
    ("no-master", s.fresh_pair(), (s.A, s.B), "critical"),
    ("histories-diverged", SPLIT, (s.A, s.B), "critical"),
    ("dual-master", SPLIT, (s.A, s.B), "critical"),
    ("dual-master", BACK, (s.A, s.B), "warning"),
    ("empty-master", s.with_redis(BACK, s.A, keys={}), (s.A,), "critical"),
    ("writes-refused", s.with_redis(FAILED, s.A, config=s.RedisConfig(min_replicas_to_write=1)), (s.A,), "critical"),
    ("replica-of-vip", s.with_link(HEALTHY, s.A, host=s.VIP), (s.A,), "critical"),
    ("replica-of-stranger", s.with_link(HEALTHY, s.A, host="10.0.0.9"), (s.A,), "warning"),
    ("replica-syncing", SYNCING, (s.B,), "warning"),
    ("replica-link-down", s.with_link(HEALTHY, s.A, up=False, down_seconds=40), (s.A,), "warning"),
    ("replica-lagging", s.with_redis(HEALTHY, s.B, offset=9_000_000), (s.A,), "warning"),
    ("replica-writable", s.with_redis(HEALTHY, s.A, read_only_replica=False), (s.A,), "warning"),
    ("master-without-replica", GONE, (s.A,), "warning"),
    ("fork-headroom", s.with_redis(HEALTHY, s.B, used_memory=40 * s.GIB), (s.B,), "warning"),
    ("maxmemory-mismatch", s.with_redis(HEALTHY, s.A, maxmemory=9), (s.A, s.B), "warning"),
    ("version-skew", two_versions(), (s.A, s.B), "warning"),
    ("script-security-off", s.unsecured(HEALTHY, 0o755), (s.A,), "info"),
    ("script-security-off", s.unsecured(HEALTHY, 0o777), (s.A,), "warning"),
    ("unsaved-changes", s.with_persistence(HEALTHY, s.B, changes_since_save=22_456), (s.B,), "info"),
    ("unsaved-changes", s.with_persistence(FAILED, s.A, changes_since_save=22_456), (s.A,), "warning"),
    ("unsaved-changes", s.with_persistence(FAILED, s.A, rdb_last_save=s.NOW - 901), (s.A,), "warning"),
    ("persistence-off", s.with_redis(HEALTHY, s.B, config=s.RedisConfig(save="")), (s.B,), "info"),
    ("would-preempt-stale", FAILED, (s.B, s.A), "critical"),
    ("failover-unprotected", FAILED, (s.A, s.B), "warning"),
    ("vrrp-dual-master", s.with_keepalived(HEALTHY, s.A, state=VrrpState.MASTER), (s.A, s.B), "critical"),
    ("vrrp-mismatch", s.with_instance(HEALTHY, s.A, vrid=124), (s.A, s.B), "critical"),
    ("vrrp-state-disagrees", s.with_keepalived(HEALTHY, s.B, state=VrrpState.BACKUP), (s.B,), "warning"),
    ("vrrp-state-disagrees", s.with_vip(BACK, s.B, held=True), (s.B,), "critical"),
    ("keepalived-down", BACK, (s.B,), "warning"),
    (
        "keepalived-config-invalid",
        config_with(HEALTHY, "line 3: a quote", "line 9: x is not closed"),
        (s.A,),
        "warning",
    ),
    ("priority-equal", s.with_priority(REBUILT, s.B, 138), (s.A, s.B), "warning"),
    ("priority-rule-broken", s.with_priority(REBUILT, s.B, 120), (s.A, s.B), "warning"),
    ("nopreempt-ineffective", s.with_instance(HEALTHY, s.A, nopreempt=True, state="MASTER"), (s.A,), "warning"),
    ("nopreempt-ineffective", s.with_instance(HEALTHY, s.A, nopreempt=True), (s.A,), "warning"),
    ("vrrp-mismatch", s.with_instance(HEALTHY, s.A, auth_fingerprint="other"), (s.A, s.B), "critical"),
    ("vrrp-mismatch", s.with_instance(HEALTHY, s.A, interface="eth9"), (s.A, s.B), "critical"),
    ("vrrp-mismatch", s.with_instance(HEALTHY, s.A, unicast_peers=("10.0.0.9",)), (s.A, s.B), "critical"),
    ("vrrp-mismatch", weighing(-12), (s.A, s.B), "warning"),
    ("check-without-effect", s.with_instance(HEALTHY, s.A, scripts=()), (s.A,), "warning"),
    ("check-without-effect", weighing(-1), (s.A,), "warning"),
    ("nobody-promotes", s.with_instance(HEALTHY, s.A, notify={"notify_backup": "/x"}), (s.A,), "warning"),
    ("keepalived-config-partly-read", config_with(HEALTHY, "line 2: include x is not followed"), (s.A,), "info"),
    ("keepalived-config-invalid", s.with_keepalived(HEALTHY, s.A, instance=None), (s.A,), "warning"),
    ("script-missing", s.with_script(HEALTHY, s.A, "fault", exists=False), (s.A,), "warning"),
    ("script-missing", s.with_script(HEALTHY, s.A, "check", executable=False, mode=0o644), (s.A,), "warning"),
    ("script-fights-operator", script_does("backup", ActionKind.FOLLOWS, "redis-cli SLAVEOF x 1"), (s.A,), "warning"),
    ("script-fights-operator", script_does("check", ActionKind.STOPS_KEEPALIVED, "killall x"), (s.A,), "warning"),
    ("masterauth-mismatch", locked_out(TRIED, WRONG, TRIED), (s.A,), "warning"),
    ("backlog-too-small", busy(40_000.0), (s.B,), "info"),
    ("backlog-too-small", busy(400_000.0), (s.B,), "warning"),
    ("replica-not-in-config", in_file(HEALTHY, s.A, ""), (s.A,), "info"),
    ("replica-not-in-config", in_file(HEALTHY, s.A, "10.0.0.9 6379"), (s.A,), "warning"),
    ("replica-not-in-config", in_file(HEALTHY, s.B, "redis-a 6379"), (s.B,), "warning"),
    ("data-not-in-config", in_file(HEALTHY, s.A, "redis-b 6379", appendonly=True), (s.A,), "warning"),
    ("data-not-in-config", in_file(HEALTHY, s.A, "redis-b 6379", dir="/elsewhere"), (s.A,), "warning"),
    ("data-not-in-config", in_file(HEALTHY, s.A, "redis-b 6379", dbfilename="other.rdb"), (s.A,), "warning"),
    ("data-not-in-config", s.with_persistence(HEALTHY, s.B, aof=True), (s.B,), "warning"),
    ("vip-reaches-stranger", s.with_vip(HEALTHY, s.B, held=False), (s.B,), "critical"),
    ("notify-in-progress", s.with_script_running(HEALTHY, s.A), (s.A,), "info"),
    ("notify-in-progress", races.told_by_log(), (s.A,), "info"),
    ("failover-loses-writes", races.promoted(), (s.B, s.A), "critical"),
    ("failover-loses-writes", races.returning(), (s.B, s.A), "warning"),
    ("failover-loses-writes", races.attached(up=False, sync_in_progress=True), (s.B, s.A), "critical"),
    ("promotion-before-sync", races.returning(up=False, sync_in_progress=True), (s.B, s.A), "critical"),
]


@pytest.mark.parametrize(("code", "state", "nodes", "severity"), FOUND)
def test_each_code_is_found(code, state, nodes, severity):
    found = {finding.code: finding for finding in diagnose(state, s.NOW)}
    assert code in found, sorted(found)
    finding = found[code]
    assert finding.nodes == nodes
    assert finding.severity == severity
    assert finding.summary.endswith(".")
    assert finding.why
    assert finding.evidence
    assert (finding.next.runbook is None) != (finding.next.advice is None)
    assert finding.next.runbook in {None, *SHIPPED}


def test_writes_held_back_beside_another_master_are_not_let_go_on():
    handed_over = s.split_brain()
    config = replace(handed_over.node(s.B).redis.value.config, min_replicas_to_write=PAUSED)
    beside = diagnose(s.with_redis(handed_over, s.B, config=config, good_replicas=0), s.NOW)
    alone = diagnose(s.with_redis(HEALTHY, s.B, config=config, good_replicas=0), s.NOW)
    # The rebuild would be refused between two masters that both took writes: no finding names it.
    assert {one.next.runbook for one in beside} - {None} == {"resolve-dual-master"}
    assert [one.next.runbook for one in beside if one.code == "writes-refused"] == ["resolve-dual-master"]
    assert [one.next.runbook for one in alone if one.code == "writes-refused"] == ["resume-writes"]


def test_every_row_has_a_state_that_shows_it():
    shown = {row[0] for row in FOUND} | {"chained-replica"}  # two nodes cannot make a chain
    assert {row.code for row in kind_of("keepalived").rules} == shown


def test_every_row_says_what_it_means_why_it_matters_and_what_to_do():
    assert len({row.code for row in all_rules()}) == len(all_rules())
    for row in all_rules():
        assert row.meaning.endswith("."), row.code
        assert row.why.endswith("."), row.code
        assert row.remedy, row.code
        assert set(row.superseded_by) <= {one.code for one in all_rules()}, row.code


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ((TRIED, WRONG, TRIED), {"masterauth-mismatch"}),
        ((TRIED, "# -NOAUTH Authentication required."), {"masterauth-mismatch"}),
        ((TRIED, WRONG, TRIED, SYNCED), {"replica-link-down"}),
        (
            (TRIED, WRONG, TRIED, "# Error condition on socket for SYNC: Connection refused", TRIED),
            {"replica-link-down"},
        ),
        ((), {"replica-link-down"}),
    ],
)
def test_only_the_last_attempts_say_whether_the_password_is_refused(lines, codes):
    found = {finding.code for finding in diagnose(locked_out(*lines), s.NOW)}
    assert found & {"masterauth-mismatch", "replica-link-down"} == codes


def test_a_backlog_is_judged_by_what_is_written_in_a_minute():
    (finding,) = [one for one in diagnose(busy(40_000.0), s.NOW) if one.code == "backlog-too-small"]
    assert "26 s" in finding.summary
    assert finding.evidence == ("repl-backlog-size 1.0 MB, written 40.0 kB a second", "60 s away need 2.4 MB")
    assert "4800000" in finding.next.advice
    assert diagnose(busy(10_000.0), s.NOW) == ()


def test_what_a_restart_would_make_of_a_node():
    assert diagnose(in_file(HEALTHY, s.A, "redis-b 6379"), s.NOW) == ()
    assert diagnose(in_file(HEALTHY, s.A, "", includes=("/etc/redis/more.conf",)), s.NOW) == ()
    (finding,) = diagnose(in_file(HEALTHY, s.A, ""), s.NOW)
    assert "until its next restart: then it is a master" in finding.summary
    assert health(in_file(HEALTHY, s.A, ""), (finding,)) is Health.HEALTHY


def test_a_chain_of_three():
    third = replace(HEALTHY.node(s.A), name="redis-c", address="192.168.100.203")
    third = replace(
        third, redis=third.redis.map(lambda one: replace(one, master=replace(one.master, host=s.ADDRESS[s.A])))
    )
    found = diagnose(replace(HEALTHY, nodes=(*HEALTHY.nodes, third)), s.NOW)
    assert ("chained-replica", ("redis-c", s.A)) in [(one.code, one.nodes) for one in found]


@pytest.mark.parametrize("state", [HEALTHY, REBUILT])
def test_a_healthy_pair_has_no_findings(state):
    assert diagnose(state, s.NOW) == ()
    assert health(state, ()) is Health.HEALTHY


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        (FAILED, ["would-preempt-stale", "redis-down", "failover-unprotected"]),
        (s.fresh_pair(), ["vip-missing", "no-master", "keepalived-down"]),
        (BACK, ["dual-master", "failover-unprotected", "keepalived-down"]),
        (SPLIT, ["vip-duplicate", "histories-diverged", "dual-master", "failover-unprotected"]),
        (GONE, ["ssh-unreachable", "master-without-replica"]),
        (SYNCING, ["replica-syncing", "failover-unprotected", "keepalived-down", "priority-rule-broken"]),
    ],
)
def test_one_cause_gives_few_lines(state, codes):
    assert [finding.code for finding in diagnose(state, s.NOW)] == codes


def without_keepalived(state):
    for name in (s.A, s.B):
        state = s.with_vip(s.with_keepalived(state, name, running=False, state=VrrpState.STOP), name, held=False)
    return state


@pytest.mark.parametrize(
    ("state", "runbook"),
    [
        (REBUILT, "one-shot-rebuild"),
        (s.in_sync_unprotected(), "one-shot-rebuild"),
        (s.with_node(s.in_sync_unprotected(), s.A, redis=HUNG["redis"]), "one-shot-rebuild"),
        (mutual(), "break-replication-loop"),
        (SPLIT, "resolve-dual-master"),
        (s.fresh_pair(), "initial-build"),
    ],
)
def test_where_no_keepalived_runs_the_runbook_fits_what_redis_does(state, runbook):
    found = {finding.code: finding for finding in diagnose(without_keepalived(state), s.NOW)}
    assert found["keepalived-down"].next.runbook == runbook


def test_after_a_failover_the_rebuild_is_what_is_next():
    found = {finding.code: finding for finding in diagnose(FAILED, s.NOW)}
    assert found["failover-unprotected"].next.runbook == "one-shot-rebuild"
    assert any("redis-b with 139 is not between 128 and 138" in line for line in found["failover-unprotected"].evidence)
    assert found["would-preempt-stale"].evidence[0] == "priority 139 on redis-b with its check good, 138 on redis-a"


def test_no_finding_offers_the_rebuild_while_two_masters_hold_writes_of_their_own():
    assert "one-shot-rebuild" not in {finding.next.runbook for finding in diagnose(SPLIT, s.NOW)}
    healed = s.with_vip(SPLIT, s.A, held=False)
    assert "one-shot-rebuild" not in {finding.next.runbook for finding in diagnose(healed, s.NOW)}


def test_a_node_that_yields_does_not_preempt():
    state = s.with_instance(FAILED, s.B, nopreempt=True)
    assert "would-preempt-stale" not in {finding.code for finding in diagnose(state, s.NOW)}


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_unreadable_is_not_down(kind):
    """Whatever SSH's trouble is, nothing is said of keepalived, and a Redis that answers is not called down."""
    torn = HEALTHY
    for one in ("ssh", "keepalived", "addresses", "processes", "keepalived_config"):
        torn = s.with_node(torn, s.A, **{one: unread(kind, kind.value, s.NOW)})
    codes = {finding.code for finding in diagnose(torn, s.NOW)}
    reasons = {"ssh-unreachable", "ssh-auth-failed", "ssh-host-key-changed", "too-long-to-read", "failover-not-known"}
    assert codes <= reasons
    assert health(torn, diagnose(torn, s.NOW)) is not Health.HEALTHY


def test_a_silent_port_with_a_process_is_hung_and_without_one_is_down():
    silent = s.with_node(HEALTHY, s.A, **HUNG)
    assert "redis-hung" in {finding.code for finding in diagnose(silent, s.NOW)}
    without = s.with_node(silent, s.A, processes=read(Processes(keepalived=(Process(1, 1, "keepalived"),)), s.NOW))
    assert "redis-down" in {finding.code for finding in diagnose(without, s.NOW)}
    behind = Process(1, 1, "/usr/bin/redis-server 127.0.0.1:7000")
    mapped = s.with_node(silent, s.A, processes=read(Processes(redis=(behind,)), s.NOW))
    assert not {finding.code for finding in diagnose(mapped, s.NOW)} & {"redis-hung", "redis-down"}
    blind = s.with_node(silent, s.A, processes=unread(ProblemKind.TIMEOUT))
    assert not {finding.code for finding in diagnose(blind, s.NOW)} & {"redis-hung", "redis-down"}


def test_nothing_observed_is_unknown():
    nothing = unread(ProblemKind.CONNECTING)
    nodes = tuple(s.NodeState(name, s.ADDRESS[name], 6379, *(nothing,) * 12) for name in (s.A, s.B))
    state = s.cluster(s.NOW, *nodes, reach=nothing)
    assert health(state, diagnose(state, s.NOW)) is Health.UNKNOWN


@pytest.mark.parametrize(
    ("state", "expected"),
    [(FAILED, Health.CRITICAL), (BACK, Health.WARNING), (s.in_sync_unprotected(), Health.WARNING)],
)
def test_health_is_that_of_the_worst_finding(state, expected):
    assert health(state, diagnose(state, s.NOW)) is expected


@given(
    st.sampled_from([row[1] for row in FOUND]),
    st.dictionaries(
        st.sampled_from(
            [one.name for one in fields(s.NodeState) if isinstance(getattr(HEALTHY.nodes[0], one.name), Reading)]
        ),
        st.sampled_from(list(ProblemKind)),
    ),
    st.sampled_from([s.A, s.B]),
)
def test_diagnosis_bears_any_torn_observation(state, lost_readings, node):
    torn = s.with_node(state, node, **{one: unread(kind, "x", s.NOW) for one, kind in lost_readings.items()})
    found = diagnose(torn, s.NOW)
    assert [one.severity.rank for one in found] == sorted(one.severity.rank for one in found)
    assert health(torn, found) in Health
    assert found or torn.nothing_read or health(torn, found) is not Health.UNKNOWN
    assert Severity.CRITICAL not in {one.severity for one in found} or health(torn, found) in {
        Health.CRITICAL,
        Health.UNKNOWN,
    }


def test_two_masters_with_writes_of_their_own_lead_to_the_runbook_that_keeps_both():
    for code in ("dual-master", "histories-diverged"):
        assert {one.next.runbook for one in diagnose(SPLIT, s.NOW) if one.code == code} == {"resolve-dual-master"}


def test_writes_that_a_switchover_holds_back_are_resumed_by_its_runbook():
    held = s.with_redis(HEALTHY, s.B, good_replicas=1, config=s.RedisConfig(min_replicas_to_write=PAUSED))
    assert [one.next.runbook for one in diagnose(held, s.NOW) if one.code == "writes-refused"] == ["resume-writes"]


def test_a_replica_that_was_left_with_writes_held_back_is_told_before_it_is_the_master():
    held = s.with_redis(HEALTHY, s.A, config=s.RedisConfig(min_replicas_to_write=PAUSED))
    (found,) = (one for one in diagnose(held, s.NOW) if one.code == "writes-refused")
    assert (found.nodes, found.severity, found.next.runbook) == ((s.A,), "warning", "resume-writes")


@pytest.mark.parametrize("kind", [ProblemKind.NOT_PERMITTED, ProblemKind.UNREACHABLE])
def test_a_problem_of_ssh_that_knows_what_to_change_says_so(kind):
    problem = Problem(kind, "sudo asks for a password: put it into its sudoers", change="put it into its sudoers")
    node = replace(HEALTHY.node(s.A), ssh=Reading(None, problem, s.NOW))
    state = replace(HEALTHY, nodes=(node, *HEALTHY.nodes[1:]))
    found = next(one for one in diagnose(state, s.NOW) if one.code in {"ssh-auth-failed", "ssh-unreachable"})
    assert "sudo asks for a password" in found.evidence[0]
    assert "put it" not in found.evidence[0]
    assert found.next.advice == "put it into its sudoers"
