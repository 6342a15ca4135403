"""Long names and addresses on the cards: the address is whole, and names can be told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import samples

from console.tui.present.clusters.cards import cards
from console.tui.present.formatting import told_apart

NAMES = [
    ("redis-a", "redis-b"),
    ("prod-cache-eu-west-1a-redis-01", "prod-cache-eu-west-1b-redis-01"),
    ("cache-berlin-redis-01.example.net", "cache-paris-redis-01.example.net"),
    ("a" * 60 + "1", "a" * 60 + "2"),
    ("1" + "a" * 60, "2" + "a" * 60),
]
ADDRESSES = [
    ("10.0.0.1", "10.0.0.2"),
    ("2001:db8:1234:5678:9abc:def0:1234:5671", "2001:db8:1234:5678:9abc:def0:1234:5672"),
]


@pytest.mark.parametrize("width", [77, 78, 100, 118, 168])
@pytest.mark.parametrize("addresses", ADDRESSES, ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0][:20])
def test_a_card_has_the_whole_address_and_a_name_that_no_other_card_has(names, addresses, width):
    pair = samples.healthy_pair()
    nodes = tuple(
        replace(node, name=name, address=address)
        for node, name, address in zip(pair.nodes, names, addresses, strict=True)
    )
    drawn = cards(replace(pair, nodes=nodes), samples.NOW, width, 11)
    each = (width - 1) // 2
    tops = [drawn[0].plain[:each], drawn[0].plain[each + 1 : 2 * each + 1]]
    for at, (name, address) in enumerate(zip(names, addresses, strict=True)):
        card = [one.plain[at * (each + 1) :][:each] for one in drawn]
        assert all(len(one) == each for one in card)
        inside = "".join(one[2:-2].strip() for one in card[1:4])
        assert address in tops[at] or address in inside
        assert tops[at].endswith(("─╮", "VIP╮")), "the border and the badge are whole"
        shown = tops[at].split()[1]
        assert shown == name or "…" in shown
    assert tops[0].split()[1] != tops[1].split()[1]


def test_a_name_is_cut_where_it_can_be_told_from_the_others():
    names = ("eu-west-1a-redis-01", "eu-west-1b-redis-01", "eu-west-1a-redis-02")
    for room in range(14, 19):
        cut = {told_apart(one, names, room) for one in names}
        assert len(cut) == 3
        assert all(len(one) <= room for one in cut)
    assert told_apart("redis-a", names, 7) == "redis-a"
    assert all(len(told_apart(names[0], names, room)) <= max(1, room) for room in range(-3, 19))
