"""Numbers in the texts of other programs: one reader, which never raises an error and never guesses."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest
from hostile import NUMBERS
from hypothesis import given
from hypothesis import strategies as st

from console.core import numbers

CONSOLE = Path(numbers.__file__).parents[1]
OWN_ALPHABET = "tests digits with a function that accepts more than int() does: use console/core/numbers.py"


@given(st.integers(-numbers.MOST, numbers.MOST))
def test_whole_numbers(number):
    assert numbers.whole_number(str(number)) == number
    assert numbers.whole_number(f" {number}\n") == number
    assert numbers.count(str(number)) == (number if number >= 0 else None)
    assert numbers.port_number(str(number)) == (number if 0 <= number <= 65_535 else None)


@given(st.text() | st.sampled_from(NUMBERS))
def test_any_text_is_a_number_within_the_limits_or_none(text):
    for read in (numbers.whole_number, numbers.count, numbers.port_number, numbers.octal_number):
        found = read(text)
        assert found is None or (abs(found) <= numbers.MOST and text.strip().isascii())
    for parse in (numbers.decimal_number, numbers.epoch_seconds):
        told = parse(text)
        assert told is None or (math.isfinite(told) and text.strip().isascii())


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.5", 1.5), ("-0.25", -0.25), (".5", 0.5), ("3.", 3.0), ("7", 7.0), ("1e3", None), ("1_0", None)],
)
def test_decimal_numbers(text, number):
    assert numbers.decimal_number(text) == number


def test_times_that_no_calendar_has():
    assert numbers.epoch_seconds("1795246800.5") == 1_795_246_800.5
    assert numbers.epoch_seconds("-1") is None
    assert numbers.epoch_seconds(str(numbers.LAST_MOMENT + 1)) is None


def test_nothing_else_tests_digits():
    """`"²".isdigit()` is true, and int("²") raises an error."""
    found = [
        f"{path.relative_to(CONSOLE)}:{node.lineno} {OWN_ALPHABET}"
        for path in sorted(CONSOLE.rglob("*.py"))
        if "lab" not in path.relative_to(CONSOLE).parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"isdigit", "isdecimal", "isnumeric"}
    ]
    assert not found
