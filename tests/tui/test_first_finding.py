"""The first finding is seen on every screen that is large enough: what stands above it gives way."""

from dataclasses import replace

import pytest
import sample_sets
import samples
from past_runs import kept_run
from thorough import first_is_quick
from tui_stage import seen, stage, until

from console.core.diagnosis.finding import NextAction
from console.core.kinds.diagnose import diagnose
from console.tui.present.clusters import cluster as present
from console.tui.present.formatting import line

FINDINGS = diagnose(samples.split_brain(), samples.NOW)
ADVICE = "look at both nodes, decide whose data stays, and then do what the runbook says; " * 5
STATES = {
    "split brain": samples.split_brain,
    "failed over": samples.failed_over_pair,
    "stale master": samples.stale_master_back,
    "set": sample_sets.sentinel_vip_set,
    "set with a service name": sample_sets.sentinel_consul_set,
}
SIZES = [(80, 24), (60, 20), (60, 18), (72, 33)]


@pytest.mark.parametrize("name", first_is_quick(STATES))
@pytest.mark.parametrize("kept", [True, False])
async def test_the_first_finding_is_seen_whatever_stands_above_it(name, kept):
    on = stage(STATES[name](), runs=[kept_run()] if kept else [])
    async with on.app.run_test(size=SIZES[0]) as pilot:
        await seen(pilot, on)
        if kept:
            await until(pilot, lambda: on.app.kept_keys)
        ((cluster, view),) = on.app.views.items()
        long = tuple(replace(one, next=NextAction(advice=ADVICE)) for one in FINDINGS)
        on.app.views = {cluster: replace(view, findings=long)}
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: on.app.screen.size == size)
            on.app.screen.paint()
            await until(pilot, lambda: "findings (" in drawn(on))
            below = drawn(on).partition("findings (")[2]
            assert FINDINGS[0].summary.split()[0] in below, drawn(on)


def drawn(on):
    """What the terminal shows, row by row."""
    rows = on.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in rows)


@pytest.mark.parametrize("room", range(1, 6))
@pytest.mark.parametrize("width", [40, 58, 78])
def test_a_shortened_headline_says_which_key_shows_the_rest(room, width):
    lines = tuple(line("word " * 7 + "end") for _ in range(4))
    shown = present.shortened(lines, room, width)
    assert len(shown) == min(room, 4)
    if room >= 4:
        assert shown == lines
    else:
        assert shown[-1].plain.endswith(present.IN_FULL)
        assert max(len(one.plain) for one in shown) <= width
        assert set(shown[-1].plain.removesuffix(present.IN_FULL).split()) <= {"word", "end"}, "no word is cut"
