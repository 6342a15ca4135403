"""One cluster that is wrong disables no other one, whatever is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.documents.errors import DocumentError
from console.documents.inventories.cache import cached_inventory
from console.documents.inventories.files import load_usable_files
from console.documents.inventories.inventory import inventory_of
from console.documents.inventories.usable import usable_inventory_of
from console.documents.yaml_text import Document, parse_document

FIRST = 3
"""The line of the first cluster."""


def cluster(number: int, *, name: str = "") -> list[str]:
    """The lines of a sound cluster."""
    net = f"10.0.{number}"
    return [
        f"  - name: {name or f'c{number}'}",
        "    kind: keepalived",
        f"    vip: {net}.100",
        "    nodes:",
        f"      - {{name: a, address: {net}.1}}",
        f"      - {{name: b, address: {net}.2}}",
    ]


FAULTS = (
    ("kind: keepalived", "kind: none"),
    ("kind: keepalived", "kidn: keepalived"),
    ("kind: keepalived", "kind: sentinel-vip"),
    ("vip: 10", "vip: x10"),
    ("vip: 10", "vpi: 10"),
    ("{name: b,", "{name: a,"),
    ("{name: b,", "{name: b, colour: red,"),
    ("{name: b,", "{name: b, redis: {password: secret},"),
    ("    nodes:", "    quiet_hours: [nonsense]\n    nodes:"),
    ("    nodes:", "    timezone: Europe/Berlin\n    nodes:"),
    ("    nodes:", "    kind: keepalived\n    nodes:"),
    ("    nodes:", "    <<: 7\n    nodes:"),
    ("    nodes:", "    tags: !!python/name:os.system x\n    nodes:"),
    ("    nodes:", "    tags: *nowhere\n    nodes:"),
    ("    nodes:", "    [a]: b\n    nodes:"),
    ("    nodes:", f"    tags: {'[' * 50}{']' * 50}\n    nodes:"),
    ("    nodes:", "    tags: &a [*a]\n    nodes:"),
)


def document(clusters: list[list[str]]) -> Document:
    lines = ["version: 1", "clusters:", *(line for one in clusters for line in one)]
    return parse_document(Path("inventory.yaml"), "\n".join(lines) + "\n", apart="clusters")


def with_fault(lines: list[str], fault: int) -> list[str]:
    old, new = FAULTS[fault]
    text = "\n".join(lines)
    assert old in text
    return text.replace(old, new, 1).splitlines()


@given(st.lists(st.none() | st.integers(0, len(FAULTS) - 1), min_size=2, max_size=5))
def test_the_sound_ones_can_be_used_and_the_others_are_named_with_their_lines(faults):
    written = [cluster(at) if fault is None else with_fault(cluster(at), fault) for at, fault in enumerate(faults)]
    whole = document(written)
    sound = {f"c{at}" for at, fault in enumerate(faults) if fault is None}
    inventory = usable_inventory_of(whole)
    assert {one.name for one in inventory.clusters} == sound
    assert {one.name for one in inventory.unusable} == {f"c{at}" for at in range(len(faults))} - sound
    for one in inventory.unusable:
        at = int(one.name[1:])
        begins = FIRST + sum(map(len, written[:at]))
        for problem in one.problems:
            line = int(problem.split(":")[1])
            assert begins <= line < begins + len(written[at]), problem
            assert f" clusters[{at}]" in problem
            assert "secret" not in problem
    if len(sound) == len(faults):
        assert inventory == inventory_of(whole)
    else:
        with pytest.raises(DocumentError):
            inventory_of(whole)


def test_of_two_with_one_name_neither_can_be_used():
    inventory = usable_inventory_of(document([cluster(0), cluster(1, name="c0"), cluster(2)]))
    assert [one.name for one in inventory.clusters] == ["c2"]
    assert [one.problems[0].split(": ")[1] for one in inventory.unusable] == ["clusters[0].name", "clusters[1].name"]


def test_the_address_of_a_node_is_known_also_where_its_cluster_is_wrong():
    other = [line.replace("10.0.1.100", "10.0.0.1") for line in cluster(1)]
    inventory = usable_inventory_of(document([with_fault(cluster(0), 0), other, cluster(2)]))
    assert [one.name for one in inventory.clusters] == ["c2"]
    assert "10.0.0.1 is a node's own address" in inventory.unusable[1].problems[0]


@pytest.mark.parametrize("name", ["[]", "''", "a b", '"\\e[31m"', "12"])
def test_one_without_a_usable_name_is_named_by_its_place(name):
    inventory = usable_inventory_of(document([cluster(0), cluster(1, name=name)]))
    assert [one.name for one in inventory.unusable] == ["clusters[1]"]


def test_what_is_wrong_outside_of_the_clusters_refuses_the_whole():
    lines = ["version: 1", "defaults: {ssh: {sudo: 1}}", "clusters:", *cluster(0), *cluster(1)]
    with pytest.raises(DocumentError, match=r":2: defaults\.ssh\.sudo"):
        usable_inventory_of(parse_document(Path("inventory.yaml"), "\n".join(lines)))


def test_a_file_that_is_wrong_outside_of_a_cluster_that_cannot_be_read_says_what():
    lines = ["version: 1", "defaults: {ssh: {sudo: 1}}", "clusters:", *cluster(0), "  - {name: a, name: b}"]
    with pytest.raises(DocumentError, match=r":2: defaults\.ssh\.sudo"):
        usable_inventory_of(parse_document(Path("inventory.yaml"), "\n".join(lines), apart="clusters"))


def test_too_many_values_of_one_cluster_are_not_counted_for_the_next():
    bomb = ["  - name: bomb", f"    tags: [&a [{'x, ' * 999}x], {', '.join(['*a'] * 200)}]"]
    inventory = usable_inventory_of(document([cluster(0), bomb, cluster(1)]))
    assert [one.name for one in inventory.clusters] == ["c0", "c1"]
    assert [one.name for one in inventory.unusable] == ["bomb"]
    assert "too many values" in inventory.unusable[0].problems[0]


def test_what_is_unusable_is_remembered_too(tmp_path):
    path = tmp_path / "inventory.yaml"
    path.write_text("\n".join(["version: 1", "clusters:", *cluster(0), *with_fault(cluster(1), 0)]))
    first = cached_inventory(path, tmp_path / "cache")
    assert first == cached_inventory(path, tmp_path / "cache") == load_usable_files(path)
    assert [one.name for one in first.unusable] == ["c1"]


@pytest.mark.parametrize(
    ("own", "tags"),
    [
        ("", ("prod",)),
        ("    tags: [site:berlin]\n", ("prod", "site:berlin")),
        ("    tags: null\n", ()),
        ("    tags: [two words]\n", None),
        ("    tags: prod\n", None),
        ("    tags: [1]\n", None),
    ],
)
def test_the_tags_of_a_wrong_one_are_known_where_they_are_right(tmp_path, own, tags):
    wrong = "\n".join(cluster(2)).replace("kind: keepalived", "kind: none").replace("    nodes:", f"{own}    nodes:")
    lines = ["version: 1", "defaults: {tags: [prod]}", "clusters:", *cluster(1), *wrong.splitlines()]
    path = tmp_path / "inventory.yaml"
    path.write_text("\n".join(lines))
    for _ in ("checked", "remembered"):
        inventory = cached_inventory(path, tmp_path / "cache")
        assert [one.tags for one in inventory.clusters] == [("prod",)]
        assert [one.tags for one in inventory.unusable] == [tags]
