"""What is read back of a drill's console: its key presses, also of a killed one, and the keys that its runs kept."""

from __future__ import annotations

import json
import sys
from base64 import b64encode

from console.core.runs.past.kept_keys import KeptKeys
from console.drill import inside
from console.drill.app import DrillApp
from console.drill.inside import _console, _kept, _pressed


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    record = tmp_path / "keys.json"
    lines = ({"at": 1.5, "leaves": False}, {"at": 2.5, "leaves": True}, {"at": 3.5, "refused": "redis-b"})
    record.write_text("".join(json.dumps(one) + "\n" for one in lines) + '{"at": 4.')
    seen = _pressed(record)
    assert (seen.keys, seen.leaving, seen.refused) == ((1.5, 2.5), (2.5,), ((3.5, "redis-b"),))
    assert _pressed(tmp_path / "none").keys == ()


def test_the_record_is_for_its_user_only_and_is_there_at_once(tmp_path):
    app = DrillApp.__new__(DrillApp)
    app.record = tmp_path / "keys.json"
    DrillApp._note(app, {"at": 1.0, "leaves": False})
    assert _pressed(app.record).keys == (1.0,)
    assert app.record.stat().st_mode & 0o777 == 0o600


def test_kept_keys_come_with_their_names(tmp_path, monkeypatch):
    file = tmp_path / "keys.jsonl"
    names = ["drill:write:7", "drill:write:9"]
    lines = [{"db": 0, "key_base64": b64encode(one.encode()).decode()} for one in names]
    file.write_text("".join(json.dumps(one) + "\n" for one in ({"source": "redis-b"}, *lines)))
    kept = KeptKeys("cache", "RUN-1", "redis-b", str(file), 2, "redis-ha-console runs replay RUN-1")

    class Archive:
        def __init__(self, folder):
            assert folder == tmp_path / "state/redis-ha-console/runs"

        def kept_keys(self, *, dismissed_too):
            return (kept,)

    monkeypatch.setattr(inside, "FolderArchive", Archive)
    (one,) = _kept(tmp_path)
    assert (one.run_id, one.command, one.keys) == ("RUN-1", kept.command, frozenset(names))


def test_a_console_that_was_killed_is_told_and_one_that_was_quit_is_not(capfd):
    def ended(code):
        return _console([sys.executable, "-c", code], {})

    assert ended("pass") == ""
    assert "(SIGKILL)" in ended("import os; os.kill(os.getpid(), 9)")
    assert "exit code 3" in ended("raise SystemExit(3)")
    capfd.readouterr()
