"""Recorded runs on the screen: found, read, followed, resumed, reported; and the run of another operator."""

import time
from dataclasses import replace

import pytest
import samples
from past_runs import RUN, many, past, written
from past_runs import until as cut
from tui_stage import asked, question, seen, stage, until

from console.core.model import RunLock, read
from console.core.runs.lock import takeover_sentence
from console.tui.screens.dialogs.journal_check import JournalCheckDialog
from console.tui.screens.dialogs.journal_entry import JournalEntryDialog
from console.tui.screens.dialogs.lock_held import LockHeldDialog
from console.tui.screens.dialogs.report import ReportDialog
from console.tui.screens.past_run import PastRunScreen
from console.tui.screens.past_runs import PastRunsScreen
from console.tui.screens.resume import ResumeScreen
from console.tui.screens.run import RunScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Menu

LINES = written()
LOCK = RunLock("20261121T074500Z-cache-one-shot-rebuild-77aa", "cache", "one-shot-rebuild", "bob@ops2", samples.NOW)
LOCK = replace(LOCK, step="8/13 replicate", terminal="/dev/pts/1", origin="10.0.0.7")


@pytest.fixture(autouse=True)
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def text_of(on, name):
    return on.app.screen.query_one(f"#{name}", LinesPane).text


async def listed(pilot, on):
    await seen(pilot, on)
    await pilot.press("u")
    await until(pilot, lambda: on.app.past_runs is not None)
    await pilot.pause()


def three():
    died = past(cut(LINES, "intent", 2), "20261120T010000Z-died")
    changed = [*LINES[:4], LINES[4].replace("4", "5"), *LINES[5:]]
    elsewhere = replace(past(LINES, "20261119T010000Z-sessions"), opened={**past(LINES).opened, "cluster": "sessions"})
    return [elsewhere, past(changed, "20261120T000000Z-changed"), died, past(LINES)]


async def test_runs_of_this_cluster_newest_first_and_those_of_all_by_a_key():
    on = stage(samples.healthy_pair(), runs=three())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        rows = text_of(on, "runs").splitlines()
        assert len(rows) == 3
        assert all(sign in text_of(on, "runs") for sign in ("✗ broken at 5", "! not closed", "✓ done"))
        assert all("one-shot-rebuild ann@ops1" in row and "11-21 07:40Z" in row for row in rows)
        await pilot.press("c")
        await pilot.pause()
        assert "sessions" in text_of(on, "runs")
        assert "4 runs, all clusters" in text_of(on, "scope")


async def test_runs_of_a_cluster_of_the_same_name_elsewhere_stand_apart():
    other = replace(
        past(LINES, "20261122T010000Z-other"), opened={**past(LINES).opened, "nodes": {"redis-a": "10.9.9.9:6379"}}
    )
    on = stage(samples.healthy_pair(), runs=[past(LINES), other])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        assert len(text_of(on, "runs").splitlines()) == 1
        await pilot.press("c")
        await pilot.pause()
        own, elsewhere = text_of(on, "runs").splitlines()
        assert "≠ cache" in elsewhere
        assert "≠" not in own
        assert "not of this inventory" in text_of(on, "scope")


async def test_a_typed_filter_and_the_way_back():
    on = stage(samples.healthy_pair(), runs=[*three(), *many()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        await pilot.press("c", "slash", *"sess done", "enter")
        await pilot.pause()
        assert all("✓ done" in row and "sessions one-shot" in row for row in text_of(on, "runs").splitlines())
        assert "with “sess done”" in text_of(on, "scope")
        assert on.app.focused.id == "runs"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(on.app.screen, PastRunsScreen)
        assert "304 runs" in text_of(on, "scope")
        started = time.perf_counter()
        await pilot.press("end", "up", "home")
        assert time.perf_counter() - started < 2
        await pilot.press("escape")
        assert not isinstance(on.app.screen, PastRunsScreen)


async def test_no_run_at_all_says_so():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        assert "No recorded run: cluster cache." in text_of(on, "scope")
        await pilot.press("enter", "e", "p", "v")
        assert isinstance(on.app.screen, PastRunsScreen)


async def test_a_run_is_read_step_by_step_entry_by_entry_and_word_for_word():
    on = stage(samples.healthy_pair(), runs=[past(LINES)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        await pilot.press("enter")
        await until(pilot, lambda: "stop-keepalived" in text_of(on, "past-steps"))
        story = text_of(on, "past-steps")
        assert "began     2026-11-21 07:40:00Z" in story
        assert "07:40:05Z decided    run, typed 'redis-b' (asked: confirm)" in story
        assert "intent     redis-b> systemctl stop keepalived" in story
        assert story.count("✓ ") + story.count("-  ") >= 13
        await pilot.press("2")
        await until(pilot, lambda: text_of(on, "entries"))
        await pilot.press("home", "enter")
        await until(pilot, lambda: isinstance(on.app.screen, JournalEntryDialog))
        await pilot.pause()
        assert '"operator": "ann@ops1"' in on.app.screen.query_one(LinesPane).text


async def test_a_run_under_way_is_followed_as_its_journal_grows():
    on = stage(samples.stale_master_back(), runs=[past(cut(LINES, "intent", 1), live=True)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        assert "» under way" in text_of(on, "runs")
        on.clock.at = samples.NOW + 10
        await pilot.press("enter")
        await until(pilot, lambda: "» under way, followed" in text_of(on, "title"))
        assert "last entry 3 s ago" in text_of(on, "title")
        assert "redis-b> systemctl stop keepalived: is being sent" in text_of(on, "past-steps")
        assert "READ-ONLY" in text_of(on, "header")
        on.archive.put(past(cut(LINES, "step", 6), live=True))
        await until(pilot, lambda: "save" in text_of(on, "past-steps") and "skipped" in text_of(on, "past-steps"))
        story = on.app.screen.query_one("#past-steps", LinesPane)
        await until(pilot, lambda: story.scroll_offset.y > 0)
        on.archive.put(past(LINES))
        await until(pilot, lambda: "✓ done" in text_of(on, "title"))


async def test_verify_tells_where_a_journal_is_broken():
    on = stage(samples.healthy_pair(), runs=[three()[1]])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        await pilot.press("v")
        assert isinstance(on.app.screen, JournalCheckDialog)
        await until(pilot, lambda: "broken at line 5" in on.app.screen.query_one(LinesPane).text)


async def test_verify_reads_the_journal_anew_whatever_the_list_has_kept_of_it():
    on = stage(samples.healthy_pair(), runs=[past(LINES)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        on.archive.put(replace(three()[1], run_id=RUN))
        await pilot.press("v")
        await until(pilot, lambda: on.app.screen.query(LinesPane))
        await until(pilot, lambda: on.app.screen.query_one(LinesPane).text)
        assert "broken at line 5" in on.app.screen.query_one(LinesPane).text


async def test_a_report_is_written_and_never_replaces_a_file_in_silence(tmp_path):
    on = stage(samples.healthy_pair(), runs=[replace(past(LINES), folder=str(tmp_path))])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        await pilot.press("p")
        assert isinstance(on.app.screen, ReportDialog)
        await pilot.press("enter")
        await until(pilot, lambda: "Written" in on.app.screen.query_one(LinesPane).text)
        report = tmp_path / "report.md"
        assert report.stat().st_mode & 0o777 == 0o600
        assert "# Run" in report.read_text(encoding="utf-8")
        report.write_text("mine", encoding="utf-8")
        await until(pilot, lambda: not on.app.focused.has_class("-active"))
        await pilot.press("enter")
        await until(pilot, lambda: "exists" in " ".join(on.app.screen.query_one(LinesPane).text.split()))
        assert report.read_text(encoding="utf-8") == "mine"
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: report.read_text(encoding="utf-8") != "mine")
        await until(pilot, lambda: on.app.focused.id == "write-md")
        await pilot.press("tab", "enter")
        await until(pilot, (tmp_path / "report.html").exists)


async def test_a_run_that_is_not_closed_is_resumed_after_its_journal_was_read():
    died = past(cut(LINES, "intent", 2), "20261120T010000Z-died")
    on = stage(samples.stale_master_back(), runs=[died], questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        await pilot.press("e")
        assert isinstance(on.app.screen, ResumeScreen)
        await until(pilot, lambda: "UNKNOWN" in text_of(on, "arming"))
        assert "no answer is recorded" in text_of(on, "arming")
        assert on.app.focused.id == "back"
        await pilot.press("tab", "enter")
        await asked(pilot, on)
        assert on.run_starter.resumed == ["20261120T010000Z-died"]
        assert isinstance(on.app.screen, RunScreen)


async def test_what_is_closed_or_broken_cannot_be_resumed_and_says_why():
    on = stage(samples.stale_master_back(), runs=[past(LINES)], questions=[])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await listed(pilot, on)
        await pilot.press("e")
        await until(pilot, lambda: on.app._notifications)
        assert any("cannot be resumed: done" in one.message for one in on.app._notifications)


# --- another operator's run -----------------------------------------------------------------------------------------


def locked():
    return samples.with_node(samples.stale_master_back(), samples.A, run_lock=read(LOCK, samples.NOW))


async def test_a_run_of_somebody_else_is_shown_and_followed_from_what_the_nodes_tell():
    on = stage(locked())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        assert "» bob@ops2 runs one-shot-rebuild, step 8/13 replicate (press f to follow)" in text_of(on, "lock")
        await pilot.press("u")
        await until(pilot, lambda: "» under way" in text_of(on, "runs"))
        assert "bob@ops2 (elsewhere)" in text_of(on, "runs")
        await pilot.press("escape", "f")
        assert isinstance(on.app.screen, PastRunScreen)
        await until(pilot, lambda: "8/13 replicate" in text_of(on, "past-steps"))
        assert "from 10.0.0.7" in " ".join(text_of(on, "past-steps").split())
        on.inspector.state = replace(samples.healthy_pair(), observed_at=samples.NOW + 1)
        on.app._tick()
        await until(pilot, lambda: "holds no lock any more" in text_of(on, "past-steps"))


async def test_arming_while_somebody_is_at_work_offers_to_follow_and_a_takeover_by_the_sentence_only():
    on = stage(locked(), questions=[question()])
    on.run_starter.holder = LOCK
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter")
        await pilot.pause()
        assert "bob@ops2 runs one-shot-rebuild on cache" in text_of(on, "arming"), (
            "it is said before the button is pressed"
        )
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(on.app.screen, LockHeldDialog))
        await pilot.pause()
        assert on.app.armed_run is None
        assert on.app.focused.id == "follow"
        assert "(step 8/13 replicate)" in " ".join(on.app.screen.query_one(LinesPane).text.split())
        take = on.app.screen.query_one("#take")
        for wrong in ("bob@ops2", takeover_sentence(LOCK).lower()):
            on.app.screen.query_one("#typed").value = wrong
            await pilot.pause()
            assert take.disabled or wrong == takeover_sentence(LOCK)
        on.app.screen.query_one("#typed").value = takeover_sentence(LOCK)
        await pilot.pause()
        take.press()
        await asked(pilot, on)
        assert [one.holder for one in on.run_starter.takeovers] == [LOCK]


async def test_following_is_what_enter_does_when_somebody_is_at_work():
    on = stage(locked(), questions=[question()])
    on.run_starter.holder = LOCK
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter", "tab", "enter")
        await until(pilot, lambda: isinstance(on.app.screen, LockHeldDialog))
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(on.app.screen, PastRunScreen))
        assert on.run_starter.armed == []
        assert RUN not in (on.app.past_runs or {})
        assert on.app.screen.query_one(Menu) is not None
