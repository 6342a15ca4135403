"""What a tick draws: only cells that changed, and it lays out nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import samples
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor
from textual.content import Content, Span
from textual.strip import Strip
from textual.style import Style as Look
from tui_stage import seen, stage, until

from console.tui.navigation import routes
from console.tui.widgets.cells import changed_cells, strip_of


class Drawing:
    """Counts what the compositor does."""

    def __init__(self, monkeypatch) -> None:
        self.layouts = self.whole_screens = 0
        self.regions = []
        for name, note in (
            ("reflow", self._laid_out),
            ("reflow_visible", self._laid_out),
            ("render_full_update", self._whole),
            ("render_partial_update", self._partial),
        ):
            self._wrap(monkeypatch, name, note)

    def _wrap(self, monkeypatch, name, note):
        real = getattr(Compositor, name)

        def called(compositor, *args, **options):
            note(compositor)
            return real(compositor, *args, **options)

        monkeypatch.setattr(Compositor, name, called)

    def _laid_out(self, _):
        self.layouts += 1

    def _whole(self, _):
        self.whole_screens += 1

    def _partial(self, compositor):
        self.regions += compositor._dirty_regions

    def forget(self):
        self.layouts = self.whole_screens = 0
        self.regions.clear()

    @property
    def cells(self):
        return sum(one.area for one in self.regions)


@pytest.fixture
def drawing(monkeypatch, textuals_own_pace):  # what is drawn late belongs to the pause before
    return Drawing(monkeypatch)


def sides():
    return stage(samples.healthy_pair(), replace(samples.failed_over_pair(), name="sessions"))


async def aged(pilot, on, seconds):
    """Only time has passed; it is the second beat without an observation."""
    on.clock.at += seconds
    on.app.screen.second_passed()
    on.app.screen.second_passed()
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (170, 50)])
@pytest.mark.parametrize("name", ["cluster", "clusters"])
async def test_a_tick_in_which_only_ages_change_draws_their_cells_and_lays_out_nothing(drawing, name, size):
    on = sides()
    async with on.app.run_test(size=size) as pilot:
        await seen(pilot, on)
        if name == "cluster":
            on.app.open_screen(routes.CLUSTER, "cache")
            await pilot.pause()
        await aged(pilot, on, 3)
        drawing.forget()
        await aged(pilot, on, 1)
        assert drawing.regions, "the ages were drawn"
        assert (drawing.layouts, drawing.whole_screens) == (0, 0)
        widest = 6 if name == "clusters" else 2 * size[0] // 3  # cards stand side by side, with an age in each
        assert all(one.height == 1 and one.width <= widest for one in drawing.regions), drawing.regions
        drawing.forget()
        await aged(pilot, on, 0)
        assert not drawing.regions, "nothing has changed"


async def test_an_observation_that_brings_one_other_figure_lays_out_nothing(drawing):
    on = stage(samples.healthy_pair())
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        for clients in (976, 977, 978):  # the first one gives the history its lines
            drawing.forget()
            on.inspector.state = samples.with_redis(samples.healthy_pair(samples.NOW), samples.B, clients=clients)
            on.app._tick()
            await until(pilot, lambda c=clients: on.app.views["cache"].state.node("redis-b").redis.value.clients == c)
            await pilot.pause()
            await pilot.pause()
        assert (drawing.layouts, drawing.whole_screens) == (0, 0)
        assert 0 < drawing.cells < 120 * 4


def strip(*parts):
    return Strip([Segment(text, Style.parse(style)) for text, style in parts])


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ([("12 s", "")], [("13 s", "")], (1, 2)),
        ([("12 s", "")], [("12 s", "")], (4, 4)),
        ([("aaa", "bold"), ("bbb", "")], [("aaa", "bold"), ("bcb", "")], (4, 5)),
        ([("aaa", "bold"), ("bbb", "")], [("aaa", ""), ("bbb", "")], (0, 3)),
        ([("日本 1", "")], [("日本 2", "")], (5, 6)),
        ([("日x", "")], [("xxx", "")], (0, 2)),
        ([("aa", "")], [("a", "")], (0, 2)),
        ([("abab", "")], [("aabb", "")], (1, 3)),
    ],
)
def test_the_cells_that_differ(before, after, changed):
    assert changed_cells(strip(*before), strip(*after)) == changed


def test_a_line_has_the_cells_that_textual_makes_of_it():
    """With spans side by side, with overlapping ones, with none, and cut."""
    base, styles = Look.parse("white on black"), ["bold", "red", "dim", "reverse", "on blue", Look.parse("italic")]
    chance = random.Random(5)
    for _ in range(500):
        text = "".join(chance.choice("ab 日✓") for _ in range(chance.randrange(1, 30)))
        places = sorted(chance.sample(range(len(text) + 1), chance.randrange(len(text) + 1) // 2 * 2))
        spans = [Span(start, end, chance.choice(styles)) for start, end in zip(places[::2], places[1::2], strict=True)]
        spans += [Span(0, len(text), "underline")] * chance.randrange(2)
        content, width = Content(text, spans), chance.randrange(1, 40)
        cut = content.truncate(width) if content.cell_length > width else content
        made = strip_of(content, width, base, lambda one: one if isinstance(one, Look) else Look.parse(one))
        assert made.cell_length == width
        expected = [(letter, (base + style).rich_style) for part, style in cut.render(base, end="") for letter in part]
        drawn = [(letter, one.style) for one in made for letter in one.text]
        assert drawn[: len(expected)] == expected
