"""A node recovered from the survivor's RDB while clients write: nothing is lost, and the role is where it is wanted."""

from __future__ import annotations

import json
import shutil
import threading
import time

import pytest
from lab.plain import environment, run_plain, status
from lab.screen import answer_all, arm, screen_on
from lab.writer import Writer

from console.core.runs.state import Outcome
from console.lab.scenarios import password_pair
from console.lab.systems.password_pair import DUMPS

pytestmark = pytest.mark.lab

OLD, SURVIVOR = password_pair.MASTER, password_pair.REPLICA
DUMP = {name: f"/data/redis/{file}" for name, file in DUMPS.items()}
RUNBOOK = "recover-from-rdb"
KNOWN = {"script-security-off", "script-fights-operator", "persistence-off", "replica-not-in-config"}
"""What this pair is said to be like, however well it does."""
BARE = """\
version: 1
name: bare
title: One verb and nothing that keeps it from harm
kind: keepalived
summary: An operator's own runbook that requires nothing at all.
roles:
  target: {description: Whom the verb is for., operator_may_choose: true}
  source: {description: The other node., other_than: target}
steps:
  - id: act
    title: Do it
    why: It was done like this the last time.
    role: target
    gate: type-name
    do: {copy-dump: {source: source}}
    verify: [has-dump-of: {subject: target, source: source}]
    within: 3
"""


def writer_on(lab, **options):
    return Writer(lab.vip, password=lab.options.password, **options)


def recover(lab, state, master, **options):
    return run_plain(lab, RUNBOOK, "--bind", f"master={master}", state=state, **options)


def replication(lab, name):
    return lab.host(name).redis("INFO", "replication")


def assert_protected(lab, master, replica):
    cluster = status(lab)
    codes = {one["code"] for one in cluster["findings"]}
    known = KNOWN | ({"nobody-promotes"} if replica == OLD else set())
    assert codes <= known, json.dumps(cluster["findings"], indent=1)
    assert lab.vip_holders() == [master]
    assert "role:master" in replication(lab, master)
    assert "role:slave" in replication(lab, replica)
    assert "master_link_status:up" in replication(lab, replica)
    for name in (master, replica):
        assert lab.host(name).running("keepalived")
        assert lab.host(name).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0"


def assert_no_secret(lab, text, state):
    """Neither on the terminal, nor in what the run wrote: every command that was sent stands there."""
    password = lab.options.password
    assert password not in text
    written = [path for path in state.rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if password.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("scenario", "version", "master"),
    [
        ("password-failed-over", "6.0", OLD),
        ("password-stale-master", "8.0", OLD),
        ("password-failed-over", "7.0", SURVIVOR),
    ],
    ids=["as documented", "stale master, newest Redis", "the survivor keeps the role"],
)
def test_nothing_is_lost_and_the_role_is_where_it_is_wanted(pair, tmp_path, scenario, version, master):
    lab = pair(scenario, redis=version)
    with writer_on(lab) as writer:
        writer.wait_for(100, 10)
        run = recover(lab, tmp_path, master)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(100, 10)
    assert writer.lost() == 0
    assert run.gates[:2] == [SURVIVOR, OLD], "typed where clients begin to wait, and where the dump is replaced"
    assert_protected(lab, master, SURVIVOR if master == OLD else OLD)
    for database in ("0", "1"):
        counts = {lab.host(name).redis("-n", database, "DBSIZE") for name in (OLD, SURVIVOR)}
        assert len(counts) == 1
    assert_no_secret(lab, run.text, tmp_path)
    owned = lab.host(OLD).run(f"stat -c '%a %u:%g' {DUMP[OLD]}* | grep -v note | sort -u").stdout.splitlines()
    assert len(owned) == 1, owned


def test_a_pair_that_is_as_it_is_wanted_is_left_alone_and_told_as_it_is(pair, tmp_path):
    lab = pair("password-pair")
    assert_protected(lab, OLD, SURVIVOR)
    found = {one["code"]: "\n".join(one["evidence"]) for one in status(lab)["findings"] if OLD not in one["nodes"]}
    assert "-a •••• SLAVEOF 192.168.1.112 6379" in found["script-fights-operator"]
    assert "pkill -9 -x keepalived" in found["script-fights-operator"]
    run = recover(lab, tmp_path, OLD)
    assert (run.outcome, run.confirmed, run.gates) == ("done", 0, []), run.text
    assert_no_secret(lab, run.text + json.dumps(status(lab)), tmp_path)


def test_whatever_dump_lies_there_loses_what_was_written_since(pair):
    lab = pair("password-failed-over", redis="6.0")
    with writer_on(lab) as writer:
        writer.wait_for(200, 10)
        shutil.copy(lab.host(SURVIVOR).root / DUMP[SURVIVOR][1:], lab.host(OLD).root / DUMP[OLD][1:])
        lab.host(OLD).service("redis-server", "start")
        lab.host(OLD).service("keepalived", "start")
        lab.wait(lambda: lab.vip_holders() == [OLD], 60, "the old master takes the VIP back")
        writer.wait_for(50, 20)
    assert writer.lost() > 0


def test_a_runbook_that_requires_nothing_copies_no_old_dump(pair, tmp_path):
    lab = pair("password-failed-over")
    own = lab.folder / "runbooks" / "bare.yaml"
    own.parent.mkdir()
    own.write_text(BARE, encoding="utf-8")

    def walk():
        run = run_plain(lab, "bare", "--bind", f"target={OLD}", state=tmp_path)
        assert (run.outcome, run.gates) == ("aborted", []), run.text
        return " ".join(run.stuck.split())

    stuck = walk()
    assert "min-replicas-to-write 0" in stuck, "clients still write"
    assert f"no copy of {DUMP[OLD]}" in stuck, "what it would replace was not backed up"
    survivor = lab.host(SURVIVOR)
    survivor.redis("SET", "one:more", "write")
    survivor.redis("CONFIG", "SET", "min-slaves-to-write", "1000000")
    assert "since its last save" in walk(), "the save is older than the last write"
    survivor.redis("SAVE")
    conf = lab.host(OLD).root / "etc/redis/redis6379.conf"
    conf.write_text(conf.read_text() + "appendonly yes\n")
    stuck = walk()
    assert "appendonly yes" in stuck, "Redis would load its AOF instead"
    assert "since its last save" not in stuck


def test_a_copy_that_is_cut_goes_on_from_what_has_arrived(pair, tmp_path):
    large = {"keys": 40, "value_bytes": 1_000_000, "redis_config": ("rdbcompression no",), "disk": "300m"}
    lab = pair("password-failed-over", **large)
    cuts = []

    def cut():
        folder = lab.host(OLD).root / "data/redis"
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if any(part.stat().st_size > 1_000_000 for part in folder.glob("*.part")):
                lab.host(OLD).run("pkill -9 -x cat")
                return
            time.sleep(0.001)

    def answer(prompt):
        if prompt.step == "copy" and prompt.kind == "gate" and not cuts:
            cuts.append(threading.Thread(target=cut, daemon=True))
            cuts[0].start()
        if prompt.step == "copy" and prompt.kind == "stuck":
            assert "a retry sends only the rest" in " ".join(prompt.text.split()), prompt.text
            cuts[0].join()
            return "retry"
        return ""

    with writer_on(lab) as writer:
        writer.wait_for(100, 10)
        run = recover(lab, tmp_path, OLD, at=answer)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(100, 10)
    assert writer.lost() == 0
    assert run.stuck
    (journal,) = tmp_path.rglob("journal.jsonl")
    assert "were there from an earlier copy" in journal.read_text()
    assert not list((lab.host(OLD).root / "data/redis").glob("*.part"))


def test_until_the_virtual_ip_has_moved_it_is_called_off(pair, tmp_path):
    lab = pair("password-failed-over")
    with writer_on(lab) as writer:
        writer.wait_for(100, 10)
        cut = recover(lab, tmp_path, OLD, at=lambda one: "abort" if one.step == "start-keepalived-on-master" else "")
        assert cut.outcome == "aborted", cut.text
        # The old master runs with a copy, but without keepalived and the virtual IP: no client reaches it.
        back = run_plain(lab, "resume-writes", state=tmp_path)
        assert back.outcome == "done", back.text
        writer.wait_for(100, 10)
    assert writer.lost() == 0
    assert lab.vip_holders() == [SURVIVOR]


@pytest.mark.long
async def test_at_the_full_screen(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = pair("password-failed-over")
    with writer_on(lab, pause=0.02) as writer:  # in one process with the screen
        writer.wait_for(50, 10)
        async with screen_on(lab, runbook=RUNBOOK) as pilot:
            await arm(pilot, choose=OLD)
            run = await answer_all(pilot)
        assert run.outcome is Outcome.DONE, run.stuck
        writer.wait_for(50, 10)
    assert writer.lost() == 0
    assert_protected(lab, OLD, SURVIVOR)
    assert_no_secret(lab, "", tmp_path)
    assert lab.options.password not in str(environment(lab, tmp_path).items())
