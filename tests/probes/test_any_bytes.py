"""Every parser of every probe, whatever the bytes: it returns a value, or raises NotUnderstoodError with a sentence.

The parsers are found by reflection, so a new probe is covered as soon as it is there.
"""

from __future__ import annotations

import random

import pytest
from any_parser import PARSERS, Arguments, recorded

from console.probes import NotUnderstoodError


def try_parser(name: str, times: int) -> None:
    arguments = Arguments(name, random.Random(name))
    parse = PARSERS[name]
    for _ in range(times):
        given = arguments.make(parse)
        try:
            parse(**given)
        except NotUnderstoodError as error:
            said = str(error)
            assert said, given
        except Exception as error:
            raise AssertionError(f"{name} raised {error!r} for {given!r}"[:3_000]) from error


def test_the_parsers_are_found():
    assert len(PARSERS) > 25
    assert all(recorded(name) for name in PARSERS if name not in WITHOUT_RECORDINGS)


WITHOUT_RECORDINGS = {"redis.client_list.parse", "consul.json_text.parse_json"}


@pytest.mark.parametrize("name", PARSERS)
def test_a_value_or_a_problem(name):
    try_parser(name, 300)


@pytest.mark.long
@pytest.mark.parametrize("name", PARSERS)
def test_a_value_or_a_problem_three_thousand_times(name):
    """The inputs are the same in each run: more of them find nothing new in an unchanged parser."""
    try_parser(name, 3_000)
