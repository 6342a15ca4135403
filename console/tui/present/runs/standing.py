"""The standing of a recorded run as a mark and a word."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.runs.past.past_run import PastRun, Standing
from console.core.runs.state import Outcome
from console.tui.present.formatting import (
    BAD,
    NOTE,
    OUTCOME,
    WARN,
)

Sign = tuple[str, str, str]
"""Mark, word, style."""


STANDING: Mapping[Standing, Sign] = {
    Standing.UNDER_WAY: ("»", "under way", NOTE),
    Standing.DIED: ("!", "not closed", WARN),
    Standing.BROKEN: ("✗", "broken", BAD),
}


def sign_of(past: PastRun) -> Sign:
    """The outcome, or why the run has none: mark, word, style."""
    if past.standing is Standing.CLOSED:
        outcome = past.outcome or Outcome.UNKNOWN
        mark, _, style = OUTCOME[outcome]
        return mark, outcome.value, style
    mark, word, style = STANDING[past.standing]
    return mark, f"{word} at {past.chain.broken_line}" if past.standing is Standing.BROKEN else word, style
