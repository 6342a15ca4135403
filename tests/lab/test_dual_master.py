"""Two masters that both took writes (H18): the operator says whose data stays, and the other's is kept aside."""

from __future__ import annotations

import base64
import json

import pytest
from lab.plain import assert_healthy_and_protected, run_plain

pytestmark = pytest.mark.lab

SERVING, OTHER = "redis-b", "redis-a"


def test_the_other_ones_keys_are_exported_and_backed_up_before_it_follows(pair, tmp_path):
    lab = pair("split-brain")
    lab.host(OTHER).redis("SET", "customer:1", "changed while parted")
    lab.host(OTHER).redis("EXPIRE", "customer:2", "500")
    lab.host(OTHER).run('printf \'SET "bin\\\\xff\\\\x00" "\\\\xfe"\\n\' | redis-cli')
    refused = run_plain(lab, "resolve-dual-master", state=tmp_path, override="I accept")
    assert refused.outcome != "done"
    assert "loses writes" in refused.text, "both histories are compared where it is decided"
    assert lab.host(OTHER).redis("GET", f"written:on:{OTHER}:7") == "7", "without the whole sentence nothing is wiped"
    run = run_plain(lab, "resolve-dual-master", state=tmp_path, override="sentence")
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert run.gates == [SERVING, OTHER], "typed for whose data stays, and for who is overwritten"
    assert_healthy_and_protected(lab, SERVING)
    assert lab.host(OTHER).redis("GET", f"written:on:{SERVING}:7") == "7"
    assert lab.host(OTHER).redis("EXISTS", f"written:on:{OTHER}:7") == "0"
    assert lab.host(OTHER).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0"
    newest = max(tmp_path.rglob(f"keys-of-{OTHER}.jsonl"), key=lambda path: path.stat().st_mtime)
    assert newest.stat().st_mode & 0o777 == 0o600
    lines = {one["key_base64"]: one for one in map(json.loads, newest.read_text(encoding="ascii").splitlines())}
    why = {base64.b64decode(key): one["why"] for key, one in lines.items()}
    assert why[b"customer:1"] == "value"
    assert why[b"customer:2"] == "ttl"
    assert why[b"bin\xff\x00"] == "missing"
    assert {key for key in why if key.startswith(b"written:")} == {
        f"written:on:{OTHER}:{number}".encode() for number in range(20)
    }
    assert b"customer:3" not in why
    _replay(lab, lines)


def _replay(lab, lines):
    """What was exported can be put back: the very bytes, under another name."""
    one = next(one for one in lines.values() if base64.b64decode(one["key_base64"]) == b"customer:1")
    dump = base64.b64decode(one["dump_base64"])
    lab.host(SERVING).run(["sh", "-c", f"printf %s {one['dump_base64']} | base64 -d > /tmp/dump"], check=True)
    told = lab.host(SERVING).run("redis-cli -x RESTORE replayed 0 < /tmp/dump").stdout.strip()
    assert told == "OK", dump
    assert lab.host(SERVING).redis("GET", "replayed") == "changed while parted"
