"""What `runs replay` prints around its questions: every step has its line, and a question says how values are seen."""

import itertools

import pytest

from console.cli.runs.replay import operator as module
from console.cli.runs.replay.operator import PlainReplayOperator
from console.core.keys.comparing import CONFLICTS
from console.core.runs.replays.batch import Left
from console.core.runs.replays.ending import keys_left
from console.core.runs.replays.order import LOADS, STEPS
from console.engine.replay.look import Looked, Sample
from console.engine.replay.ports import ReplayQuestion

FATES = list(STEPS)


@pytest.mark.parametrize("loads", [False, True])
@pytest.mark.parametrize("asked", [one for n in range(1, 5) for one in itertools.combinations(FATES, n)])
def test_each_step_up_to_the_last_question_has_its_line_in_order(monkeypatch, capsys, asked, loads):
    monkeypatch.setattr(module, "ask", lambda prompt: "n")
    plain, of = PlainReplayOperator(), len(STEPS) + loads
    if loads:
        plain.ask(ReplayQuestion(1, of, LOADS, "It is loaded.", ""))
    for fate in asked:
        plain.ask(ReplayQuestion(FATES.index(fate) + 1 + loads, of, STEPS[fate], "Do it?", "yes"))
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("== ")]
    last = FATES.index(asked[-1]) + 1 + loads
    assert [line.split()[1] for line in said] == [f"{number}/{of}" for number in range(1, last + 1)]
    for fate in FATES[: FATES.index(asked[-1]) + 1]:
        (line,) = [one for one in said if STEPS[fate] in one]
        assert ("there are no such keys" in line) is (fate not in asked)


@pytest.mark.parametrize("fate", CONFLICTS)
def test_values_are_shown_only_to_an_operator_who_asks_and_the_question_says_how(monkeypatch, capsys, fate):
    looked, typed = Looked(), iter(["values", "no"])
    looked.samples[fate] = [Sample(0, "stock", "string", "", "string", "", 1, "“23”", "“102”")]
    monkeypatch.setattr(module, "ask", lambda prompt: next(typed))
    plain = PlainReplayOperator()
    plain.show(looked, "redis-b")
    before = capsys.readouterr().out
    plain.ask(ReplayQuestion(FATES.index(fate) + 1, 4, STEPS[fate], "Do it?", "I do it"))
    asked = capsys.readouterr().out
    assert "23" not in before
    assert "Type values to see both values" in " ".join(asked.split())
    assert "kept: “23”\n    redis-b: “102”" in asked


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("why", [one for one in Left if one is not Left.EQUAL])
def test_what_was_left_is_told_in_the_right_number(why, count):
    found = keys_left({"keys": {"left": {why.value: count}, "names": {why.value: ["a", "b"][:count]}}})
    assert found is not None
    text, (line,) = found
    words = line.partition("(")[2].rstrip(")").replace(",", "").split()
    many, one = {"they", "them", "were", "stay"}, {"it", "was", "stays"}
    assert not {*words} & (one if count > 1 else many), line
    assert "{" not in line
    assert text == ("1 key of the file was not brought." if count == 1 else "2 keys of the file were not brought.")
