"""The rebuild after a failover with few keys, and without scrolling to decide, at 80x24 on real servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from lab.plain import assert_healthy_and_protected
from lab.screen import screen_on, text_of, until
from textual.pilot import Pilot

from console.core.runs.question import Question, QuestionKind
from console.core.runs.state import Outcome
from console.tui.app import ConsoleApp
from console.tui.screens.arm import ArmScreen
from console.tui.screens.runbooks import RunbooksScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.question import QuestionBox

pytestmark = pytest.mark.lab

MOST_KEYS = 12
"""Key presses from the first screen to the end of the rebuild. The letters of the one name are not among them."""


class Keyboard:
    """Presses keys and counts them."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pressed: list[str] = []
        self.names: list[str] = []
        self._pilot = pilot

    async def press(self, *keys: str) -> None:
        self.pressed += keys
        await self._pilot.press(*keys)

    async def type(self, name: str) -> None:
        self.names.append(name)
        await self._pilot.press(*name)


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.long
async def test_a_rebuild_takes_few_keys_and_one_name_and_no_question_needs_scrolling(pair):
    lab = pair("failed-over")
    async with screen_on(lab, size=(80, 24)) as pilot:
        keyboard, app = Keyboard(pilot), pilot.app
        assert isinstance(app, ConsoleApp)
        await until(pilot, lambda: "press b for the runbook one-shot-rebuild" in text_of(pilot))
        await keyboard.press("b")
        await until(pilot, lambda: isinstance(app.screen, RunbooksScreen))
        await keyboard.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ArmScreen) and not app.screen.query_one("#arm").disabled)
        assert_seen(
            pilot, "arming", ("Arm this run on cache?", "survivor   redis-a", "returning  redis-b", "both conditions")
        )
        await keyboard.press("tab", "enter")
        asked: list[Question] = []
        while app.run_state is None or app.armed_run is not None:
            question = await next_question(pilot, asked)
            if question is None:
                break
            asked.append(question)
            assert_decidable(pilot, question)
            if question.kind is QuestionKind.TYPE_NAME:
                await keyboard.type(question.node)
                await keyboard.press("enter")
            else:
                assert question.kind is QuestionKind.CONFIRM, text_of(pilot)
                await keyboard.press("y")
        assert app.run_state is not None
        assert app.run_state.outcome is Outcome.DONE, text_of(pilot)
        assert keyboard.names == ["redis-b"]
        assert len(keyboard.pressed) <= MOST_KEYS, keyboard.pressed
    assert_healthy_and_protected(lab, "redis-a")


async def next_question(pilot: Pilot[Any], asked: Sequence[Question]) -> Question | None:
    """The next question, as soon as a key may answer it; None: the run has ended."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)

    def new() -> list[QuestionBox]:
        return [box for box in app.screen.query(QuestionBox) if box.takes_keys and box.question not in asked]

    await until(pilot, lambda: new() or app.armed_run is None, deadline=120)
    boxes = new()
    return boxes[0].question if boxes else None


def assert_decidable(pilot: Pilot[Any], question: Question) -> None:
    """Question, commands, loss, failing conditions and answers are on the screen, and nothing of them is cut."""
    wanted = [f"Step {question.index + 1} of ", question.step.title]
    wanted += [one.render() if "\n" not in one.render().strip() else one.summary for one in question.planned]
    wanted += [*question.preview.lines, *question.preview.warnings] if question.preview else []
    wanted += [one.statement for one in question.checks if not one.holds]
    assert_seen(pilot, "step", wanted)
    screen = pilot.app.screen
    for one in screen.query("QuestionBox Button, QuestionBox Input, #question-head, #footer"):
        assert screen.region.contains_region(one.region), one
        assert one.region.area, one


def assert_seen(pilot: Pilot[Any], name: str, wanted: Sequence[str]) -> None:
    """These texts stand on the visible lines of this pane, which has not been scrolled."""
    pane = pilot.app.screen.query_one(f"#{name}", LinesPane)
    assert pane.scroll_offset.y == 0
    visible = "".join("".join(one.plain.split()) for one in pane.lines[: pane.scrollable_content_region.height])
    for one in wanted:
        assert "".join(one.split()) in visible, f"{one}\n{pane.text}"
