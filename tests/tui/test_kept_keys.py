"""Keys that are only in a file: every screen that is about them says so, and one key leads to what brings them back."""

import contextlib
from dataclasses import asdict

import pytest
import samples
from past_runs import KEPT_FILE as FILE
from past_runs import KEPT_RUN as RUN
from past_runs import kept_run, lines_of, past, written
from textual.widgets import Button
from tui_stage import asked, question, seen, stage, stop_and_confirm, until

from console.core.runs.past.replay import replay_run
from console.core.runs.records.exports import REPLACES, kept_in
from console.core.runs.replays.order import ReplayOrder
from console.tui.navigation import routes
from console.tui.screens import register_screens
from console.tui.screens.base import ShowsKeptKeys
from console.tui.widgets.lines import LinesPane

REPLAY = "20261121T084000Z-cache-replay-1a2b"
COMMAND = f"redis-ha-console runs replay {RUN}"
WORDS = "2 keys of redis-a are only in a file"


def replay_of(*told, left):
    order = ReplayOrder("cache", RUN, "redis-a", FILE)
    opening = ("opened", {"runbook": "replay", "steps": [], "replays": asdict(order)})
    keys = {"chosen": 2, "brought": 2 - len(left), "left": left, "lines": dict.fromkeys(left, "1-2")}
    lines = lines_of([opening, *told, ("closed", {"outcome": "done", "keys": keys})])
    return replay_run(REPLAY, "/runs/2", lines, under_way=False)


def declined_replay():
    return replay_of(left={"not confirmed": 2})


def replacing_replay():
    planned = {"node": "redis-b", "detail": kept_in("/runs/2/replaced-on-redis-b.jsonl")}
    planned |= {"command": {"sent": "WATCH, MULTI, RESTORE … REPLACE of 1 key, line 1 of the file"}}
    sent = ("intent", {"step": 3, "verb": REPLACES, "planned": planned, "lines": "1"})
    return replay_of(sent, ("result", {"step": 3, "answer": {"kind": "done"}}), left={})


SCREENS = {"clusters": (), "cluster": ("cache",), "past-runs": ("cache",), "past-run": (RUN, "cache")}


async def opened(pilot, on, name):
    await seen(pilot, on)
    on.app.list_past_runs()
    await until(pilot, lambda: on.app.past_runs is not None)
    if name == "clusters":
        while not on.app.shows(name):
            on.app.pop_screen()
    else:
        on.app.open_screen(getattr(routes, name.replace("-", "_").upper()), *SCREENS[name])
    await until(pilot, lambda: on.app.shows(name))
    await pilot.pause()


def text_of(on, name):
    pane = on.app.screen.query_one(f"#{name}", LinesPane)
    return "\n".join(one.plain for one in pane._source(pane.scrollable_content_region.width, pane.size.height))


def everything(on):
    """All that stands on the screen, as one line."""
    strips = on.app.screen._compositor.render_strips()
    return " ".join(" ".join("".join(one.text for one in strip) for strip in strips).split())


def test_every_such_screen_is_in_this_file():
    register_screens()
    found, classes = set(), [ShowsKeptKeys]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        found |= {one.PLACE} - {""}
    assert found == {"clusters", "cluster", "runs", "record", "run"}


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("kept", [True, False])
async def test_a_screen_says_so_exactly_where_it_is_so(name, kept):
    runs = [kept_run()] if kept else [past(written(), RUN)]
    on = stage(samples.healthy_pair(), runs=runs)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, on, name)
        if kept:
            await until(pilot, lambda: on.app.kept_keys)
            await pilot.pause()
        said = everything(on)
        assert ("2 keys" in said) is kept
        assert ("x kept keys" in text_of(on, "footer")) is kept
        await pilot.press("x")
        await pilot.pause()
        assert on.app.shows("kept-keys") is kept
        if kept:
            said = everything(on).replace(" │", "").replace("│", "")
            for words in (WORDS, "redis-ha-console runs replay", "Bring them back", "Say no more"):
                assert words in said
            assert on.app.focused.id == "close", "what is safe has the focus"
            assert "…" not in said.partition("Keys that are only")[2].partition("Esc closes")[0]


async def in_the_dialog(pilot, on, press):
    await opened(pilot, on, "cluster")
    await until(pilot, lambda: on.app.kept_keys)
    await pilot.press("x")
    await until(pilot, lambda: on.app.shows("kept-keys"))
    await pilot.pause()
    button = on.app.screen.query_one(f"#{press}", Button)
    if not button.disabled:
        button.press()
    await pilot.pause()
    return button


async def press_twice(pilot, on, name):
    for _ in range(2):
        on.app.screen.query_one(f"#{name}", Button).press()
        await pilot.pause()


async def test_the_terminal_is_left_to_the_command_and_the_screen_comes_back_and_looks_again(monkeypatch):
    on = stage(samples.healthy_pair(), runs=[kept_run()], questions=[question()])
    told = []

    @contextlib.contextmanager
    def suspend():
        told.append("suspended")
        yield
        told.append("back")

    def bring(kept):
        told.append(kept.command)
        on.app.console_context.archive.dismissed[kept.file] = "as a replay settles it"

    monkeypatch.setattr(on.app, "suspend", suspend)
    on.app.bring_keys = bring
    async with on.app.run_test(size=(80, 24)) as pilot:
        await in_the_dialog(pilot, on, "bring")
        await until(pilot, lambda: not on.app.kept_keys)
        await pilot.pause()
        assert told == ["suspended", COMMAND, "back"]
        assert "No keys are only in a file any more" in everything(on)
        assert not any(on.app.screen.query_one(f"#{name}").display for name in ("bring", "dismiss"))
        assert on.app.focused.id == "close"


async def test_what_the_operator_leaves_is_still_named_with_the_reason_and_close_has_the_focus(monkeypatch):
    on = stage(samples.healthy_pair(), runs=[kept_run()], questions=[question()])
    monkeypatch.setattr(on.app, "suspend", contextlib.nullcontext)
    on.app.bring_keys = lambda _: on.app.console_context.archive.runs.append(declined_replay())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await in_the_dialog(pilot, on, "bring")
        await until(pilot, lambda: any(one.why for one in on.app.kept_keys.get("cache", ())))
        await pilot.pause()
        said = everything(on).replace(" │", "").replace("│ ", "")
        assert "2 keys of redis-a are only in a file (left by ann@ops1 on 2026-11-21)" in said
        assert "Say no more: where that was your last word." in said
        assert on.app.focused.id == "close", "Enter must not begin the same replay again"
        await press_twice(pilot, on, "dismiss")
        await until(pilot, lambda: not on.app.kept_keys)
        await pilot.pause()
        said = everything(on)
        assert "No keys are only in a file" not in said
        assert "Their file stays" in said


async def test_former_values_are_information_on_the_pages_of_their_run_and_no_warning_elsewhere():
    on = stage(samples.healthy_pair(), runs=[replacing_replay()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, on, "cluster")
        await until(pilot, lambda: on.app.kept_keys)
        await pilot.pause()
        assert "only in a file" not in everything(on)
        await pilot.press("x")
        await until(pilot, lambda: on.app.shows("kept-keys"))
        await pilot.pause()
        assert "The former value of 1 key of redis-b is only in a file" in everything(on)
        await pilot.press("escape")
        on.app.open_screen(routes.PAST_RUN, REPLAY, "cache")
        await until(pilot, lambda: on.app.shows("past-run"))
        await pilot.pause()
        said = everything(on)
        assert "The former value of 1 key of redis-b is only in a file: x shows where" in said
        assert "! The former" not in said


async def test_keys_of_another_cluster_of_the_same_name_stand_only_with_their_run():
    on = stage(samples.healthy_pair(), runs=[kept_run(nodes={"web-1": "10.0.0.1:6379"})])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, on, "cluster")
        await until(pilot, lambda: on.app.all_kept)
        await pilot.pause()
        assert "only in a file" not in everything(on)
        on.app.open_screen(routes.PAST_RUN, RUN, "cache")
        await until(pilot, lambda: on.app.shows("past-run"))
        await pilot.pause()
        assert WORDS in everything(on)


async def test_a_terminal_that_cannot_be_left_gets_the_whole_command():
    on = stage(samples.healthy_pair(), runs=[kept_run()], questions=[question()])
    on.app.bring_keys = lambda _: pytest.fail("the screen is still there")
    async with on.app.run_test(size=(80, 24), notifications=True) as pilot:
        await in_the_dialog(pilot, on, "bring")
        assert COMMAND in next(iter(on.app._notifications)).message


async def test_without_the_right_to_change_anything_nothing_is_brought():
    on = stage(samples.healthy_pair(), runs=[kept_run()])
    assert on.app.bring_keys is None
    async with on.app.run_test(size=(80, 24)) as pilot:
        button = await in_the_dialog(pilot, on, "bring")
        assert button.disabled
        assert "type the command in another terminal" in everything(on)


async def test_nothing_is_brought_while_a_run_is_armed():
    on = stage(samples.stale_master_back(), questions=[question()], runs=[kept_run()])
    on.app.bring_keys = lambda _: pytest.fail("a run is armed")
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await until(pilot, lambda: on.app.kept_keys)
        on.app.arm("cache", on.app.runbooks_for("cache")[0], {})
        await asked(pilot, on)
        (kept,) = on.app.kept_keys["cache"]
        assert on.app.why_not_bring() == "A run is armed: end it first."
        on.app.replay(kept)


async def test_an_operator_who_knows_hears_no_more_of_it():
    on = stage(samples.healthy_pair(), runs=[kept_run()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await in_the_dialog(pilot, on, "dismiss")
        await until(pilot, lambda: "press it once more" in everything(on))
        assert on.app.focused.id == "close", "one slip keeps the reminder"
        assert on.app.kept_keys
        on.app.screen.query_one("#dismiss", Button).press()
        await until(pilot, lambda: not on.app.kept_keys)
        assert list(on.app.console_context.archive.dismissed) == [FILE]
        await pilot.press("escape")
        await pilot.pause()
        assert "only in a file" not in everything(on)


async def test_the_end_page_offers_the_key_and_says_when_it_is_done():
    on = stage(samples.stale_master_back(), questions=[question()], runs=[])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.arm("cache", on.app.runbooks_for("cache")[0], {})
        await asked(pilot, on)
        archive = on.app.console_context.archive
        archive.runs.append(kept_run(on.app.run_state.run_id))
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.app.kept_keys)
        await pilot.pause()
        assert "x shows how to bring back the keys" in text_of(on, "step")
        archive.dismissed[FILE] = "ann"
        on.app.list_kept_keys()
        await until(pilot, lambda: not on.app.kept_keys)
        await pilot.pause()
        text = " ".join(text_of(on, "step").split())
        assert "The file of the keys that this run has kept is gone, or somebody wanted no more said of it." in text
        assert "x shows" not in text
