"""A runbook that leaves its conditions out walks into nothing, and what cannot be seen blocks: on real servers."""

from __future__ import annotations

import asyncio
import json
import re
from importlib.resources import files

import pytest
from lab.plain import assert_healthy_and_protected, console, run_plain, status
from lab.screen import answer_all, arm, screen_on, text_of
from lab.writer import Writer

from console.core.runs.question import Choice
from console.core.runs.state import Outcome
from console.documents.errors import DocumentError

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
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
    do: VERB
    verify: [redis-up: target]
    within: 3
"""
REPLICATE = "{replicate: {source: source}}"


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def bare(lab, verb):
    """An own runbook of one step beside the inventory, with nothing but the verb."""
    own = lab.folder / "runbooks" / "bare.yaml"
    own.parent.mkdir(exist_ok=True)
    own.write_text(BARE.replace("VERB", verb), encoding="utf-8")


def walk(lab, verb, target):
    """Runs the bare verb on a node: why it was blocked; nothing was asked, so nothing was sent."""
    bare(lab, verb)
    run = run_plain(lab, "bare", "--bind", f"target={target}", state=lab.folder)
    assert run.outcome == "aborted", run.text
    assert run.gates == [], run.text
    return " ".join(run.stuck.split())


async def walk_on_screen(lab, verb, target):
    """The same at the full screen: what stood there when it was blocked."""
    bare(lab, verb)
    shown = []
    async with screen_on(lab, runbook="bare", size=(120, 40)) as pilot:
        await arm(pilot, choose=target)
        run = await answer_all(pilot, before=lambda _: shown.append(text_of(pilot)), unfold=True)
    assert run.outcome is Outcome.ABORTED, shown
    assert run.questions == [], shown
    (stuck,) = run.stuck
    assert Choice.OVERRIDE not in stuck.choices
    (text,) = shown
    return " ".join(text.split())


def role(lab, name):
    return "master" if "role:master" in lab.host(name).redis("INFO", "replication") else "replica"


def codes(lab):
    return {one["code"] for one in status(lab)["findings"]}


async def test_verbs_that_start_something_require_what_their_runbook_leaves_out(pair):
    lab = pair("failed-over")
    assert "clients do not reach redis-b when its Redis starts" in walk(lab, "start-redis", B)  # H01
    assert "only it holds" in walk(lab, "stop-keepalived", A)  # H17
    assert "only it holds" in walk(lab, "stop-redis", A)
    assert not lab.host(B).running("redis-server")
    lab.fault("stop", B, "keepalived")
    lab.host(B).service("redis-server", "start")
    lab.wait(lambda: "PONG" in lab.host(B).redis("PING"), 60)
    assert "redis-a is also a master" in walk(lab, "start-keepalived", B)  # H01
    lab.host(B).redis("SLAVEOF", lab.host(A).address, "6379")
    lab.wait(lambda: "master_link_status:up" in lab.host(B).redis("INFO", "replication"), 60)
    assert "the priority of redis-b does not take the virtual IP" in walk(lab, "start-keepalived", B)  # H15
    lab.fault("stop", A, "keepalived")
    assert "start keepalived on redis-a first" in await walk_on_screen(lab, "start-keepalived", B)  # H16
    assert not lab.host(B).running("keepalived")
    assert (role(lab, A), role(lab, B)) == ("master", "replica")


async def test_a_runbook_that_requires_nothing_wipes_nothing(pair):
    lab = pair("stale-master-back")
    kept = {name: lab.host(name).redis("DBSIZE") for name in (A, B)}
    assert f"clients of {lab.vip} write to redis-b or to no node" in await walk_on_screen(lab, REPLICATE, A)  # H04
    lab.host(A).redis("FLUSHALL")
    async with screen_on(lab, runbook="bare", size=(120, 40)) as pilot:
        await arm(pilot, choose=B)
        run = await answer_all(pilot, override=True)
    (stuck,) = run.stuck
    assert run.gates == []
    assert "H02" in {one.hazard for one in stuck.checks if not one.holds}
    assert Choice.OVERRIDE not in stuck.choices
    assert lab.host(B).redis("DBSIZE") == kept[B]
    assert (role(lab, A), role(lab, B)) == ("master", "master")


async def test_the_text_of_a_shell_step_meets_the_interlocks_of_the_verb(pair):
    lab = pair("stale-master-back")
    held = lab.host(A).redis("DBSIZE")
    lab.host(B).redis("FLUSHALL")
    follow = f"redis-cli -p 6379 slaveof {lab.host(B).address} 6379"
    for text in (follow, f"sudo -n timeout 5 sh -c 'redis-cli SLAVEOF {lab.host(B).address} 6379'"):
        stuck = walk(lab, f'{{shell: {{script: "{text}"}}}}', A)
        assert "redis-b is not empty while redis-a holds data" in stuck  # H02
        assert f"clients of {lab.vip} write to redis-b or to no node" in stuck  # H04
    for text in ("X=flushall; redis-cli $X", "/usr/local/sbin/repair.sh"):
        stuck = walk(lab, f'{{shell: {{script: "{text}"}}}}', A)
        assert "another node, or a backup of this run, has the data of redis-a" in stuck
        assert "override" not in stuck
    assert "clients do not need redis-a" in walk(lab, '{manual: {instruction: "Run `systemctl stop redis` there."}}', A)
    assert lab.host(A).redis("DBSIZE") == held
    assert (role(lab, A), role(lab, B)) == ("master", "master")


BACKED_UP = """\
  - id: save
    title: Save it
    why: The text may do anything.
    role: target
    gate: confirm
    do: save-dump
    verify: [nothing-unsaved: target]
  - id: backup
    title: Back it up
    why: The text may do anything.
    role: target
    gate: confirm
    do: backup
    verify: [dump-kept: target]
"""


def test_a_text_that_is_not_understood_needs_a_backup_of_this_run_and_a_sentence(pair, tmp_path):
    lab = pair("failed-over")
    text = '{shell: {script: "name=world; echo hello > /tmp/$name"}}'
    assert "another node, or a backup of this run, has the data of redis-a" in walk(lab, text, A)
    own = lab.folder / "runbooks" / "bare.yaml"
    own.write_text(own.read_text().replace("steps:\n", f"steps:\n{BACKED_UP}"), encoding="utf-8")
    run = run_plain(lab, "bare", "--bind", f"target={A}", state=tmp_path, override="sentence")
    assert (run.outcome, run.gates) == ("done", [A]), run.text
    assert "I know what this text does on redis-a, which serves clients" in " ".join(run.text.split())
    assert lab.host(A).read("/tmp/world") == "hello\n"


@pytest.mark.long
async def test_h03_only_the_whole_sentence_takes_the_loss(pair, tmp_path):
    lab = pair("stale-master-back")
    lab.host(B).redis("SET", "written:while:alone", "1")
    refused = run_plain(lab, state=tmp_path, override="I accept")
    assert refused.outcome == "aborted", refused.text
    assert "what redis-b loses by following redis-a" in refused.stuck
    assert "that is not the sentence" in refused.stuck
    assert lab.host(B).redis("GET", "written:while:alone").strip() == "1"
    async with screen_on(lab, runbook="one-shot-rebuild", size=(120, 40)) as pilot:
        await arm(pilot)
        run = await answer_all(pilot, override=True)
        assert run.outcome is Outcome.DONE, text_of(pilot)
    sentence = "I accept that redis-b loses what redis-a does not have"
    blocked = next(one for one in run.questions if one.sentence)
    assert (blocked.sentence, blocked.step.id) == (sentence, "replicate")
    assert blocked.preview is not None
    assert run.gates[-1] == B, "the name is typed all the same"
    assert lab.host(B).redis("GET", "written:while:alone").strip() == ""
    assert_healthy_and_protected(lab, A)
    assert sentence in console(lab, "runs", "report", state=tmp_path).stdout
    assert console(lab, "runs", "verify", state=tmp_path).returncode == 0


async def test_h06_h12_the_source_is_an_address_of_its_own_and_its_load_is_shown(pair):
    lab = pair("stale-master-back")
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        planned = json.loads(console(lab, "plan", "one-shot-rebuild", "cache", "--format", "json").stdout)
    replicate = next(one for one in planned["steps"] if one["id"] == "replicate")
    assert [one["text"] for one in replicate["commands"]] == [f"SLAVEOF {lab.host(A).address} 6379"]
    load = " ".join(replicate["preview"]["details"])
    assert "traffic:" in load  # H12: how busy the source is
    assert "writes:" in load
    shown = await walk_on_screen(lab, REPLICATE, B)
    assert "✓ redis-a is followed by its own address, not by the virtual IP (hazard H06)" in shown
    assert f"$ SLAVEOF {lab.host(A).address} 6379" in shown
    assert "traffic:" in shown
    assert "writes:" in shown
    text = lab.inventory.read_text(encoding="utf-8")
    lab.inventory.write_text(text.replace(f"address: {lab.host(A).address}", f"address: {lab.vip}"), encoding="utf-8")
    with pytest.raises(DocumentError, match=re.escape(lab.vip)):
        async with screen_on(lab, runbook="bare"):
            pytest.fail("the screen opens on a node whose address is the virtual IP")
    refused = console(lab, "plan", "bare", "cache", "--bind", f"target={B}")
    assert refused.returncode != 0
    assert "192.168.100.123" in refused.stdout + refused.stderr
    assert role(lab, B) == "master"


async def test_h09_a_notify_script_that_still_sleeps_blocks_until_it_has_ended(pair):
    lab = pair("stale-master-back", notify_sleep=60)
    lab.host(B).run("nohup setsid /etc/keepalived/scripts/redis_master.sh INSTANCE VI_123 MASTER 139 >/dev/null 2>&1 &")
    lab.wait(lambda: lab.host(B).running("redis_master.sh"), 60)
    stuck = await walk_on_screen(lab, REPLICATE, B)
    assert "✗ no script of keepalived runs on redis-b (hazard H09)" in stuck
    assert "redis_master.sh" in stuck
    assert "notify-in-progress" in codes(lab)
    assert role(lab, B) == "master"


async def test_h10_keepalived_is_not_started_where_its_script_would_promote_the_replica(pair):
    lab = pair("stale-master-back")
    script = "/etc/keepalived/scripts/redis_backup.sh"
    lab.host(B).run(f"echo '/usr/bin/redis-cli SLAVEOF NO ONE' >> {script}", check=True)
    last = len(lab.host(B).read(script).splitlines())
    async with screen_on(lab, runbook="one-shot-rebuild", size=(120, 40)) as pilot:
        await arm(pilot)
        run = await answer_all(pilot)
    (stuck,) = run.stuck
    assert stuck.step.id == "start-keepalived-on-replica"
    (failing,) = [one for one in stuck.checks if not one.holds]
    assert failing.hazard == "H10"
    assert f"{script} line {last} (notify_backup): /usr/bin/redis-cli SLAVEOF NO ONE" in failing.evidence
    assert Choice.OVERRIDE not in stuck.choices
    assert not lab.host(B).running("keepalived")
    assert role(lab, B) == "replica"


async def test_h11_h19_a_source_or_target_without_room_is_refused(pair):
    lab = pair("stale-master-back")
    lab.host(A).redis("CONFIG", "SET", "repl-diskless-sync", "no")
    lab.host(A).run("mount -t tmpfs -o size=64k tmpfs /data/redis && head -c 60000 /dev/zero > /data/redis/full")
    lab.host(B).redis("CONFIG", "SET", "maxmemory", "1mb")
    stuck = await walk_on_screen(lab, REPLICATE, B)
    assert "✗ redis-a has the memory and disk space for a full sync (hazard H11)" in stuck
    assert "free in /data/redis" in stuck
    assert "✗ the data of redis-a fits into redis-b (hazard H19)" in stuck
    assert role(lab, B) == "master"


async def test_h19_a_server_that_cannot_load_the_copy_is_not_made_a_replica(pair):
    lab = pair("stale-master-back", redis_of={A: "8.0", B: "7.0"})
    assert "✗ Redis on redis-b can load what redis-a sends (hazard H19)" in await walk_on_screen(lab, REPLICATE, B)
    assert "version-skew" in codes(lab)
    assert role(lab, B) == "master"


@pytest.mark.long
async def test_h14_a_survivor_that_dies_during_the_sync_does_not_promote_half_a_data_set(pair):
    lab = pair("stale-master-back", sync_delay=30)
    shipped = files("console.runbooks").joinpath("one-shot-rebuild.yaml").read_text(encoding="utf-8")
    own = lab.folder / "runbooks" / "impatient.yaml"
    own.parent.mkdir()
    text = shipped.replace("name: one-shot-rebuild", "name: impatient").replace("within: 3600", "within: 6")
    own.write_text(text, encoding="utf-8")

    def survivor_dies():
        lab.wait(lambda: role(lab, B) == "replica", 60)
        lab.fault("kill", A, "redis")

    async with screen_on(lab, runbook="impatient", size=(120, 40)) as pilot:
        await arm(pilot)
        dying = asyncio.create_task(asyncio.to_thread(survivor_dies))
        run = await answer_all(pilot)
        await dying
    assert run.outcome is Outcome.FAILED
    assert [one.step.id for one in run.stuck] == ["wait-for-sync"]
    assert "does not run: it may lack its last writes" in await walk_on_screen(lab, "start-keepalived", B)
    assert not lab.host(B).running("keepalived")
    assert B not in lab.vip_holders()
    assert role(lab, B) == "replica", "nothing promoted it"


async def test_h17_h18_two_holders_and_two_masters_are_named_and_nothing_is_wiped(pair):
    lab = pair("split-brain")  # redis-b holds the VIP; both took writes
    assert {"dual-master", "histories-diverged"} & codes(lab)
    stuck = await walk_on_screen(lab, REPLICATE, A)
    assert "✗ redis-b has all data of redis-a (hazard H03)" in stuck
    assert "✗ keepalived is stopped on redis-a (hazard H01)" in stuck
    link = lab.host(A).run("ip -o -4 address show scope global | awk '{print $2; exit}'").stdout.strip()
    lab.host(A).run(["ip", "address", "add", f"{lab.vip}/32", "dev", link], check=True)
    assert "vip-duplicate" in codes(lab)
    assert "✗ redis-a does not hold" in await walk_on_screen(lab, REPLICATE, A)
    for name in (A, B):
        lab.fault("stop", name, "keepalived")
    lab.host(A).run(["ip", "address", "del", f"{lab.vip}/32", "dev", link])
    lab.wait(lambda: lab.vip_holders() == [], 60)
    assert "vip-missing" in codes(lab)
    assert [lab.host(name).redis("EXISTS", f"written:on:{name}:1").strip() for name in (A, B)] == ["1", "1"]


async def test_h28_a_node_that_hangs_is_not_down(pair):
    lab = pair("stale-master-back")
    lab.fault("freeze", B, "redis")
    found = codes(lab)
    assert "redis-hung" in found
    assert "redis-down" not in found
    lab.fault("freeze", B, "sshd")
    stuck = await walk_on_screen(lab, "start-redis", B)
    proved = "Redis on redis-b does not run: SSH sees no process of it, and its port refuses connections"
    assert f"{proved} (not known) (hazard H28) observed: the processes of redis-b could not be read" in stuck
    assert "redis-b can be read over SSH (not known) (hazard H28)" in stuck
    lab.fault("thaw", B, "sshd")


@pytest.mark.long
async def test_h29_no_secret_is_written_or_shown_anywhere(pair, tmp_path):
    secrets = ("correct-horse", "aBcD1234")
    lab = pair("stale-master-back", password=secrets[0])
    for host in lab.hosts.values():
        host.run("sed -i 's/virtual_router_id/authentication {\\n auth_type PASS\\n auth_pass aBcD1234\\n }\\n&/' "
                 "/etc/keepalived/keepalived.conf", check=True)  # fmt: skip
        host.run("(while :; do cat /proc/[0-9]*/cmdline; sleep 0.05; done) > /var/log/lines 2>&1 &")
    async with screen_on(lab, runbook="one-shot-rebuild", size=(120, 40)) as pilot:
        await arm(pilot)
        shown = []
        run = await answer_all(pilot, before=lambda _: shown.append(text_of(pilot)))
        shown.append(text_of(pilot))
    assert run.outcome is Outcome.DONE, shown[-1]
    words = (["status", "--format", "json"], ["plan", "one-shot-rebuild", "cache"], ["runs", "show"],
             ["runs", "report"], ["runs", "report", "--format", "json"])  # fmt: skip
    shown += [answer.stdout + answer.stderr for answer in (console(lab, *one, state=tmp_path) for one in words)]
    written = [one.read_text(encoding="utf-8", errors="replace") for one in tmp_path.rglob("*") if one.is_file()]
    lines = [host.read("/var/log/lines") for host in lab.hosts.values()]
    assert all(lines)
    assert all(f"auth_pass {secrets[1]}" in host.read("/etc/keepalived/keepalived.conf") for host in lab.hosts.values())
    for secret in secrets:
        assert not [one for one in (*shown, *written, *lines) if secret in one]


async def test_h30_a_survivor_that_refuses_writes_is_named_and_not_built_upon(pair):
    lab = pair("failed-over")
    lab.host(A).redis("CONFIG", "SET", "min-replicas-to-write", "1")
    assert "writes-refused" in codes(lab)
    shipped = files("console.runbooks").joinpath("one-shot-rebuild.yaml").read_text(encoding="utf-8")
    own = lab.folder / "runbooks" / "impatient.yaml"
    own.parent.mkdir()
    own.write_text(shipped.replace("name: one-shot-rebuild", "name: impatient").replace("within: 60", "within: 3"))
    async with screen_on(lab, runbook="impatient", size=(120, 40)) as pilot:
        await arm(pilot)
        run = await answer_all(pilot)
    assert [one.step.id for one in run.stuck] == ["survivor-proved"]
    assert "NOREPLICAS" in run.stuck[0].reason
    assert run.gates == []
    assert not lab.host(B).running("redis-server")


def test_h30_a_node_whose_save_failed_follows_only_after_one_that_succeeded(pair):
    """From 7.0 on it would end: a replica that cannot write to its disk ends at the first write of its master."""
    lab = pair("stale-master-back")
    survivor, returning = lab.host(A), lab.host(B)
    lab.fault("fill", B)
    returning.redis("BGSAVE")
    lab.wait(lambda: "rdb_last_bgsave_status:err" in returning.redis("INFO", "persistence"), 20, "the save fails")
    lab.fault("heal", B)
    why = walk(lab, REPLICATE, B)
    assert "its last background save failed" in why
    assert "then BGSAVE" in why
    assert returning.running("redis-server")
    returning.redis("BGSAVE")
    lab.wait(lambda: "rdb_last_bgsave_status:ok" in returning.redis("INFO", "persistence"), 20, "the save succeeds")
    assert "its last background save failed" not in walk(lab, REPLICATE, B)
    # What it is kept from:
    lab.fault("fill", B)
    returning.redis("BGSAVE")
    lab.wait(lambda: "rdb_last_bgsave_status:err" in returning.redis("INFO", "persistence"), 20, "the save fails")
    lab.fault("heal", B)
    returning.redis("SLAVEOF", survivor.address, "6379")

    def has_ended():
        survivor.redis("SET", "one", "more")
        return not returning.running("redis-server")

    lab.wait(has_ended, 30, "it ends at a write of its master")
    assert "Replica was unable to write command to disk" in returning.read("/data/redis/redis6379.log")


def test_a_broken_document_disables_nothing_else(pair, tmp_path):
    lab = pair("stale-master-back")
    own = lab.folder / "runbooks"
    own.mkdir()
    (own / "bad.yaml").write_text("version: 1\nname: [\n")
    (own / "shadow.yaml").write_text(BARE.replace("name: bare", "name: one-shot-rebuild").replace("VERB", "save-dump"))
    text = lab.inventory.read_text()
    first = text.index("  - name:")
    broken = text[first:].replace(f"name: {lab.cluster}", "name: other", 1).replace("kind: keepalived", "kind: none", 1)
    lab.inventory.write_text(text + broken)
    planned = console(lab, "plan", "one-shot-rebuild", lab.cluster, state=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "backup" in planned.stdout
    for file, why in (("bad.yaml", ""), ("shadow.yaml", "is the name of a shipped runbook")):
        (line,) = [one for one in planned.stderr.splitlines() if file in one]
        assert why in line
    seen = console(lab, "status", "--format", "json", state=tmp_path)
    clusters = {one["name"]: one["health"] for one in json.loads(seen.stdout)["clusters"]}
    assert clusters.keys() == {lab.cluster, "other"}
    assert clusters["other"] != clusters[lab.cluster]
    assert "inventory.yaml:" in seen.stdout
    assert console(lab, "inventory", "check", state=tmp_path).returncode == 1
