"""Observations become views outside the thread of the screen, and whose turn it is to be observed."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import samples
from tui_stage import seen, spec_of, stage, until

from console.tui.apps import live_views
from console.tui.apps.live_views import LiveViews
from console.tui.state.turns import AT_ONCE, due, seconds_between
from console.tui.threads.messages import ViewsChanged


def views(*, at_once=True):
    posted = []
    states = [replace(samples.healthy_pair(), name=name) for name in ("one", "two")]
    made = LiveViews([spec_of(state) for state in states], lambda: samples.NOW, posted.append, lambda _: at_once)
    return made, posted, states


def test_the_screen_gets_one_message_for_all_that_changed():
    made, posted, states = views()
    for state in (*states, *states):
        made.observed(state)
    assert [type(one) for one in posted] == [ViewsChanged]
    assert set(made.take()) == {"one", "two"}
    assert not made.take()
    made.observed(replace(states[0], observed_at=samples.NOW + 1))
    assert len(posted) == 2
    assert [len(view.samples) for view in made.take().values()] == [3], "no observation was left out"


def test_what_is_not_shown_at_once_waits_until_it_is_taken():
    made, posted, states = views(at_once=False)
    made.observed(states[0])
    assert not posted
    assert set(made.take()) == {"one"}


def test_a_fault_of_a_rule_is_shown_and_the_next_observation_is_judged_again(monkeypatch):
    made, _, states = views()

    def broken(*_):
        raise ValueError("a rule is wrong")

    with monkeypatch.context() as patch:
        patch.setattr(live_views, "absorb", broken)
        made.observed(states[0])
        assert made.take()["one"].trouble == "ValueError: a rule is wrong"
    made.observed(states[0])
    assert not made.take()["one"].trouble


def test_a_cluster_that_is_not_in_the_inventory_is_left_out():
    made, posted, states = views()
    made.observed(replace(states[0], name="three"))
    assert not posted


async def test_rules_never_run_on_the_thread_of_the_screen(monkeypatch):
    judged_by = set()
    real = live_views.absorb

    def absorb(*args):
        judged_by.add(threading.get_ident())
        return real(*args)

    monkeypatch.setattr(live_views, "absorb", absorb)
    on = stage(samples.healthy_pair(), replace(samples.failed_over_pair(), name="sessions"))
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app._tick()
        await until(pilot, lambda: on.inspector.observed > 1)
    assert judged_by
    assert threading.get_ident() not in judged_by


@pytest.mark.parametrize("count", [1, 19, 20, 21, 100, 1000])
@pytest.mark.parametrize("shown", ["", "pair-0"])
def test_every_cluster_has_its_turn_and_no_second_has_too_many(count, shown):
    names = [f"pair-{number}" for number in range(count)]
    assert due(names, shown, 1) == tuple(names), "the first observation of each"
    turns = seconds_between(count, shown=bool(shown))
    seconds = [due(names, shown, tick) for tick in range(2, 2 + turns)]
    assert {name for second in seconds for name in second} == set(names)
    assert max(map(len, seconds)) <= AT_ONCE + 1
    others = [name for second in seconds for name in second if name != shown]
    assert len(others) == len(set(others))
    if shown:
        assert all(shown in second for second in seconds)


def test_a_hundred_clusters_are_observed_every_five_seconds():
    assert seconds_between(100, shown=False) == 5
    assert seconds_between(3, shown=False) == 1
    assert seconds_between(3, shown=True) == 5


async def test_a_beat_while_the_app_ends_draws_nothing():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        screen, painted = on.app.screen, []
        screen.paint = lambda: painted.append(screen)
        on.app._running = False  # as the app itself does first when it ends
        on.app._beat()
        on.app._beat()
        on.app._running = True
        assert not painted
        on.app._beat()
        on.app._beat()
        assert painted


async def test_a_clock_that_is_set_is_told_on_the_screen_once():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, on)
        on.clock.set_seconds = -600.0
        for _ in range(2):
            on.app._beat()
        await until(pilot, lambda: on.app._notifications)
        assert ["set back by 10 min" in one.message for one in on.app._notifications] == [True]
