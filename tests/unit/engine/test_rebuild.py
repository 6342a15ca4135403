"""The shipped rebuild runbook against a simulated pair: the straight way, and every way in which it must stop."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples
from fakes import (
    PASSWORD,
    ROLES,
    RUNBOOK,
    A,
    B,
    FakeActuator,
    FakeClock,
    FakeLocks,
    MemoryJournal,
    Pair,
    ScriptedOperator,
    Stage,
    agree,
    choose,
    console_context,
    restart_redis,
)

from console.core.runbooks.document import Condition
from console.core.runs.question import Choice, Decision, QuestionKind
from console.core.runs.records.journal import canonical, plain
from console.core.runs.state import Outcome, StepStatus
from console.engine.ports import Answer, AnswerKind, ArmingError
from console.engine.sessions.arming import ClusterRunStarter


def test_from_failed_over_to_protected():
    stage = Stage()
    run = stage.run()
    assert run.outcome is Outcome.DONE, run.message
    kept = f"memory/{run.run_id}/keys-of-redis-b.jsonl (or the next free name)"
    assert [line.splitlines()[0] for line in stage.actuator.texts] == [
        "redis-b> systemctl stop keepalived",
        f"redis-b> # SCAN, DUMP and PTTL here and on redis-a; what differs is written to {kept}",
        "redis-b> systemctl start redis-server",
        "redis-b> data=/data/redis/dump6379.rdb",
        "redis-b> SLAVEOF 192.168.100.201 6379",
        "redis-b> file=/etc/keepalived/keepalived.conf",
        "redis-b> systemctl start keepalived",
        f"redis-a> SET redis-ha-console:proof:{run.run_id} {run.run_id} EX 60",
        f"redis-a> GET redis-ha-console:proof:{run.run_id}",
    ]
    assert {one.status for one in run.steps} == {StepStatus.DONE, StepStatus.SKIPPED}
    assert stage.journal.kinds[:2] == ["opened", "bound"]
    assert stage.journal.kinds[-1] == "closed"
    assert stage.journal.closed
    assert stage.actuator.closed


def test_every_send_has_its_intent_before_and_its_result_after():
    stage = Stage()
    stage.run()
    kinds = [kind for kind in stage.journal.kinds if kind in ("intent", "result")]
    assert kinds == ["intent", "result"] * len(stage.actuator.sent)


def test_what_is_true_already_is_skipped_with_its_evidence():
    stage = Stage(pair=Pair(samples.stale_master_back()))
    run = stage.run()
    assert run.outcome is Outcome.DONE, run.message
    step = stage.status(run, "stop-keepalived")
    assert step.status is StepStatus.SKIPPED
    assert "already so" in step.note
    assert not stage.sent("stop keepalived")


def test_the_gate_shows_the_loss_and_asks_for_the_name():
    stage = Stage()
    stage.run()
    (question,) = stage.operator.asked("replicate")
    assert question.kind is QuestionKind.TYPE_NAME
    assert question.node == B
    assert question.preview is not None
    assert question.preview.source == A
    assert question.choices[0] is Choice.LOOK_AGAIN
    assert [one.render() for one in question.planned] == ["SLAVEOF 192.168.100.201 6379"]


def test_the_priority_is_edited_on_the_stopped_node_and_shown_as_a_masked_diff():
    stage = Stage()
    stage.run()
    (question,) = stage.operator.asked("priorities")
    assert "-    priority 139\n+    priority 137" in question.planned[0].detail
    assert PASSWORD not in question.planned[0].detail + question.planned[0].render()
    assert PASSWORD.encode() in stage.pair.files[B, "/etc/keepalived/keepalived.conf"]


def test_no_secret_reaches_the_journal():
    stage = Stage()
    stage.run()
    assert PASSWORD not in canonical([plain(data) for _, data in stage.journal.entries])


def test_the_target_and_the_source_are_expected_where_it_is_sent():
    stage = Stage()
    stage.run()
    planned, expecting = next(pair for pair in stage.actuator.sent if "SLAVEOF" in pair[0].render())
    assert planned.node == B
    assert expecting.hostname == B
    assert expecting.run_id == samples.RUN_ID_RESTARTED


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [A, B])
def test_a_server_that_changed_after_it_was_shown_refuses_with_the_difference(name):
    stage = Stage()

    def restart_and_agree(question):
        stage.pair.change(lambda state: restart_redis(state, name))
        return agree(question)

    stage.run(ScriptedOperator(by_step={"replicate": [restart_and_agree]}))
    first, second = stage.operator.asked("replicate")[:2]  # the simulated pair then has its old run_id again
    assert first.differences == ()
    assert any(name in line and "run_id" in line for line in second.differences)
    assert "nothing was sent" in second.reason
    assert second.digest != first.digest
    assert "refused" in stage.journal.kinds
    assert len(stage.sent("SLAVEOF")) == 1


def test_a_source_that_stops_being_the_master_blocks_the_gate():
    stage = Stage()

    def demote_and_agree(question):
        stage.pair.change(lambda state: samples.with_node(state, A, redis=samples.healthy_pair().node(A).redis))
        return agree(question)

    run = stage.run(ScriptedOperator(by_step={"replicate": [demote_and_agree]}))
    second = stage.operator.asked("replicate")[1]
    assert second.kind is QuestionKind.BLOCKED
    assert Choice.RUN not in second.choices
    assert not stage.sent("SLAVEOF")
    assert run.outcome is Outcome.ABORTED


def test_a_blocked_step_cannot_be_forced():
    pair = Pair(samples.with_redis(samples.failed_over_pair(), A, keys={}))
    stage = Stage(pair=pair)
    force = [choose(Choice.RUN, B)] * 3 + [choose(Choice.SKIP)] * 3
    run = stage.run(ScriptedOperator(by_step={"replicate": force}))
    assert not stage.sent("SLAVEOF")
    assert run.outcome is Outcome.ABORTED
    assert stage.status(run, "replicate").status is StepStatus.STOPPED


def test_a_wrong_name_cancels_and_asks_again():
    stage = Stage()
    run = stage.run(ScriptedOperator(by_step={"replicate": [choose(Choice.RUN, A), choose(Choice.RUN, "")]}))
    questions = stage.operator.asked("replicate")
    assert len(questions) == 3
    assert "is not redis-b" in questions[1].reason
    assert len(stage.sent("SLAVEOF")) == 1
    assert run.outcome is Outcome.DONE, run.message


def test_an_answer_to_an_older_question_sends_nothing():
    stage = Stage()

    def old(question):
        return Decision(Choice.RUN, "another digest", B)

    stage.run(ScriptedOperator(by_step={"replicate": [old]}))
    assert len(stage.operator.asked("replicate")) == 2
    assert "older question" in stage.operator.asked("replicate")[1].reason


def test_abort_tells_what_was_done_and_where_the_pair_stands():
    stage = Stage()
    run = stage.run(ScriptedOperator(by_step={"replicate": [choose(Choice.ABORT)]}))
    assert run.outcome is Outcome.ABORTED
    assert "stop-keepalived" in run.message
    assert "redis-b: master" in run.message
    assert stage.status(run, "replicate").status is StepStatus.STOPPED
    assert not stage.sent("SLAVEOF")


# --- answers --------------------------------------------------------------------------------------------------------


def test_a_refusal_of_the_server_is_a_failure_when_the_operator_gives_up():
    stage = Stage({"stop keepalived": [Answer(AnswerKind.FAILED, "sudo: a password is required", 1)]})
    run = stage.run(ScriptedOperator(agree, choose(Choice.ABORT)))
    assert run.outcome is Outcome.FAILED
    assert "sudo: a password is required" in run.message
    assert len(stage.actuator.sent) == 1


def test_a_proof_that_does_not_come_in_time_can_be_awaited_again():
    stage = Stage(pair=Pair(sync_looks=100))
    link = [choose(Choice.LOOK_AGAIN)]
    book = replace(RUNBOOK, steps=tuple(replace(step, within=5.0) for step in RUNBOOK.steps))
    run = stage.run(ScriptedOperator(by_step={"wait-for-sync": link * 20}), book)
    trouble = stage.operator.asked("wait-for-sync", QuestionKind.TROUBLE)
    assert trouble
    assert "not proved so far, not so: the link of redis-b" in trouble[0].reason
    assert run.outcome is Outcome.DONE, run.message


def test_a_read_back_that_differs_is_a_failure():
    stage = Stage({"GET ": [Answer(AnswerKind.DONE, "somebody else's")] * 2})
    run = stage.run(ScriptedOperator(by_step={"final-proof": [agree, choose(Choice.ABORT)]}))
    assert run.outcome is Outcome.FAILED
    assert "somebody else's" in run.message


# --- the journal and mistakes -----------------------------------------------------------------------------------------


def test_without_the_intent_on_disk_nothing_is_sent():
    stage = Stage(journal=MemoryJournal(break_at="intent"))
    run = stage.run()
    assert stage.actuator.sent == []
    assert run.outcome is Outcome.REFUSED
    assert "No space left" in run.message


def test_a_result_that_cannot_be_recorded_makes_the_run_unknown():
    stage = Stage(journal=MemoryJournal(break_at="result"))
    run = stage.run()
    assert len(stage.actuator.sent) == 1
    assert run.outcome is Outcome.UNKNOWN
    assert "systemctl stop keepalived" in run.message


def test_a_mistake_in_the_program_ends_as_a_line_and_not_as_a_traceback():
    stage = Stage()
    stage.actuator.carry_out = lambda _: 1 // 0
    run = stage.run()
    assert run.outcome is Outcome.UNKNOWN
    assert "ZeroDivisionError" in run.message
    assert stage.journal.kinds[-1] == "closed"


def test_an_interrupt_while_waiting_aborts():
    stage = Stage()

    def interrupt(_):
        raise KeyboardInterrupt

    run = stage.run(ScriptedOperator(interrupt))
    assert run.outcome is Outcome.ABORTED
    assert stage.actuator.sent == []


def test_a_screen_that_fails_does_not_stop_a_run():
    operator = ScriptedOperator()
    operator.tell = operator.show = lambda _: 1 // 0
    assert Stage().run(operator).outcome is Outcome.DONE


def test_arming_says_in_one_line_what_is_missing():
    run_starter = ClusterRunStarter(
        console_context(Pair(), FakeClock()),
        lambda _: FakeActuator(),
        lambda _: MemoryJournal(),
        make_locks=lambda _: FakeLocks(),
    )
    with pytest.raises(ArmingError, match="redis-x"):
        run_starter.arm("cache", RUNBOOK, {"survivor": A, "returning": "redis-x"})


def test_arming_without_a_journal_is_refused():
    def full(_):
        raise OSError("No space left on device")

    run_starter = ClusterRunStarter(
        console_context(Pair(), FakeClock()), lambda _: FakeActuator(), full, make_locks=lambda _: FakeLocks()
    )
    with pytest.raises(ArmingError, match="nothing may be sent"):
        run_starter.arm("cache", RUNBOOK, ROLES)


def test_a_second_execute_sends_nothing():
    stage = Stage()
    run_starter = stage.run_starter()
    armed = run_starter.arm("cache", RUNBOOK, ROLES)
    armed.execute(ScriptedOperator())
    number = len(stage.actuator.sent)
    assert armed.execute(ScriptedOperator()).outcome is Outcome.DONE
    assert len(stage.actuator.sent) == number


def test_an_interrupt_while_sending_makes_the_run_unknown():
    stage = Stage()

    def interrupt(_):
        raise KeyboardInterrupt

    stage.actuator.carry_out = interrupt
    run = stage.run()
    assert run.outcome is Outcome.UNKNOWN
    assert "systemctl stop keepalived" in run.message
    assert stage.journal.kinds[-1] == "closed"


def test_waiting_can_be_ended_and_taken_up_again():
    stage = Stage(pair=Pair(sync_looks=8))
    slept = stage.clock.sleep

    def interrupted(seconds):
        stage.clock.sleep = slept
        raise KeyboardInterrupt

    def interrupt_the_wait(question):
        stage.clock.sleep = interrupted
        return agree(question)

    answers = {"replicate": [interrupt_the_wait], "wait-for-sync": [choose(Choice.LOOK_AGAIN)]}
    run = stage.run(ScriptedOperator(by_step=answers))
    assert stage.operator.asked("wait-for-sync", QuestionKind.TROUBLE)
    assert run.outcome is Outcome.DONE, run.message


def test_a_screen_can_end_the_waiting():
    stage = Stage(pair=Pair(sync_looks=8))
    run_starter = stage.run_starter()
    armed = run_starter.arm("cache", RUNBOOK, ROLES)
    operator = ScriptedOperator(by_step={"wait-for-sync": [choose(Choice.ABORT)]})
    slept = stage.clock.sleep

    def end_it(seconds):
        armed.stop_waiting()
        slept(seconds)

    stage.clock.sleep = end_it
    assert armed.execute(operator).outcome is Outcome.FAILED
    assert operator.asked("wait-for-sync", QuestionKind.TROUBLE)


def test_another_host_at_the_other_end_refuses():
    stage = Stage({"SLAVEOF": [Answer(AnswerKind.NOT_SENT, "hostname is redis-x, not redis-b")]})
    run = stage.run(ScriptedOperator(by_step={"replicate": [agree, choose(Choice.ABORT)]}))
    assert run.outcome is Outcome.REFUSED
    assert "hostname is redis-x" in run.message
    assert stage.status(run, "replicate").status is StepStatus.REFUSED


def test_waiting_that_was_ended_during_the_send_is_not_begun():
    stage = Stage(pair=Pair(sync_looks=8))
    run_starter = stage.run_starter()
    armed = run_starter.arm("cache", RUNBOOK, ROLES)
    carry_out = stage.pair.carry_out

    def end_it_while_sending(planned):
        if "SLAVEOF" in planned.render():
            armed.stop_waiting()
        return carry_out(planned)

    stage.actuator.carry_out = end_it_while_sending
    before = stage.clock.now()
    operator = ScriptedOperator(by_step={"wait-for-sync": [choose(Choice.ABORT)]})
    assert armed.execute(operator).outcome is Outcome.FAILED
    assert stage.clock.now() - before < 2


def test_a_step_that_waits_is_passed_over_as_soon_as_it_is_not_needed_any_more():
    """Somebody, or a Sentinel, brings about meanwhile what the step would be skipped for: its proof never comes."""
    waits = next(step for step in RUNBOOK.steps if step.id == "wait-for-sync")
    in_vain = replace(waits, skip_if=waits.verify, verify=(Condition("redis-down", "returning"),))
    steps = tuple(in_vain if step is waits else step for step in RUNBOOK.steps)
    stage = Stage(pair=Pair(sync_looks=8))
    run = stage.run(runbook=replace(RUNBOOK, steps=steps))
    assert run.outcome is Outcome.DONE, run.message
    assert stage.status(run, "wait-for-sync").status is StepStatus.SKIPPED
    assert stage.pair.sync_looks < 0, "it was waited for"
    assert not stage.operator.asked("wait-for-sync")
