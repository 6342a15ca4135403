"""Steps with a text of their own, through the gate: what is understood meets interlocks, the rest needs a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples
from fakes import CLUSTER, DONE, RUNBOOK, A, B, Pair, ScriptedOperator, Stage, choose

from console.core.model import VrrpState
from console.core.runbooks.document import Action, Condition, GateKind
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import Outcome
from console.engine.actions.commands import CommandContext
from console.engine.plan import Prospect, make_plan

SENTENCE = "I know what this text does on redis-b, which serves no clients"


def book(text, verb="shell", role="returning"):
    argument = "script" if verb == "shell" else "instruction"
    gate = GateKind.TYPE_NAME if verb == "shell" else GateKind.CONFIRM
    step = replace(
        RUNBOOK.steps[0], id="own", role=role, skip_if=(), require=(), gate=gate, action=Action(verb, {argument: text}),
        verify=(Condition("ssh-readable", role),), within=5,
    )  # fmt: skip
    return replace(RUNBOOK, name="own", steps=(step,), require=(), done_if=())


def stage(state=None):
    made = Stage(pair=Pair(state=samples.healthy_pair() if state is None else state))
    made.actuator.table = {"repair": [DONE]}
    return made


def swapped():
    """redis-a is the master and serves, redis-b is its replica in sync."""
    return samples.rebuilt_pair()


def accept(question):
    return choose(Choice.OVERRIDE, question.sentence)(question)


def test_the_sentence_opens_the_gate_and_the_name_is_typed_all_the_same():
    made = stage(swapped())
    ended = made.run(ScriptedOperator(by_step={"own": [accept]}), book("./repair.sh"))
    assert ended.outcome is Outcome.DONE, ended.message
    blocked, gate = made.operator.asked("own")
    assert (blocked.kind, blocked.sentence) == (QuestionKind.BLOCKED, SENTENCE)
    assert blocked.choices[0] is Choice.LOOK_AGAIN
    assert gate.kind is QuestionKind.TYPE_NAME
    assert len(made.actuator.sent) == 1
    (data,) = (data for kind, data in made.journal.entries if kind == "overridden")
    assert (data["sentence"], data["typed"]) == (SENTENCE, SENTENCE)


@pytest.mark.parametrize("typed", ["", "yes", B, SENTENCE[:-1], SENTENCE.replace("no clients", "clients")])
def test_anything_less_sends_nothing(typed):
    made = stage(swapped())
    ended = made.run(ScriptedOperator(by_step={"own": [choose(Choice.OVERRIDE, typed)]}), book("./repair.sh"))
    assert ended.outcome is Outcome.ABORTED
    assert made.actuator.sent == []


@pytest.mark.parametrize("answer", [choose(Choice.OVERRIDE, SENTENCE), choose(Choice.RUN, B), choose(Choice.SKIP)])
@pytest.mark.parametrize("text", ["./repair.sh", "redis-cli slaveof 192.168.100.202 6379", "redis-cli flushall"])
def test_on_the_only_node_with_the_data_nothing_opens_it(text, answer):
    made = stage(samples.stale_master_back())
    ended = made.run(ScriptedOperator(by_step={"own": [answer]}), book(text, role="survivor"))
    assert ended.outcome is Outcome.ABORTED
    assert made.actuator.sent == []
    assert all(Choice.OVERRIDE not in one.choices for one in made.operator.asked("own"))


def test_what_changes_nothing_is_asked_as_before():
    made = stage(samples.stale_master_back())
    made.actuator.table = {"uptime": [DONE]}
    assert made.run(runbook=book("uptime")).outcome is Outcome.DONE
    assert [one.kind for one in made.operator.asked("own")] == [QuestionKind.TYPE_NAME]


def test_a_replication_in_a_text_has_the_preview_of_the_verb():
    made = stage(samples.stale_master_back())
    made.run(runbook=book(f"redis-cli slaveof {samples.ADDRESS[A]} 6379"))
    (asked,) = made.operator.asked("own")
    assert asked.preview is not None
    assert (asked.preview.source, asked.preview.target) == (A, B)


def test_the_loss_that_a_text_would_cause_is_named():
    state = samples.with_persistence(samples.stale_master_back(), B, changes_since_save=5)
    made = stage(state)
    made.run(runbook=book(f"redis-cli slaveof {samples.ADDRESS[A]} 6379"))
    failing = {one.hazard for one in made.operator.asked("own")[0].checks if not one.holds}
    assert "H03" in failing


@pytest.mark.parametrize("text", ["`./repair.sh`", "Run redis-cli eval there."])
def test_an_instruction_is_judged_alike(text):
    made = stage(swapped())
    ended = made.run(ScriptedOperator(by_step={"own": [accept]}), book(text, "manual"))
    assert ended.outcome is Outcome.DONE, ended.message
    blocked, gate = made.operator.asked("own")
    assert (blocked.sentence, gate.kind) == (SENTENCE, QuestionKind.CONFIRM)
    refused = stage(samples.stale_master_back())
    assert refused.run(runbook=book(text, "manual", "survivor")).outcome is Outcome.ABORTED


def test_plain_words_ask_for_a_yes_only():
    made = stage(samples.stale_master_back())
    assert made.run(runbook=book("Replace the disk.", "manual", "survivor")).outcome is Outcome.DONE
    assert [one.kind for one in made.operator.asked("own")] == [QuestionKind.CONFIRM]


def test_a_plan_says_what_would_be_refused():
    state = samples.stale_master_back()
    context = CommandContext(CLUSTER, {"survivor": A, "returning": B}, "RUN-ID", "now")
    (made,) = make_plan(book("redis-cli flushall", role="survivor"), state, context).steps
    assert made.prospect is Prospect.BLOCKED
    assert "empties Redis" in made.checks[0].check.statement
    (made,) = make_plan(book("uptime", role="survivor"), state, context).steps
    assert made.prospect is Prospect.READY


def test_the_work_changes_what_was_required_before_it():
    """`systemctl start redis` requires that Redis is down. When the human has done it, it is not."""
    made = stage(samples.failed_over_pair())
    started = samples.stale_master_back()
    state = samples.with_keepalived(samples.failed_over_pair(), B, running=False, state=VrrpState.STOP)
    made.pair.state = state

    def do_it(question):
        made.pair.change(lambda _: started)
        return choose(Choice.RUN)(question)

    ended = made.run(ScriptedOperator(by_step={"own": [do_it]}), book("Run `systemctl start redis-server`.", "manual"))
    assert ended.outcome is Outcome.DONE, ended.message
    assert [one.kind for one in made.operator.asked("own")] == [QuestionKind.CONFIRM]
    again = stage(started)
    assert again.run(runbook=book("Run `systemctl start redis-server`.", "manual")).outcome is Outcome.ABORTED


def test_the_command_of_an_instruction_is_read_as_it_is():
    step = book("Do this.", "manual", "survivor").steps[0]
    for command in ("redis-cli flushall", "echo `redis-cli flushall`", "`./repair.sh`"):
        given = Action("manual", {"instruction": "Do this.", "command": command})
        made = stage(samples.stale_master_back())
        runbook = replace(RUNBOOK, steps=(replace(step, action=given),), require=(), done_if=())
        assert made.run(runbook=runbook).outcome is Outcome.ABORTED, command
        assert made.operator.asked("own")[0].kind is QuestionKind.BLOCKED
