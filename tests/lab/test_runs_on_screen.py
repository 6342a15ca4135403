"""Runs at the full screen, on real servers: another operator's is followed, a console that died is gone on with."""

from __future__ import annotations

import os
import signal
import sys

import pexpect
import pytest
from lab.plain import ASKED, assert_healthy_and_protected, environment
from lab.screen import answer_all, screen_on, text_of, until

from console.core.runs.state import Outcome
from console.tui.screens.past_run import PastRunScreen
from console.tui.screens.past_runs import PastRunsScreen
from console.tui.screens.resume import ResumeScreen

pytestmark = pytest.mark.lab


@pytest.fixture
def ann(tmp_path):
    """Another operator's console at plain prompts: `ann(lab)` sits down and answers nothing yet."""
    started = []

    def sit_down(lab):
        started.append(
            pexpect.spawn(
                sys.executable, ["-m", "console", "run", "one-shot-rebuild", lab.cluster, "--plain"],
                env=environment(lab, tmp_path / "ann") | {"LOGNAME": "ann", "COLUMNS": "200"},
                encoding="utf-8", timeout=60, dimensions=(50, 200),
            )
        )  # fmt: skip
        return started[-1]

    yield sit_down
    for one in started:
        one.close(force=True)


async def test_a_run_is_followed_from_elsewhere_and_gone_on_with_when_its_console_dies(
    pair, ann, tmp_path, monkeypatch
):
    lab = pair("failed-over")
    theirs = ann(lab)
    theirs.expect(ASKED)

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "bob"))
    async with screen_on(lab) as pilot:  # the journal is on ann's machine: the nodes tell of it
        await until(pilot, lambda: "ann@" in text_of(pilot) and "press f to follow" in text_of(pilot))
        await pilot.press("f")
        await until(
            pilot, lambda: isinstance(pilot.app.screen, PastRunScreen) and "not on this machine" in text_of(pilot)
        )

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ann"))
    async with screen_on(lab) as pilot:  # the folder is shared: the journal itself is read
        await until(pilot, lambda: "press f to follow" in text_of(pilot))
        await pilot.press("u")
        await until(pilot, lambda: isinstance(pilot.app.screen, PastRunsScreen) and "» under way" in text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "under way, followed" in text_of(pilot))
        theirs.sendline("y")
        theirs.expect(ASKED)
        await until(pilot, lambda: "result" in text_of(pilot), what="what ann sends is seen")

        os.kill(theirs.pid, signal.SIGKILL)
        await until(pilot, lambda: "! not closed" in text_of(pilot), what="a console that died is no run under way")
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, ResumeScreen))
        await until(
            pilot, lambda: not lab.host("redis-a").read("/run/redis-ha-console/holder"), what="the lock is free"
        )
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "done by observation" in text_of(pilot), what="what is believed comes first")
        run = await answer_all(pilot)
        assert run.outcome is Outcome.DONE, [one.reason for one in run.stuck] or text_of(pilot)
        await pilot.press("escape", "u")
        await until(pilot, lambda: "✓ done" in text_of(pilot))
    assert_healthy_and_protected(lab, "redis-a")
