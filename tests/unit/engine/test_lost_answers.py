"""Commands of the rebuild whose answer is lost: what is UNKNOWN, what proves it, and what is never sent again."""

from __future__ import annotations

from dataclasses import replace

from fakes import (
    RUNBOOK,
    B,
    ScriptedOperator,
    Stage,
    agree,
    choose,
)

from console.core.runbooks.document import Action
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import Outcome, StepStatus
from console.engine.ports import Answer, AnswerKind

LOST = Answer(AnswerKind.UNKNOWN, "connection lost")


LOST_BUT_ARRIVED = Answer(AnswerKind.UNKNOWN, "arrived")


NOT_SENT = Answer(AnswerKind.NOT_SENT, "hostname is redis-x, not redis-b")


def test_a_lost_answer_whose_proof_holds_is_done_and_not_sent_again():
    stage = Stage({"SLAVEOF": [LOST_BUT_ARRIVED]})
    run = stage.run()
    assert run.outcome is Outcome.DONE, run.message
    assert len(stage.sent("SLAVEOF")) == 1
    assert "proved by looking" in stage.status(run, "replicate").note


def test_a_lost_answer_without_proof_is_unknown_and_never_sent_again_by_itself():
    stage = Stage({"SLAVEOF": [LOST]})
    again = [agree, choose(Choice.LOOK_AGAIN), choose(Choice.SKIP), choose(Choice.ABORT)]
    run = stage.run(ScriptedOperator(by_step={"replicate": again}))
    trouble = stage.operator.asked("replicate", QuestionKind.TROUBLE)
    assert trouble[0].choices == (Choice.LOOK_AGAIN, Choice.RUN, Choice.ABORT)
    words = [one.partition(":")[0] for one in trouble[0].remedies]
    assert words == ["look again", "retry", "take it back", "stop here"]
    assert "restore-backup" in trouble[0].remedies[2]
    assert len(stage.sent("SLAVEOF")) == 1
    assert run.outcome is Outcome.UNKNOWN
    assert stage.status(run, "replicate").status is StepStatus.UNKNOWN


def test_what_may_have_arrived_is_sent_again_only_through_its_whole_gate():
    stage = Stage({"SLAVEOF": [LOST]})
    again = [agree, choose(Choice.RUN), choose(Choice.RUN, "redis-x"), choose(Choice.RUN, B)]
    run = stage.run(ScriptedOperator(by_step={"replicate": again}))
    kinds = [one.kind for one in stage.operator.asked("replicate")]
    assert kinds == [QuestionKind.TYPE_NAME, QuestionKind.TROUBLE, QuestionKind.TYPE_NAME, QuestionKind.TYPE_NAME]
    assert len(stage.sent("SLAVEOF")) == 2
    assert run.outcome is Outcome.DONE, run.message


def test_a_runbooks_own_text_that_may_have_arrived_is_not_sent_again_at_all():
    step = replace(RUNBOOK.steps[0], skip_if=(), action=Action("shell", {"script": "echo once"}))
    stage = Stage({"echo once": [LOST]})
    run = stage.run(
        ScriptedOperator(by_step={step.id: [agree, choose(Choice.RUN, B), choose(Choice.ABORT)]}),
        replace(RUNBOOK, steps=(step,)),
    )
    trouble = stage.operator.asked(step.id, QuestionKind.TROUBLE)
    assert [one.choices for one in trouble] == [(Choice.LOOK_AGAIN, Choice.ABORT)] * 2
    assert len(stage.sent("echo once")) == 1
    assert run.outcome is Outcome.UNKNOWN


def test_what_was_not_sent_may_be_tried_again_through_the_whole_gate():
    stage = Stage({"SLAVEOF": [NOT_SENT]})
    run = stage.run()
    kinds = [one.kind for one in stage.operator.asked("replicate")]
    assert kinds == [QuestionKind.TYPE_NAME, QuestionKind.TROUBLE, QuestionKind.TYPE_NAME]
    assert run.outcome is Outcome.DONE, run.message


def test_a_lost_answer_of_the_write_proof_is_not_proved_by_looking():
    stage = Stage({"SET ": [LOST_BUT_ARRIVED]})
    answers = [agree, choose(Choice.LOOK_AGAIN), choose(Choice.ABORT)]
    run = stage.run(ScriptedOperator(by_step={"final-proof": answers}))
    assert run.outcome is Outcome.UNKNOWN
    assert len(stage.sent("SET ")) == 1
