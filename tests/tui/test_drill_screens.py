"""The console of a drill says DRILL on every screen, and counts the keys that are pressed."""

import pytest
import samples
from tui_stage import REBUILD, seen, stage

from console.drill.app import MARK, DrillApp
from console.tui.app import ConsoleApp
from console.tui.navigation import routes
from console.tui.present import frame
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.dialogs.quit import QuitDialog
from console.tui.widgets.typed_field import TextRefused


def whole_screens(kind=ConsoleScreen):
    """Every class of a whole screen."""
    return [one for below in kind.__subclasses__() for one in (below, *whole_screens(below))]


def header(screen, width):
    (line,) = screen._draw_header(width, 1)
    return line.plain


@pytest.mark.parametrize("width", [frame.MIN_WIDTH, 80])
async def test_every_screen_of_a_drill_says_so(width):
    on = stage(samples.failed_over_pair(), app=DrillApp)
    async with on.app.run_test(size=(width, 24)) as pilot:
        await seen(pilot, on)
        for route, arguments in (
            (routes.CLUSTER, ("cache",)), (routes.RUNBOOKS, ("cache",)), (routes.ARM, ("cache", REBUILD, {})),
        ):  # fmt: skip
            on.app.open_screen(route, *arguments)
            await pilot.pause()
            assert f" {MARK} " in header(on.app.screen, width)
    kinds = whole_screens()
    assert len(kinds) > 5
    assert all(one._draw_header is ConsoleScreen._draw_header and one.compose is ConsoleScreen.compose for one in kinds)


async def test_every_screen_of_a_drill_has_its_name_at_80_columns(monkeypatch):
    """Commands for another terminal need it, and most of them stand on the screens of runs."""
    monkeypatch.setenv("REDIS_HA_LABORATORY", "/dev/shm/laboratory/drill-1a2b/state.json")
    on = stage(samples.failed_over_pair(), app=DrillApp)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        for route, arguments in (
            (routes.CLUSTER, ("cache",)), (routes.RUNBOOKS, ("cache",)), (routes.ARM, ("cache", REBUILD, {})),
        ):  # fmt: skip
            on.app.open_screen(route, *arguments)
            await pilot.pause()
            assert f" {MARK} drill-1a2b " in header(on.app.screen, 80)
            assert "cache" in header(on.app.screen, 80)


async def test_every_screen_in_a_laboratory_has_its_name():
    on = stage(samples.failed_over_pair())
    on.app.mark = "LAB pair-a1b2c3d4"
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        for route, arguments in ((routes.CLUSTER, ("cache",)), (routes.ARM, ("cache", REBUILD, {}))):
            on.app.open_screen(route, *arguments)
            await pilot.pause()
            assert " LAB pair-a1b2c3d4 " in header(on.app.screen, 80)
            assert "cache" in header(on.app.screen, 80)


async def test_keys_are_counted_and_production_is_not_marked():
    on = stage(samples.healthy_pair(), app=DrillApp)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("question_mark", "escape", "2")
        assert len(on.app.key_presses) == 3
    plain = stage(samples.healthy_pair(), app=ConsoleApp)
    async with plain.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, plain)
        assert MARK not in header(plain.app.screen, 80)


async def test_the_name_for_another_terminal_stands_where_there_is_room(monkeypatch):
    monkeypatch.setenv("REDIS_HA_LABORATORY", "/dev/shm/laboratory/drill-1a2b/laboratory.json")
    on = stage(samples.failed_over_pair(), app=DrillApp)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, "cache")
        await pilot.pause()
        assert " DRILL drill-1a2b " in header(on.app.screen, 80)
        narrow = header(on.app.screen, frame.MIN_WIDTH)
        assert f" {MARK} drill-1a2b " in narrow
        on.app.open_screen(routes.ARM, "cache", REBUILD, {})
        await pilot.pause()
        narrow = header(on.app.screen, frame.MIN_WIDTH)
        assert f" {MARK} " in narrow


async def test_the_end_of_a_drill_is_asked_for_though_nothing_is_armed():
    """Its cluster is gone with its console: one key must not end it."""
    on = stage(samples.failed_over_pair(), app=DrillApp)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("q")
        await pilot.pause()
        assert isinstance(on.app.screen, QuitDialog)
        assert on.app.focused.id == "stay"
        await pilot.press("enter")
        await pilot.pause()
        assert not isinstance(on.app.screen, QuitDialog)
        assert on.app.is_running
        await pilot.press("q", "tab", "enter")
        await pilot.pause()
    assert on.app.return_code == 0


async def test_a_typed_text_that_is_refused_is_noted():
    on = stage(samples.failed_over_pair(), app=DrillApp)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.screen.post_message(TextRefused("redis-b"))
        await pilot.pause()
        assert [required for _, required in on.app.refused_texts] == ["redis-b"]
