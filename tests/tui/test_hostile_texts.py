"""Every text of the model with control characters in it, on every screen: what reaches the terminal is signs only."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from past_runs import lines_of, past
from spoiled import EVIL, STATES, spoil, unprintable
from tui_stage import REBUILD, question, seen, stage, until

import console.tui
from console.tui.navigation import routes
from console.tui.screens.arm import ArmScreen
from console.tui.widgets.question import QuestionBox

SIZE = (160, 50)


def on_screen(app) -> str:
    """What the screen draws, and what its widgets keep for scrolling."""
    drawn = [strip.text for strip in app.screen._compositor.render_strips(app.size)]
    kept = [one.text for one in app.screen.query("LinesPane")]
    titles = [str(one.border_title or "") for one in app.screen.query("*")]
    return "\n".join((*drawn, *kept, *titles))


async def test_the_stage_shows_what_it_is_given():
    on = stage(spoil(STATES["failed-over"](), set()))
    async with on.app.run_test(size=SIZE) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.CLUSTER, "cache")
        await pilot.pause()
        assert r"\x1b]0;x\x07" in on_screen(on.app), "a test that sees nothing of it proves nothing"


@pytest.mark.long
@pytest.mark.parametrize("name", STATES)
async def test_screens_of_a_cluster(name):
    state = spoil(STATES[name](), set())
    on = stage(state)
    async with on.app.run_test(size=SIZE) as pilot:
        await seen(pilot, on)
        assert not unprintable(on_screen(on.app))
        on.app.open_screen(routes.CLUSTER, state.name)
        await pilot.pause()
        for key in ("1", "2", "3", "4", "5", "enter", "escape", "question_mark", "escape"):
            await pilot.press(key)
            await pilot.pause()
            assert not unprintable(on_screen(on.app)), key


async def test_a_question_with_evil_in_it():
    whole = question()
    asked = replace(spoil(whole, set()), step=whole.step, node=whole.node)
    on = stage(STATES["failed-over"](), questions=[asked])
    async with on.app.run_test(size=SIZE) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.ARM, "cache", REBUILD, {})
        await until(pilot, lambda: isinstance(on.app.screen, ArmScreen))
        assert not unprintable(on_screen(on.app))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: on.app.screen.query(QuestionBox))
        await pilot.pause()
        assert r"\x1b" in on_screen(on.app)
        assert not unprintable(on_screen(on.app))


async def test_a_recorded_run_with_evil_in_it():
    from fakes import Stage as Run

    from console.core.runs.records.journal import plain

    run = Run()
    run.run()
    told = [(kind, spoiled(plain(data))) for kind, data in run.journal.entries]
    on = stage(STATES["failed-over"](), runs=[past(lines_of(told))])
    async with on.app.run_test(size=SIZE) as pilot:
        await seen(pilot, on)
        await pilot.press("u")
        await until(pilot, lambda: on.app.past_runs is not None)
        await pilot.pause()
        await pilot.press("c")  # with such texts its nodes are those of another cluster
        await until(pilot, lambda: "1 run" in on_screen(on.app))
        assert not unprintable(on_screen(on.app))
        await pilot.press("enter")
        await until(pilot, lambda: "began" in on.app.screen.query_one("#past-steps").text)
        await pilot.pause()
        assert r"\x1b" in on_screen(on.app)
        assert not unprintable(on_screen(on.app))


def spoiled(value):
    if isinstance(value, dict):
        return {key: spoiled(one) for key, one in value.items()}
    if isinstance(value, list):
        return [spoiled(one) for one in value]
    return f"{value}{EVIL}" if isinstance(value, str) else value


async def test_a_message_in_the_corner():
    on = stage(STATES["failed-over"]())
    async with on.app.run_test(size=SIZE, notifications=True) as pilot:
        await seen(pilot, on)
        on.app.notify(f"[b]lost{EVIL}", title=f"title{EVIL}", severity="error", timeout=60)
        await until(pilot, lambda: r"lost\x1b]0" in on_screen(on.app))
        assert "[b]lost" in on_screen(on.app), "no markup"
        assert not unprintable(on_screen(on.app))


MAKES_TEXT = {"formatting.py", "cards.py", "buttons.py", "lock_held.py", "question.py"}
"""The files that make Textual's own text: from parts that are visible already."""


def test_lines_are_made_in_one_place():
    folder = Path(console.tui.__file__).parent
    found = [
        f"{path.name}:{node.lineno} {ast.unparse(node.func)}"
        for path in folder.rglob("*.py")
        if path.name not in MAKES_TEXT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func).startswith("Content")
            or ast.unparse(node.func) in {"Static", "Label", "Text", "print"}
        )
    ]
    assert not [one for one in found if not one.startswith("signals.py")]
