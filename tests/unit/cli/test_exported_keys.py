"""`runs keys`: what was exported comes back as it was, and replaces nothing."""

from __future__ import annotations

import base64
import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.cli.runs.exported_keys import keys
from console.core.runs.records.exports import restore_commands

LINES = st.lists(st.tuples(st.integers(0, 15), st.binary(min_size=1), st.integers(0, 10**9), st.binary(min_size=1)))


def line(db, key, pttl, dump):
    coded = {"key_base64": base64.b64encode(key).decode(), "dump_base64": base64.b64encode(dump).decode()}
    return json.dumps({"db": db, "key": key.decode("utf-8", "replace"), "pttl": pttl, **coded})


def words(stream: bytes):
    """The commands of a stream in the protocol of Redis."""
    found = []
    while stream:
        head, _, stream = stream.partition(b"\r\n")
        assert head[:1] == b"*"
        one = []
        for _ in range(int(head[1:])):
            size, _, stream = stream.partition(b"\r\n")
            one.append(stream[: int(size[1:])])
            assert stream[int(size[1:]) :][:2] == b"\r\n"
            stream = stream[int(size[1:]) + 2 :]
        found.append(one)
    return found


@given(LINES)
def test_every_key_comes_back_as_it_was(exported):
    sent = words(b"".join(restore_commands(line(*one) for one in exported)))
    expected = [
        command
        for db, key, pttl, dump in exported
        for command in ([b"SELECT", b"%d" % db], [b"RESTORE", key, b"%d" % pttl, dump])
    ]
    assert sent == expected, "and none with REPLACE"


def test_only_the_keys_that_are_named(tmp_path):
    file = tmp_path / "keys.jsonl"
    file.write_text("\n".join(line(0, key, 0, b"dump") for key in (b"a", b"b")) + "\n")
    done = CliRunner().invoke(keys, [str(file), "b"], standalone_mode=False)
    assert words(done.stdout_bytes) == [[b"SELECT", b"0"], [b"RESTORE", b"b", b"0", b"dump"]]


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"db": "x"}', '{"db": 0, "key_base64": 1, "dump_base64": 2}'])
def test_another_file_is_named_with_its_line(tmp_path, text):
    file = tmp_path / "other"
    file.write_text(text)
    done = CliRunner().invoke(keys, [str(file)], standalone_mode=False)
    assert "line 1 is none of an export of keys" in str(done.exception)
