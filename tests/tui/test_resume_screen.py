"""`runs resume` without --plain: the screen opens with what the journal says, before anything is armed."""

import samples
from past_runs import past, written
from past_runs import until as cut
from tui_stage import question, stage, until

from console.tui.screens.resume import ResumeScreen
from console.tui.screens.run import RunScreen


async def test_the_screen_opens_with_the_run_that_is_to_be_gone_on_with():
    died = past(cut(written(), "intent", 2))
    on = stage(samples.stale_master_back(), questions=[question()], runs=[died])
    on.app.begin_with(died)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(on.app.screen, ResumeScreen))
        assert on.app.armed_run is None, "nothing is armed by opening it"
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(on.app.screen, ResumeScreen))
        assert not isinstance(on.app.screen, RunScreen)
