"""The step that keeps the keys which only a disk has: what it sends, what becomes of it, and what a gate says then."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples as s
from fakes import CLUSTER, ROLES, RUNBOOK, MemoryJournal, Pair, ScriptedOperator, Stage, choose

from console.core.command import DiskKeyExport, ShellCommand
from console.core.model import ProblemKind, unread
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.records.exports import Export, exports_in
from console.core.runs.records.journal import next_entry
from console.core.runs.records.recorded import command_rows
from console.core.runs.state import Outcome, StepStatus
from console.engine.actions.commands import CommandContext
from console.engine.plan import Prospect, make_plan
from console.engine.ports import Answer, AnswerKind

STEP = "keep-disk-keys"
SENT = "# SCAN, DUMP and PTTL here and on redis-a"
FOUND = (
    "looked at all 1,020 keys of the disk of redis-b: 20 are not on redis-a, 1 have another value there, 0 another time"
    " to live; for example lost:1, a; written to it; written to /runs/1/keys-of-redis-b-2.jsonl"
)
HIDDEN = s.with_node(s.failed_over_pair(), s.B, dump=unread(ProblemKind.NOT_PERMITTED, "/data/redis", s.NOW))
NO_ROOM = "not compared: no room in /data/redis: 0 bytes free, 9 wanted"


def staged(answer=None, state=None):
    journal = MemoryJournal()
    journal.path = "/runs/1"
    return Stage({SENT: [answer]} if answer else None, journal, Pair(state or s.failed_over_pair()))


def step_of(run):
    return next(one for one in run.steps if one.step.id == STEP)


def gate_of(stage):
    return stage.operator.asked("replicate")[-1].preview


def test_what_was_kept_is_said_once_more_at_the_gate_of_slaveof_and_in_the_journal():
    stage = staged(Answer(AnswerKind.DONE, FOUND))
    run = stage.run(ScriptedOperator())
    assert run.outcome is Outcome.DONE, run.message
    assert step_of(run).status is StepStatus.DONE
    line = (
        "disk of redis-b: 20 are not on redis-a, 1 have another value there, 0 another time to live; for example"
        " lost:1, a; written to it; kept in keys-of-redis-b-2.jsonl of this run"
    )
    assert line in gate_of(stage).lines
    assert [data["preview"] for kind, data in stage.journal.entries if kind == "preview"] == [gate_of(stage)]
    told = "\n".join(line for part in run.ending for item in part.items for line in (item.text, *item.lines))
    assert "What redis-b had is only in a file" in told
    assert line in told
    assert f"{FOUND.rpartition('; written to ')[0]}." in told
    assert "/runs/1/keys-of-redis-b-2.jsonl" in told


def test_where_the_other_node_has_all_of_it_nothing_is_left_to_do():
    stage = staged()
    run = stage.run(ScriptedOperator())
    assert step_of(run).status is StepStatus.DONE
    assert not [line for line in gate_of(stage).lines if line.startswith("disk of")]
    assert [line for line in gate_of(stage).details if "nothing to keep: all 3 keys of the disk of redis-b" in line]
    assert not [item for part in run.ending for item in part.items if "only in a file" in item.text]


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        (Answer(AnswerKind.FAILED, NO_ROOM), None, NO_ROOM),
        (None, HIDDEN, "/data/redis"),
    ],
    ids=["no room", "not readable"],
)
def test_what_cannot_be_done_skips_the_step_with_its_reason_and_is_no_nothing(answer, state, why):
    stage = staged(answer, state)
    run = stage.run(ScriptedOperator())
    assert step_of(run).status is StepStatus.SKIPPED
    assert step_of(run).note.startswith("nothing relies on this step, and it cannot be done: ")
    assert why in step_of(run).note
    assert not [one for one in stage.operator.asked(STEP) if one.reason], "nobody is asked about it again"
    if stage.operator.asked("replicate"):
        (line,) = [one for one in gate_of(stage).lines if one.startswith("disk of redis-b")]
        assert "what only it holds is not known" in line
        assert why in line


def test_the_operator_may_pass_over_it_and_the_gate_says_so():
    stage = staged()
    stage.operator = ScriptedOperator(by_step={STEP: [choose(Choice.SKIP)]})
    run = stage.run(stage.operator)
    assert step_of(run).note == "skipped by the operator"
    assert run.outcome is Outcome.DONE
    assert not [one for one in stage.actuator.texts if SENT in one]
    (line,) = [one for one in gate_of(stage).lines if one.startswith("disk of redis-b")]
    assert "what only it holds is not known: skipped by the operator" in line


def test_a_node_whose_redis_runs_is_not_asked_about():
    stage = staged(state=s.stale_master_back())
    run = stage.run(ScriptedOperator())
    assert not stage.operator.asked(STEP)
    assert step_of(run).status is StepStatus.SKIPPED
    assert not [line for line in (*gate_of(stage).lines, *gate_of(stage).details) if line.startswith("disk of")]


def test_the_command_is_shown_whole_and_a_resumed_run_does_not_send_it_by_itself():
    stage = staged()
    stage.run(ScriptedOperator())
    (sent,) = [planned for planned, _ in stage.actuator.sent if isinstance(planned.command, DiskKeyExport)]
    assert sent.command.render().endswith(ShellCommand(sent.command.script, sudo=sent.command.sudo).render())
    (shown,) = [data["planned"] for kind, data in stage.journal.entries if kind == "intent" and data["planned"] is sent]
    assert shown is sent
    assert sent.command.path.endswith("/keys-of-redis-b.jsonl")


def test_the_file_is_the_one_that_the_answer_names_last():
    stage = staged(Answer(AnswerKind.DONE, FOUND))
    stage.run(ScriptedOperator())
    entries = [next_entry(None, kind, data, s.NOW) for kind, data in stage.journal.entries]
    (found,) = exports_in(command_rows(entries, ()))
    assert replace(found, began_at="", ended_at="") == Export(
        "redis-b", "redis-a", "/runs/1/keys-of-redis-b-2.jsonl", FOUND.rpartition("; written to ")[0]
    )


def test_a_plan_passes_over_what_a_run_would_pass_over():
    context = CommandContext(CLUSTER, ROLES, run_id="RUN-1", stamp="20261121T034000Z")
    readable, hidden = (
        next(one for one in make_plan(RUNBOOK, state, context).steps if one.step.id == STEP)
        for state in (s.failed_over_pair(), HIDDEN)
    )
    assert readable.prospect in (Prospect.READY, Prospect.LATER)
    assert isinstance(readable.planned[0].command, DiskKeyExport)
    assert (hidden.prospect, "/data/redis" in hidden.obstacle) == (Prospect.SKIPPED, True)


def test_a_survivor_that_falls_silent_is_not_a_reason_to_pass_over_it():
    stage = staged()
    real, operator = stage.pair.look, ScriptedOperator()

    def look():
        told = operator.told[-1] if operator.told else None
        here = told is not None and told.current is not None and told.steps[told.current].step.id == STEP
        silent = unread(ProblemKind.TIMEOUT, "no answer in time", s.NOW)
        return s.with_node(real(), s.A, redis=silent) if here else real()

    stage.pair.look = look
    run = stage.run(operator)
    assert step_of(run).status is StepStatus.STOPPED
    *_, asked = operator.asked(STEP)  # the first question may stand on the last look of the step before
    assert asked.kind is QuestionKind.BLOCKED
    assert Choice.SKIP in asked.choices
