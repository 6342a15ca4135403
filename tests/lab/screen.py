"""An operator at the full screen: drives the TUI by its keys only, through Textual's pilot, on real servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from textual.pilot import Pilot

from console.__main__ import ADAPTERS
from console.cli.context import CliContext
from console.core.runs.question import Choice, Question, QuestionKind
from console.core.runs.state import Outcome
from console.lab.assembly.laboratory import Laboratory
from console.tui.app import ConsoleApp
from console.tui.present.runs.question import FOLD_KEYS
from console.tui.screens.arm import ArmScreen
from console.tui.widgets import input_guard
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.question import QuestionBox

GUARD_SECONDS = 0.05
"""Seconds for which a question takes no keys. The tests of the guard are in tests/tui, with the console's own time."""


@dataclass
class ScreenRun:
    """What was asked and answered in one run."""

    outcome: Outcome = Outcome.RUNNING
    questions: list[Question] = field(default_factory=list)
    stuck: list[Question] = field(default_factory=list)
    """Questions that said that the run cannot go on: it was stopped there."""

    @property
    def gates(self) -> list[str]:
        return [one.node for one in self.questions if one.kind is QuestionKind.TYPE_NAME]


@asynccontextmanager
async def screen_on(
    lab: Laboratory, *, runbook: str | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[Any]]:
    """The console as `run RUNBOOK` or `watch` open it, with the real adapters."""
    context = CliContext(ADAPTERS, inventory=lab.inventory)
    before, input_guard.SECONDS = input_guard.SECONDS, GUARD_SECONDS
    try:
        console_context = context.console_context(screen=True)
        app = ConsoleApp(
            console_context, context.run_starter(console_context), cluster=lab.cluster, runbook=runbook, interval=0.25
        )
        async with app.run_test(size=size) as pilot:
            yield pilot
    finally:
        input_guard.SECONDS = before
        context.close()


async def until(pilot: Pilot[Any], condition: Callable[[], Any], deadline: float = 60, what: str = "") -> None:
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, what or text_of(pilot)
        await asyncio.sleep(0.05)
        await pilot.pause()


def text_of(pilot: Pilot[Any]) -> str:
    """Everything that stands on the screen."""
    return "\n".join(pane.text for pane in pilot.app.screen.query(LinesPane))


async def arm(pilot: Pilot[Any], *, choose: str = "") -> None:
    """From the arming screen to the first question. `choose` takes this node where a role has to be chosen."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ArmScreen), what="the arming screen")
    screen = pilot.app.screen
    if choose:
        await until(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "candidates", what="a choice of nodes")
        while screen.query_one("#candidates").chosen != choose:
            await pilot.press("down")
        await pilot.press("enter")
    await until(pilot, lambda: any(not one.disabled for one in screen.query("#arm")), what="a run that can be armed")
    while pilot.app.focused is None or pilot.app.focused.id != "arm":
        await pilot.press("tab")
    await pilot.press("enter")


async def answer_all(
    pilot: Pilot[Any],
    *,
    before: Callable[[Question], object] | None = None,
    deadline: float = 120,
    override: bool = False,
    unfold: bool = False,
) -> ScreenRun:
    """Says yes and types the names asked for, to the end. `before` gets each question, just before it is answered.

    `unfold`: every part of a question is unfolded first.
    `override`: types the sentence where there is one to type; else a blocked run is stopped.
    """
    seen, app, end = ScreenRun(), pilot.app, time.monotonic() + deadline
    assert isinstance(app, ConsoleApp)
    while app.run_state is None or app.armed_run is not None:
        assert time.monotonic() < end, text_of(pilot)
        boxes = [box for box in app.screen.query(QuestionBox) if box.question not in (*seen.questions, *seen.stuck)]
        boxes = [box for box in boxes if box.takes_keys]
        if not boxes:
            await asyncio.sleep(0.02)
            await pilot.pause()
            continue
        question = boxes[0].question
        if unfold:
            await pilot.press(*(key.lower() for key in FOLD_KEYS.values()))
            await pilot.pause()
        if before is not None:
            before(question)
        await _answer(pilot, question, seen, override=override)
    seen.outcome = app.run_state.outcome
    return seen


async def _answer(pilot: Pilot[Any], question: Question, seen: ScreenRun, *, override: bool) -> None:
    overriding = override and Choice.OVERRIDE in question.choices
    if question.kind is QuestionKind.TYPE_NAME or overriding:
        seen.questions.append(question)
        await _focus(pilot, "typed")
        text = question.sentence if overriding else question.node
        await pilot.press(*("space" if one == " " else one for one in text), "enter")
    elif question.kind is QuestionKind.CONFIRM:
        seen.questions.append(question)
        await _focus(pilot, "confirm")
        await pilot.press("enter")
    else:
        seen.stuck.append(question)
        await _focus(pilot, "abort")
        await pilot.press("enter")
        await pilot.pause()
        if pilot.app.screen.query("#leave"):  # what the run leaves half done is told, and asked about once more
            await pilot.press("tab", "enter")


async def _focus(pilot: Pilot[Any], name: str) -> None:
    for _ in range(12):
        if pilot.app.focused is not None and pilot.app.focused.id == name:
            return
        await pilot.press("tab")
    raise AssertionError(f"{name} cannot be reached by Tab\n{text_of(pilot)}")
