"""The list of clusters: its order, its filter, its groups, and what is drawn of it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import sample_sets
import samples
from fleet_samples import unreadable
from textual import events
from textual.widgets import Input
from thorough import first_is_quick
from tui_stage import Stage, seen, stage, until

from console.cli.status.as_json import ClusterStatus
from console.cli.status.as_lines import as_lines
from console.core.diagnosis.finding import Health, Severity
from console.core.inventory import UnusableCluster
from console.core.model import ClusterState
from console.tui.present.clusters.cluster import next_action
from console.tui.present.clusters.fleet import ABOUT_LINES, SENTENCES_FROM, about_lines, columns, row_line
from console.tui.present.frame import observed_when
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.clusters import ClustersScreen
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.state.fleet import Order, row_of
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.row_list import RowList

TAGS = {
    "cache": ("prod", "site:berlin"),
    "sessions": ("test", "site:paris"),
    "queue": ("prod", "site:paris"),
    "carts": ("prod",),
}


def fleet(**options) -> Stage:
    """Two healthy clusters, and two that are not: `sessions` critical, `carts` with a warning."""
    return stage(
        samples.healthy_pair(),
        replace(samples.failed_over_pair(), name="sessions"),
        replace(samples.healthy_pair(), name="queue"),
        replace(samples.stale_master_back(), name="carts"),
        tags=TAGS,
        **options,
    )


KINDS = (samples.healthy_pair, samples.failed_over_pair, samples.stale_master_back, unreadable)


def many(count: int) -> Stage:
    return stage(*(named(samples.healthy_pair(), number) for number in range(count)))


def named(state: ClusterState, number: int) -> ClusterState:
    return replace(state, name=f"pair-{number:04}")


def listed(on: Stage) -> list[str]:
    """The clusters and the headings that are shown, from the top."""
    lines = on.app.screen.query_one(RowList).text.splitlines()
    found = [re.search(r"── (.+?): |[A-Za-z]{7,} +(?:(?:! )?\d+ s )?(\S+)", one) for one in lines]
    return [one[1] or one[2] for one in found if one]


def text_of(on: Stage, pane: str) -> str:
    return on.app.screen.query_one(f"#{pane}", LinesPane).text


async def change(pilot, on: Stage, name: str, state: ClusterState, after: float = 1.0) -> None:
    """The cluster is observed in this state, and the list shows it."""
    on.clock.at += after
    on.clock.steady += after
    state = replace(state, name=name, observed_at=on.clock.at)
    on.inspectors[name].state = state
    on.app._observations.request(name)
    await until(pilot, lambda: on.app.views[name].state.observed_at == on.clock.at)
    on.app.screen.paint()
    await pilot.pause()


async def test_the_worst_come_first_and_equal_ones_in_the_order_of_the_inventory():
    on = fleet(unusable_clusters=(UnusableCluster("broken", ("inventory.yaml:3: clusters[4].vip: is missing",)),))
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        assert listed(on) == ["sessions", "broken", "carts", "cache", "queue"]
        assert "5 clusters  ✗ 1 critical  ✗ 1 unusable  ! 1 warning  ✓ 2 healthy" in text_of(on, "scope")
        assert "worst first" in text_of(on, "scope")


@pytest.mark.parametrize("width", [80, 120, 170])
async def test_a_line_has_what_decides_at_every_width(width):
    on = fleet()
    async with on.app.run_test(size=(width, 24)) as pilot:
        await seen(pilot, on)
        (line,) = (one for one in text_of(on, "clusters").splitlines() if "sessions" in one)
        finding = on.app.views["sessions"].findings[0]
        assert "✗ CRITICAL" in line
        assert "redis-a" in line, "the master"
        assert ("✗ NO" if width < 150 else "✗ NOT ready") in line
        assert (finding.code[:5] if width < 110 else finding.summary[:20]) in line
        assert " 0 s sessions" in line
        assert ("test site:paris" in line) is (width >= 150)
        for title in (
            "health",
            "cluster",
            "master",
            "VIP",
            "behind",
            "ready" if width < 150 else "failover",
            "worst",
            "age",
        ):
            assert title in text_of(on, "columns")
        assert "sessions: ✗ keepalived on redis-b takes the VIP" in text_of(on, "about-row")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("sess", ["sessions"]),
        ("prod", ["carts", "cache", "queue"]),
        ("site:paris", ["sessions", "queue"]),
        ("prod paris", ["queue"]),
        ("CRITICAL", ["sessions"]),
        ("192.168.100.201", ["sessions", "carts", "cache", "queue"]),
        ("would-preempt", ["sessions"]),
        ("redis-b carts", ["carts"]),
    ],
)
async def test_the_filter_works_as_one_types(typed, found):
    on = fleet()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        await pilot.press("slash")
        on.app.screen.query_one(Input).value = typed
        await until(pilot, lambda: listed(on) == found)
        assert text_of(on, "scope").startswith(f"{len(found)} of 4 clusters")


async def test_what_is_typed_without_a_pause_goes_into_the_filter_and_does_nothing_else():
    on = fleet()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        for letter in "/prod":
            on.app.post_message(events.Key("slash" if letter == "/" else letter, letter))
        await until(pilot, lambda: on.app.screen.query_one(Input).value == "prod")
        await until(pilot, lambda: len(listed(on)) == 3)
        assert all(one.reconnected == 0 for one in on.inspectors.values())
        assert "grouped" not in text_of(on, "scope")


async def test_enter_keeps_the_filter_and_then_opens_and_esc_comes_back_to_it():
    on = fleet()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        await pilot.press("slash", *"prod")
        await until(pilot, lambda: len(listed(on)) == 3)
        footer = text_of(on, "footer")
        assert "Enter keep this filter" in footer
        assert "Esc remove it" in footer
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(on.app.screen, ClustersScreen), "Enter only keeps the filter"
        assert listed(on) == ["carts", "cache", "queue"]
        assert "Enter open" in text_of(on, "footer")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(on.app.screen, ClusterScreen))
        assert on.app.screen.cluster == "cache"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(on.app.screen, ClustersScreen))
        assert listed(on) == ["carts", "cache", "queue"], "the filter is still there"
        assert on.app.screen.query_one(RowList).chosen == "cache"
        await pilot.press("escape")
        await until(pilot, lambda: len(listed(on)) == 4)
        assert on.app.screen.query_one(RowList).chosen == "cache", "without the filter the cursor stays where it was"
        assert not on.app.screen.query_one(Input).display


async def test_where_nothing_matches_it_says_how_to_come_back():
    on = fleet()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("slash", *"nowhere")
        await until(pilot, lambda: "No cluster has “nowhere”. Esc removes the filter." in text_of(on, "clusters"))
        await pilot.press("enter")
        assert isinstance(on.app.screen, ClustersScreen), "there is nothing to open"
        await pilot.press("escape")
        await until(pilot, lambda: len(listed(on)) == 4)


async def test_s_sorts_and_o_groups_by_each_kind_of_tag():
    on = fleet()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        await pilot.press("s")
        assert listed(on) == ["cache", "carts", "queue", "sessions"]
        assert "by name" in text_of(on, "scope")
        await pilot.press("s", "s", "s", "o")
        assert listed(on) == ["test", "sessions", "prod", "carts", "cache", "queue"]
        assert "worst first, grouped by tag" in text_of(on, "scope")
        await pilot.press("o")
        assert listed(on) == ["site:paris", "sessions", "queue", "no site", "carts", "site:berlin", "cache"]
        await pilot.press("home", "down", "down")
        assert on.app.screen.query_one(RowList).chosen == "carts", "the cursor passes over headings"
        await pilot.press("o")
        assert listed(on) == ["sessions", "carts", "cache", "queue"]


async def test_r_on_the_list_reconnects_to_clusters_that_are_not_healthy():
    on = fleet()
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("r")
        await until(pilot, lambda: all(on.inspectors[name].reconnected == 1 for name in ("sessions", "carts")))
        assert all(on.inspectors[name].reconnected == 0 for name in ("cache", "queue"))


async def test_a_cluster_of_which_nothing_can_be_read_stands_among_the_critical_ones():
    on = stage(
        samples.healthy_pair(),
        replace(samples.stale_master_back(), name="carts"),
        replace(unreadable(), name="gone"),
        replace(samples.failed_over_pair(), name="sessions"),
    )
    async with on.app.run_test(size=(120, 24)) as pilot:
        await seen(pilot, on)
        assert on.app.views["gone"].health is Health.UNKNOWN, "its health stays what it is"
        assert listed(on) == ["gone", "sessions", "carts", "cache"]
        assert "? 1 unknown (1 with critical findings)" in text_of(on, "scope")
        await pilot.press("slash", *"critical")
        await until(pilot, lambda: listed(on) == ["gone", "sessions"])


@pytest.mark.parametrize("width", first_is_quick([80, 60, 120]))
async def test_the_order_and_the_counts_are_always_whole(width):
    on = stage(*(replace(one(), name=f"{one.__name__}-{at}") for at in range(10) for one in KINDS), tags={})
    async with on.app.run_test(size=(width, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("slash", "-", "enter")
        for order in Order:
            scope = " ".join(text_of(on, "scope").split())
            assert str(order) in scope
            assert "… " not in scope
            for counted in ("40 of 40", "✗ 10 critical", "? 10 unknown (10 ", "! 10 warning", "✓ 10 healthy"):
                assert counted in scope
            pane = on.app.screen.query_one("#scope", LinesPane)
            assert pane.size.height == len(pane.lines), "every line is seen"
            await pilot.press("s")
            await pilot.pause()


async def test_whoever_comes_back_finds_the_rows_in_their_places():
    on = fleet()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(on.app.screen, ClusterScreen))
        await change(pilot, on, "sessions", samples.healthy_pair())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(on.app.screen, ClustersScreen))
        await until(pilot, lambda: listed(on)[0] != "sessions", within=5)
        assert listed(on) == ["carts", "cache", "sessions", "queue"]


@pytest.mark.parametrize(("tags", "said"), [(TAGS, "Not grouped."), ({}, "Not grouped: the inventory has no tags.")])
async def test_the_last_o_says_that_nothing_is_grouped(tags, said):
    on = stage(samples.healthy_pair(), replace(samples.healthy_pair(), name="sessions"), tags=tags)
    async with on.app.run_test(size=(80, 24), notifications=True) as pilot:
        await seen(pilot, on)
        await pilot.press(*["o"] * (3 if tags else 1))
        await until(pilot, lambda: on.app._notifications)
        assert [one.message for one in on.app._notifications] == [said]


# --- rows change places -------------------------------------------------------------------------------------------


async def test_the_cursor_stays_on_its_cluster_and_line_while_rows_change_places():
    on = many(60)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        rows = on.app.screen.query_one(RowList)
        await until(pilot, lambda: rows.held)
        await pilot.press(*["pagedown"] * 2, "up")
        await pilot.pause()
        chosen, line = rows.chosen, rows._at - rows.scroll_offset.y
        assert rows.scroll_offset.y, "it is scrolled"
        await change(pilot, on, "pair-0055", samples.failed_over_pair())
        assert rows.chosen == chosen
        assert rows._at - rows.scroll_offset.y == line
        assert chosen in rows.text.splitlines()[rows._at]
        await pilot.press("home")
        assert rows.chosen == "pair-0055", "the worst is at the top"


async def test_at_the_top_of_the_list_a_cluster_that_gets_worse_is_seen():
    on = many(60)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        rows = on.app.screen.query_one(RowList)
        await until(pilot, lambda: rows.held)
        await pilot.press("down")
        await change(pilot, on, "pair-0055", samples.failed_over_pair())
        assert (rows.chosen, rows.scroll_offset.y) == ("pair-0001", 0)
        assert "pair-0055" in rows.text.splitlines()[0]


async def test_a_cluster_that_gets_better_moves_down_only_when_it_stays_better():
    on = fleet()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, on)
        await change(pilot, on, "sessions", samples.healthy_pair())
        assert listed(on)[0] == "sessions"
        assert "✓ HEALTHY     0 s sessions" in text_of(on, "clusters"), "what it is now is shown at once"
        await change(pilot, on, "sessions", samples.failed_over_pair(), after=9)
        await change(pilot, on, "sessions", samples.healthy_pair(), after=9)
        assert listed(on)[0] == "sessions", "it comes and goes"
        await change(pilot, on, "sessions", samples.healthy_pair(), after=11)
        assert listed(on) == ["carts", "cache", "sessions", "queue"]


# --- what is drawn ------------------------------------------------------------------------------------------------


async def test_of_a_thousand_clusters_only_the_rows_on_the_screen_are_drawn():
    on = many(1000)
    async with on.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: all(view.state is not None for view in on.app.views.values()), within=60)
        rows = on.app.screen.query_one(RowList)
        await until(pilot, lambda: rows.held)
        height = rows.size.height
        for key, steps in (("pagedown", 5), ("down", 5), ("end", 1), ("pageup", 3), ("home", 1)):
            for _ in range(steps):
                before = rows.rows_drawn
                await pilot.press(key)
                await pilot.pause()
                assert 0 < rows.rows_drawn - before <= 4 * height, key
        await pilot.press("slash", *"0999")
        await until(pilot, lambda: len(rows.lines) == 1 and "pair-0999" in rows.text)


async def test_sets_with_sentinels_are_listed_beside_pairs():
    on = stage(samples.healthy_pair(), sample_sets.sentinel_vip_set(), sample_sets.sentinel_consul_set())
    async with on.app.run_test(size=(170, 24)) as pilot:
        await seen(pilot, on)
        assert len(listed(on)) == 3
        assert "observed" not in text_of(on, "clusters")


def described(state: ClusterState) -> ClusterView:
    spec = stage(state).app.views[state.name].spec
    return absorb(ClusterView(spec), state, state.observed_at)


SAMPLES = (*KINDS, samples.split_brain, samples.in_sync_unprotected, samples.fresh_pair, samples.unreachable_node)


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("width", [78, 118, 168])
def test_a_row_counts_the_findings_that_status_counts_and_is_cut_between_words(sample, width):
    view = described(sample())
    row = row_of(view)
    text = row_line(row, columns((row,), width), view.state.observed_at, 5.0).plain
    status = as_lines([ClusterStatus(view.state, view.findings, view.health)], colour=False).splitlines()[1]
    told, counted = (re.search(r" (\+\d+)$", one.rstrip()) for one in (text, status))
    if told is not None:
        assert told[1] == counted[1]
    elif width > 118:
        assert counted is None
    for cut in re.findall(r"(\S)…", text):
        assert cut == "-" or width >= SENTENCES_FROM, text
    assert "not kn…" not in text


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("width", [60, 78, 118])
def test_below_the_list_the_next_action_is_whole(sample, width):
    view = described(sample())
    lines = about_lines(row_of(view), width)
    assert len(lines) <= ABOUT_LINES
    assert all(one.cell_length <= width for one in lines)
    said = " ".join(" ".join(one.plain for one in lines).split())
    top = view.findings[0] if view.findings else None
    if top is not None and not top.next.runbook:
        assert " ".join((top.next.advice or "no action is known").split()) in said


def test_only_what_is_urgent_has_an_arrow():
    found = [one for sample in SAMPLES for one in described(sample()).findings]
    for one in (replace(one, severity=severity) for one in found for severity in Severity):
        lead = "can wait: " if one.severity is Severity.INFO else "→ "
        assert next_action(one).plain.startswith(lead)


def test_a_cluster_that_gave_no_answer_was_asked_and_not_observed():
    view = described(unreadable())
    assert observed_when(view, view.state.observed_at + 3) == "asked 3 s ago, no answer"
    assert observed_when(described(samples.unreachable_node()), samples.NOW + 3) == "observed 3 s ago"
