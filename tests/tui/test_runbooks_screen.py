"""The list of runbooks: which one is recommended, and where the cursor is."""

from __future__ import annotations

import pytest
import samples
from fleet_samples import unreadable
from tui_stage import Stage, seen, stage, until

from console.tui.screens.arm import ArmScreen
from console.tui.screens.runbooks import RunbooksScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Menu


def text_of(on: Stage) -> str:
    return on.app.screen.query_one("#runbooks", LinesPane).text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (unreadable(), "None is recommended: nothing could be read."),
        (samples.healthy_pair(), "None is recommended: nothing was found."),
    ],
)
async def test_where_none_is_recommended_the_cursor_is_on_no_runbook(state, said):
    on = stage(state)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(on.app.screen, RunbooksScreen) and text_of(on))
        assert text_of(on).splitlines()[0] == f"▸ {said}"
        assert not any("recommended" in line for line in text_of(on).splitlines()[1:])
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(on.app.screen, RunbooksScreen), "Enter opens nothing"
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(on.app.screen, ArmScreen))


async def test_the_recommended_one_is_marked_with_a_word():
    on = stage(samples.failed_over_pair())
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(on.app.screen, RunbooksScreen) and text_of(on))
        findings = on.app.views["cache"].findings
        named = next(one.next.runbook for one in findings if one.next.runbook)
        assert on.app.screen.query_one(Menu).chosen == named
        marked = [line for line in text_of(on).splitlines() if "recommended: " in line]
        assert [line.split()[1] for line in marked] == [named]
        assert "None is recommended" not in text_of(on)
