"""The screens as pictures, on sample observations and a clock that stands still.

`pytest tests/tui --snapshot-update` accepts what they look like now; with UPDATE_PICTURE=1 in the environment the
picture of the documentation (docs/screen.svg) is drawn again, too.
"""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sample_sets
import samples
from past_runs import past, written
from past_runs import until as cut
from thorough import first_is_quick
from tui_stage import REBUILD, Stage, asked, question, seen, stage, until

from console.core.model import ClusterState, RunLock, read
from console.core.runbooks.verbs import VERBS
from console.core.runs.question import Choice, QuestionKind
from console.engine.ports import Answer, AnswerKind
from console.engine.steps.remedies import remedies
from console.tui.navigation import routes
from console.tui.screens.arm import ArmScreen
from console.tui.screens.dialogs.lock_held import LockHeldDialog

PICTURE = Path(__file__).parents[2] / "docs" / "screen.svg"
SIZES = [(80, 24), (120, 40)]


async def to_the_question(pilot, on: Stage) -> None:
    await seen(pilot, on)
    on.app.open_screen(routes.ARM, "cache", REBUILD, {})
    await until(pilot, lambda: isinstance(on.app.screen, ArmScreen))
    await pilot.pause()
    await pilot.press("tab", "enter")
    await asked(pilot, on)
    await pilot.pause()


async def to_the_end(pilot, on: Stage) -> None:
    await to_the_question(pilot, on)
    await pilot.press("tab", *"redis-b", "enter")
    await until(pilot, lambda: on.app.armed_run is None)
    await pilot.pause()


async def to_the_help(pilot, on: Stage) -> None:
    await seen(pilot, on)
    await pilot.press("question_mark")
    await pilot.pause()


async def to_the_runs(pilot, on: Stage) -> None:
    await seen(pilot, on)
    await pilot.press("u")
    await until(pilot, lambda: on.app.past_runs is not None)
    await pilot.pause()


async def to_a_record(pilot, on: Stage) -> None:
    await to_the_runs(pilot, on)
    await pilot.press("enter")
    await until(pilot, lambda: "began" in on.app.screen.query_one("#past-steps").text)
    await pilot.pause()


async def to_resuming(pilot, on: Stage) -> None:
    await to_the_runs(pilot, on)
    await pilot.press("down", "e")
    await until(pilot, lambda: "UNKNOWN" in on.app.screen.query_one("#arming").text)
    await pilot.pause()


def recorded() -> Stage:
    day = 86_400
    done, old = written(at=samples.NOW - 400 * day), written(at=samples.NOW - day)
    broken = [*old[:4], old[4].replace("4", "5"), *old[5:]]
    earlier = [
        past(done, "20251017T074000Z-cache-one-shot-rebuild-11aa"),
        past(broken, "20261120T074000Z-cache-one-shot-rebuild-22bb"),
        past(cut(written(at=samples.NOW - 3600), "intent", 2), "20261121T064000Z-cache-one-shot-rebuild-33cc"),
        past(cut(written(), "verified", 3), "20261121T074000Z-cache-one-shot-rebuild-44dd", live=True),
    ]
    on = stage(samples.stale_master_back(), runs=earlier, questions=[])
    on.clock.at = samples.NOW + 30
    return on


def several() -> Stage:
    return stage(
        samples.healthy_pair(),
        replace(samples.failed_over_pair(), name="sessions"),
        replace(samples.unreachable_node(), name="queue"),
        tags={"cache": ("prod", "site:berlin"), "sessions": ("prod", "site:paris"), "queue": ("test", "site:paris")},
    )


async def to_the_groups(pilot, on: Stage) -> None:
    await seen(pilot, on)
    await pilot.press("o", "slash", *"redis", "tab")
    await until(pilot, lambda: "3 of 3 clusters" in on.app.screen.query_one("#scope").text)
    await pilot.pause()


def three_nodes() -> ClusterState:
    pair = samples.failed_over_pair()
    return replace(pair, nodes=(*pair.nodes, replace(pair.nodes[1], name="redis-c", address="192.168.100.203")))


LOCK = RunLock(
    "20261121T074500Z-cache-one-shot-rebuild-77aa", "cache", "one-shot-rebuild", "bob@ops2", samples.NOW,
    step="8/13 replicate", terminal="/dev/pts/1", origin="10.0.0.7",
)  # fmt: skip


def locked() -> Stage:
    on = stage(
        samples.with_node(samples.stale_master_back(), samples.A, run_lock=read(LOCK, samples.NOW)), questions=[]
    )
    on.run_starter.holder = LOCK
    return on


async def to_the_lock(pilot, on: Stage) -> None:
    await seen(pilot, on)
    await pilot.press("b", "enter", "tab", "enter")
    await until(pilot, lambda: isinstance(on.app.screen, LockHeldDialog))
    await pilot.pause()


def trouble() -> Stage:
    step = replace(question().step, on_failure="Look at the log of redis-b: masterauth may be wrong.")
    answer = Answer(AnswerKind.UNKNOWN, "the connection ended while the answer was awaited")
    lines = remedies(step, VERBS["replicate"], answer, repeatable=True, kind="keepalived")
    reason = "The answer was lost and it may have been carried out: the connection ended while the answer was awaited."
    choices = (Choice.LOOK_AGAIN, Choice.RUN, Choice.ABORT)
    return asking(question(QuestionKind.TROUBLE, step=step, reason=reason, remedies=lines, choices=choices))


def asking(*questions) -> Stage:
    return stage(samples.stale_master_back(), questions=questions)


SCREENS = {
    "healthy": (lambda: stage(samples.healthy_pair()), seen),
    "failed-over": (lambda: stage(samples.failed_over_pair()), seen),
    "unreachable": (lambda: stage(samples.unreachable_node()), seen),
    "split-brain": (lambda: stage(samples.split_brain()), seen),
    "three-nodes": (lambda: stage(three_nodes()), seen),
    "sentinel-vip": (lambda: stage(sample_sets.sentinel_vip_set()), seen),
    "sentinel-consul": (lambda: stage(sample_sets.sentinel_consul_set()), seen),
    "gate": (lambda: asking(question()), to_the_question),
    "trouble": (trouble, to_the_question),
    "locked": (locked, to_the_lock),
    "run": (lambda: asking(question(QuestionKind.CONFIRM, 1)), to_the_question),
    "ended": (lambda: asking(question()), to_the_end),
    "clusters": (several, seen),
    "groups": (several, to_the_groups),
    "runs": (recorded, to_the_runs),
    "record": (recorded, to_a_record),
    "resuming": (recorded, to_resuming),
    "help": (lambda: stage(samples.failed_over_pair()), to_the_help),
}


@pytest.fixture(autouse=True)
def local_time(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("size", first_is_quick(SIZES), ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
def test_screen(name, size, snap_compare):
    make, go = SCREENS[name]
    on = make()
    assert snap_compare(on.app, terminal_size=size, run_before=lambda pilot: go(pilot, on))


def test_too_small(snap_compare):
    on = stage(samples.failed_over_pair())
    assert snap_compare(on.app, terminal_size=(50, 12), run_before=lambda pilot: seen(pilot, on))


async def test_the_picture_of_the_documentation():
    on = stage(samples.healthy_pair(samples.NOW - 60))
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        for second in range(-59, 1):
            on.clock.at = samples.NOW + second
            state = samples.healthy_pair(on.clock.at) if second < -20 else samples.failed_over_pair(on.clock.at)
            master = state.masters[0]
            written = (second + 60) * 700 + (second * second * 37) % 900
            on.inspector.state = samples.with_redis(state, master, offset=8107 + written)
            on.app._tick()
            await until(pilot, lambda: on.app.views["cache"].state.observed_at == on.clock.at)
        await pilot.pause()
        drawn = on.app.export_screenshot(title="redis-ha-console")
    if os.environ.get("UPDATE_PICTURE"):
        PICTURE.write_text(drawn, encoding="utf-8")
    for words in ("CRITICAL", "READ-ONLY", "redis-b"):
        assert words in drawn
        assert words in PICTURE.read_text(encoding="utf-8"), "draw it again: UPDATE_PICTURE=1"
