"""Every key does what the help says, and keys go on working whatever the nodes do."""

import statistics
import time
from dataclasses import replace

import pytest
import samples
from tui_stage import asked, asked_again, question, seen, stage, until

from console.tui import themes
from console.tui.app import ConsoleApp
from console.tui.keys import BOUND_BY_TEXTUAL, KEYS
from console.tui.navigation import routes
from console.tui.screens.arm import ArmScreen
from console.tui.screens.base import ScrollsText
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.clusters import ClustersScreen
from console.tui.screens.dialogs.finding import FindingDialog
from console.tui.screens.dialogs.help import HelpDialog
from console.tui.screens.dialogs.quit import QuitDialog
from console.tui.screens.past_run import PastRunScreen
from console.tui.screens.past_runs import PastRunsScreen
from console.tui.screens.run import RunScreen
from console.tui.screens.runbooks import RunbooksScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Menu
from console.tui.widgets.question import QuestionBox

OWNERS = {
    "app": ConsoleApp,
    "clusters": ClustersScreen,
    "cluster": ClusterScreen,
    "runbooks": RunbooksScreen,
    "arm": ArmScreen,
    "run": RunScreen,
    "runs": PastRunsScreen,
    "record": PastRunScreen,
    "question": QuestionBox,
    "dialog": HelpDialog,
    "text": ScrollsText,
    "pane": LinesPane,
}


def three_clusters():
    return stage(
        samples.healthy_pair(),
        replace(samples.failed_over_pair(), name="sessions"),
        replace(samples.unreachable_node(), name="queue"),
    )


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.place} {key.shown}")
def test_every_key_of_the_registry_is_bound_to_something_that_exists(key):
    if (key.place, key.keys) in BOUND_BY_TEXTUAL:
        return
    owner = OWNERS[key.place]
    action = key.action.split("(")[0].removeprefix("app.")
    assert hasattr(ConsoleApp if key.action.startswith("app.") else owner, f"action_{action}")
    for one in key.keys.split(","):
        assert one in {binding.key for binding in owner.BINDINGS}


async def test_one_cluster_is_opened_at_once():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        assert isinstance(on.app.screen, ClusterScreen)
        await pilot.press("escape")
        assert isinstance(on.app.screen, ClusterScreen), "there is nothing behind it"


async def test_several_clusters_are_listed_and_opened():
    on = three_clusters()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        assert isinstance(on.app.screen, ClustersScreen)
        await pilot.press("down", "enter")  # the two critical ones are first, in the order of the inventory
        assert isinstance(on.app.screen, ClusterScreen)
        assert on.app.screen.cluster == "queue"
        await pilot.press("escape")
        assert isinstance(on.app.screen, ClustersScreen)


async def test_numbers_change_the_part_that_is_shown():
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        for key, name in (("2", "timeline"), ("3", "history"), ("4", "logs"), ("1", "findings")):
            await pilot.press(key)
            await pilot.pause()
            assert [pane.id for pane in on.app.screen.query(".pane") if pane.size.height] == [name]
            assert on.app.focused.id == name


async def test_enter_shows_a_findings_details_and_escape_closes_them():
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("enter")
        assert isinstance(on.app.screen, FindingDialog)
        await pilot.pause()
        assert "Why it matters" in on.app.screen.query_one(LinesPane).text
        await pilot.press("escape")
        assert isinstance(on.app.screen, ClusterScreen)


async def test_the_cursor_stays_on_its_finding_while_the_list_changes():
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        menu = on.app.screen.query_one("#findings", Menu)
        await pilot.press("down")
        kept = menu.chosen
        view = on.app.views["cache"]
        on.app.views = {"cache": replace(view, findings=view.findings[::-1])}
        await pilot.pause()
        assert menu.chosen == kept


async def test_help_reconnect_theme_and_quit():
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("question_mark")
        assert isinstance(on.app.screen, HelpDialog)
        await pilot.press("end", "escape")
        await pilot.press("r")
        await until(pilot, lambda: on.inspector.reconnected == 1)
        await pilot.press("t")
        assert on.app.theme == themes.ORDER[1]
        await pilot.press("q")
    assert on.app.return_value == 0


async def test_every_theme_draws_the_same_words():
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        words = {one.id: one.text for one in on.app.screen.query(LinesPane)}
        for theme in themes.ORDER:
            on.app.theme = theme
            await pilot.pause()
            assert {one.id: one.text for one in on.app.screen.query(LinesPane)} == words


async def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        colours = {
            color.triplet
            for strip in on.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and (color := segment.style.color) and color.triplet
        }
        assert all(red == green == blue for red, green, blue in colours)


async def test_the_command_palette_has_our_commands():
    on = three_clusters()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, "sessions")
        await pilot.pause()
        titles = [one.title for one in on.app.get_system_commands(on.app.screen)]
        assert "Open cluster queue" in titles
        assert "Runbook one-shot-rebuild on sessions" in titles
        assert {"Reconnect", "Theme", "Help", "Quit"} <= set(titles)
        await pilot.press("ctrl+p")
        assert type(on.app.screen).__name__ == "CommandPalette"


async def test_a_read_only_console_cannot_arm():
    on = stage(samples.stale_master_back())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter")
        await pilot.pause()
        assert isinstance(on.app.screen, ArmScreen)
        assert on.app.screen.query_one("#arm").disabled
        assert "without the right to arm" in on.app.screen.query_one("#arming", LinesPane).text


async def test_ctrl_q_and_ctrl_c_ask_too_while_a_run_is_armed():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter", "tab", "enter")
        await asked(pilot, on)
        for key in ("ctrl+q", "ctrl+c"):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(on.app.screen, QuitDialog)
            assert on.app.focused.id == "stay"
            await pilot.press("enter")
            assert on.app.armed_run is not None
            await asked_again(pilot, on)


# --- whatever the nodes do ----------------------------------------------------------------------------------------


async def test_a_hanging_inspector_is_asked_once_and_the_age_goes_on():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.inspector.open.clear()
        before = on.inspector.observed
        for _ in range(5):
            on.clock.at += 6
            on.app._tick()
        on.app.screen.paint()
        await pilot.pause()
        assert on.inspector.observed == before + 1
        assert "observed 30 s ago" in on.app.screen.query_one("#header", LinesPane).text
        assert "30 s old" in on.app.screen.query_one("#cards", LinesPane).text
        on.inspector.close()


async def key_times(pilot, app) -> list[float]:
    """Seconds from a key to the screen that it changes, for a good many keys."""
    times = []
    for key, name in (("2", "timeline"), ("3", "history"), ("4", "logs"), ("1", "findings")) * 6:
        start = time.perf_counter()
        await pilot.press(key)
        assert app.focused.id == name
        times.append(time.perf_counter() - start)
    return times


@pytest.mark.usefixtures("textuals_own_pace")
async def test_keys_are_as_quick_while_nodes_hang():
    on = three_clusters()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, "cache")
        await pilot.pause()
        unloaded = statistics.median(await key_times(pilot, on.app))
        for one in on.inspectors.values():
            one.open.clear()
        on.app._tick()
        loaded = statistics.median(await key_times(pilot, on.app))
        for one in on.inspectors.values():
            one.close()
    assert loaded < 3 * unloaded


async def test_an_inspector_that_fails_is_shown_and_asked_again():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.inspector.error = RuntimeError("no more file descriptors")
        on.app._tick()
        await until(pilot, lambda: on.app.views["cache"].trouble)
        await pilot.pause()
        text = on.app.screen.query_one("#headline", LinesPane).text
        assert "no more file descriptors" in text
        on.inspector.error = None
        on.app._tick()
        await until(pilot, lambda: not on.app.views["cache"].trouble)


@pytest.mark.parametrize("size", [(50, 12), (80, 24), (120, 40), (160, 50), (220, 60)])
async def test_every_size_shows_the_essentials_or_says_that_it_cannot(size):
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        screen = "\n".join(
            "".join(segment.text for segment in strip) for strip in on.app.screen._compositor.render_strips()
        )
        if size[0] < 60:
            assert "too small" in screen
            assert "50 x 12" in screen
        else:
            for words in ("CRITICAL", "redis-a", "redis-b", "VIP 192.168.100.123", "READ-ONLY", "NOT ready", "138"):
                assert words in screen


async def test_an_inventory_without_clusters_says_what_to_do():
    on = stage()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "has no cluster" in on.app.screen.query_one("#clusters", LinesPane).text
        await pilot.press("enter", "r", "q")
    assert on.app.return_value == 0
