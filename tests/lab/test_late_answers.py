"""Nodes whose SSH answers late and with gaps: nobody has to look again, and nothing untrue is told."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
from lab.late_answers import late_ssh
from lab.plain import Prompt, assert_healthy_and_protected, run_plain
from lab.screen import screen_on, text_of, until

from console.core.diagnosis.finding import Severity

pytestmark = pytest.mark.lab


def retry(prompt: Prompt) -> str:
    """A command whose answer was lost, and of which nothing shows, is sent again by the operator alone (H27)."""
    return "retry" if prompt.kind == "stuck" and "retry: sending it twice does no more harm" in prompt.text else ""


@pytest.mark.long
@pytest.mark.timeout(900)  # its answers come late, and the machine may be three times slower
def test_the_rebuild_goes_through_and_asks_nobody_to_look_again(pair, tmp_path):
    lab = pair("failed-over")
    with late_ssh(lab, seed=7) as end:
        run = run_plain(lab, "one-shot-rebuild", state=tmp_path, deadline=900, at=retry)
        assert (run.outcome, run.code) == ("done", 0), run.text  # what cannot be sent again ends it
        assert run.gates == ["redis-b"]
        assert "Blocked." not in run.text
        end()
        assert_healthy_and_protected(lab, "redis-a")


@pytest.mark.timeout(900)  # with LATE=full it watches for five minutes
async def test_watch_shows_no_untrue_line_of_a_healthy_pair(pair):
    """What has not answered for longer than the bound may be told as silent. No value may be told as changed."""
    lab = pair("healthy")
    seconds = 300 if os.environ.get("LATE") == "full" else 30
    with late_ssh(lab, seed=11):
        async with screen_on(lab, size=(120, 40)) as pilot:
            await until(pilot, lambda: "HEALTHY" in text_of(pilot), 60)
            end, silent, looks = time.monotonic() + seconds, 0, 0
            while time.monotonic() < end:
                await asyncio.sleep(0.25)
                await pilot.pause()
                view = pilot.app.views[lab.cluster]
                unreachable = {node.name for node in view.state.nodes if not node.ssh.ok}
                told = {(one.code, *one.nodes) for one in view.findings if one.severity is not Severity.INFO}
                assert told <= {("ssh-unreachable", name) for name in unreachable}, (told, unreachable)
                for event in view.events:
                    assert event.from_log or event.text.startswith(("SSH lost", "SSH answers")), event
                looks += 1
                silent += bool(view.old)
            assert looks > seconds, "the screen went on"
            assert silent, "the laboratory was not late"
