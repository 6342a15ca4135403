"""The engine against a simulated world: thousands of nights with fixed seeds, and no rule is broken in any."""

from __future__ import annotations

import pytest
from simulation.nights.coverage import Coverage
from simulation.nights.night import Night
from simulation.nights.plan import plan_of
from simulation.nights.shrink import shrunk, story
from simulation.nights.tidied import tidied

SMALL, WHOLE, PARTS = 100, 2000, 4
HOME_EVERY = 9
"""One of so many nights is also followed by the way home. It is odd, so that nights of every kind are. `make simulate`
follows each."""
PART = (WHOLE - SMALL) // PARTS


def played(seeds: range) -> Coverage:
    """Fails with the smallest story of the first night that broke a rule."""
    coverage = Coverage()
    for seed in tidied(seeds):
        plan = plan_of(seed)
        result = Night(plan, home=seed % HOME_EVERY == 0).play()
        coverage.add(result)
        if result.violations:
            rule = result.violations[0].rule
            pytest.fail(f"{rule}\n{story(result if rule_needs_day(rule) else shrunk(plan, rule))}")
    return coverage


def rule_needs_day(rule: str) -> bool:
    """Rules of the way home are told whole: a night without it cannot break them."""
    return rule in ("a way home", "protected survives", "protected serves")


def test_a_hundred_nights_break_no_rule():
    coverage = played(range(SMALL))
    assert coverage.runs >= SMALL, "nights run runbooks"
    assert coverage.fired, "and something goes wrong in them"
    for rule in ("no write is lost", "a loss is named", "facts as shown", "findings are true", "a way home"):
        assert coverage.judged[rule], f"{rule}: a rule that is never asked proves nothing"


@pytest.mark.long
@pytest.mark.parametrize("first", [SMALL + PART * part for part in range(PARTS)])
def test_two_thousand_nights_break_no_rule(first):
    played(range(first, first + PART))


def test_a_seed_plays_the_same_night_again():
    plan = plan_of(7)
    one, other = Night(plan).play(), Night(plan).play()
    assert [line for _, line in one.story if "-cache-" not in line] == [
        line for _, line in other.story if "-cache-" not in line
    ]
    assert [at for at, _ in one.story] == [at for at, _ in other.story]
    assert one.outcomes == other.outcomes
