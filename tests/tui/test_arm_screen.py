"""Arming through the screen: roles are shown and chosen, nothing is armed by accident, a refusal says why."""

import samples
from tui_stage import asked, question, seen, stage, stop_and_confirm, until

from console.tui.screens.arm import ArmScreen
from console.tui.screens.runbooks import RunbooksScreen
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Menu


def text_of(app, name):
    return app.screen.query_one(f"#{name}", LinesPane).text


async def test_arming_is_explicit_and_shown():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 40)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter")
        await pilot.pause()
        text = text_of(on.app, "arming")
        assert "survivor   redis-a" in text
        assert "Until now this console could change nothing" in text
        assert "READ-ONLY" in text_of(on.app, "header")
        await pilot.press("enter")
        assert isinstance(on.app.screen, RunbooksScreen), "the button that has the focus goes back"
        assert not on.run_starter.armed
        await pilot.press("enter", "tab", "enter")
        await asked(pilot, on)
        assert dict(on.run_starter.armed[0]) == {"survivor": "redis-a", "returning": "redis-b"}
        assert "ARMED" in text_of(on.app, "header")


async def test_an_unbound_role_is_chosen_by_the_operator():
    state = samples.split_brain()
    on = stage(state, questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "down", "enter")
        await pilot.pause()
        assert "Role survivor: which node is it?" in text_of(on.app, "arming")
        assert "does not decide" in text_of(on.app, "arming")
        assert on.app.screen.query_one("#arm").disabled
        assert on.app.focused is on.app.screen.query_one("#candidates", Menu)
        await pilot.press("enter")
        await pilot.pause()
        assert "which node is it?" in text_of(on.app, "arming"), "nobody is chosen that nobody chose"
        await pilot.press("down", "down", "enter")
        await pilot.pause()
        assert "survivor   redis-b" in text_of(on.app, "arming")
        assert on.app.focused.id == "back"
        assert not on.app.screen.query_one("#arm").disabled


async def test_arming_that_is_refused_says_why():
    on = stage(samples.stale_master_back(), questions=[question()], refusal="cannot write /var/empty: no such folder")
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter", "tab", "enter")
        await until(pilot, lambda: on.app.armed_run is None and on.app._notifications)
        assert any("cannot write /var/empty" in one.message for one in on.app._notifications)
        assert "READ-ONLY" in text_of(on.app, "header")


async def test_run_asked_for_on_the_command_line_opens_its_arming_and_tells_by_the_exit_code():
    on = stage(samples.stale_master_back(), questions=[question()], runbook="one-shot-rebuild")
    async with on.app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(on.app.screen, ArmScreen))
        await pilot.pause()
        await pilot.press("tab", "enter")
        await asked(pilot, on)
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.app.armed_run is None)
        await pilot.press("q")
    assert on.app.return_value == 1
