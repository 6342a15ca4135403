"""The run's lock as the runner uses it: taken before anything, asked before every send, told of where it is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import ROLES, RUNBOOK, A, B, ScriptedOperator, Stage, agree, choose

from console.core.model import RunLock
from console.core.runs.lock import HeldElsewhereError, LostLock, NotLockableError, takeover_sentence
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import Outcome, StepStatus
from console.engine.ports import Answer, AnswerKind, ArmingError, LockHeldError, Takeover

BOB = RunLock("20261121T030000Z-cache-x-0001", "cache", "promote", "bob@ops2", 1.0, step="2/5 promote")


def arm(stage, takeover=None):
    return stage.run_starter().arm("cache", RUNBOOK, ROLES, takeover)


def lose(stage, *nodes, holder=None):
    stage.locks.gone += [LostLock(node, "its lock holder has ended", holder) for node in nodes]


def test_a_whole_run_holds_the_lock_says_its_steps_and_lets_go():
    stage = Stage()
    run = stage.run()
    assert run.outcome is Outcome.DONE
    ((claim, over),) = stage.locks.claims
    assert (claim.run_id, claim.cluster, claim.runbook, over) == (run.run_id, "cache", RUNBOOK.name, "")
    assert stage.locks.steps[0] == f"1/{len(run.steps)} {run.steps[0].step.id}"
    assert stage.locks.released
    assert stage.journal.kinds[:3] == ["opened", "bound", "lock"]


def test_another_ones_lock_refuses_the_arming_and_nothing_is_sent():
    stage = Stage()
    stage.locks.conflict = HeldElsewhereError(A, BOB)
    with pytest.raises(LockHeldError, match=r"redis-a is locked: bob@ops2 runs promote .*step 2/5 promote") as held:
        arm(stage)
    assert held.value.holder == BOB
    assert stage.actuator.sent == []
    assert stage.journal.kinds[-2:] == ["refused", "closed"]
    assert stage.journal.entries[-1][1]["outcome"] is Outcome.REFUSED
    assert stage.journal.closed


def test_a_node_that_can_be_reached_and_not_locked_refuses_the_arming():
    stage = Stage()
    stage.locks.conflict = NotLockableError("redis-b: there is no flock")
    with pytest.raises(ArmingError, match="there is no flock"):
        arm(stage)


def test_only_the_whole_sentence_takes_a_run_over():
    stage = Stage()
    with pytest.raises(ArmingError, match="not the sentence"):
        arm(stage, Takeover(BOB, "yes"))
    assert stage.locks.claims == []
    stage = Stage()
    arm(stage, Takeover(BOB, takeover_sentence(BOB)))
    ((claim, over),) = stage.locks.claims
    assert over == claim.over == BOB.run_id
    kinds = stage.journal.kinds
    assert kinds.index("taken-over") < kinds.index("lock"), "it is written down before anything is ended"


def test_a_lost_lock_is_told_first_and_taken_again_by_looking_again():
    stage = Stage()

    def loses_it(question):
        lose(stage, B)
        return agree(question)

    operator = ScriptedOperator(loses_it, choose(Choice.LOOK_AGAIN))
    run = stage.run(operator)
    assert run.outcome is Outcome.DONE
    blocked = operator.questions[1]
    assert blocked.kind is QuestionKind.BLOCKED
    assert "lock on redis-b is lost" in blocked.reason
    assert blocked.choices[0] is Choice.LOOK_AGAIN
    assert Choice.OVERRIDE not in blocked.choices
    assert len(stage.locks.claims) == 2
    assert {"lost", "held"} <= {key for kind, data in stage.journal.entries if kind == "lock" for key in data}


def test_a_lock_that_is_lost_right_before_a_send_stops_that_send():
    stage = Stage()
    before = stage.locks.say
    looks = []

    def say(step):
        looks.append(step)
        before(step)

    asked = []

    def lost():
        asked.append(len(looks))
        # After the look that follows the first yes: the question that comes right before the send.
        return (LostLock(B, "its lock holder has ended"),) if len(asked) == 3 else ()

    stage.locks.say, stage.locks.lost = say, lost
    operator = ScriptedOperator(agree, choose(Choice.ABORT))
    run = stage.run(operator)
    assert stage.actuator.sent == []
    trouble = operator.questions[-1]
    assert trouble.kind is QuestionKind.TROUBLE
    assert "nothing was sent: the run's lock on redis-b is lost" in trouble.reason
    assert Choice.RUN in trouble.choices
    assert run.outcome is Outcome.REFUSED
    assert "intent" not in stage.journal.kinds


def test_a_takeover_ends_the_run_as_refused_and_says_who():
    stage = Stage()

    def taken(question):
        (claim, _), *_ = stage.locks.claims
        lose(stage, A, holder=replace(BOB, over=claim.run_id))
        return agree(question)

    run = stage.run(ScriptedOperator(taken))
    assert run.outcome is Outcome.REFUSED
    assert "bob@ops2" in run.message
    assert "Nothing was sent" in run.message
    assert stage.actuator.sent == []
    assert run.steps[0].status is StepStatus.REFUSED
    assert stage.journal.kinds[-1] == "closed"


def test_while_somebody_else_has_it_looking_again_says_who():
    stage = Stage()

    def loses_it(question):
        lose(stage, A)
        stage.locks.conflict = HeldElsewhereError(A, BOB)
        return agree(question)

    def is_free_again(question):
        assert "bob@ops2 runs promote" in question.reason
        stage.locks.conflict = None
        return choose(Choice.LOOK_AGAIN)(question)

    run = stage.run(ScriptedOperator(loses_it, choose(Choice.LOOK_AGAIN), is_free_again))
    assert run.outcome is Outcome.DONE


def test_a_node_that_is_away_is_not_locked_and_every_gate_says_so():
    stage = Stage()
    stage.locks.away = {"redis-b": "no route to host"}
    operator = ScriptedOperator(choose(Choice.ABORT))
    stage.run(operator)
    assert "redis-b is not locked against other operators: no route to host" in operator.questions[0].evidence
    assert len(stage.locks.claims) == 2, "a node that can be read again is locked then"


def test_a_node_whose_reboot_is_part_of_the_story_does_not_keep_the_run_from_its_end():
    stage = Stage()

    def reboots(question):
        lose(stage, B)
        stage.locks.away = {B: "no answer in time"}
        return agree(question)

    operator = ScriptedOperator(reboots, choose(Choice.LOOK_AGAIN))
    run = stage.run(operator)
    assert run.outcome is Outcome.DONE
    assert "redis-b is not locked against other operators: no answer in time" in operator.questions[-1].evidence


def test_a_takeover_while_the_end_of_a_command_is_not_known_leaves_it_unknown():
    stage = Stage(table={"stop keepalived": [Answer(AnswerKind.UNKNOWN, "the connection was lost")]})

    def taken(question):
        assert question.kind is QuestionKind.TROUBLE
        (claim, _), *_ = stage.locks.claims
        lose(stage, A, holder=replace(BOB, over=claim.run_id))
        return choose(Choice.RUN)(question)

    run = stage.run(ScriptedOperator(agree, taken))
    assert run.outcome is Outcome.UNKNOWN
    assert "bob@ops2" in run.message
    assert len(stage.actuator.sent) == 1
