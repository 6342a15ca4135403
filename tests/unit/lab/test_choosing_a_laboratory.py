"""`lab fault` and `lab enter` from another terminal: the laboratory that was named, or the only one."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.lab import commands
from console.lab.options import LabError

FOLDER = "/dev/shm/laboratory"
NAMES = st.lists(st.from_regex(r"pair-[a-z0-9_]{8}", fullmatch=True), unique=True, max_size=4)


def running(names: list[str]) -> list[tuple[str, int]]:
    return [(f"{FOLDER}/{name}/laboratory.json", 100 + at) for at, name in enumerate(names)]


@given(NAMES)
def test_each_name_chooses_its_laboratory_and_without_one_there_must_be_one_only(names):
    for at, (name, one) in enumerate(zip(names, running(names), strict=True)):
        assert commands._chosen(running(names), name) == one, at
    if len(names) == 1:
        assert commands._chosen(running(names), None) == running(names)[0]
        return
    with pytest.raises(LabError) as refused:
        commands._chosen(running(names), None)
    if names:
        assert "--in" in str(refused.value)
    assert all(name in str(refused.value) for name in names)


@given(NAMES)
def test_a_name_that_is_none_is_refused_with_those_that_are(names):
    with pytest.raises(LabError) as refused:
        commands._chosen(running(names), "pair-other")
    assert all(name in str(refused.value) for name in names)


@pytest.mark.parametrize(
    "words", [["enter", "--in", "pair-b"], ["fault", "--in", "pair-b", "kill", "redis-a", "redis"]]
)
@pytest.mark.parametrize("inside", [None, f"{FOLDER}/pair-a/laboratory.json"])
def test_the_command_is_repeated_in_the_named_one_also_from_inside_another_one(monkeypatch, words, inside):
    asked = []

    def repeat(repeated: list[str], laboratory: str | None) -> None:
        asked.append((repeated[1], laboratory))
        raise LabError("as far as this test goes")

    monkeypatch.setattr(commands, "_repeat_inside", repeat)
    monkeypatch.delenv("REDIS_HA_LABORATORY", raising=False)
    if inside:
        monkeypatch.setenv("REDIS_HA_LABORATORY", inside)
    CliRunner().invoke(commands.lab, words)
    assert asked == [(words[0], "pair-b")]
