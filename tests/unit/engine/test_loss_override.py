"""What only the operator can know: a loss is taken by a whole sentence, and by nothing less (H03)."""

from __future__ import annotations

import pytest
import samples
from fakes import A, B, Pair, ScriptedOperator, Stage, choose

from console.core.runbooks.hazards.table import HAZARDS
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.records.journal import next_entry
from console.core.runs.state import Outcome, StepStatus
from console.report.entry_text import entry_text

SENTENCE = "I accept that redis-b loses what redis-a does not have"


def written_alone(**more):
    """redis-b came back and took writes of its own before anybody looked."""
    return Pair(state=samples.with_persistence(samples.stale_master_back(), B, changes_since_save=5, **more))


def accept(question):
    return choose(Choice.OVERRIDE, question.sentence)(question)


def test_the_whole_sentence_opens_the_gate_and_stands_in_the_journal():
    stage = Stage(pair=written_alone())
    ended = stage.run(ScriptedOperator(by_step={"replicate": [accept]}))
    assert ended.outcome is Outcome.DONE, ended.message
    blocked, gate = stage.operator.asked("replicate")
    assert (blocked.kind, blocked.sentence) == (QuestionKind.BLOCKED, SENTENCE)
    assert blocked.preview is not None
    assert blocked.choices[0] is Choice.LOOK_AGAIN, "the safe answer first"
    assert (gate.kind, gate.sentence) == (QuestionKind.TYPE_NAME, ""), "the name is typed all the same"
    assert "Accepted in words, although not so: " in gate.reason
    (data,) = (data for kind, data in stage.journal.entries if kind == "overridden")
    assert (data["sentence"], data["typed"]) == (SENTENCE, SENTENCE)
    assert [check.hazard for check in data["checks"]] == ["H03"]
    assert data["preview"] is not None
    decided = [data["decision"].typed for kind, data in stage.journal.entries if kind == "decided"]
    assert SENTENCE in decided
    assert SENTENCE in entry_text(next_entry(None, "overridden", data, samples.NOW))


@pytest.mark.parametrize("typed", ["", "yes", B, SENTENCE.lower(), SENTENCE[:-1], SENTENCE.replace(A, B)])
def test_anything_less_cancels(typed):
    stage = Stage(pair=written_alone())
    ended = stage.run(ScriptedOperator(by_step={"replicate": [choose(Choice.OVERRIDE, typed)]}))
    assert ended.outcome is Outcome.ABORTED
    assert "not the sentence" in stage.operator.asked("replicate")[1].reason
    assert "overridden" not in stage.journal.kinds
    assert not any("SLAVEOF" in text for text in stage.actuator.texts)


def test_a_plain_yes_forces_nothing():
    stage = Stage(pair=written_alone())
    stage.run(ScriptedOperator(by_step={"replicate": [choose(Choice.RUN, B)]}))
    assert "none can be forced" in stage.operator.asked("replicate")[1].reason


def test_what_changes_while_the_sentence_is_typed_is_shown_and_asked_anew():
    stage = Stage(pair=written_alone())

    def accept_late(question):
        stage.pair.change(lambda state: samples.with_redis(state, B, run_id="f" * 40))
        return accept(question)

    stage.run(ScriptedOperator(by_step={"replicate": [accept_late]}))
    again = stage.operator.asked("replicate")[1]
    assert again.kind is QuestionKind.BLOCKED
    assert any("run_id" in line for line in again.differences)
    assert "refused" in stage.journal.kinds
    assert "overridden" not in stage.journal.kinds


def test_what_changes_after_it_needs_the_sentence_again():
    stage = Stage(pair=written_alone())

    def name_late(question):
        stage.pair.change(lambda state: samples.with_redis(state, B, run_id="f" * 40))
        return choose(Choice.RUN, B)(question)

    stage.run(ScriptedOperator(by_step={"replicate": [accept, name_late]}))
    kinds = [one.kind for one in stage.operator.asked("replicate")]
    assert kinds == [QuestionKind.BLOCKED, QuestionKind.TYPE_NAME, QuestionKind.BLOCKED]
    assert not any("SLAVEOF" in text for text in stage.actuator.texts)


def test_nothing_else_can_be_overridden():
    pair = Pair(state=samples.with_redis(written_alone().state, A, keys={}))
    stage = Stage(pair=pair)
    ended = stage.run(ScriptedOperator(by_step={"replicate": [choose(Choice.OVERRIDE, SENTENCE)]}))
    assert ended.outcome is Outcome.ABORTED
    blocked = stage.operator.asked("replicate")
    assert {one.sentence for one in blocked} == {""}, "an empty source as well (H02): no sentence helps"
    assert Choice.OVERRIDE not in blocked[0].choices
    assert stage.status(ended, "replicate").status is StepStatus.STOPPED
    assert [one.id for one in HAZARDS if one.override] == ["H03"]
