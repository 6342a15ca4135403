"""Work in threads of its own."""

from __future__ import annotations

import sys

import pytest

from console.cli.background import in_background, short_turns


def test_the_future_has_the_result_or_the_error():
    assert in_background(lambda: 5, "five").result(10) == 5
    with pytest.raises(ZeroDivisionError):
        in_background(lambda: 1 // 0, "error").result(10)


def test_turns_are_short_inside_the_block_only():
    before = sys.getswitchinterval()
    with pytest.raises(KeyError), short_turns():
        assert sys.getswitchinterval() < before
        raise KeyError
    assert sys.getswitchinterval() == before
