"""`inventory` and `runbooks`: check, list, show, schema; and the reference that is written from the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli.context import Adapters
from console.cli.documents.runbook_text import reference
from console.cli.main import run

ROOT = Path(__file__).parents[3]


def never(*_: object, **__: object) -> None:
    raise AssertionError("documents are read without looking at a server")


def call(capsys, *arguments: str) -> tuple[int, str, str]:
    code = run(arguments, Adapters(clock=never, inspector=never, run_starter=never, run_app=never))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_inventory_check_says_everything_that_is_wrong(capsys, tmp_path):
    good, bad = ROOT / "inventory.example.yaml", tmp_path / "bad.yaml"
    assert call(capsys, "inventory", "check", str(good))[0] == 0
    assert call(capsys, "inventory", "check", "-i", str(good))[0] == 0
    text = good.read_text().replace("sudo: true", "sudo: 1").replace("kind: keepalived", "kind: none")
    bad.write_text(text)
    code, out, err = call(capsys, "inventory", "check", str(bad))
    assert (code, out) == (1, "")
    assert [line.split(": ")[1] for line in err.splitlines()] == ["defaults.ssh.sudo", "clusters[0].kind"]


@pytest.mark.parametrize("document", ["inventory", "runbooks"])
def test_schemas_are_json_schema(capsys, document):
    code, out, _ = call(capsys, document, "schema")
    assert code == 0
    assert json.loads(out)["type"] == "object"


def test_runbooks_are_listed_shown_and_checked(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_HA_INVENTORY", raising=False)
    assert "one-shot-rebuild" in call(capsys, "runbooks", "list")[1]
    shown = call(capsys, "runbooks", "show", "one-shot-rebuild")[1]
    assert "== 9/18 replicate: Make the returning node a replica of the survivor" in shown
    assert call(capsys, "runbooks", "check")[0] == 0
    code, _, err = call(capsys, "runbooks", "show", "one-shot")
    assert (code, err) == (2, "redis-ha-console: there is no runbook one-shot; did you mean one-shot-rebuild?\n")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\n")
    code, _, err = call(capsys, "runbooks", "check", str(wrong))
    assert code == 1
    assert f"{wrong}:1: name: is missing" in err.splitlines()


def test_a_file_that_is_wrong_is_named_where_runbooks_are_listed(capsys, tmp_path):
    inventory, own = tmp_path / "inventory.yaml", tmp_path / "runbooks"
    inventory.write_bytes((ROOT / "inventory.example.yaml").read_bytes())
    own.mkdir()
    (own / "bad.yaml").write_text("version: 1\n")
    shipped = (ROOT / "runbooks" / "one-shot-rebuild.yaml").read_text()
    (own / "same.yaml").write_text(shipped)
    (own / "sound.yaml").write_text(shipped.replace("name: one-shot-rebuild", "name: sound", 1))
    code, out, err = call(capsys, "runbooks", "list", "-i", str(inventory))
    listed = {line.split()[0]: line for line in out.splitlines()}
    assert code == 0
    assert {"one-shot-rebuild", "sound"} <= set(listed)
    assert "cannot be used" in listed["bad.yaml"]
    assert "cannot be used" in listed["same.yaml"]
    named = [line.split(" ")[1] for line in err.splitlines()]
    assert named == [f"{own / 'bad.yaml'}:1:", f"{own / 'same.yaml'}:1:"]
    code, out, err = call(capsys, "runbooks", "show", "sound", "-i", str(inventory))
    assert code == 0
    assert len(err.splitlines()) == len(named)
    code, out, err = call(capsys, "runbooks", "check", "-i", str(inventory))
    assert code == 1
    assert f"{own / 'bad.yaml'}:1: title: is missing" in err
    assert f"{own / 'same.yaml'}:1: name: one-shot-rebuild is the name of a shipped runbook" in err
    assert call(capsys, "runbooks", "check", str(own / "same.yaml"))[0] == 1
    assert call(capsys, "runbooks", "check", str(own / "sound.yaml"))[0] == 0


def test_the_reference_is_written_from_the_code():
    written = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    assert written == reference(), "write it again: redis-ha-console runbooks vocabulary > docs/runbooks.md"


def test_the_findings_are_written_from_the_code(capsys):
    written = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    assert written == call(capsys, "findings", "--format", "markdown")[1], (
        "write it again: redis-ha-console findings --format markdown > docs/findings.md"
    )


def test_one_finding_is_explained(capsys):
    code, out, _ = call(capsys, "findings", "vip-duplicate")
    assert code == 0
    assert out.startswith(
        "vip-duplicate (critical)\n  Several nodes hold the virtual IP at once.\n  why:  Some clients"
    )
    code, _, err = call(capsys, "findings", "vip-duplicat")
    assert (code, err) == (2, "redis-ha-console: there is no finding vip-duplicat; did you mean vip-duplicate?\n")


def test_the_hazards_are_written_from_the_code(capsys):
    written = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
    assert written == call(capsys, "hazards", "--format", "markdown")[1], (
        "write it again: redis-ha-console hazards --format markdown > docs/hazards.md"
    )


def test_one_hazard_is_explained(capsys):
    code, out, _ = call(capsys, "hazards", "H03")
    assert code == 0
    assert "overridden by typing: I accept that NODE loses what SOURCE does not have" in out
    assert call(capsys, "hazards", "H99")[0] == 2
