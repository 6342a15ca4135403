"""The edit that keeps a role after the next start: its commands, its dry start in a real shell, and the offer."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import samples
from fakes import CLUSTER, A, B, node_spec

from console.core.inventory import RedisSpec
from console.core.model import Process, Processes, read
from console.core.runbooks.document import Action, Step
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.engine.actions.commands import CommandContext, PlanError, plan_commands
from console.engine.actions.config_edit import redis_test, replace_file, sha256
from console.engine.plan import Prospect, make_plan

STAMP = "20261121T034000Z"
CONF = b"port 6379\nmasterauth hush-hush\n"
ROLES = {"survivor": A, "returning": B}
TO_A = f"{samples.ADDRESS[A]} 6379"


def context(before=CONF, **redis):
    cluster = replace(CLUSTER, nodes=tuple(node_spec(name, redis=RedisSpec(**redis)) for name in (A, B)))
    read_file = None if before is None else lambda _node, _path: before
    return CommandContext(cluster, ROLES, "RUN-1", STAMP, read_file)


def planned(verb, work, role="returning", state=None, **arguments):
    step = Step("s", "title", "why", role, action=Action(verb, arguments))
    return plan_commands(step, samples.in_sync_unprotected() if state is None else state, work)


def test_the_replica_gets_one_line_and_no_password_is_shown():
    (edit,) = planned("keep-replica", context(config="/etc/redis.conf"), source="survivor")
    assert edit.command.stdin.endswith(CONF + f"slaveof {TO_A}\n".encode())
    assert f"+slaveof {TO_A}" in edit.detail
    assert "hush-hush" not in edit.detail + edit.render() + edit.summary
    told = f"slaveof {TO_A}\n".encode()
    assert planned("keep-replica", context(told, config="/c"), source="survivor") == ()


@pytest.mark.parametrize(
    "line",
    [
        "# masterauth old-hush",
        "  #  requirepass old-hush",
        '"masterauth" old-hush',
        "'requirepass' \"old-hush too\"",
        "user default on >old-hush ~* +@all",
        "# user bob on >old-hush",
        'rename-command CONFIG "old-hush"',
        "tls-key-file-pass old-hush",
    ],
)
def test_no_password_beside_the_edited_line_is_shown_in_whatever_way_it_stands_there(line):
    before = f"port 6379\n{line}\nslaveof 10.0.0.9 6379\n{line}\n".encode()
    (edit,) = planned("keep-replica", context(before, config="/etc/redis.conf"), source="survivor")
    assert line.split()[-2].strip("#") in edit.detail or "••••" in edit.detail
    assert "old-hush" not in edit.detail + edit.render() + edit.summary


def test_the_master_loses_its_line():
    before = CONF + b"replicaof 10.0.0.1 6379\n"
    (edit,) = planned("keep-master", context(before, config="/etc/redis.conf"), role="survivor")
    assert edit.command.stdin.endswith(b"\n" + CONF)
    assert "-replicaof 10.0.0.1 6379" in edit.detail
    assert planned("keep-master", context(config="/c"), role="survivor") == ()


def test_a_plan_shows_the_edit_before_the_file_is_known():
    unknown = samples.unread(samples.ProblemKind.NOT_CONFIGURED, "not known", samples.NOW)
    nowhere = samples.with_node(samples.failed_over_pair(), B, redis_file=unknown)
    (later,) = planned("keep-replica", context(None), state=nowhere, source="survivor")
    assert TO_A in later.detail
    with pytest.raises(PlanError, match=r"name it in the inventory"):
        planned("keep-replica", context(), state=nowhere, source="survivor")


def test_a_node_that_follows_itself_is_refused():
    with pytest.raises(PlanError, match="cannot follow itself"):
        planned("keep-replica", context(config="/c"), source="returning")


# --- the dry start ---------------------------------------------------------------------------------------------------

READS_ALL = """#!/bin/sh
[ "$1" = - ] && [ "$2" = --redis-ha-console-dry-start ] || exit 9
while read -r word rest; do
  [ "$word" != broken ] || { echo ">>> 'broken' Bad directive"; exit 1; }
  [ "$word" != logfile ] || { : > "$rest"; }
done
echo ">>> 'redis-ha-console-dry-start \\"yes\\"'"; echo "Bad directive"; exit 1
"""


class Host:
    """A folder with a configuration file and a program named redis-server."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.file = folder / "redis.conf"
        self.bin = folder / "bin"
        self.bin.mkdir()
        if program:
            (self.bin / "redis-server").write_text(program)
            (self.bin / "redis-server").chmod(0o755)

    def edit(self, before, after, *, pid=None, shell="sh"):
        self.file.write_bytes(before)
        command = replace_file(str(self.file), sha256(before), after, STAMP, sudo=False, tested=redis_test(pid))
        return subprocess.run(
            [shell, "-c", command.script],
            input=command.stdin,
            capture_output=True,
            env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"},
            timeout=30,
            check=False,
        )


@pytest.mark.parametrize("shell", [one for one in ("dash", "bash") if shutil.which(one)])
def test_a_file_that_redis_reads_to_its_end_is_put_in_place(tmp_path, shell):
    host = Host(tmp_path, READS_ALL)
    done = host.edit(CONF, CONF + b"slaveof 10.0.0.1 6379\n", shell=shell)
    assert done.returncode == 0, done.stderr
    assert b"a dry start of redis-server read the whole file without an error" in done.stdout
    assert host.file.read_bytes().endswith(b"slaveof 10.0.0.1 6379\n")
    assert (tmp_path / f"redis.conf.redis-ha-console.{STAMP}").read_bytes() == CONF


def test_a_file_with_an_error_is_not(tmp_path):
    host = Host(tmp_path, READS_ALL)
    done = host.edit(CONF, CONF + b"broken\n")
    assert done.returncode == 26
    assert b"'broken' Bad directive" in done.stderr
    assert host.file.read_bytes() == CONF
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bin", "redis.conf"]


def test_the_dry_start_creates_no_log(tmp_path):
    host = Host(tmp_path, READS_ALL)
    log = tmp_path / "redis.log"
    assert host.edit(CONF + f"logfile {log}\n".encode(), CONF + f"LogFile {log}\nport 1\n".encode()).returncode == 0
    assert not log.exists()


def test_a_server_that_does_not_know_the_file_before_it_either_proves_nothing(tmp_path):
    host = Host(tmp_path, READS_ALL)
    done = host.edit(CONF + b"broken\n", CONF + b"broken\nslaveof 10.0.0.1 6379\n")
    assert done.returncode == 0, done.stderr
    assert b"not tested: a dry start of redis-server does not read the file before it either" in done.stdout


def test_the_program_beside_the_running_one_is_called_by_the_name_of_the_server(tmp_path):
    """On some systems redis-server is a link to redis-check-rdb: that is what /proc shows of the running one."""
    host = Host(tmp_path, "#!/bin/sh\nexit 9\n")
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "redis-server").write_text(READS_ALL)
    (beside / "redis-server").chmod(0o755)
    shutil.copy(shutil.which("sleep") or "", beside / "redis-check-rdb")
    with subprocess.Popen([beside / "redis-check-rdb", "60"]) as running:
        done = host.edit(CONF, CONF + b"slaveof 10.0.0.1 6379\n", pid=running.pid)
        running.kill()
    assert b"a dry start of redis-server read the whole file without an error" in done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="this machine has no redis-server")
def test_a_real_server_reads_the_file_and_starts_nothing(tmp_path):
    host = Host(tmp_path, "")
    before = f"port 0\ndir {tmp_path}\nunixsocket {tmp_path}/socket\nlogfile {tmp_path}/redis.log\n".encode()
    done = host.edit(before, before + b"slaveof 10.0.0.1 6379\n")
    assert done.returncode == 0, done.stderr
    assert b"a dry start of redis-server read the whole file without an error" in done.stdout
    names = {"bin", "redis.conf", f"redis.conf.redis-ha-console.{STAMP}"}
    assert {one.name for one in tmp_path.iterdir()} == names, "no log, no socket, no dump"
    refused = Host(tmp_path / "bin", "").edit(before, before + b"slaveof 10.0.0.1 no-port\n")
    assert refused.returncode == 26
    assert b"slaveof 10.0.0.1 no-port" in refused.stderr


def test_the_program_of_the_running_server_comes_first():
    running = samples.with_node(
        samples.in_sync_unprotected(), B, processes=read(Processes(redis=(Process(4711, 1, "redis-server *:6379"),)), 0)
    )
    (edit,) = planned("keep-replica", context(config="/c"), state=running, source="survivor")
    assert "\npid=4711\n" in edit.command.script


# --- the offer ------------------------------------------------------------------------------------------------------


def last_steps(state):
    book = load_runbook(shipped_folder() / "one-shot-rebuild.yaml")
    made = make_plan(book, state, context(None, config="/etc/redis.conf"))
    return {one.step.id: one for one in made.steps if one.step.id in ("keep-master", "keep-replica")}


def without_scripts(state):
    for name in (A, B):
        plain = tuple(replace(one, actions=()) for one in samples.scripts())
        state = samples.with_node(state, name, scripts=read(plain, state.observed_at))
    return state


def test_the_edit_is_offered_where_no_script_decides_and_explained_where_one_does():
    offered = last_steps(without_scripts(samples.stale_master_back()))
    assert offered["keep-master"].prospect is Prospect.SKIPPED
    assert offered["keep-replica"].prospect is Prospect.LATER
    assert [one.command.timeout for one in offered["keep-replica"].planned]
    steered = last_steps(samples.stale_master_back())
    for one in steered.values():
        assert one.prospect is Prospect.SKIPPED
        assert "scripts of keepalived decide" in one.checks[0].check.evidence
