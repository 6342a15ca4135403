"""The bound of a sample is never too low: it is compared with all ways to draw one."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.core.previews.key_comparison import DbSample, KeySample
from console.core.previews.sampling import most_in_whole

RISK = Fraction(1, 20)


def by_counting(whole: int, drawn: int, found: int, risk: Fraction = RISK) -> int:
    """The largest number of hits that shows so few in at least `risk` of all samples, in whole numbers."""
    return max(
        hits
        for hits in range(found, whole - drawn + found + 1)
        if Fraction(
            sum(comb(hits, one) * comb(whole - hits, drawn - one) for one in range(found + 1)), comb(whole, drawn)
        )
        >= risk
    )


@settings(max_examples=3 * settings().max_examples // 2)
@given(st.data())
def test_the_bound_is_the_one_that_counting_gives(data: st.DataObject) -> None:
    whole = data.draw(st.integers(2, 80))
    drawn = data.draw(st.integers(1, whole))
    found = data.draw(st.integers(0, drawn))
    assert most_in_whole(whole, drawn, found, float(RISK)) == by_counting(whole, drawn, found)


@pytest.mark.parametrize(("found", "most"), [(1, 21), (5, 49)])
def test_a_thousand_of_five_thousand_keys(found: int, most: int) -> None:
    assert KeySample("a", "b", (DbSample(0, 5_000, 1_000, found),)).at_most == most


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**12), st.integers(0, 1_000), st.integers(0, 1_000))
def test_a_bound_of_any_size_is_possible_and_not_below_what_is_likely(whole: int, drawn: int, found: int) -> None:
    drawn = min(whole, drawn)
    found = min(found, drawn)
    most = most_in_whole(whole, drawn, found, 0.05)
    assert found <= most <= whole - drawn + found
    if drawn:
        assert most >= found * whole // drawn


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12))
def test_the_sum_of_two_databases_is_as_certain(first: int, second: int) -> None:
    """However the hits lie in two databases, the bound of both together is too low in at most 5% of all samples."""
    keys, drawn, too_low = 12, 4, Fraction(0)
    for seen in range(min(first, drawn) + 1):
        for also in range(min(second, drawn) + 1):
            sample = KeySample("a", "b", (DbSample(0, keys, drawn, seen), DbSample(1, keys, drawn, also)))
            if sample.at_most < first + second:
                ways = (
                    comb(first, seen)
                    * comb(keys - first, drawn - seen)
                    * comb(second, also)
                    * comb(keys - second, drawn - also)
                )
                too_low += Fraction(ways, comb(keys, drawn) ** 2)
    assert too_low <= RISK
