"""The plain prompts, with their exact texts, over the whole rebuild on the simulated pair."""

from __future__ import annotations

import builtins

import pytest
import samples
from fakes import PASSWORD, ROLES, RUNBOOK, B, Pair, Stage
from tui_stage import question

from console.cli.runs.plain.operator import PlainOperator
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import Outcome


class Terminal:
    """What is typed at which prompt; a callable may change the pair first."""

    def __init__(self, monkeypatch, *typed, then="y"):
        self.typed = list(typed)
        self.then = then
        self.prompts = []
        monkeypatch.setattr(builtins, "input", self)

    def __call__(self, prompt):
        self.prompts.append(prompt)
        assert len(self.prompts) < 60
        answer = self.typed.pop(0) if self.typed else (B if prompt.startswith("Type") else self.then)
        if isinstance(answer, type) and issubclass(answer, BaseException):
            raise answer
        return answer


def run(stage, runbook=RUNBOOK):
    run_starter = stage.run_starter()
    armed = run_starter.arm("cache", runbook, ROLES)
    operator = PlainOperator(stage.clock.now)
    operator.print_start(armed.state)
    ended = armed.execute(operator)
    operator.print_end(ended)
    return ended


def test_the_whole_run(monkeypatch, capsys):
    terminal = Terminal(monkeypatch)
    ended = run(Stage(pair=Pair(sync_looks=6)))
    text = capsys.readouterr().out
    assert "== 9/18 replicate: Make the returning node a replica of the survivor\n" in text
    assert set(terminal.prompts) == {
        "Run this step? [y/N/skip/abort] ",
        'Type "redis-b" to confirm, anything else cancels: ',
    }
    assert text.rstrip().splitlines()[-1] == f"run {ended.run_id}: done"
    assert "  redis-b> SLAVEOF 192.168.100.201 6379\n" in text
    assert "  ok  keepalived is stopped on redis-b" in text
    assert "what redis-b loses by following redis-a" in text
    assert "+    priority 137" in text
    assert PASSWORD not in text
    assert "waiting, " in text


def test_lines_are_within_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    Terminal(monkeypatch)
    run(Stage())
    own = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("  ok", "  redis", "      "))]
    assert max(map(len, [line for line in own if not line.startswith("    ")])) < 100
    assert max(len(line) for line in own if line.startswith("  ok")) <= 80


@pytest.mark.parametrize("end", [EOFError, KeyboardInterrupt, "abort"])
def test_the_end_of_input_aborts(monkeypatch, capsys, end):
    Terminal(monkeypatch, end)
    stage = Stage()
    ended = run(stage)
    assert ended.outcome is Outcome.ABORTED
    assert stage.actuator.sent == []
    assert capsys.readouterr().out.rstrip().endswith(f"run {ended.run_id}: aborted")


@pytest.mark.parametrize("typed", ["", "n", "N", "no", "what?", "skip", "look"])
def test_everything_but_yes_runs_nothing(monkeypatch, typed):
    terminal = Terminal(monkeypatch, typed, "abort")
    stage = Stage()
    assert run(stage).outcome is Outcome.ABORTED
    assert stage.actuator.sent == []
    assert len(terminal.prompts) == 2


@pytest.mark.parametrize("typed", ["", "y", "redis-a", "REDIS-B"])
def test_a_gate_takes_nothing_but_the_name(monkeypatch, capsys, typed):
    Terminal(monkeypatch, "y", "y", "y", "y", typed, "abort")
    stage = Stage()
    ended = run(stage)
    assert ended.outcome is Outcome.ABORTED
    assert not [line for line in stage.actuator.texts if "SLAVEOF" in line]
    assert "cancelled, the name that was typed is not redis-b" in " ".join(capsys.readouterr().out.split())


LOOKS = "nothing is sent; the run looks at the servers again, and asks again"


@pytest.mark.parametrize(
    ("before", "typed", "told"),
    [
        ([], "n", f"n or Enter: {LOOKS}"),
        ([], "", f"n or Enter: {LOOKS}"),
        ([], "skip", "skip: not here, a later step relies on what this one does"),
        (["y"] * 4, "redis-a", f"anything else: {LOOKS}"),
        (["y"] * 4, "", f"anything else: {LOOKS}"),
        (["y"] * 4, "abort", "abort: ends the run; nothing more is sent"),
        (["y"] * 4, "abort", "if you end the run now: redis-b: keepalived stays stopped on that node"),
    ],
)
def test_what_is_said_of_an_answer_is_what_it_does(monkeypatch, capsys, before, typed, told):
    stage = Stage()
    terminal = Terminal(monkeypatch, *before, typed, "abort")
    ended = run(stage)
    assert told in " ".join(capsys.readouterr().out.split())
    assert not [line for line in stage.actuator.texts if "SLAVEOF" in line]
    assert before or not stage.actuator.sent, "nothing is sent by it"
    asked = len(before)
    assert len(terminal.prompts) == asked + (1 if typed == "abort" else 2), "it is asked again, unless the run ends"
    assert ended.outcome is Outcome.ABORTED


@pytest.mark.parametrize("kind", QuestionKind)
def test_every_answer_of_a_prompt_is_explained_above_it(capsys, monkeypatch, kind):
    choices = (Choice.LOOK_AGAIN, Choice.OVERRIDE, Choice.SKIP, Choice.ABORT)
    asked = question(kind, choices=choices, sentence="I accept it")
    Terminal(monkeypatch, "abort")
    PlainOperator(lambda: 0.0).decide(asked)
    told = capsys.readouterr().out
    for word in ("skip: ", "override: ", "abort: ", LOOKS.split(";", maxsplit=1)[0]):
        assert word in told


def test_a_blocked_step_says_no_and_cannot_be_run(monkeypatch, capsys):
    empty = Pair(samples.with_redis(samples.stale_master_back(), samples.A, keys={}))
    terminal = Terminal(monkeypatch, "y", "y", "retry", "skip", "abort")
    ended = run(Stage(pair=empty))
    text = capsys.readouterr().out
    assert terminal.prompts[1] == "Blocked. [LOOK/abort] "
    assert "  NO  " in text
    assert "(hazard H02)" in " ".join(text.split())
    assert ended.outcome is Outcome.ABORTED


def test_what_changed_is_said_above_the_prompt(monkeypatch, capsys):
    stage = Stage()
    terminal = Terminal(monkeypatch)
    plain = terminal.__call__

    def restart_at_the_gate(prompt):
        answer = plain(prompt)
        if prompt.startswith("Type") and terminal.prompts.count(prompt) == 1:
            stage.pair.change(lambda state: samples.with_redis(state, B, run_id="f" * 40))
        return answer

    monkeypatch.setattr(builtins, "input", restart_at_the_gate)
    run(stage)
    text = capsys.readouterr().out
    assert "changed since it was shown:" in text
    assert "redis-b: run_id: was" in text


SENTENCE = "I accept that redis-b loses what redis-a does not have"


def typing(monkeypatch, *at_trouble):
    """Says yes, types names, and these answers in turn where the step is blocked; then ends the input."""
    prompts, left = [], list(at_trouble)

    def typed(prompt):
        prompts.append(prompt)
        if prompt.startswith("Run this step"):
            return "y"
        if prompt.endswith("to confirm, anything else cancels: "):
            return B
        if not left:
            raise EOFError
        return left.pop(0)

    monkeypatch.setattr(builtins, "input", typed)
    return prompts


def test_a_loss_is_taken_by_the_whole_sentence(monkeypatch, capsys):
    prompts = typing(monkeypatch, "override", "nonsense", "override", SENTENCE)
    written = samples.with_persistence(samples.stale_master_back(), B, changes_since_save=5)
    ended = run(Stage(pair=Pair(state=written)))
    assert ended.outcome is Outcome.DONE
    blocked = prompts.index("Blocked. [LOOK/override/abort] ")
    assert prompts[blocked : blocked + 5] == [
        "Blocked. [LOOK/override/abort] ",
        f'Type "{SENTENCE}" to override, anything else cancels: ',
        "Blocked. [LOOK/override/abort] ",
        f'Type "{SENTENCE}" to override, anything else cancels: ',
        'Type "redis-b" to confirm, anything else cancels: ',
    ]
    assert "what redis-b loses by following redis-a" in capsys.readouterr().out


def test_override_is_no_answer_where_it_is_not_offered(monkeypatch):
    prompts = typing(monkeypatch, "override")
    ended = run(Stage(pair=Pair(state=samples.with_redis(samples.stale_master_back(), "redis-a", keys={}))))
    assert ended.outcome is Outcome.ABORTED
    assert prompts.count("Blocked. [LOOK/abort] ") == 2
