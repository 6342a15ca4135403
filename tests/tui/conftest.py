from __future__ import annotations

import pytest
from textual import _wait, screen
from textual.css.stylesheet import Stylesheet


@pytest.fixture(scope="session", autouse=True)
def a_quicker_toolkit():
    """What Textual does for eyes and for slow machines, these tests need not wait for or compute again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", _parse_once())
        patch.setattr(screen, "UPDATE_PERIOD", 1 / 10)  # the pilot draws what has changed, too, at each pause
        patch.setattr(_wait, "SLEEP_GRANULARITY", 1 / 250)
        patch.setattr(_wait, "SLEEP_IDLE", 1 / 250 / 20)
        yield


@pytest.fixture
def textuals_own_pace(monkeypatch):
    """As for an operator: for tests of what is drawn when, and of how long a key takes."""
    monkeypatch.setattr(screen, "UPDATE_PERIOD", 1 / 60)
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 1 / 50)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 1 / 50 / 20)


def _parse_once():
    """Each app parses the same style sheets twice when it starts."""
    parsed = {}
    parse = Stylesheet._parse_rules

    def parse_once(sheet, css, *where, **how):
        key = (css, where, tuple(how.items()), frozenset(sheet._variables.items()))
        if key not in parsed:
            parsed[key] = parse(sheet, css, *where, **how)
        return parsed[key]

    return parse_once
