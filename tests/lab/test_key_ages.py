"""When a key was used last: what a server tells of a value that several keys share is told of none of them."""

from __future__ import annotations

import json
import time

import pytest
from lab.replay_servers import server
from replay_stage import ask, connect

from console.core.keys.comparing import written_in_words
from console.core.keys.exported import exported_key
from console.transport.redis.key_export import export_keys
from console.transport.redis.keys.reader import RedisKeyReader

pytestmark = pytest.mark.lab
LONG_AGO = 500
"""Seconds."""
SHARED = [b"0", b"7", b"127", b"128", b"9999"]
OWN = [b"-1", b"10000", b"70000", b"text", b"007", b""]


@pytest.mark.parametrize("version", ["6.2", "7.0", "8.0"])
def test_small_numbers_have_no_age_of_their_own(tmp_path, version):
    with server(tmp_path / "kept", version) as kept, server(tmp_path / "other", version) as other:
        values = [*SHARED, *OWN]
        ask(kept, *(("SET", b"new %d" % at, value) for at, value in enumerate(values)))
        dumps = ask(kept, *(("DUMP", b"new %d" % at) for at in range(len(values))))
        ask(kept, *(("RESTORE", b"old %d" % at, 0, dump, "IDLETIME", LONG_AGO) for at, dump in enumerate(dumps)))
        # The server takes a number that was written a moment ago for one that nobody has used for minutes.
        assert ask(kept, ("OBJECT", "IDLETIME", "new 1"))[0] >= LONG_AGO

        path = tmp_path / "keys.jsonl"
        export_keys(("kept", connect(kept)), ("other", connect(other)), str(path))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        idle = {line["key"]: line["idle"] for line in lines if "key" in line}
        names = [f"{word} {at}" for word in ("new", "old") for at in range(len(values))]
        assert sorted(idle) == sorted(names)
        looked = dict(zip(names, RedisKeyReader("kept", connect(kept), time.time).look(
            0, [name.encode() for name in names], lambda: None), strict=True))  # fmt: skip
        for name in names:
            shares, old = int(name.split()[1]) < len(SHARED), name.startswith("old")
            assert (idle[name] is None) == shares, name
            assert (looked[name].idle is None) == shares, name
            assert shares or (idle[name] >= LONG_AGO) == old, name
        told = {line["key"]: exported_key(line, 0.0) for line in lines if "key" in line}
        assert written_in_words(told["new 1"], looked["new 1"], time.time())[0] == "when it was written is not known"
        # An export of an older version has an age for it.
        older = exported_key({**next(line for line in lines if line.get("key") == "new 1"), "idle": 9}, 0.0)
        assert written_in_words(older, looked["new 1"], time.time())[0] == "when it was written is not known"


def test_a_server_that_evicts_by_frequency_tells_no_age(tmp_path):
    settings = {"maxmemory": "64mb", "maxmemory-policy": "allkeys-lfu"}
    with server(tmp_path / "kept", "7.0", **settings) as kept, server(tmp_path / "other", "7.0") as other:
        ask(kept, ("SET", "text", "value"), ("SET", "number", 7))
        path = tmp_path / "keys.jsonl"
        export_keys(("kept", connect(kept)), ("other", connect(other)), str(path))
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["idle"] for line in lines if "key" in line] == [None, None]
