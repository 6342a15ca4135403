"""What scripts do by themselves, in the words of the documented pairs and of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.keepalived.script_text import actions, is_shell, mask_script, script_path
from console.core.model import ActionKind
from console.lab.options import LabOptions
from console.lab.systems import keepalived_pair

P, F = ActionKind.PROMOTES, ActionKind.FOLLOWS
START, STOP = ActionKind.STARTS_REDIS, ActionKind.STOPS_REDIS
KEEP, NET, WIPE = ActionKind.STOPS_KEEPALIVED, ActionKind.RESTARTS_NETWORK, ActionKind.EMPTIES


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("$REDISCLI SLAVEOF NO ONE >> $LOGFILE 2>&1", [P]),
        ("    $REDISCLI SLAVEOF $MASTER_IP $MASTER_PORT", [F]),
        ("/usr/local/redis2/bin/redis-cli -h 192.168.1.112 -a 123 slaveof no one", [P]),
        ("redis-cli replicaof 10.0.0.1 6379 && echo done", [F]),
        ("timeout 5 sudo redis-cli SLAVEOF 10.0.0.1 6379", [F]),
        ("#$REDISCLI SLAVEOF redis-b 6379", []),
        ("true # redis-cli SLAVEOF redis-b 6379", []),
        ('echo "$(date)|state:[backup] Run \'SLAVEOF redis-b 6379\'" >> $LOGFILE', []),
        ("echo Run SLAVEOF NO ONE", []),
        ('say "sending SLAVEOF NO ONE"', []),
        ('log INFO  "Sync data from original master: SLAVEOF $MASTER_IP $MASTER_PORT"', []),
        ("echo SLAVEOF NO ONE | redis-cli", [P]),
        ('echo "SLAVEOF NO ONE" | $REDISCLI -h x', [P]),
        ("answer=$(redis-cli SLAVEOF NO ONE)", [P]),
        ("x=`redis-cli SLAVEOF 10.0.0.1 6379`", [F]),
        ('CMD="redis-cli SLAVEOF NO ONE"', [P]),
        ("if [ $? != 0 ]; then service redis restart; fi", [START]),
        ("        service redis restart", [START]),
        ("systemctl --no-block restart redis-server.service", [START]),
        ("systemctl stop redis_6379", [STOP]),
        ("/etc/init.d/redis stop", [STOP]),
        ("systemctl status redis", []),
        ("systemctl restart redis-sentinel", []),
        ("redis-server /etc/redis.conf", [START]),
        ("redis-cli -a x SHUTDOWN NOSAVE", [STOP]),
        ("killall -9 keepalived", [KEEP]),
        ("service keepalived stop", [KEEP]),
        ("/etc/init.d/keepalived restart || true", [KEEP]),
        ("kill -TERM $(cat /run/keepalived.pid)", [KEEP]),
        ("kill -9 `pidof redis-server`", [STOP]),
        ("pkill -f redis-server", [STOP]),
        ("killall -0 redis-server", []),
        ("kill -0 $(cat /run/keepalived.pid)", []),
        ("killall -9 keepalived; service network restart", [KEEP, NET]),
        ("redis-cli FLUSHALL", [WIPE]),
        ("/bin/sh -c 'service redis stop; redis-cli SLAVEOF x 1'", [STOP, F]),
        ("ALIVE=$(/usr/bin/redis-cli PING)", []),
        ('[ "$answer" == "PONG" ]', []),
    ],
)  # fmt: skip
def test_a_line(line, kinds):
    assert [one.kind for one in actions(line)] == kinds


def test_lines_are_counted_as_in_the_file_and_joined_where_a_backslash_ends_them():
    text = "#!/bin/sh\n\nredis-cli \\\n  -h x SLAVEOF \\\n  NO ONE\n# killall keepalived\nservice keepalived stop\n"
    assert [(one.kind, one.line) for one in actions(text)] == [(P, 3), (KEEP, 7)]


def test_the_documented_scripts_promote_and_do_nothing_else():
    made = {name: actions(text) for name, text in keepalived_pair.scripts("redis-a", LabOptions(password="x")).items()}
    assert {name: [one.kind for one in found] for name, found in made.items() if found} == {"redis_master.sh": [P]}


def test_no_secret_is_kept():
    text = "PASSWORD='hunter2'\nREDISCLI='redis-cli -a hunter2'; $REDISCLI -a hunter2 SLAVEOF NO ONE\n"
    assert [one.kind for one in actions(text)] == [P]
    assert "hunter2" not in str(actions(text))
    assert "hunter2" not in mask_script("export REDISCLI_AUTH=hunter2; MY_PASS=hunter2 x; redis-cli AUTH hunter2")


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("/etc/keepalived/scripts/redis_check.sh 6379 secret", "/etc/keepalived/scripts/redis_check.sh"),
        ('"/opt/check.sh"', "/opt/check.sh"),
        ("/bin/sh /opt/check.sh 6379", "/opt/check.sh"),
        ("sudo bash -x /opt/check.sh", "/opt/check.sh"),
        ("sh -c 'redis-cli ping'", ""),
        ("killall -0 redis-server", ""),
        ("", ""),
    ],
)
def test_the_program_that_a_command_runs(command, path):
    assert script_path(command) == path


def test_other_languages_are_told_apart():
    assert is_shell("#!/usr/bin/env bash\n")
    assert is_shell("echo without a first line\n")
    assert not is_shell("#!/usr/bin/python3\n")


@given(st.text(alphabet=st.sampled_from("$()`\"'\\;|&#\n slaveof NO ONE redis-cli kill")))
def test_any_text_is_borne(text):
    assert all(one.line >= 1 for one in actions(text))
