"""An inventory of several files: each is valid by itself, and one that is wrong disables its own clusters only."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.documents.errors import DocumentError
from console.documents.inventories import files as joining
from console.documents.inventories.cache import cached_inventory
from console.documents.inventories.files import check_files, load_usable_files
from console.documents.inventories.paths import runbook_folder


def text(number: int, *, name: str = "", defaults: str = "", kind: str = "keepalived", vip: str = "") -> str:
    """A sound file with one cluster."""
    net = f"10.0.{number}"
    return (
        f"version: 1\n{defaults}clusters:\n  - name: {name or f'c{number}'}\n    kind: {kind}\n"
        f"    vip: {vip or f'{net}.100'}\n    nodes: [{{name: a, address: {net}.1}}, {{name: b, address: {net}.2}}]\n"
    )


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """`inventory.yaml` with the cluster c1, and an empty `inventory.d`."""
    (tmp_path / "inventory.d").mkdir()
    path = tmp_path / "inventory.yaml"
    path.write_text(text(1))
    return path


def write(main: Path, **files: str) -> None:
    for name, content in files.items():
        (main.parent / "inventory.d" / f"{name}.yaml").write_text(content)


def names(inventory) -> list[str]:
    return [one.name for one in inventory.clusters]


def test_the_files_are_joined_in_the_order_of_their_names(main):
    write(main, b=text(2), a=text(3), c=text(4))
    for ignored in (".hidden.yaml", "a.yaml~", "README.md", "a.yaml.rpmsave"):
        (main.parent / "inventory.d" / ignored).write_text("not: [an inventory")
    (main.parent / "inventory.d" / "d.yml").write_text(text(5))
    assert names(load_usable_files(main)) == ["c1", "c3", "c2", "c4", "c5"]
    assert [names(one) for one in check_files(main)] == [["c1"], ["c3"], ["c2"], ["c4"], ["c5"]]


def test_a_folder_is_an_inventory_too(main):
    write(main, b=text(2), a=text(3))
    folder = main.parent / "inventory.d"
    assert names(load_usable_files(folder)) == ["c3", "c2"]
    assert load_usable_files(folder).path == str(folder)
    assert (runbook_folder(folder), runbook_folder(main)) == (main.parent, main.parent)
    assert runbook_folder(main.parent) == main.parent


def test_a_folder_without_a_file_gets_one_line(main):
    with pytest.raises(DocumentError, match=r"inventory.d: has no file \*.yaml"):
        load_usable_files(main.parent / "inventory.d")


def test_each_file_has_its_own_defaults_and_its_own_folder(main):
    write(main, a=text(2, defaults="defaults: {tags: [prod], ssh: {user: ops, identity_file: key}}\n"))
    inventory = load_usable_files(main)
    assert (inventory.cluster("c1").tags, inventory.cluster("c2").tags) == ((), ("prod",))
    ssh = inventory.cluster("c2").nodes[0].ssh
    assert (ssh.user, ssh.identity_file) == ("ops", str(main.parent / "inventory.d" / "key"))
    assert inventory.cluster("c1").nodes[0].ssh.user == ""


BROKEN = {
    "no version": text(9).replace("version: 1\n", ""),
    "no yaml": "version: 1\nclusters: [",
    "empty": "",
    "wrong defaults": text(9, defaults="defaults: {ssh: {user: 1}}\n"),
    "two documents": f"{text(9)}---\n{text(8)}",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_wrong_as_a_whole_is_named_once_and_disables_only_itself(main, broken):
    write(main, a=text(2), b=broken, c=text(3))
    inventory = load_usable_files(main)
    assert names(inventory) == ["c1", "c2", "c3"]
    (unusable,) = inventory.unusable
    assert (unusable.name, unusable.is_file, unusable.tags) == ("b.yaml", True, None)
    assert all(str(main.parent / "inventory.d" / "b.yaml") in one for one in unusable.problems)
    with pytest.raises(DocumentError) as caught:
        check_files(main)
    assert caught.value.problems == unusable.problems


def test_the_file_beside_the_folder_can_be_the_wrong_one(main):
    main.write_text("version: 2\n")
    write(main, a=text(2))
    assert names(load_usable_files(main)) == ["c2"]
    main.unlink()
    inventory = load_usable_files(main)
    assert names(inventory) == ["c2"]
    assert inventory.unusable[0].problems == (f"{main}: does not exist",)


def test_a_wrong_cluster_is_named_by_its_name_also_where_its_file_has_no_other(main):
    write(main, a=text(2, kind="none"))
    (unusable,) = load_usable_files(main).unusable
    assert (unusable.name, unusable.is_file) == ("c2", False)
    assert "a.yaml:4: clusters[0].kind" in unusable.problems[0]


def test_a_name_in_two_files_is_one_line_that_names_both(main):
    write(main, a=text(2, name="c1"), b=text(3), c=text(4, name="c1", kind="none"))
    inventory = load_usable_files(main)
    assert names(inventory) == ["c3"]
    (unusable,) = inventory.unusable
    folder = main.parent / "inventory.d"
    (problem,) = unusable.problems
    assert unusable.name == "c1"
    assert problem.startswith(
        f"{main}:3: there is another cluster c1 in {folder / 'a.yaml'}:3 and {folder / 'c.yaml'}:3;"
    )
    with pytest.raises(DocumentError) as caught:
        check_files(main)
    assert problem in caught.value.problems


def test_a_node_of_another_file_is_no_virtual_ip(main):
    write(main, a=text(2, vip="10.0.1.1"), b=text(3))
    inventory = load_usable_files(main)
    assert names(inventory) == ["c1", "c3"]
    assert "10.0.1.1 is a node's own address" in inventory.unusable[0].problems[0]
    with pytest.raises(DocumentError, match="is a node's own address"):
        check_files(main)


def test_where_nothing_can_be_used_everything_is_said(main):
    main.write_text("version: 2\n")
    write(main, a="", b=text(2, kind="none"))
    with pytest.raises(DocumentError) as caught:
        load_usable_files(main)
    said = "\n".join(caught.value.problems)
    assert all(f"{name}:" in said for name in (main, main.parent / "inventory.d/a.yaml", "inventory.d/b.yaml"))


def test_a_folder_that_cannot_be_listed_gets_one_line(main, monkeypatch):
    def forbidden(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(DocumentError, match=r"inventory\.d: cannot be listed: Permission denied"):
        load_usable_files(main)


@given(st.lists(st.sampled_from(["sound", "cluster", "file"]), min_size=1, max_size=5))
def test_any_mix_of_sound_and_wrong_files_gives_the_sound_ones(tmp_path_factory, states):
    folder = tmp_path_factory.mktemp("fleet")
    contents = {"sound": text, "cluster": lambda number: text(number, kind="none"), "file": lambda _: "version: 3\n"}
    for number, state in enumerate(states):
        (folder / f"{number}.yaml").write_text(contents[state](number))
    sound = [f"c{number}" for number, state in enumerate(states) if state == "sound"]
    if not sound:
        with pytest.raises(DocumentError):
            load_usable_files(folder)
        return
    inventory = load_usable_files(folder)
    assert names(inventory) == sound
    assert len(inventory.unusable) == len(states) - len(sound)


def test_it_is_remembered_until_one_of_the_files_changes(main, tmp_path, monkeypatch):
    write(main, a=text(2), b="version: 3\n")
    checked, cache = load_usable_files(main), tmp_path / "cache"
    assert cached_inventory(main, cache) == checked
    with monkeypatch.context() as never:
        never.setattr(joining, "load_usable_files", None)
        assert cached_inventory(main, cache) == checked
    write(main, a=text(5))
    assert names(cached_inventory(main, cache)) == ["c1", "c5"]
    write(main, c=text(6))
    assert names(cached_inventory(main, cache)) == ["c1", "c5", "c6"]
    (main.parent / "inventory.d" / "a.yaml").unlink()
    assert names(cached_inventory(main, cache)) == ["c1", "c6"]
