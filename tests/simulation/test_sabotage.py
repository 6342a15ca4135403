"""A console that is made worse on purpose is found out: each rule of the simulation can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulation.nights import invariants
from simulation.nights.night import Night
from simulation.nights.plan import Plan, plan_of
from simulation.nights.records import Records
from simulation.ports import shell

from console.core.diagnosis.finding import Finding, NextAction, Severity
from console.core.model.verdict import Check, Verdict
from console.core.runbooks import vocabulary
from console.engine.ports import AnswerKind
from console.engine.steps.command_sender import CommandSender
from console.engine.steps.proof import Proof
from console.engine.steps.step_gate import StepGate

NIGHTS = 80


def broken_rules(rule: str, kind: str = "keepalived", *, likely: int = 0) -> bool:
    """Whether one of the nights breaks this rule. `likely`: a seed that has broken it, and is played first."""
    for seed in (likely, *range(NIGHTS)):
        result = Night(plan_of(seed, kind)).play()
        if any(one.rule == rule for one in result.violations):
            return True
    return False


@pytest.fixture
def holding(monkeypatch):
    """Makes predicates hold whatever is so."""

    def hold(*names):
        table = dict(vocabulary.VOCABULARY)
        for name in names:
            table[name] = replace(table[name], rule=lambda _: Check(Verdict.HOLDS, "sabotage", "it always holds"))
        monkeypatch.setattr(vocabulary, "VOCABULARY", table)

    return hold


def test_a_command_that_is_sent_twice(monkeypatch):
    deliver = CommandSender._deliver

    def twice(self, planned, expecting):
        deliver(self, planned, expecting)
        return deliver(self, planned, expecting)

    monkeypatch.setattr(CommandSender, "_deliver", twice)
    assert broken_rules("intent first")


def test_facts_that_changed_since_they_were_shown(monkeypatch):
    monkeypatch.setattr(StepGate, "objection", lambda *_: None)
    assert broken_rules("facts as shown", likely=5)


def test_data_that_is_thrown_away_without_a_backup(holding):
    holding("not-older-than", "backed-up", "nothing-unsaved")
    assert broken_rules("no write is lost", likely=29)


def test_append_only_data_that_is_thrown_away_without_a_backup(holding):
    holding("not-older-than", "backed-up", "nothing-unsaved")
    assert broken_rules("no write is lost", "keepalived-aof", likely=29)


def test_a_loss_that_no_preview_names(holding, monkeypatch):
    holding("not-older-than")
    monkeypatch.setattr(Records, "loss_was_named", lambda _: False)
    assert broken_rules("a loss is named", likely=3)


@pytest.mark.parametrize("kind", ["keepalived", "keepalived-aof"])
def test_a_backup_that_is_not_what_it_claims(monkeypatch, kind):
    """It has as many keys as the dump, of the same size and time, and they are others."""

    def other_keys(host, settings):
        answer = backup(host, settings)
        for path, (dump, noted) in host.backups.items():
            host.backups[path] = (replace(dump, keys=frozenset(-abs(key) for key in dump.keys)), noted)
        return answer

    backup = shell._backup
    monkeypatch.setattr(shell, "_backup", other_keys)
    assert broken_rules("backups hold all", kind, likely=3)


def test_a_lost_answer_that_counts_as_done(monkeypatch):
    monkeypatch.setattr(Proof, "holds", lambda *_args, **_more: True)
    assert broken_rules("unknown stays unknown", likely=64)


def test_a_second_node_that_serves(holding):
    """The Redis of the dead master is started under its keepalived: it takes the virtual IP with old data."""
    holding("keepalived-stopped", "no-vip", "comes-back-quietly")
    plan = Plan(1, "failed-over", "hasty", 4.0, 1.0, "one-shot-rebuild", (), 1, resumes=False)
    assert "one node serves" in {one.rule for one in Night(plan).play().violations}


def test_keepalived_that_is_started_before_the_data_is_there():
    """Its script promotes old data, and that of the other node drops the new one: the start has done both."""
    night = Night(replace(plan_of(0, "preempting-pair"), notify_sleep=2.0, copy_seconds=12.1, scenario="failed"))
    world = night.world
    night.kind.scenarios["failed"](world)
    night.invariants.began = world.now
    world.advance(60.0)
    night.invariants.sends()
    for start in (world.hosts["redis-a"].redis.start, world.hosts["redis-a"].keepalived.start):
        start("console")
        world.advance(2.0)
    world.advance(40.0)
    night.invariants.look()
    assert "a loss is named" in {one.rule for one in night.invariants.found}


def test_a_preempting_pair_that_only_counts_as_protected(holding):
    holding("pair-protected")
    assert broken_rules("protected survives", "preempting-pair")


def test_a_pair_that_only_counts_as_protected(holding):
    holding("pair-protected")
    assert broken_rules("protected survives")


def test_a_set_whose_old_master_was_not_paused(holding):
    """The Sentinels promote a replica while the old master still acknowledges writes."""
    holding("writes-paused", "replicas-caught-up")
    assert broken_rules("a loss is named", "sentinel-vip", likely=31)


def test_a_set_that_only_counts_as_protected(holding):
    holding("set-protected")
    assert broken_rules("protected survives", "sentinel-vip", likely=11)


def test_a_consul_set_that_only_counts_as_protected(holding):
    holding("set-protected")
    assert broken_rules("protected survives", "sentinel-consul")


def test_a_returning_node_that_is_not_kept_out_of_the_name(holding):
    """It starts as a master beside the one that serves, and clients find both."""
    holding("held-from-name", "starts-as-replica", "comes-back-unresolved")
    plan = Plan(1, "failed-over", "hasty", 1.0, 1.0, "consul-return-old-master", (), 1, False, "sentinel-consul")
    assert "one node serves" in {one.rule for one in Night(plan).play().violations}


def test_no_way_home_of_a_set(monkeypatch):
    monkeypatch.setattr(Night, "_advised", lambda *_: "sentinel-resume-writes")
    assert broken_rules("a way home", "sentinel-vip")


def test_no_way_home(monkeypatch):
    monkeypatch.setattr(Night, "_advised", lambda *_: "resume-writes")
    assert broken_rules("a way home")


def test_a_finding_that_is_false(monkeypatch):
    false = Finding("vip-missing", Severity.CRITICAL, (), "No node holds it.", "", (), NextAction(advice="none"))
    monkeypatch.setattr(invariants, "diagnose", lambda *_: (false,))
    assert broken_rules("findings are true")


def test_a_mistake_of_the_program(monkeypatch):
    def mistaken(*_):
        raise ValueError("on purpose")

    monkeypatch.setattr(CommandSender, "_deliver", mistaken)
    assert broken_rules("no mistake")


def test_answers_that_were_lost_are_met():
    """The rule about them is asked: some nights have a lost answer."""
    kinds = set()
    for seed in range(NIGHTS):
        night = Night(plan_of(seed, "keepalived"), home=False)
        night.play()
        kinds |= {one.answer.kind for sent in night.records.sent.values() for one in sent}
        if AnswerKind.UNKNOWN in kinds:
            return
    pytest.fail("no answer was lost in any night")
