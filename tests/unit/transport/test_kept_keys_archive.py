"""Keys that are only in files, looked for in a real folder of runs; and the mark of a reminder that is dismissed."""

import json
from dataclasses import asdict

import pytest
from fakes import NOW
from past_runs import lines_of

from console.core.runs.past import past_run
from console.core.runs.past.kept_keys import counted_once
from console.core.runs.replays.order import ReplayOrder
from console.transport.journals import archive as module
from console.transport.journals.archive import FolderArchive
from console.transport.journals.journal_file import NAME

RUN = "20261121T074000Z-cache-resolve-dual-master-3f2a"


@pytest.fixture
def runs(tmp_path):
    """A run that has kept 20 keys, and one that has kept none."""
    for name in (RUN, "20261121T084000Z-cache-planned-switchover-77aa"):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).write_text("".join(lines_of(told_by(tmp_path / name))))
    file_of(tmp_path).write_text("")
    return tmp_path


def file_of(runs):
    return runs / RUN / "keys-of-redis-a.jsonl"


def told_by(folder, inventory="/home/ann/inventory.yaml", found="20 are"):
    opened = {"cluster": "cache", "runbook": "any", "steps": ["export"], "inventory": inventory}
    if "resolve-dual-master" not in str(folder):
        return [("opened", opened), ("closed", {"outcome": "done"})]
    path = folder / "keys-of-redis-a.jsonl"
    sent = f"SCAN, DUMP and PTTL here and on redis-b; what differs is written to {path}"
    text = f"looked at all 21 keys of redis-a: {found} not on redis-b; written to {path}"
    return [
        ("opened", opened),
        ("intent", {"verb": "export-differences", "planned": {"node": "redis-a", "command": {"sent": sent}}}),
        ("result", {"answer": {"kind": "done", "text": text}}),
        ("closed", {"outcome": "done"}),
    ]


def test_only_runs_with_such_a_file_are_read(runs, monkeypatch):
    read = []
    original = module.read_lines
    monkeypatch.setattr(module, "read_lines", lambda path: (read.append(path.parent.name), original(path))[1])
    (kept,) = FolderArchive(runs).kept_keys()
    assert (kept.run_id, kept.keys, kept.file) == (RUN, 20, str(file_of(runs)))
    assert read == [RUN]
    file_of(runs).unlink()
    read.clear()
    assert FolderArchive(runs).kept_keys() == ()
    assert read == [], "where no run has kept keys, status reads no journal"


def test_what_is_dismissed_is_not_named_again_and_the_file_stays(runs):
    archive = FolderArchive(runs)
    (kept,) = archive.kept_keys()
    archive.dismiss(kept, "ann@ops1")
    assert archive.kept_keys() == ()
    assert FolderArchive(runs).kept_keys() == (), "another console knows it, too"
    assert file_of(runs).exists()
    mark = file_of(runs).with_name("keys-of-redis-a.jsonl.dismissed")
    assert json.loads(mark.read_text())["operator"] == "ann@ops1"
    assert mark.stat().st_mode & 0o777 == 0o600
    mark.unlink()
    assert archive.kept_keys() == (kept,), "without the mark one is reminded again"


def test_nothing_is_said_of_a_laboratory_that_is_gone(runs, monkeypatch):
    monkeypatch.setattr(past_run, "_IN_MEMORY", str(runs))
    inventory = runs / "inventory.yaml"
    inventory.write_text("")
    (runs / RUN / NAME).write_text("".join(lines_of(told_by(runs / RUN, str(inventory)))))
    assert FolderArchive(runs).kept_keys()
    inventory.unlink()
    assert FolderArchive(runs).kept_keys() == ()


def test_a_key_in_two_files_is_counted_once(runs):
    other = RUN.replace("074000", "094000")
    (runs / other).mkdir()
    (runs / other / NAME).write_text("".join(lines_of(told_by(runs / other))).replace(RUN, other))
    line = '{"db": 0, "key_base64": "%s", "dump_base64": "", "pttl": 0}\n'
    file_of(runs).write_text(line % "YQ==" + line % "Yg==")
    (runs / other / "keys-of-redis-a.jsonl").write_text(line % "YQ==")
    archive = FolderArchive(runs)
    assert [one.repeated for one in archive.kept_keys()] == [1, 0]
    assert counted_once(archive.kept_keys()) == 39
    (runs / other / "keys-of-redis-a.jsonl").write_text("no line of an export\n")
    assert counted_once(archive.kept_keys()) == 40, "what cannot be read is not held against a key"


@pytest.mark.parametrize(
    ("other_value", "other_pttl", "settled"),
    [("QQ==", 0, True), ("Qg==", 0, False), ("QQ==", 900_000, False)],
    ids=["equal", "another value", "another expiry"],
)
def test_a_key_that_comes_back_from_one_file_is_settled_in_each_that_has_it_with_that_value(
    runs, other_value, other_pttl, settled
):
    other, line = (
        RUN.replace("074000", "094000"),
        '{"db": 0, "at": 1, "key_base64": "YQ==", "dump_base64": "%s", "pttl": %d}\n',
    )
    (runs / other).mkdir()
    for name, value, pttl in ((RUN, other_value, other_pttl), (other, "QQ==", 0)):
        (runs / name / NAME).write_text("".join(lines_of(told_by(runs / name, found="1 is"))))
        (runs / name / "keys-of-redis-a.jsonl").write_text(line % (value, pttl))
    order = ReplayOrder("cache", other, "redis-a", str(runs / other / "keys-of-redis-a.jsonl"))
    told = [
        ("opened", {"cluster": "cache", "runbook": "replay", "steps": [], "replays": asdict(order)}),
        ("intent", {"step": 1, "verb": "bring-keys", "lines": "1", "planned": {"node": "redis-b"}}),
        ("result", {"step": 1, "answer": {"kind": "done"}}),
        ("closed", {"outcome": "done", "keys": {"chosen": 1, "brought": 1, "left": {}, "lines": {}}}),
    ]
    replay = runs / "20261121T104000Z-cache-replay-5c5c"
    replay.mkdir()
    (replay / NAME).write_text("".join(lines_of(told, NOW + 60)))
    archive = FolderArchive(runs)
    assert [one.run_id for one in archive.kept_keys()] == ([] if settled else [RUN])
    assert {file[0]: fate.keys_left(1) for file, fate in archive.fates_of_files().items()} == (
        {RUN: 0, other: 0} if settled else {other: 0}
    )
