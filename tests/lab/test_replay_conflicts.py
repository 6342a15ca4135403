"""Kept keys and clients: each class of conflicts is asked for by itself, and no client's write is replaced unseen."""

from __future__ import annotations

import threading
import time

import pytest
from lab.replay_servers import MORE, fill, server
from replay_stage import DONE, RUN, Stage, Typist, ask, export

from console.core.runs.past.replayed_files import fates_of_files
from console.core.runs.replays.file_fate import name_of
from console.transport.journals.archive import FolderArchive
from console.transport.redis.keys.reader import SENT

pytestmark = pytest.mark.lab


def test_each_class_of_conflict_has_its_own_sentence_and_only_that_class_is_sent(tmp_path):
    with server(tmp_path / "one", "7.0") as node:
        ask(
            node,
            *(("SET", f"key:{one}", "kept") for one in "abcdef"),
            ("RPUSH", "list", 1, 2),
            ("SETEX", "gone", 1, "x"),
        )
        names = [*(f"key:{one}" for one in "abcdef"), "list"]
        file = export(tmp_path / "keys.jsonl", node, *names)
        export(file, node, "gone", at=time.time() - 60)
        ask(
            node,
            ("SET", "key:b", "new"),
            ("DEL", "key:c"),
            ("EXPIRE", "key:d", 500),
            ("DEL", "list"),
            ("SET", "list", "s"),
        )
        stage = Stage(tmp_path, node)
        shy = Typist({"replace-values": "y", "set-expiries": "", "replace-types": "I replace 1 key on redis-b"})
        ended = stage.run(stage.order(file), shy)
        assert ended.outcome is DONE
        assert [one.step for one in shy.questions] == [
            "bring-missing",
            "set-expiries",
            "replace-values",
            "replace-types",
        ]
        expected = {"key:b": "not confirmed", "key:d": "not confirmed", "list": "not confirmed", "gone": "expired"}
        assert stage.left() == expected | dict.fromkeys(("key:a", "key:e", "key:f"), "equal")
        assert ask(node, ("GET", "key:c"), ("GET", "key:b"), ("TYPE", "list")) == [b"kept", b"new", b"string"]
        told = FolderArchive(stage.folder).read(stage.run_id)
        fate = fates_of_files([told])[name_of(RUN, str(file))]
        assert {why: len(lines) for why, lines in fate.left.items()} == {"not confirmed": 3}
        assert fate.keys_left(8) == 3, "what was left is still only in the file"
        patterns = stage.order(file, "key:[bd]", "nothing:*")
        bold = Typist()
        assert stage.run(patterns, bold).outcome is DONE
        assert {one.sentence for one in bold.questions} == {
            "I set the expiry of 1 key on redis-b", "I replace 1 key on redis-b",
        }  # fmt: skip
        assert ask(node, ("GET", "key:b"), ("TTL", "key:d"), ("TYPE", "list")) == [b"kept", -1, b"string"]
        both = [told, FolderArchive(stage.folder).read(stage.run_id)]
        fate = fates_of_files(both)[name_of(RUN, str(file))]
        assert fate.keys_left(8) == 1
        replaced = next((stage.folder / stage.run_id).glob("replaced-on-*.jsonl"))
        ask(node, ("SET", "key:b", "newest"))
        back = stage.run(stage.order(replaced, "key:b"))
        assert back.outcome is DONE
        assert ask(node, ("GET", "key:b")) == [b"new"], "what was replaced can be brought back"


@pytest.mark.parametrize("version", ["6.2", "8.0"])
def test_a_clients_write_between_the_look_and_the_sending_is_never_replaced(tmp_path, version):
    with server(tmp_path / "kept", "8.0") as kept, server(tmp_path / "one", version) as node:
        ask(kept, *(("HSET", f"key:{one}", "kept", one) for one in range(50)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(50)))
        ask(node, *(("SET", f"key:{one}", "there") for one in range(25, 50)))
        stage = Stage(tmp_path, node)

        def write() -> None:
            ask(
                node,
                ("SET", "key:3", "client"),
                ("APPEND", "key:30", "+"),
                ("DEL", "key:31"),
                ("EXPIRE", "key:32", 900),
            )

        stage.before_sending = write
        ended = stage.run(stage.order(file))
        assert ended.outcome is DONE, ended.message
        assert stage.left() == {"key:3": "appeared"} | dict.fromkeys(("key:30", "key:31", "key:32"), "changed")
        assert ask(node, ("GET", "key:3"), ("GET", "key:30"), ("EXISTS", "key:31"), ("GET", "key:32")) == [
            b"client", b"there++", 0, b"there",
        ]  # fmt: skip
        assert ask(node, ("HGET", "key:2", "kept"), ("HGET", "key:33", "kept")) == [b"2", b"33"]


def test_a_busy_client_never_loses_a_write_to_a_replacement(tmp_path):
    """A client counts up while its keys are replaced: each key has the kept value, or every count since."""
    with server(tmp_path / "one", "7.0") as node:
        ask(node, *(("SET", f"n:{one}", 10**9) for one in range(400)))
        file = export(tmp_path / "keys.jsonl", node, *(f"n:{one}" for one in range(400)))
        ask(node, *(("SET", f"n:{one}", 0) for one in range(400)))
        stage, ended, acknowledged = Stage(tmp_path, node), threading.Event(), [0] * 400

        def count() -> None:
            place = 0
            while not ended.is_set():
                place = (place + 7) % 400
                (acknowledged[place],) = ask(node, ("INCR", f"n:{place}"))

        client = threading.Thread(target=count)
        stage.before_sending = client.start
        try:
            run = stage.run(stage.order(file))
        finally:
            ended.set()
            client.join(30)
        assert run.outcome is DONE, run.message
        left = stage.left()
        for place, value in enumerate(ask(node, *(("GET", f"n:{one}") for one in range(400)))):
            assert int(value) == acknowledged[place] or acknowledged[place] == 0, place
            assert (int(value) >= 10**9) is (f"n:{place}" not in left), place


def test_what_a_client_does_after_it_was_brought_is_left_alone_by_the_one_that_goes_on(tmp_path):
    with server(tmp_path / "kept", "7.0") as kept, server(tmp_path / "one", "7.0") as node:
        ask(kept, *(("SET", f"key:{one}", "kept") for one in range(MORE)))
        file = export(tmp_path / "keys.jsonl", kept, *(f"key:{one}" for one in range(MORE)))
        stage = Stage(tmp_path, node)
        sent = "after result 1"
        moments = Stage(tmp_path / "other", node)
        moments.run(moments.order(file))
        place = moments.moments.names.index(sent)
        ask(node, ("FLUSHALL",))
        assert stage.run(stage.order(file), at=place) is None
        ask(node, ("DEL", "key:1"), ("SET", "key:2", "client"))
        ended = stage.resume()
        assert ended.outcome is DONE
        assert ask(node, ("EXISTS", "key:1"), ("GET", "key:2"), ("DBSIZE",)) == [0, b"client", MORE - 1]
        assert stage.left() == dict.fromkeys(("key:1", "key:2"), "changed since it was brought")


def test_of_the_keys_under_way_when_it_died_none_is_taken_from_a_client(tmp_path):
    """It died with its batch sent and no answer on the disk. Then clients wrote, removed and put back."""
    with server(tmp_path / "one", "7.0") as node:
        names = [f"key:{one}" for one in range(9)]
        ask(node, *(("SET", one, "kept") for one in names))
        file = export(tmp_path / "keys.jsonl", node, *names)
        for there in (False, True):
            stage = Stage(tmp_path / str(there), node)
            ask(node, ("FLUSHALL",), *(("SET", one, "there") for one in names if there))
            watched = Stage(tmp_path / f"watched {there}", node)
            watched.run(watched.order(file))
            sent = next(at for at, one in enumerate(watched.moments.names) if one.startswith("before result"))
            ask(node, ("FLUSHALL",), *(("SET", one, "there") for one in names if there))
            assert stage.run(stage.order(file), at=sent) is None
            assert ask(node, ("GET", "key:0")) == [b"kept"], "it was sent"
            ask(node, ("SET", "key:1", "client"), ("DEL", "key:2"), ("SET", "key:3", "there"))
            typist = Typist()
            ended = stage.resume(typist)
            assert ended.outcome is DONE, ended.message
            looked = typist.looked
            assert (looked.on_their_way, looked.brought) == (9, 6)
            stays = {"key:1": "changed", "key:2": "changed"} if there else {"key:1": "appeared", "key:3": "appeared"}
            assert stage.left() == stays
            asked = {one.sentence for one in typist.questions}
            assert asked == ({"I replace 1 key on redis-b"} if there else {""}), "put back, or nothing there"
            assert looked.not_sent_or_removed == (0 if there else 1)
            now = ask(node, *(("GET", one) for one in names[1:4]))
            assert now == ([b"client", None, b"kept"] if there else [b"client", b"kept", b"there"])


def test_the_look_only_reads(tmp_path):
    """MONITOR sees what a run sends whose operator confirms nothing."""
    with server(tmp_path / "one", "7.0") as node:
        keys = fill(node, "7.0")
        file = export(tmp_path / "keys.jsonl", node, *keys)
        ask(node, ("SET", "number", "other"), ("DEL", "hash"))
        ask(node, ("CONFIG", "RESETSTAT"))
        stage = Stage(tmp_path, node)
        ended = stage.run(stage.order(file), Typist(dict.fromkeys(("bring-missing", "replace-values"), "no")))
        assert ended.outcome is DONE
        (said,) = ask(node, ("INFO", "commandstats"))
        sent = {line.split(":")[0].removeprefix("cmdstat_").replace("|", " ").upper() for line in said.decode().split()}
        allowed = SENT | {"CONFIG RESETSTAT", "INFO", "# COMMANDSTATS", "#", "COMMANDSTATS", "CONFIG|RESETSTAT"}
        assert sent <= {*allowed, "OBJECT"}, sent
