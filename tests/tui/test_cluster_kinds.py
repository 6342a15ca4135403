"""Each kind of cluster says on 80 columns what matters in it: every word below stands on the screen."""

from dataclasses import replace

import pytest
import sample_sets as sets
import samples
from tui_stage import seen, spec_of, stage

from console.core.changes.timeline import tell
from console.core.model import DnsAnswer, ProblemKind, RealServer, read, unread
from console.tui.present.clusters import cards, cluster
from console.tui.present.clusters.kinds import PRESENTATIONS, presentation_of
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.widgets.lines import LinesPane

NOW = samples.NOW


def plain(lines):
    return "\n".join(one.plain.rstrip() for one in lines)


def side(state, name, width=78):
    return plain(next(one for one in presentation_of(state.kind).panes if one.name == name).draw(state, NOW, width))


def headline(state):
    return plain(cluster.headline(absorb(ClusterView(spec_of(state)), state, NOW), 78, 3))


def watched(state, name, /, **changes):
    """With one Sentinel's own account of the master changed."""
    sentinels = tuple(
        replace(one, sentinel=one.sentinel.map(lambda s: replace(s, master=replace(s.master, **changes))))
        if one.name == name
        else one
        for one in state.sentinels
    )
    return replace(state, sentinels=sentinels)


def three_nodes():
    pair = samples.healthy_pair()
    return replace(pair, nodes=(*pair.nodes, replace(pair.nodes[0], name="redis-c", address="192.168.100.203")))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (three_nodes(), ("redis-c", "✓ replica of redis-b", "✓ BACKUP 06:40:00", "redis-c ─▶ redis-b  link up")),
        (
            sets.sentinel_vip_set(),
            ("readers ─▶ VIP 10.18.14.93 on lb01 ─▶ web02 web01 web03", "✓ on lo, no ARP reply"),
        ),
        (sets.sentinel_consul_set(), ("clients ─▶ redis.service.consul ─▶ app02 ✓ MASTER", "✓ passing, in DNS")),
    ],
    ids=lambda one: getattr(one, "kind", ""),
)
async def test_on_80_columns_every_node_and_every_way_is_seen_at_once(state, words):
    on = stage(state)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        screen = "\n".join(
            "".join(segment.text for segment in strip) for strip in on.app.screen._compositor.render_strips()
        )
        for one in (*words, *(node.name for node in state.nodes), "READ-ONLY", "✓ MASTER", "1 findings", "u runs"):
            assert one in screen, one
        cards_pane = on.app.screen.query_one("#cards", LinesPane)
        assert cards_pane.max_scroll_y == 0, "nothing of the cards is hidden"
        for number, one in enumerate(presentation_of(state.kind).panes, start=4):
            await pilot.press(str(number))
            await pilot.pause()
            assert on.app.focused.id == one.name
        before = on.app.focused.id
        await pilot.press("5" if len(presentation_of(state.kind).panes) == 1 else "9")
        assert on.app.focused.id == before


def test_every_kind_has_a_look():
    from console.core.kinds import all_kinds

    assert {kind.name for kind in all_kinds()} == set(PRESENTATIONS)


def test_rows_of_a_card_are_as_many_as_its_kind_says():
    for state in (samples.healthy_pair(), sets.sentinel_vip_set(), sets.sentinel_consul_set()):
        look = presentation_of(state.kind)
        assert all(len(look.rows(state, node)) == look.row_count for node in state.nodes)


def test_a_table_marks_old_readings_in_words():
    assert "12 s old" in plain(cards.table(sets.sentinel_vip_set(), NOW + 12, 80, 9))


# --- Sentinels ------------------------------------------------------------------------------------------------------


def test_each_sentinel_has_its_own_line():
    text = side(sets.sentinel_vip_set(), "sentinels")
    assert text.splitlines()[0] == "sentinel1 ✓ web01  epoch 3  quorum 2 ok  2 replicas, 2 peers  6.0.16"
    assert len(text.splitlines()) == 3


def test_a_sentinel_that_disagrees_fails_over_or_is_in_tilt_is_seen():
    state = sets.sentinel_vip_set()
    other = watched(state, "sentinel2", host=sets.ADDRESS[sets.WEB02], config_epoch=4, flags=frozenset({"o_down"}))
    text = side(other, "sentinels")
    assert "sentinel2 ✗ web02  epoch 4" in text
    assert "✗ they disagree" in plain(cluster.topology(other, 78))
    over = watched(state, "sentinel1", flags=frozenset({"master", "failover_in_progress"}))
    assert "FAILING OVER" in side(over, "sentinels")
    said = {"tilt": True, "quorum_ok": False, "quorum_text": "NOQUORUM 1"}
    sentinels = tuple(replace(one, sentinel=one.sentinel.map(lambda s: replace(s, **said))) for one in state.sentinels)
    tilted = replace(state, sentinels=sentinels)
    text = side(tilted, "sentinels")
    assert "✗ no quorum" in text
    assert "TILT" in text
    assert "NOQUORUM 1" in text


def test_a_sentinel_that_cannot_be_read_is_not_counted_as_agreeing():
    state = sets.sentinel_vip_set()
    silent = replace(state.sentinels[0], sentinel=unread(ProblemKind.TIMEOUT, "no answer in time", NOW))
    blind = replace(state, sentinels=(silent, *state.sentinels[1:]))
    assert "✗ no answer in time" in side(blind, "sentinels")
    assert "! 2 of 3 answer" in plain(cluster.topology(blind, 78))


# --- the read VIP ---------------------------------------------------------------------------------------------------


def with_servers(state, *servers):
    one = state.directors[0]
    service = one.services.map(lambda services: (replace(services[0], servers=servers),))
    return replace(state, directors=(replace(one, services=service), *state.directors[1:]))


def test_directors_show_who_holds_the_read_vip_and_the_table():
    text = side(sets.sentinel_vip_set(), "readers").splitlines()
    assert text[0] == "lb01  VIP  ✓ MASTER  IPVS rr, 3 real servers"
    assert text[1] == "  web02  weight 1, 1 active, 0 inactive, Route"
    assert text[-1] == "  the same table as lb01"


def test_readers_that_would_get_stale_data_are_marked():
    state = sets.sentinel_vip_set()
    link = state.node(sets.WEB03).redis.value.master
    stale = samples.with_redis(state, sets.WEB03, master=replace(link, up=False))
    assert "✗web03" in plain(cluster.topology(stale, 78))
    out = with_servers(state, RealServer(sets.ADDRESS[sets.WEB02], 6379, "Route", 0, 0, 3))
    assert "web02 (0)" in plain(cluster.topology(out, 78))
    assert "✗ no real server" in plain(cluster.topology(with_servers(state), 78))


def test_the_timeline_tells_what_watchers_change():
    before = sets.sentinel_vip_set()
    after = watched(before, "sentinel1", host=sets.ADDRESS[sets.WEB02], config_epoch=4)
    after = with_servers(after, *before.directors[0].services.value[0].servers[:2])
    told = {(event.subject, event.text) for event in tell(tell(None, before)[0], after)[1]}
    assert ("sentinel1", "names 10.18.14.72:6379 → 10.18.13.166:6379, epoch 4") in told
    assert ("lb01", "real server 10.18.14.80:6379: weight 1 → not in it") in told
    moved = sets.sentinel_consul_set()
    answer = replace(moved.consul, dns=read(DnsAnswer("redis.service.consul", (sets.ADDRESS[sets.APP01],)), NOW))
    told = [event.text for event in tell(tell(None, moved)[0], replace(moved, consul=answer))[1]]
    assert told == ["resolves to app02 → app01"]


# --- Consul ---------------------------------------------------------------------------------------------------------


def test_catalog_checks_dns_and_role_stand_side_by_side():
    state = sets.sentinel_consul_set()
    text = side(state, "consul")
    assert "✓ passing  app02  ✓ MASTER" in text
    assert "· not passing  app01  ✓ replica of app02  service:app01 critical" in text
    assert "DNS  192.168.3.2 = app02" in text
    assert "redis.service.consul to app02" in headline(state)


def test_a_name_that_leads_to_two_or_to_nobody_is_said_in_the_first_line():
    state = sets.sentinel_consul_set()
    both = tuple(sets.ADDRESS[one] for one in (sets.APP01, sets.APP02))
    for addresses, words in ((both, "✗ to 2"), ((), "✗ to no address")):
        dns = read(DnsAnswer("redis.service.consul", addresses), NOW)
        assert words in headline(replace(state, consul=replace(state.consul, dns=dns)))
    blind = unread(ProblemKind.TIMEOUT, "no answer in time", NOW)
    nothing = replace(state, consul=replace(state.consul, dns=blind, instances=blind))
    assert "? not known" in headline(nothing)
    assert "✗ catalog: no answer in time" in side(nothing, "consul")


def test_a_run_that_is_under_way_is_the_next_action():
    view = absorb(ClusterView(spec_of(samples.failed_over_pair())), samples.failed_over_pair(), NOW)
    assert "for the runbook one-shot-rebuild" in plain(cluster.headline(view, 78, 3))
    under_way = plain(cluster.headline(view, 78, 3, run="one-shot-rebuild"))
    assert "press b to go on with one-shot-rebuild, which is under way here" in under_way
    assert "for the runbook" not in under_way
