"""What holds for every screen and dialog that has a route: scrolling, the footer, the first drawing."""

from dataclasses import replace

import pytest
import sample_sets
import samples
from past_runs import past, written
from past_runs import until as cut
from textual.content import Content
from textual.widgets import Button, Input
from tui_stage import REBUILD, asked, question, seen, stage, until

from console.core.model import RunLock
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.question import Choice, QuestionKind
from console.tui.navigation import routes
from console.tui.screens.base import ConsoleScreen, ScrollsText
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Item, Menu
from console.tui.widgets.row_list import ListRow, RowList

ROUTES = {one.name: one for one in vars(routes).values() if isinstance(one, routes.Route)}
DONE = past(written())
DIED = past(cut(written(), "intent", 2), "20261121T064000Z-cache-one-shot-rebuild-33cc")
BROKEN = past([*written()[:4], written()[4].replace("4", "5")], "20261120T074000Z-cache-one-shot-rebuild-22bb")
LOCK = RunLock("20261121T074500Z-cache-one-shot-rebuild-77aa", "cache", "one-shot-rebuild", "bob@ops2", samples.NOW)
SET = replace(sample_sets.sentinel_vip_set(), name="cache")
COMMAND = f"redis-ha-console runs replay {DONE.run_id}"
KEPT = KeptKeys("cache", DONE.run_id, "redis-b", f"{DONE.folder}/keys-of-redis-b.jsonl", 20, COMMAND)
FILLER = tuple(Content(f"more text {number}") for number in range(100))


async def opened(pilot, on, name):
    """Opens the screen of this route, as an operator would see it."""
    await seen(pilot, on)
    app = on.app
    app.list_past_runs()
    await until(pilot, lambda: app.past_runs)
    finding = app.views["cache"].findings[0] if name == "finding" else None
    arguments = {
        "clusters": (), "cluster": ("cache",), "runbooks": ("cache",), "arm": ("cache", REBUILD, {}),
        "run": ("cache",), "past-runs": ("cache",), "past-run": (DIED.run_id, "cache"), "resume": (DIED,), "help": (),
        "quit": (lambda: None, routes.QuitQuestion("End?", ("Nothing is lost.",), "End")),
        "finding": (finding, lambda: finding),
        "panel": ("Timeline", lambda width: (Content("a line"),)), "journal-entry": (DONE.entries[3],),
        "journal-check": (lambda: DONE,), "report": (DONE,), "lock-held": (LOCK, lambda takeover: None),
        "kept-keys": (lambda: (KEPT,),),
    }  # fmt: skip
    assert set(arguments) == set(ROUTES), "a new screen is opened here, too"
    if name == "run":
        app.arm("cache", REBUILD, {})
        await asked(pilot, on)
    elif name == "clusters":
        while len(app.screen_stack) > 1 and not app.shows(name):
            app.pop_screen()
    else:
        app.open_screen(ROUTES[name], *arguments[name])
    await until(pilot, lambda: app.shows(name))
    await pilot.pause()
    return app.screen


def console(state=None, kind=QuestionKind.TYPE_NAME):
    choices = (Choice.LOOK_AGAIN, Choice.RUN, Choice.SKIP, Choice.ABORT)
    return stage(
        state or samples.stale_master_back(), questions=[question(kind, choices=choices)], runs=[DONE, DIED, BROKEN]
    )


def fill(screen):
    """Gives every pane of text more than it can show."""
    for pane in screen.query(LinesPane):
        if isinstance(pane, Menu):
            items = pane._items_source
            pane._items_source = lambda width, items=items: (
                *items(width),
                *(Item(f"more {number}", (line,)) for number, line in enumerate(FILLER)),
            )
        elif isinstance(pane, RowList):
            rows = pane._rows_source
            pane._rows_source = lambda rows=rows: (
                *rows(),
                *(ListRow(f"more {number}", lambda width, line=line: line) for number, line in enumerate(FILLER)),
            )
        elif pane.styles.overflow_y != "hidden":
            source = pane._source
            pane._source = lambda width, height, source=source: (*source(width, height), *FILLER)
    screen.paint()


def place(screen):
    """Where the text and the cursors are."""
    return [(pane.scroll_offset.y, getattr(pane, "_at", 0)) for pane in screen.query(LinesPane)]


@pytest.mark.long
@pytest.mark.parametrize("name", ROUTES)
async def test_the_scroll_keys_move_the_text_whatever_has_the_focus(name):
    on = console()
    async with on.app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, on, name)
        assert isinstance(screen, ScrollsText)
        fill(screen)
        await pilot.pause()
        for widget in (*(one for one in screen.focus_chain), None):
            screen.set_focus(widget)
            await pilot.pause()
            typed = [field.value for field in screen.query(Input)]
            await pilot.press("home")
            await pilot.pause()
            beginning = place(screen)
            for forth, back in (("down", "up"), ("pagedown", "pageup"), ("end", "home")):
                await pilot.press(forth)
                await pilot.pause()
                assert place(screen) != beginning, f"{forth} while {widget} has the focus"
                await pilot.press(back)
                await pilot.pause()
                assert place(screen) == beginning, f"{back} while {widget} has the focus"
            assert screen.focused is widget, "reading does not move the focus"
            assert [field.value for field in screen.query(Input)] == typed


def assert_footer(screen):
    """It tells how to quit, and every key in it is whole and does something here."""
    if isinstance(screen, ConsoleScreen):
        text = screen.query_one("#footer", LinesPane).text
        assert "? help" in text
        assert "q quit" in text
        assert "…" not in text
        offered = {f"{key.shown} {key.label}" for key in screen.footer_keys() if key.label}
        assert {one.strip() for one in text.split("  ") if one.strip()} <= offered, text


@pytest.mark.long
@pytest.mark.parametrize("width", [80, 60])
async def test_the_footer_of_every_screen_tells_how_to_quit_and_cuts_no_key(width):
    on = console()
    async with on.app.run_test(size=(width, 24)) as pilot:
        for name in (*(one for one in ROUTES if one != "run"), "run"):
            assert_footer(await opened(pilot, on, name))


@pytest.mark.parametrize("kind", QuestionKind)
async def test_the_footer_of_every_question_does_so_too(kind):
    on = console(kind=kind)
    async with on.app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, on, "run")
        for width in (80, 60):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            assert_footer(screen)


@pytest.mark.parametrize("name", ROUTES)
async def test_nothing_is_blank_before_its_size_was_told(name, monkeypatch):
    """On a busy machine a window is drawn before its panes have heard of their size."""
    monkeypatch.setattr(LinesPane, "on_resize", lambda self, event: None)
    monkeypatch.setattr(LinesPane, "repaint", lambda self: None)
    on = console()
    async with on.app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, on, name)
        drawn = ["".join(segment.text for segment in strip) for strip in screen._compositor.render_strips()]
        for pane in screen.query(LinesPane):
            if pane.region.area and not isinstance(screen, ConsoleScreen):
                shown = [drawn[y][pane.region.x : pane.region.right] for y in range(pane.region.y, pane.region.bottom)]
                assert any(one.strip() for one in shown), (name, pane)


@pytest.mark.long
@pytest.mark.parametrize("text", ["Theme: day", "Look at the cluster. " * 9], ids=["short", "long"])
async def test_a_message_covers_nothing(text):
    on = console()
    async with on.app.run_test(size=(80, 24), notifications=True) as pilot:
        on.app.notify(text, timeout=3600)
        for name in (*(one for one in ROUTES if one != "run"), "run"):
            screen = await opened(pilot, on, name)
            await until(pilot, lambda screen=screen: any(toast.region.area for toast in screen.query("Toast")))
            (toast,) = screen.query("Toast")
            assert screen.region.contains_region(toast.region)
            for widget in (*screen.query(LinesPane), *screen.query(Button), *screen.query(Input)):
                covered = widget.display and widget.region.area and toast.region.overlaps(widget.region)
                assert not covered, (name, widget, widget.region, toast.region)


@pytest.mark.parametrize("run", [DONE, DIED, BROKEN], ids=lambda run: run.standing.value)
async def test_resuming_is_offered_only_where_it_can_be_done(run):
    on = console()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, on, "past-runs")
        menu = on.app.screen.query_one(Menu)
        menu.choose(run.run_id)
        for _ in range(2):
            await until(pilot, lambda: on.app.screen.past is not None)
            await pilot.pause()
            offered = "e resume" in on.app.screen.query_one("#footer", LinesPane).text
            assert offered is run.resumable
            await pilot.press("e")
            await pilot.pause()
            assert on.app.shows("resume") is run.resumable
            if run.resumable:
                await pilot.press("escape")
            if on.app.shows("past-runs"):
                await pilot.press("enter")
                await until(pilot, lambda: on.app.shows("past-run"))


@pytest.mark.parametrize("state", [samples.failed_over_pair(), SET], ids=["pair", "set"])
async def test_enter_opens_in_full_what_has_the_focus_and_cuts_nothing(state):
    on = console(state)
    async with on.app.run_test(size=(80, 24)) as pilot:
        cluster = await opened(pilot, on, "cluster")
        found = on.app.views["cache"].findings
        for number, name in enumerate((*cluster.panes, "cards"), start=1):
            if name == "findings" and not found:
                continue
            if name == "cards":
                cluster.query_one("#cards").focus()
            else:
                await pilot.press(str(number))
            await pilot.press("enter")
            await pilot.pause()
            assert on.app.shows("finding" if name == "findings" else "panel")
            text = on.app.screen.query_one(LinesPane).text
            assert "…" not in text
            assert text.strip()
            await pilot.press("escape")
            assert on.app.screen is cluster


LEAVES = {"runbooks", "arm", "run", "past-runs", "past-run", "resume"}
"""Screens that Esc leaves, whatever the inventory has."""


@pytest.mark.parametrize("name", sorted(LEAVES))
async def test_the_footer_says_how_to_leave_on_the_smallest_usual_terminal(name):
    on = console()
    async with on.app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, on, name)
        assert "Esc back" in screen.query_one("#footer", LinesPane).text
