"""What a newcomer reads on the pages of a run and in its small windows."""

from dataclasses import replace

import pytest
import samples
from past_runs import past, written
from textual.widgets import Button, Input
from tui_stage import question, seen, stage, until

from console.core.model import Role
from console.core.model.verdict import Check, Verdict
from console.core.runbooks.document import Action, Runbook
from console.core.runs.question import Choice
from console.core.runs.state import FINAL_STATUSES, StepState, StepStatus, new_run
from console.tui.navigation import routes
from console.tui.present.clusters.cells import role_cells
from console.tui.present.runs import run as present
from console.tui.present.runs.question import prompt, question_lines
from console.tui.widgets.lines import LinesPane


def words(lines):
    return " ".join(" ".join(one.plain for one in lines).split())


@pytest.mark.parametrize("state", [samples.split_brain(), samples.stale_master_back(), samples.healthy_pair()])
def test_no_master_has_a_tick_where_there_are_several(state):
    masters = [one for one in state.nodes if one.redis.value and one.redis.value.role is Role.MASTER]
    ticks = [one.name for one in masters if role_cells(state, one).plain.startswith("✓")]
    assert ticks == ([masters[0].name] if len(masters) == 1 else [])


@pytest.mark.parametrize("skippable", [True, False])
@pytest.mark.parametrize("own", ["", "Then writes stay paused."])
def test_a_question_says_what_follows_if_it_is_skipped(skippable, own):
    asked = question()
    choices = tuple(one for one in asked.choices if one is not Choice.SKIP) + ((Choice.SKIP,) if skippable else ())
    asked = replace(asked, choices=choices, step=replace(asked.step, if_skipped=own))
    said = words(question_lines(asked, (), frozenset(), 14, 78, 40))
    assert ("if you do:" in said) is skippable
    if skippable:
        assert (own or "What this step does stays undone.") in said


@pytest.mark.parametrize("width", range(60, 121, 4))
@pytest.mark.parametrize("more", [True, False])
def test_a_promise_to_check_again_is_whole_or_not_there(width, more):
    asked = question()
    said = prompt(asked, asked.observed_at + 3, width, more=more)
    assert said.cell_length <= width
    assert ("checked again" in said.plain) == ("checked again before sending" in said.plain)


@pytest.mark.parametrize("status", StepStatus)
def test_what_is_waited_for_stands_first(status):
    verdicts = (Verdict.HOLDS, Verdict.HOLDS, Verdict.FAILS)
    proofs = tuple(Check(verdict, str(at), "") for at, verdict in enumerate(verdicts))
    shown = present._waited_for_first(StepState(question().step, "redis-a", status, proofs=proofs))
    assert [one.statement for one in shown] == (["0", "1", "2"] if status in FINAL_STATUSES else ["2", "0", "1"])


async def test_the_window_of_a_report_says_that_nothing_is_written_yet_and_has_a_way_out():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.REPORT, past(written()))
        await until(pilot, lambda: on.app.shows("report"))
        await pilot.pause()
        pane = on.app.screen.query_one(LinesPane)
        lines = pane._source(pane.scrollable_content_region.width, pane.size.height)
        said = words(lines)
        assert "Nothing is written yet." in said
        assert "File to write" in lines[-1].plain
        assert len(lines) <= pane.size.height, "the whole text is seen"
        on.app.screen.query_one("#path", Input).focus()
        await pilot.press("q")
        assert on.app.shows("report"), "a q in the field is a letter"
        on.app.screen.query_one("#close", Button).press()
        await until(pilot, lambda: not on.app.shows("report"))


async def test_q_closes_the_window_of_a_journal():
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.JOURNAL_CHECK, lambda: past(written()))
        await until(pilot, lambda: on.app.shows("journal-check"))
        await pilot.press("q")
        await pilot.pause()
        assert not on.app.shows("journal-check")


@pytest.mark.parametrize("verb", ["export-differences", "export-disk-keys", "save-dump"])
@pytest.mark.parametrize(("found", "said"), [("20 are not on redis-b", "20 keys of redis-a are in"), ("", "")])
def test_the_page_after_an_export_says_how_many_keys_are_in_which_file(verb, found, said):
    step = replace(question().step, action=Action(verb))
    output = (f"done: looked at all 30 keys of redis-a: {found or 'each is there'}; written to /runs/1/keys.jsonl",)
    steps = (
        StepState(step, "redis-a", StepStatus.DONE, output=output),
        StepState(question().step, "redis-a", StepStatus.SKIPPED),
        StepState(question().step, "redis-b", StepStatus.ASKING),
    )
    run = replace(new_run("1", "cache", Runbook("b", "B", "", "pair", (), ()), {}), steps=steps)
    expected = f"✓ {said} /runs/1/keys.jsonl" if said and verb != "save-dump" else ""
    assert words(present.just_kept(run, 2, 78)) == expected
