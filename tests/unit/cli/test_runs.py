"""`runs show --follow`, `runs verify` and `runs resume` on journals that a console left behind when it died."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import pytest
from dying import Room
from past_runs import FakeArchive, past, written

from console.cli.context import Adapters, CliContext
from console.cli.main import run
from console.cli.runs import recorded_runs as runs
from console.cli.runs.choosing import newest_open
from console.core.runs.past.past_run import Standing
from console.transport.clock import SystemClock
from console.transport.journals.archive import FolderArchive
from console.transport.journals.journal_file import reopen_journal

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
def room(tmp_path, monkeypatch):
    """A run whose console died after its first step."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    room = Room(tmp_path / "redis-ha-console" / "runs")
    assert room.run(28) is None
    return room


@pytest.fixture
def call(tmp_path, capsys, room):
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY)
    adapters = Adapters(
        clock=SystemClock,
        inspector=lambda *_, **__: pytest.fail("nobody looks"),
        run_starter=lambda *_: pytest.fail("nothing is armed"),
        run_app=lambda *_, **__: pytest.fail("no screen here"),
        archive=FolderArchive,
    )

    def call(*words):
        code = run(["-i", str(file), *words], adapters)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_a_dead_run_is_listed_as_not_closed(call, room):
    line = call("runs", "list")[1].splitlines()[-1]
    assert line.endswith("  not closed")
    journal, *_ = reopen_journal(room.folder, room.run_id, room.clock.now)
    assert call("runs", "list")[1].splitlines()[-1].endswith("  not closed, under way")
    journal.close()


def test_a_run_under_way_is_followed_to_its_end(call, room, monkeypatch):
    monkeypatch.setattr(runs, "POLL_EVERY", 0.01)
    journal, *_ = reopen_journal(room.folder, room.run_id, room.clock.now)

    def go_on():
        time.sleep(0.1)
        journal.append("closed", {"outcome": "aborted", "message": "enough"})
        journal.close()

    other = threading.Thread(target=go_on)
    other.start()
    code, out, _ = call("runs", "show", "--follow")
    other.join()
    assert code == 0
    assert out.splitlines()[-1].endswith("closed    aborted: enough")
    assert len(out.splitlines()) == len(room.past().entries), "each entry once"


def test_following_a_run_whose_console_died_says_so(call, room):
    code, _, err = call("runs", "show", "--follow")
    assert (code, err) == (1, f"its console ended before the run did: `runs resume {room.run_id}` goes on with it\n")


def test_verify_compares_what_was_set_aside(call, room):
    room.journal.write_bytes(room.journal.read_bytes()[:-30])
    code, _, err = call("runs", "verify")
    assert code == 1
    assert "it was cut off before its end of line; `runs resume` moves it to another file" in err
    room.resume()
    code, out, _ = call("runs", "verify")
    assert code == 0
    assert "moved here at" in out
    assert "is unchanged" in out
    (kept,) = room.journal.parent.glob("*.cut-*")
    kept.write_bytes(b"something else")
    code, _, err = call("runs", "verify")
    assert code == 1
    assert "its SHA-256 does not fit" in err


def test_resume_needs_a_terminal(call, room):
    code, _, err = call("runs", "resume", "--plain")
    assert code == 2
    assert err.startswith("redis-ha-console: a run needs a terminal")


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(runs, "check_terminal", lambda: None)


@pytest.mark.usefixtures("terminal")
def test_resume_refuses_in_one_line_before_anything_is_asked(call, room):
    journal, *_ = reopen_journal(room.folder, room.run_id, room.clock.now)
    for words in ((), (room.run_id,)):
        code, _, err = call("runs", "resume", "--plain", *words)
        assert (code, len(err.splitlines())) == (2, 1)
        assert "is under way: another console writes its journal" in err
    journal.close()
    room.resume()
    assert "is closed: done; begin a new run" in call("runs", "resume", "--plain", room.run_id)[2]
    assert "is closed: there is nothing to resume" in call("runs", "resume", "--plain")[2]
    lines = room.journal.read_text().splitlines(keepends=True)
    room.journal.write_text("".join([lines[0], *lines[2:]]))
    assert "broken at line 2: entry 2 is missing" in call("runs", "resume", "--plain")[2]


def test_a_line_separator_in_a_text_ends_no_line(room):
    """U+2028 and its like end lines for Python, and stand as they are in JSON."""
    journal, *_ = reopen_journal(room.folder, room.run_id, room.clock.now)
    journal.append("refused", {"differences": ["one\u2028two\x85three\x0bfour"]})
    journal.close()
    assert room.past().chain.sound


def recorded_runs(*told):
    """Runs as (id, inventory, nodes, outcome is open)."""
    whole = past(written())
    return [
        replace(
            whole,
            run_id=name,
            opened={**whole.opened, "inventory": inventory, "nodes": dict(nodes)},
            standing=Standing.DIED if died else whole.standing,
        )
        for name, inventory, nodes, died in told
    ]


OWN = (("redis-a", "192.168.100.201:6379"), ("redis-b", "192.168.100.202:6379"))
OTHERS = (("redis-a", "10.0.0.1:6379"), ("redis-b", "10.0.0.2:6379"))


@pytest.fixture
def listed(tmp_path, capsys, monkeypatch):
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY)

    def listed(width, *told):
        monkeypatch.setattr(runs, "terminal_width", lambda: width)
        archive = FakeArchive(recorded_runs(*told))
        adapters = Adapters(
            clock=SystemClock,
            inspector=lambda *_, **__: pytest.fail("nobody looks"),
            run_starter=lambda *_: pytest.fail("nothing is armed"),
            run_app=lambda *_, **__: pytest.fail("no screen here"),
            archive=lambda _: archive,
        )
        assert run(["-i", str(file), "runs", "list"], adapters) == 0
        return capsys.readouterr().out.splitlines()

    return listed


LONG = "20261121T074000Z-cache-sentinel-return-old-master-{}"


@pytest.mark.parametrize("width", [80, 100, 200, None])
def test_the_newest_run_is_first_and_each_has_one_line(listed, width):
    names = [LONG.format(f"000{number}") for number in range(3)]
    head, *rows = listed(width, *((name, "x.yaml", OWN, False) for name in names))
    assert head.startswith("run ")
    assert [row.split()[0] for row in rows] == names[::-1]
    assert all(row.endswith("done") for row in rows)
    assert width is None or all(len(row) <= width for row in (head, *rows))


def test_clusters_of_one_name_stand_apart_those_of_this_inventory_first(listed):
    laboratory = "/dev/shm/lab-1/inventory.yaml"
    told = [("own-1", "a.yaml", OWN, False), ("other-1", "b.yaml", OTHERS, False), ("lab-1", laboratory, OWN, False)]
    text = "\n".join(listed(80, *told))
    order = ["Clusters of this inventory:", "own-1", f"of {laboratory}:", "lab-1", "of b.yaml:", "other-1"]
    assert [text.index(one) for one in order] == sorted(text.index(one) for one in order)
    assert "cache (redis-a, redis-b) of b.yaml:" in text


@pytest.mark.parametrize("newest", ["own", "other"])
def test_without_a_name_a_run_of_this_inventory_is_resumed(tmp_path, newest):
    file = tmp_path / "inventory.yaml"
    file.write_text(INVENTORY)
    told = [("own", "a.yaml", OWN, True), ("other", "b.yaml", OTHERS, True)]
    archive = FakeArchive(recorded_runs(*(told if newest == "other" else told[::-1])))
    nothing = lambda *_, **__: None  # noqa: E731
    context = CliContext(Adapters(SystemClock, nothing, nothing, nothing, archive=lambda _: archive), file)
    assert newest_open(context).run_id == "own"
