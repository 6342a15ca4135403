"""Commands on an inventory of several files."""

from __future__ import annotations

from pathlib import Path

import fakes
import pytest
import samples

from console.cli.context import Adapters, CliContext
from console.cli.main import run

NODES = "nodes: [{name: redis-a, address: 10.0.0.1}, {name: redis-b, address: 10.0.0.2}]"
LOCKED = NODES.replace("}]", ", redis: {password: {env: A_VARIABLE_THAT_IS_NOT_SET}}}]")


def text(name: str, nodes: str = NODES) -> str:
    return f"version: 1\nclusters:\n  - {{name: {name}, kind: keepalived, vip: 10.0.0.3, {nodes}}}\n"


def never(*_: object, **__: object) -> None:
    raise AssertionError("it only looks")


LOOKS = Adapters(
    clock=fakes.FakeClock,
    inspector=lambda *_, **__: fakes.FakeInspector(samples.healthy_pair),
    run_starter=never,
    run_app=never,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`inventory.d` in the working folder, with no `inventory.yaml` beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("REDIS_HA_INVENTORY", raising=False)
    (tmp_path / "inventory.d").mkdir()
    (tmp_path / "inventory.d" / "a.yaml").write_text(text("cache"))
    return tmp_path / "inventory.d"


def test_the_folder_is_found_with_and_without_the_file_beside_it(folder, capsys):
    assert run(["inventory", "check"], LOOKS) == 0
    assert capsys.readouterr().out == "inventory.d/a.yaml: 1 cluster (cache), 2 nodes: nothing wrong\n"
    (folder.parent / "inventory.yaml").write_text(text("sessions").replace("10.0.0.", "10.0.1."))
    assert run(["inventory", "check"], LOOKS) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (first, second.split(":")[0]) == (
        "inventory.yaml: 1 cluster (sessions), 2 nodes: nothing wrong",
        "inventory.d/a.yaml",
    )


def test_check_says_what_is_wrong_with_every_file(folder, capsys):
    (folder / "b.yaml").write_text(text("cache").replace("version: 1", "version: 2"))
    (folder / "c.yaml").write_text("version: 1\n")
    assert run(["inventory", "check"], LOOKS) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["inventory.d/b.yaml", "inventory.d/c.yaml", "inventory.d/a.yaml"]
    assert "there is another cluster cache in inventory.d/b.yaml:3" in lines[2]


def test_a_cluster_of_a_broken_file_is_said_to_be_perhaps_in_it(folder, capsys):
    (folder / "b.yaml").write_text("version: 1\nclusters: [")
    assert run(["status", "sessions"], LOOKS) == 3
    error = capsys.readouterr().err
    assert "inventory.d has no cluster sessions" in error
    assert "it may be in a file that cannot be used: inventory.d/b.yaml:3: is not YAML" in error


def test_the_screen_shows_a_cluster_without_its_password_as_unusable(folder):
    (folder / "b.yaml").write_text(text("sessions", LOCKED))
    context = CliContext(LOOKS)
    inventory = context.console_context().inventory
    assert [one.name for one in inventory.clusters] == ["cache"]
    (unusable,) = inventory.unusable
    assert unusable.name == "sessions"
    assert "A_VARIABLE_THAT_IS_NOT_SET is not set" in unusable.problems[0]
