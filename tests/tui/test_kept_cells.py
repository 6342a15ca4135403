"""What is not made again is what would be made: cells, lines of panes, rows of the list, answers of rules."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import samples
from textual.widget import Widget
from tui_stage import seen, stage

from console.core.kept import kept_while_same
from console.tui.navigation import routes
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.state.fleet import Fleet
from console.tui.threads.messages import ClusterObserved
from console.tui.widgets.kept_strips import KeepsStrips
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.row_list import RowList

STATES = (
    samples.healthy_pair,
    samples.failed_over_pair,
    samples.unreachable_node,
    lambda: samples.with_redis(samples.healthy_pair(), samples.A, offset=9000),
    samples.healthy_pair,
)


def stale(screen):
    """The widgets of this screen that show anything else than they would if nothing were kept."""
    found = []
    for widget in screen.walk_children(Widget, with_self=True):
        if isinstance(widget, LinesPane) and widget._shown is not None and all(widget.room):
            now = widget._source(*widget.room)
            if [(one.plain, one.spans) for one in now] != [(one.plain, one.spans) for one in widget.lines]:
                found.append((widget.id, "lines"))
        if isinstance(widget, KeepsStrips) and widget._kept is not None:
            crop, strips = widget._kept
            widget._kept = None
            widget._styles_cache.clear()
            if isinstance(widget, LinesPane):
                widget._made.clear()
                widget._room_of = None
            if [list(one) for one in widget.render_lines(crop)] != [list(one) for one in strips]:
                found.append((widget.id, "cells"))
    return found


async def observed(pilot, on, name, make):
    on.clock.at += 1
    on.app.post(ClusterObserved(replace(make(), name=name, observed_at=on.clock.at)))
    on.app.on_views_changed()
    await pilot.pause()


@pytest.mark.parametrize("first", [routes.CLUSTER, None], ids=["cluster", "clusters"])
async def test_nothing_that_is_kept_is_old(first):
    on = stage(samples.healthy_pair(), *(replace(samples.healthy_pair(), name=f"pair-{at:02}") for at in range(25)))
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        if first is not None:
            on.app.open_screen(first, "cache")
        await pilot.pause()

        async def passes(seconds):
            on.clock.at += seconds
            for _ in range(2):
                on.app._beat()

        steps = [
            *(lambda make=make: observed(pilot, on, "cache", make) for make in STATES),
            *(lambda seconds=seconds: passes(seconds) for seconds in (1, 7, 100)),
            *(lambda size=size: pilot.resize_terminal(*size) for size in ((80, 24), (170, 50), (60, 18), (120, 40))),
            *(lambda key=key: pilot.press(key) for key in ("tab", "down", "pagedown", "end", "home", "2", "shift+tab")),
            lambda: pilot.press("question_mark"),
            lambda: pilot.press("question_mark"),
            *(
                []
                if first
                else [lambda key=key: pilot.press(key) for key in ("slash", "p", "7", "enter", "escape", "o")]
            ),
        ]
        for number, step in enumerate([*steps, *random.Random(13).sample(steps, len(steps) // 2)]):
            await step()
            if number % 5 == 0:
                on.app.action_next_theme()
            await pilot.pause()
            await pilot.pause()
            assert stale(on.app.screen) == [], f"after step {number}"


def test_an_answer_is_kept_for_the_same_objects_only():
    asked = []

    @kept_while_same(3)
    def length(words, *, more=0):
        asked.append(words)
        return len(words) + more

    one, equal = ["a", "b"], ["a", "b"]
    assert [length(one), length(one), length(equal), length(one, more=1)] == [2, 2, 2, 3]
    assert len(asked) == 3
    for count in range(500):  # each list gets the memory of an earlier one, unless that is still kept
        assert length(["a"] * count) == count


def test_the_rows_of_a_list_that_has_not_changed_stay_and_others_are_as_if_made_anew():
    on = stage(*(replace(samples.healthy_pair(), name=f"pair-{at}") for at in range(6)))
    views = {spec.name: ClusterView(spec) for spec in on.app.console_context.inventory.clusters}
    kept, choose, now = Fleet(), random.Random(7), 0.0
    anew = Fleet()
    for _ in range(300):
        now += choose.choice((0.0, 1.0, 11.0))
        act = choose.randrange(5)
        if act == 0:
            name, make = choose.choice(list(views)), choose.choice(STATES)
            state = replace(make(), name=name, observed_at=samples.NOW + now)
            views = {**views, name: absorb(replace(views[name], state=None, told=None), state, samples.NOW + now)}
        elif act == 1:
            for one in (kept, anew):
                one.next_order()
        elif act == 2:
            for one in (kept, anew):
                one.settle()
        typed = choose.choice(("", "", "pair", "critical", "pair-3"))
        for one in (kept, anew):
            one.update(views, ())
        anew._made_of = None
        assert kept.entries(typed, now) == anew.entries(typed, now)
        assert kept.entries(typed, now) is kept.entries(typed, now) or not kept._steady.is_settled


async def test_a_move_within_the_page_draws_two_rows():
    on = stage(*(replace(samples.healthy_pair(), name=f"pair-{at:03}") for at in range(300)))
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        await pilot.pause()
        rows = on.app.screen.query_one(RowList)
        before = rows.rows_drawn
        await pilot.press("down")
        assert rows.rows_drawn - before == 2
        before = rows.rows_drawn
        await pilot.press("pagedown")
        assert rows.rows_drawn - before <= rows.room.height + 2
