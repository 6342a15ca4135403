"""`plan`, `run` and `runs` as they are called."""

from __future__ import annotations

import json

import pytest
import samples
from fakes import NOW, A, FakeClock, FakeInspector, Pair, Stage

from console.cli.context import Adapters
from console.cli.main import run
from console.transport.journals.archive import FolderArchive
from console.transport.journals.journal_file import open_journal

INVENTORY = """
version: 1
clusters:
  - name: cache
    kind: keepalived
    vip: 192.168.100.123
    nodes:
      - {name: redis-a, address: 192.168.100.201}
      - {name: redis-b, address: 192.168.100.202}
"""


@pytest.fixture
def call(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY)

    def call(*arguments, state=None, pair=None):
        pair = pair or Pair(state or samples.failed_over_pair())
        adapters = Adapters(
            clock=FakeClock,
            inspector=lambda *_, **__: FakeInspector(pair.look),
            run_starter=lambda *_: pytest.fail("nothing is armed here"),
            run_app=lambda *_, **__: pytest.fail("no screen here"),
            archive=FolderArchive,
        )
        code = run(["-i", str(file), *arguments], adapters)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_plan_that_could_start(call):
    code, out, _ = call("plan", "one-shot-rebuild", "cache")
    assert code == 0
    assert out.rstrip().endswith("plan: could start")
    assert "    SLAVEOF 192.168.100.201 6379" in out
    assert "    systemctl stop keepalived" in out
    assert "from 139 to 137" in out
    assert 'asks for the name "redis-b" to be typed' in out


def test_a_plan_that_is_blocked(call):
    code, out, _ = call(
        "plan", "one-shot-rebuild", "cache", state=samples.with_redis(samples.stale_master_back(), A, keys={})
    )
    assert code == 1
    assert out.rstrip().endswith("plan: blocked at step 9")


def test_a_plan_whose_roles_find_no_node_says_how_to_choose(call):
    code, out, _ = call("plan", "one-shot-rebuild", "cache", state=samples.fresh_pair())
    assert code == 1
    assert "--bind survivor=NODE (redis-a or redis-b)" in out
    code, out, _ = call("plan", "one-shot-rebuild", "cache", "--bind", "survivor=redis-b", state=samples.fresh_pair())
    assert code == 0, out


def test_a_plan_as_json(call):
    code, out, _ = call("plan", "one-shot-rebuild", "cache", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["roles"] == {"survivor": "redis-a", "returning": "redis-b"}
    replicate = next(step for step in found["steps"] if step["id"] == "replicate")
    assert replicate["commands"][0]["text"] == "SLAVEOF 192.168.100.201 6379"
    assert {check["verdict"] for check in replicate["checks"]} <= {"holds", "fails", "unknown"}
    assert found["not_proved"]
    code, out, _ = call("plan", "one-shot-rebuild", "cache", "--format", "json", state=samples.fresh_pair())
    assert code == 1
    unbound = json.loads(out)
    assert unbound["unbound"]["role"] == "survivor"
    assert [one["id"] for one in unbound["steps"]] == [one["id"] for one in found["steps"]]
    assert {one["prospect"] for one in unbound["steps"]} == {"cannot be judged yet: no node is survivor"}
    code, out, _ = call("plan", "one-shot-rebuild", "cache", state=samples.fresh_pair())
    assert out.count("cannot be judged yet: no node is survivor") == len(found["steps"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one-shot-rebiuld", "cache"), "one-shot-rebuild"),
        (("one-shot-rebuild", "cash"), "no cluster cash"),
        (("one-shot-rebuild", "cache", "--bind", "survivor"), "write ROLE=NODE"),
        (("one-shot-rebuild", "cache", "--bind", "boss=redis-a"), "no role boss"),
        (("one-shot-rebuild", "cache", "--bind", "survivor=redis-x"), "no node redis-x"),
    ],
)
def test_a_wrong_call_is_one_line_and_neither_yes_nor_no(call, arguments, words):
    code, out, err = call("plan", *arguments)
    assert code == 3
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_a_run_needs_a_terminal(call):
    code, out, err = call("run", "one-shot-rebuild", "cache", "--plain")
    assert code == 2
    assert out == ""
    assert err.startswith("redis-ha-console: a run needs a terminal: answers cannot be piped in;")
    assert len(err.splitlines()) == 1


# --- runs ------------------------------------------------------------------------------------------------------------

RUN = "20261121T034000Z-cache-one-shot-rebuild-3f2a"


@pytest.fixture
def recorded(tmp_path):
    """A whole run in a journal on disk."""
    journal = open_journal(tmp_path / "state" / "redis-ha-console" / "runs", RUN, lambda: NOW)
    stage = Stage(journal=journal)
    stage.run()
    return tmp_path / "state" / "redis-ha-console" / "runs" / RUN / "journal.jsonl"


def test_runs_are_listed_shown_and_verified(call, recorded):
    title, line = call("runs", "list")[1].splitlines()
    assert title.split() == ["run", "cluster", "runbook", "operator", "began", "outcome"]
    assert line.split()[:3] == [RUN, "cache", "one-shot-rebuild"]
    assert line.split()[-3:] == ["2026-11-21", "07:40:00Z", "done"]
    assert call("runs", "list", "--cluster", "other")[:2] == (0, "")
    (run,) = json.loads(call("runs", "list", "--format", "json", "--cluster", "cache")[1])["runs"]
    assert (run["run"], run["outcome"], run["standing"], run["unanswered"]) == (RUN, "done", "closed", [])
    shown = call("runs", "show", "3f2a")[1]
    assert "intent    step 9: redis-b> SLAVEOF 192.168.100.201 6379" in shown
    assert "decided   step 9: run, typed 'redis-b' (asked: type-name)" in shown
    code, out, _ = call("runs", "verify", RUN)
    assert code == 0
    assert "each fits the one before; closed" in out


def test_a_changed_journal_is_found_out(call, recorded):
    lines = recorded.read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace("redis-b", "redis-x")
    recorded.write_text("".join(lines))
    code, _, err = call("runs", "verify", RUN)
    assert code == 1
    assert "line 4: it was changed after it was written" in err
    assert "journal broken at line 4" in call("runs", "list")[1]


def test_a_report_says_what_the_journal_says(call, recorded):
    code, out, _ = call("runs", "report", RUN)
    assert code == 0
    assert f"# Run {RUN}" in out
    assert "- outcome: done\n" in out
    assert "| intent | step 9: redis-b> SLAVEOF 192.168.100.201 6379 |" in out
    assert f"redis-b:{samples.BACKUP_PATH}\n\n- 5,200,000 bytes, 249,935 keys, SHA-256 {'a1' * 32}\n" in out
    assert f"\n  cp -p {samples.BACKUP_PATH} /data/redis/dump6379.rdb\n" in out
    found = json.loads(call("runs", "report", RUN, "--format", "json")[1])
    (backup,) = found["backups"]
    assert (backup["node"], backup["keys"], backup["checked"]) == ("redis-b", 249_935, "redis-check-rdb: RDB looks OK")
    assert found["outcome"] == "done"
    assert found["journal"]["sound"]
    assert found["roles"] == {"survivor": "redis-a", "returning": "redis-b"}


def test_a_run_that_does_not_exist(call):
    code, _, err = call("runs", "show", "nope")
    assert code == 2
    assert "there is no run nope" in err
    assert call("runs", "list")[1] == ""
