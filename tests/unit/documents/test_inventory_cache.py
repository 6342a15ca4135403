"""A remembered inventory is the checked one, and only as long as nothing that it was made from has changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from console.documents.errors import DocumentError
from console.documents.inventories import cache
from console.documents.inventories import files as checking
from console.documents.inventories.cache import cached_inventory
from console.documents.inventories.inventory import load_inventory

EXAMPLE = (Path(__file__).parents[3] / "inventory.example.yaml").read_text(encoding="utf-8")
RICH = (
    re.sub(r"(?m)^  # ", "  ", EXAMPLE)  # the section of the Sentinels
    .replace("    # tls:", "    tls:")
    .replace("    # aliases:", "    aliases:")
    .replace("# via: ssh", "via: ssh")
    .replace("# - {name: sentinel4", "- {name: sentinel4")
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "inventory.yaml"
    path.write_text(RICH)
    return path


def test_it_is_the_same_as_the_checked_one(file, tmp_path, monkeypatch):
    checked = load_inventory(file)
    assert cached_inventory(file, tmp_path / "cache") == checked
    monkeypatch.setattr(checking, "load_usable_files", None)
    assert cached_inventory(file, tmp_path / "cache") == checked
    (remembered,) = (tmp_path / "cache").iterdir()
    assert remembered.stat().st_mode & 0o077 == 0


def test_a_change_is_seen(file, tmp_path):
    cached_inventory(file, tmp_path / "cache")
    file.write_text(RICH.replace("192.168.100.202", "192.168.100.203"))
    assert cached_inventory(file, tmp_path / "cache").clusters[0].nodes[1].address == "192.168.100.203"
    file.write_text("version: 2\n")
    with pytest.raises(DocumentError):
        cached_inventory(file, tmp_path / "cache")
    file.unlink()
    with pytest.raises(DocumentError, match="does not exist"):
        cached_inventory(file, tmp_path / "cache")


@pytest.mark.parametrize("damage", ["", "[]", "{}", "not json", "\x00"])
def test_damage_means_checking_again(file, tmp_path, damage):
    checked = cached_inventory(file, tmp_path / "cache")
    (place,) = (tmp_path / "cache").iterdir()
    place.write_text(damage)
    assert cached_inventory(file, tmp_path / "cache") == checked


def test_a_folder_that_cannot_be_written_is_no_error(file, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert cached_inventory(file, tmp_path / "cache") == load_inventory(file)


def test_what_is_kept_of_inventories_that_are_gone_goes_some_at_a_time(file, tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    gone = []
    for number in range(5):
        other = tmp_path / f"other{number}.yaml"
        other.write_text(RICH)
        before = set(folder.iterdir()) if folder.exists() else set()
        cached_inventory(other, folder)
        gone += set(folder.iterdir()) - before
        other.unlink()
        monkeypatch.setattr(cache, "_LOOKED_AT", 0)
    old = json.loads(gone[0].read_text())
    gone[0].write_text(json.dumps({"key": old["key"], "inventory": old["inventory"]}))  # as older versions wrote it
    (folder / "note.json").write_text("mine")
    monkeypatch.setattr(cache, "_LOOKED_AT", 3)
    cached_inventory(file, folder)
    assert 2 <= len([one for one in gone if one.exists()]) <= 3, "the bound: three of six are looked at"
    monkeypatch.setattr(cache, "_LOOKED_AT", 300)
    file.write_text(RICH + "\n")
    cached_inventory(file, folder)
    assert not [one for one in gone if one.exists()]
    assert (folder / "note.json").exists()
    assert len(list(folder.iterdir())) == 2, "what is there is kept"


def test_nothing_is_kept_of_an_inventory_of_a_laboratory(tmp_path):
    with TemporaryDirectory(dir="/dev/shm") as lab:
        path = Path(lab) / "inventory.yaml"
        path.write_text(RICH)
        assert cached_inventory(path, tmp_path / "cache").clusters
    assert not (tmp_path / "cache").exists()
