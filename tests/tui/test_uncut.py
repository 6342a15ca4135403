"""Nothing that decides is cut: it is wrapped between words, on the first screen, in lists, and in panels in full."""

import re
from dataclasses import replace

import pytest
import sample_sets
import samples
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content
from tui_stage import seen, spec_of, stage

from console.core.kinds import all_kinds
from console.core.runbooks.naming import named
from console.documents.runbooks.library import load_runbooks
from console.tui.navigation import routes
from console.tui.present.clusters import cards, cluster
from console.tui.present.formatting import rewrapped
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.menu import Menu

SHIPPED = load_runbooks(None).runbooks
STATES = (
    samples.failed_over_pair(), samples.split_brain(), samples.unreachable_node(), samples.stale_master_back(),
    samples.healthy_pair(), samples.fresh_pair(), sample_sets.sentinel_vip_set(), sample_sets.sentinel_consul_set(),
)  # fmt: skip
WIDTHS = st.integers(56, 140)


def squeezed(lines):
    return "".join("".join(one.plain.split()) for one in lines)


@given(st.lists(st.text(st.sampled_from("ab ─é."), max_size=60)).map((" " * 40).join), st.integers(12, 60))
def test_rewrapping_keeps_every_word_whole_and_every_line_within_the_width(text, width):
    words = text.split()
    lines = rewrapped((Content(text),), width, indent="  ")
    assert squeezed(lines) == "".join(words)
    assert all(len(one.plain) <= width for one in lines)
    assert all(one.plain.strip() for one in lines) or not words, "padding makes no empty lines"
    kept = " ".join(one.plain for one in lines).split()
    assert [one for one in words if len(one) <= width - 2 and one not in kept] == []


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.kind} {len(state.nodes)}")
@given(width=WIDTHS)
def test_the_headline_and_the_findings_are_wrapped_at_every_width(state, width):
    view = absorb(ClusterView(spec_of(state)), state, samples.NOW)
    headline = squeezed(cluster.headline(view, width, 4))
    assert "…" not in headline
    for found in view.findings:
        lines = squeezed(cluster.finding_lines(found, width, roomy=True))
        assert "".join(found.summary.split()) in lines
        assert squeezed([cluster.next_action(found)]) in lines
    if view.findings:
        assert "".join(view.findings[0].summary.split()) in headline
        assert squeezed([cluster.next_action(view.findings[0])]) in headline


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.kind} {len(state.nodes)}")
@given(width=WIDTHS)
def test_the_nodes_in_full_cut_no_value(state, width):
    shown = squeezed(cards.in_full(state, samples.NOW, width))
    assert "…" not in shown
    for node in state.nodes:
        for row in cards.rows(state, node, samples.NOW):
            assert squeezed([row.cells_at(samples.NOW)]) in shown


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (
            samples.with_keepalived(samples.stale_master_back(), samples.B, running=False, effective_priority=None),
            "139, not in use",
        ),
        (samples.with_script_running(samples.healthy_pair(), samples.B), "! runs redis_master.sh"),
    ],
)
def test_a_row_that_does_not_fit_its_card_says_what_decides_in_fewer_words(state, told):
    shown = [one.plain for one in cards.cards(state, samples.NOW, 80, 11)]
    assert any(told in one for one in shown), shown


@pytest.mark.parametrize("kind", [one.name for one in all_kinds()])
async def test_the_list_of_runbooks_tells_of_each_what_it_does_and_when_not_to_use_it(kind):
    state = next(one for one in STATES if one.kind == kind)
    on = stage(replace(state, name="cache"))
    on.app.console_context = replace(on.app.console_context, runbooks=SHIPPED)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.RUNBOOKS, "cache")
        await pilot.pause()
        menu, about = on.app.screen.query_one(Menu), on.app.screen.query_one("#about", LinesPane)
        listed = [one for one in SHIPPED if one.kind == kind]
        assert listed
        for one in listed:
            menu.choose(one.name)
            on.app.screen.paint()
            await pilot.pause()
            assert "…" not in menu.text
            assert "".join(f"{one.title},".split()) in squeezed(about.lines)
            assert "".join(named(one, {}).summary.split()) in squeezed(about.lines)
            assert not about.max_scroll_y
            assert len(listed) == 1 or re.search(r"\bNot\b", one.summary), f"{one.name}: when is it the wrong one?"
            for other_name in re.findall(r"\b[a-z]+(?:-[a-z]+)+\b", one.summary):
                assert other_name not in {other.name for other in SHIPPED if other.kind != kind}, other_name
