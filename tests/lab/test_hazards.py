"""Each hazard is walked into on real servers, through the screen and its keys, and is refused or prevented.

The mishap happens at the worst moment: while the question about the step is open, just before it is answered.
"""

from __future__ import annotations

from importlib.resources import files

import pytest
from lab.plain import assert_healthy_and_protected, console, run_plain
from lab.screen import answer_all, arm, screen_on, text_of

from console.core.runs.question import QuestionKind
from console.core.runs.state import Outcome

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
"""In `stale-master-back` and `failed-over`: the survivor, and the node that returns."""


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def rebuild_with_mishap(lab, step="", mishap=None, runbook="one-shot-rebuild"):
    """The rebuild, with a mishap at the first question about this step. What happened, and the screen at its end."""
    done = []

    def before(question):
        if question.step.id == step and not done:
            done.append(step)
            mishap()

    async with screen_on(lab, runbook=runbook, size=(120, 40)) as pilot:
        await arm(pilot)
        run = await answer_all(pilot, before=before)
        assert bool(done) == bool(step), "the mishap's step was never asked about"
        return run, text_of(pilot)


def reasons(run):
    """Everything that the questions said about why they were asked (again)."""
    told = [one.reason for one in (*run.questions, *run.stuck)]
    told += [line for one in (*run.questions, *run.stuck) for line in one.differences]
    told += [f"{one.statement}: {one.evidence}" for q in run.stuck for one in q.checks if not one.holds]
    return "\n".join(told)


def role(lab, name):
    return "master" if "role:master" in lab.host(name).redis("INFO", "replication") else "replica"


async def test_h01_redis_is_not_started_beside_a_running_keepalived(pair):
    lab = pair("failed-over")

    def colleague_starts_keepalived():
        lab.host(B).service("keepalived", "start")
        lab.wait(lambda: lab.host(B).running("keepalived"), 60)

    run, _ = await rebuild_with_mishap(lab, "start-returning", colleague_starts_keepalived)
    assert run.outcome is not Outcome.DONE
    assert "keepalived is stopped on redis-b" in reasons(run)
    assert not lab.host(B).running("redis-server")
    assert lab.vip_holders() == [A]


async def test_h02_an_empty_master_wipes_nobody(pair):
    lab = pair("stale-master-back")
    kept = lab.host(B).redis("DBSIZE")
    lab.host(A).redis("FLUSHALL")
    run, _ = await rebuild_with_mishap(lab)
    assert run.outcome is not Outcome.DONE
    assert "redis-a is not empty while redis-b holds data" in reasons(run)
    assert role(lab, B) == "master"
    assert lab.host(B).redis("DBSIZE") == kept


async def test_h03_a_target_that_took_writes_of_its_own_is_not_wiped(pair):
    lab = pair("stale-master-back")

    def stray_client_writes():
        for number in range(5):
            lab.host(B).redis("SET", f"written:while:alone:{number}", "1")

    run, _ = await rebuild_with_mishap(lab, "replicate", stray_client_writes)
    assert run.outcome is not Outcome.DONE
    assert role(lab, B) == "master"
    assert lab.host(B).redis("GET", "written:while:alone:4").strip() == "1"


def test_h04_a_source_that_is_not_behind_the_vip_is_refused(pair, tmp_path):
    lab = pair("stale-master-back")
    planned = console(lab, "plan", "one-shot-rebuild", "cache", "--bind", f"survivor={B}", state=tmp_path)
    assert planned.returncode == 1, planned.stdout
    run = run_plain(lab, "one-shot-rebuild", "--bind", f"survivor={B}", state=tmp_path)
    assert run.code != 0
    assert run.gates == []
    assert role(lab, A) == "master"
    assert lab.host(A).running("keepalived")


async def test_h05_a_source_that_becomes_a_replica_is_refused(pair):
    lab = pair("stale-master-back")

    def colleague_turns_it_round():
        lab.host(A).redis("SLAVEOF", lab.host(B).address, "6379")

    run, _ = await rebuild_with_mishap(lab, "replicate", colleague_turns_it_round)
    assert run.outcome is not Outcome.DONE
    assert "redis-a" in reasons(run)
    assert role(lab, B) == "master", "no loop: the second SLAVEOF was never sent"


@pytest.mark.parametrize(
    ("mishap", "named"),
    [
        (lambda host: (host.service("redis-server", "stop"), host.service("redis-server", "start")), "run_id"),
        (lambda host: host.run(["hostname", "somewhere-else"], check=True), "hostname"),
    ],
    ids=["another Redis", "another host"],
)
async def test_h07_h08_another_server_under_the_same_address_is_noticed_before_anything_is_sent(pair, mishap, named):
    lab = pair("stale-master-back")
    run, _ = await rebuild_with_mishap(lab, "replicate", lambda: mishap(lab.host(B)))
    gates = [one for one in (*run.questions, *run.stuck) if one.step.id == "replicate"]
    assert len(gates) >= 2, "the first answer did not pass"
    assert any(named in line for line in gates[1].differences), gates[1]
    assert gates[1].digest != gates[0].digest


async def test_h08_a_vip_that_moves_while_the_gate_is_open_closes_it(pair):
    lab = pair("stale-master-back")

    def vip_goes():
        lab.fault("stop", A, "keepalived")
        lab.wait(lambda: lab.vip_holders() == [], 60)

    run, _ = await rebuild_with_mishap(lab, "replicate", vip_goes)
    asked = [one for one in (*run.questions, *run.stuck) if one.step.id == "replicate"]
    assert any("VIP" in line or lab.vip in line for line in asked[1].differences), asked[1]


async def test_h13_ok_from_slaveof_is_not_completion(pair):
    lab = pair("stale-master-back", password="correct-horse")
    shipped = files("console.runbooks").joinpath("one-shot-rebuild.yaml").read_text(encoding="utf-8")
    own = lab.folder / "runbooks" / "impatient.yaml"
    own.parent.mkdir()
    text = shipped.replace("name: one-shot-rebuild", "name: impatient").replace("within: 3600", "within: 3")
    own.write_text(text, encoding="utf-8")

    def masterauth_is_wrong():
        lab.host(B).redis("CONFIG", "SET", "masterauth", "battery-staple")

    run, screen = await rebuild_with_mishap(lab, "replicate", masterauth_is_wrong, runbook="impatient")
    assert run.outcome is Outcome.FAILED
    assert [one.step.id for one in run.stuck] == ["wait-for-sync"]
    assert "link" in reasons(run)
    assert not lab.host(B).running("keepalived"), "H14: no failover onto a replica without data"
    assert "battery-staple" not in screen


async def test_h15_keepalived_is_not_started_with_a_priority_that_would_preempt(pair):
    lab = pair("stale-master-back")

    def somebody_raises_the_priority():
        lab.host(B).run(["sed", "-i", "s/priority [0-9]*/priority 150/", "/etc/keepalived/keepalived.conf"], check=True)

    run, _ = await rebuild_with_mishap(lab, "start-keepalived-on-replica", somebody_raises_the_priority)
    assert run.outcome is not Outcome.DONE
    assert "150" in reasons(run)
    assert not lab.host(B).running("keepalived")
    assert lab.vip_holders() == [A]


async def test_h15_the_smallest_change_is_made_where_keepalived_is_stopped(pair):
    lab = pair("stale-master-back")
    master = lab.host(A).read("/etc/keepalived/keepalived.conf")
    replica = lab.host(B).read("/etc/keepalived/keepalived.conf")
    run, _ = await rebuild_with_mishap(lab)
    assert run.outcome is Outcome.DONE
    assert lab.host(A).read("/etc/keepalived/keepalived.conf") == master
    after = lab.host(B).read("/etc/keepalived/keepalived.conf")
    assert after == replica.replace("priority 139", "priority 137")
    backups = lab.host(B).run("cat /etc/keepalived/keepalived.conf.redis-ha-console.*").stdout
    assert backups == replica
    assert_healthy_and_protected(lab, A)


async def test_h16_the_replicas_keepalived_does_not_start_before_the_master_holds_the_vip(pair):
    lab = pair("stale-master-back")

    def master_loses_its_keepalived():
        lab.fault("stop", A, "keepalived")
        lab.wait(lambda: lab.vip_holders() == [], 60)

    run, _ = await rebuild_with_mishap(lab, "start-keepalived-on-replica", master_loses_its_keepalived)
    assert run.outcome is not Outcome.DONE
    assert not lab.host(B).running("keepalived")
    assert role(lab, B) == "replica", "nothing promoted it"
    assert {one.kind for one in run.stuck} == {QuestionKind.BLOCKED}
