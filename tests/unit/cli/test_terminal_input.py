"""What was typed before a question never answers it, at a real pseudo-terminal."""

import contextlib
import os
import select
import sys
import termios

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.cli.runs.plain import terminal_input
from console.cli.runs.plain.terminal_input import ask, discard_typed

TYPED = st.text(st.sampled_from("ab-1 \n"), max_size=200)


@contextlib.contextmanager
def terminal():
    """A pseudo-terminal as standard input: the end that a person types at."""
    person, console = os.openpty()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(console, encoding="utf-8") as standard_input:
        patch.setattr(sys, "stdin", standard_input)
        patch.setattr(terminal_input, "QUIET_SECONDS", 0.05)
        yield person
        os.close(person)


@given(TYPED)
@settings(max_examples=25, deadline=None)
def test_whatever_was_typed_or_pasted_before_is_gone_also_half_a_line(typed):
    with terminal() as person:
        os.write(person, typed.encode())
        mode = termios.tcgetattr(sys.stdin.fileno())
        assert discard_typed() == len(typed)
        assert termios.tcgetattr(sys.stdin.fileno()) == mode, "the terminal is as it was"
        os.write(person, b"redis-b\n")
        assert sys.stdin.readline() == "redis-b\n"


def test_a_question_says_what_it_discarded_and_takes_what_comes_after_its_prompt(capsys, monkeypatch):
    with terminal() as person:

        def late(prompt):
            assert prompt == "Run this step? "
            assert "11 characters that were typed before this question: discarded" in capsys.readouterr().out
            os.write(person, b" abort \n")
            return sys.stdin.readline()

        monkeypatch.setattr("builtins.input", late)
        os.write(person, b"redis-b\ny\ny")
        assert ask("Run this step? ") == "abort"


def test_a_key_that_is_held_down_never_becomes_an_answer(monkeypatch):
    presses = iter(range(30))
    wait = select.select
    with terminal() as person:

        def held(*arguments):
            if next(presses, None) is not None:
                os.write(person, b"\n")
            return wait(*arguments)

        monkeypatch.setattr(select, "select", held)
        assert discard_typed() == 30


def test_a_terminal_that_is_gone_ends_the_waiting():
    person, console = os.openpty()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(console, encoding="utf-8") as standard_input:
        patch.setattr(sys, "stdin", standard_input)
        os.close(person)
        assert discard_typed() == 0


def test_a_pipe_is_left_alone(monkeypatch):
    reader, writer = os.pipe()
    os.write(writer, b"kept\n")
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        assert discard_typed() == 0
        assert standard_input.readline() == "kept\n"
