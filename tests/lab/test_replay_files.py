"""The file that a replay reads: cut, changed, without a chosen key, no file at all."""

from __future__ import annotations

import json
import os

import pytest
from lab.replay_servers import server
from replay_stage import DONE, FAILED, REFUSED, Stage, Typist, ask, export

from console.transport.journals.key_files import LocalKeyFiles

pytestmark = pytest.mark.lab


def test_a_file_whose_end_is_missing_is_brought_only_after_a_sentence(tmp_path):
    with server(tmp_path / "one", "7.0") as node:
        names = [f"key:{one}" for one in range(4)]
        ask(node, *(("SET", one, "kept") for one in names))
        plain = export(tmp_path / "plain.jsonl", node, *names)
        file, stage = tmp_path / "keys.jsonl", Stage(tmp_path, node)
        LocalKeyFiles().keep(str(file), map(json.loads, plain.read_text().splitlines()))
        ask(node, ("FLUSHALL",))
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:2]))
        typist = Typist({"read-file": "y"})
        ended = stage.run(stage.order(file), typist)
        assert ended.outcome is REFUSED
        assert "its end is missing" in ended.message
        assert "2 keys can be read; nothing was sent" in ended.message
        assert [one.sentence for one in typist.questions] == ["I bring keys of a file that is not whole"]
        assert ask(node, ("DBSIZE",)) == [0]
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(node, ("DBSIZE",)) == [2]
        file.write_text("".join(lines))
        whole = Typist()
        assert stage.run(stage.order(file), whole).outcome is DONE
        assert ask(node, ("DBSIZE",)) == [4]
        assert [one.step for one in whole.questions] == ["bring-missing"]
        assert whole.looked.warning == ""
        assert stage.run(stage.order(plain), older := Typist()).outcome is DONE
        assert "of an older version, without a count" in older.looked.warning


def test_a_run_goes_on_with_the_file_that_it_began_with_only(tmp_path):
    with server(tmp_path / "master", "7.0") as master:
        keys = [f"key:{one}" for one in range(9)]
        ask(master, *(("SET", key, key) for key in keys))
        file, stage = export(tmp_path / "keys.jsonl", master, *keys), Stage(tmp_path, master)
        ask(master, ("FLUSHALL",))
        at = 0
        while stage.run(stage.order(file), at=at) is not None or "looked" not in {one.kind for one in stage.entries}:
            at += 1
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[3:]))
        ended = stage.resume()
        assert ended.outcome is FAILED
        assert "was changed since this run began" in ended.message
        file.write_text("".join(lines))
        assert stage.run(stage.order(file)).outcome is DONE
        assert ask(master, ("DBSIZE",)) == [9]


def test_a_file_in_which_no_key_is_chosen_is_refused(tmp_path):
    with server(tmp_path / "master", "7.0") as master:
        ask(master, ("SET", "key", "value"))
        file, stage = export(tmp_path / "keys.jsonl", master, "key"), Stage(tmp_path, master)
        ended = stage.run(stage.order(file, "other*"))
        assert ended.outcome is REFUSED
        assert ended.message == f"{file}: no key of it is chosen by --keys; nothing was sent."
        file.write_text("")
        assert stage.run(stage.order(file)).message == f"{file}: there is no key in it; nothing was sent."
        file.unlink()
        os.mkfifo(file)
        assert stage.run(stage.order(file)).message == f"{file} is no regular file."
