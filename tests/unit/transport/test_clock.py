import time

import pytest

from console.core.changes.own_clock import OwnClock
from console.transport import clock


@pytest.mark.parametrize("by", [-220_000_000.0, -30.0, 30.0, 4_000_000.0])
def test_a_clock_that_is_set_moves_no_reading(by, monkeypatch):
    own, real = clock.SystemClock(), time.time
    before = own.now()
    monkeypatch.setattr(clock.time, "time", lambda: real() + by)
    assert 0 <= own.now() - before < 10
    assert own.set_by() == pytest.approx(by, abs=1)


def test_each_setting_of_the_clock_is_told_once():
    told = OwnClock()
    assert not told.news(0.4)
    assert told.news(-600.0).startswith("the clock of this machine was set back by 10 min.")
    assert not told.news(-600.1)
    assert told.news(0.0).startswith("the clock of this machine was set forward by 10 min.")
    assert not told.news(0.0)
