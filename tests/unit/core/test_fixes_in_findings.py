"""Findings about what a restart or a crash would do: each names its exact fix."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.kinds.diagnose import SHOWS_AT_NEXT_RESTART, all_rules, diagnose, left_behind
from console.core.model import RedisFile, read

HEALTHY, FAILED = s.healthy_pair(), s.failed_over_pair()


def found_one(state, code):
    return next((one for one in diagnose(state, s.NOW) if one.code == code), None)


@pytest.mark.parametrize(("user", "line"), [("", 3), ("root", 3), ("", 0)])
def test_the_fix_of_script_security_names_file_line_and_text(user, line):
    found = found_one(s.unsecured(HEALTHY, 0o755, user=user, line=line), "script-security-off")
    advice = found.next.advice
    assert "/etc/keepalived/keepalived.conf" in advice
    assert "enable_script_security" in advice
    assert ("script_user root" in advice) is not bool(user)
    assert ("global_defs (line 3)" in advice) is bool(line)
    assert "SECURITY VIOLATION" in "".join(found.evidence)
    open_to_all = found_one(s.unsecured(HEALTHY, 0o777, user=user, line=line), "script-security-off")
    assert open_to_all.next.advice.index("chmod go-w") < open_to_all.next.advice.index("enable_script_security")


@pytest.mark.parametrize(
    "state",
    [
        s.unsecured(HEALTHY, 0o777, enabled=True),
        s.unsecured(HEALTHY, 0o777, user="keepalived_script"),
        s.with_keepalived(s.unsecured(HEALTHY, 0o777), s.A, version="1.2.13"),
        s.with_keepalived(s.unsecured(HEALTHY, 0o777), s.A, version=None),
    ],
    ids=["enabled", "not run as root", "a version without it", "version not known"],
)
def test_script_security_is_not_asked_for_where_it_changes_nothing(state):
    assert found_one(state, "script-security-off") is None


@given(st.integers(0, 10**9), st.none() | st.floats(0, 10**7), st.booleans())
def test_changes_count_as_unsaved_when_redis_itself_would_have_saved_them(changes, ago, aof):
    saved = None if ago is None else s.NOW - ago
    state = s.with_persistence(FAILED, s.A, changes_since_save=changes, rdb_last_save=saved, aof=aof)
    found = found_one(state, "unsaved-changes")
    overdue = changes >= 10_000 or ago is None or ago > 900.1
    if abs((ago or 0) - 900) > 0.1:
        assert (found is not None) is (bool(changes) and not aof and overdue)
    if found is not None:
        assert found.next.advice == "redis-cli -h 192.168.100.201 -p 6379 BGSAVE"


def test_a_replica_that_would_not_follow_after_a_restart_has_its_line_named():
    state = s.with_node(HEALTHY, s.A, redis_file=read(RedisFile("/etc/redis/redis.conf", ""), s.NOW))
    for name in (s.A, s.B):  # scripts that change no role
        plain = tuple(replace(one, actions=()) for one in s.scripts())
        state = s.with_node(state, name, scripts=read(plain, s.NOW))
    found = found_one(state, "replica-not-in-config")
    assert "add `replicaof 192.168.100.202 6379` to /etc/redis/redis.conf on redis-a" in found.next.advice


def test_where_scripts_change_roles_no_line_is_advised():
    """A promoted node would start as a replica by that line, and drop its data."""
    state = s.with_node(HEALTHY, s.A, redis_file=read(RedisFile("/etc/redis/redis.conf", ""), s.NOW))
    advice = found_one(state, "replica-not-in-config").next.advice
    assert advice.startswith("attach redis-a again after each restart of its Redis; leave its configuration file alone")
    assert advice.count("leave") == 1
    assert "add `replicaof" not in advice


def test_a_run_names_at_its_end_what_only_the_next_restart_or_crash_shows():
    state = s.with_node(s.unsecured(s.rebuilt_pair(), 0o755), s.B, redis_file=read(RedisFile("/r.conf", ""), s.NOW))
    state = s.with_persistence(state, s.A, changes_since_save=22_456)
    state = s.with_redis(state, s.A, write_rate=40_000.0)
    shown = {one.code for one in diagnose(state, s.NOW)}
    assert "backlog-too-small" in shown
    assert {one.code for one in left_behind(state, s.NOW)} == shown - {"backlog-too-small"} == SHOWS_AT_NEXT_RESTART


def test_every_code_that_a_run_names_at_its_end_exists():
    assert {one.code for one in all_rules()} >= SHOWS_AT_NEXT_RESTART
