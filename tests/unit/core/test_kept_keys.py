"""Kept keys: patterns, lines, commands by type, classes, and the lines that a run has sent."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.keys.by_type import MOST_ITEMS, NotWritableError, commands_by_type
from console.core.keys.comparing import (
    Fate,
    KeyThere,
    compare,
    same_value,
    value_in_words,
    value_shown,
    written_in_words,
)
from console.core.keys.exported import ExportedKey, exported_key, exported_keys, fields_of
from console.core.keys.pattern import matcher
from console.core.keys.rdb.crc64 import crc64
from console.core.keys.rdb.cursor import UnreadableValueError
from console.core.keys.rdb.payload import is_damaged, type_of, value_of, version_of_payload
from console.core.keys.rdb_versions import newest_payload
from console.core.keys.values import HashValue, ListValue, SetValue, SortedSetValue, StringValue
from console.core.runs.records.exports import Export
from console.core.runs.records.journal import next_entry
from console.core.runs.records.line_numbers import lines_in_words, lines_of
from console.core.runs.replays.order import ReplayOrder, order_of
from console.core.runs.replays.progress import sent_lines
from console.core.runs.replays.wording import sentence_for

NOW = 1_790_000_000.0
WORDS = st.binary(max_size=40)
VALUES = st.one_of(
    WORDS.map(StringValue),
    st.lists(WORDS, min_size=1, max_size=600).map(lambda items: ListValue(tuple(items))),
    st.sets(WORDS, min_size=1, max_size=600).map(lambda members: SetValue(frozenset(members))),
    st.dictionaries(WORDS, WORDS, min_size=1, max_size=600).map(HashValue),
    st.dictionaries(WORDS, st.floats(allow_nan=False), min_size=1, max_size=600).map(SortedSetValue),
)
EXPIRIES = st.none() | st.floats(NOW - 9_999, NOW + 9_999)


def length(number: int) -> bytes:
    return b"\x80" + number.to_bytes(4, "big")


def payload(value, version: int = 9) -> bytes:
    """As a server of that version could dump it, in the plainest form of each type."""
    text = lambda word: length(len(word)) + word  # noqa: E731
    match value:
        case StringValue():
            body = b"\x00" + text(value.data)
        case ListValue():
            body = b"\x01" + length(len(value.items)) + b"".join(map(text, value.items))
        case SetValue():
            body = b"\x02" + length(len(value.members)) + b"".join(map(text, sorted(value.members)))
        case HashValue():
            body = b"\x04" + length(len(value.fields)) + b"".join(text(a) + text(b) for a, b in value.fields.items())
        case SortedSetValue():
            import struct

            pairs = (text(member) + struct.pack("<d", score) for member, score in value.scores.items())
            body = b"\x05" + length(len(value.scores)) + b"".join(pairs)
    body += version.to_bytes(2, "little")
    return body + crc64(body).to_bytes(8, "little")


def carried_out(commands):
    """What a server would hold that gets these commands for a key that does not exist."""
    held = None
    for name, key, *words in commands:
        assert key == b"key"
        assert len(words) <= 2 * MOST_ITEMS
        if name == b"SET":
            held = StringValue(words[0])
        elif name == b"RPUSH":
            held = ListValue((held.items if held else ()) + tuple(words))
        elif name == b"SADD":
            held = SetValue((held.members if held else frozenset()) | set(words))
        elif name in (b"HSET", b"HMSET"):
            held = HashValue({**(held.fields if held else {}), **dict(zip(words[::2], words[1::2], strict=True))})
        else:
            assert name == b"ZADD"
            scores = {member: float(score) for score, member in zip(words[::2], words[1::2], strict=True)}
            held = SortedSetValue({**(held.scores if held else {}), **scores})
    return held


@given(VALUES)
def test_a_payload_is_read_as_what_was_dumped(value):
    dumped = payload(value)
    assert value_of(dumped) == value
    assert type_of(dumped) == value.type
    assert version_of_payload(dumped) == 9
    assert not is_damaged(dumped)


@given(VALUES, st.sampled_from([(2, 8, 0), (6, 2, 1), (8, 0, 0)]))
def test_commands_by_type_make_the_very_value(value, version):
    assert carried_out(commands_by_type(b"key", value, version)) == value


@given(st.binary(max_size=200))
def test_no_bytes_end_in_another_error_than_that_they_cannot_be_read(data):
    for kind in range(30):
        try:
            value = value_of(bytes([kind]) + data)
        except UnreadableValueError:
            continue
        assert value.type == type_of(bytes([kind]) + data)


@given(VALUES, st.data())
def test_one_changed_byte_is_seen_by_the_checksum(value, data):
    dumped = bytearray(payload(value))
    dumped[data.draw(st.integers(0, len(dumped) - 1))] ^= data.draw(st.integers(1, 255))
    assert is_damaged(bytes(dumped))


def test_the_checksum_is_that_of_redis():
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


@given(st.binary(), VALUES, EXPIRIES, st.none() | VALUES, EXPIRIES)
def test_each_pair_of_values_has_one_class(key, value, expires, other, other_expires):
    kept = ExportedKey(0, key, payload(value), expires)
    there = KeyThere(payload(other, 12), other_expires) if other is not None else KeyThere()
    fate = compare(kept, there, NOW)
    if expires is not None and expires <= NOW:
        assert fate is Fate.EXPIRED
    elif other is None:
        assert fate is Fate.MISSING
    elif other.type != value.type:
        assert fate is Fate.TYPE
    elif other != value:
        assert fate is Fate.VALUE
    else:
        lasting = {expires is None, other_expires is None}
        apart = len(lasting) == 2 or (lasting == {False} and abs(expires - other_expires) > 5)
        assert fate is (Fate.EXPIRY if apart else Fate.EQUAL)
    assert compare(kept, KeyThere(kept.payload, expires), NOW) in (Fate.EQUAL, Fate.EXPIRED)


@given(VALUES, EXPIRIES)
def test_a_line_keeps_every_byte(value, expires):
    one = ExportedKey(3, bytes(range(256)), payload(value), expires)
    line = exported_key(json.loads(json.dumps(fields_of(one, NOW))), 0.0)
    assert exported_keys([fields_of(one, NOW)] * 2, 0.0, (1, 2)) == [line] * 2
    assert line[:3] == one[:3]
    if expires is None:
        assert line.expires_at is None
    else:
        assert math.isclose(line.expires_at, max(expires, NOW), abs_tol=0.002)


@pytest.mark.parametrize(
    "line", [{}, {"db": 0, "key_base64": "YQ==", "pttl": 0}, {"db": "x", "key_base64": 3, "dump_base64": "", "pttl": 0}]
)
def test_a_line_of_another_file_is_named(line):
    with pytest.raises(ValueError, match="line 7"):
        exported_key(line, 0.0, 7)
    sound = fields_of(ExportedKey(0, b"k", b"v" * 12, None), NOW)
    with pytest.raises(ValueError, match="line 7"):
        exported_keys([sound, line], 0.0, (6, 7))


def test_fields_that_have_expired_are_no_difference():
    kept = HashValue({b"a": b"1", b"b": b"2"}, {b"b": int(NOW * 1000) - 1})
    from console.core.keys import comparing

    assert comparing._living(kept, NOW) == HashValue({b"a": b"1"})
    with pytest.raises(NotWritableError):
        commands_by_type(b"key", kept, (6, 2))


def test_words_about_values_that_cannot_be_read():
    module = b"\x07anything" + b"\x0b\x00" + bytes(8)
    assert "module value" in value_in_words(module, None, NOW)
    assert "expires in 60 s" in value_in_words(payload(StringValue(b"x")), NOW + 60, NOW)
    assert not same_value(module, b"\x07other" + b"\x0b\x00" + bytes(8), NOW)
    assert same_value(module, module, NOW)


def test_when_a_value_was_written_is_said_only_as_far_as_it_is_known():
    one, other = payload(StringValue(b"1")), payload(StringValue(b"2"))
    assert written_in_words(ExportedKey(0, b"k", one, None), KeyThere(other), NOW) == (
        "when it was written is not known",
        "not known whether it was written after the export, last use not known",
    )
    same = written_in_words(ExportedKey(0, b"k", one, None, 90, other), KeyThere(other, None, 5), NOW)
    assert same == ("not used in the 90 s before the export", "not changed since the export, last used 5 s ago")
    changed = written_in_words(ExportedKey(0, b"k", one, None, None, other), KeyThere(one, None, 5), NOW)
    assert changed[1] == "changed after the export, last used 5 s ago"
    appeared = written_in_words(ExportedKey(0, b"k", one, None, None, b""), KeyThere(other), NOW)
    assert appeared[1].startswith("written after the export")


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("user:*", [b"user:", b"user:\xff\n"], [b"user", b"auser:1"]),
        ("h?llo", [b"hello", b"h\nllo"], [b"hllo", b"heello"]),
        ("h[ae]llo", [b"hallo", b"hello"], [b"hillo"]),
        ("h[^e]llo", [b"hallo", b"h]llo"], [b"hello"]),
        ("h[a-c]llo", [b"hallo", b"hcllo"], [b"hdllo"]),
        ("h[c-a]llo", [b"hbllo"], [b"h-llo"]),
        (r"h\*llo", [b"h*llo"], [b"hello"]),
        ("a.b+", [b"a.b+"], [b"axb", b"a.bb"]),
        ("a[b", [b"ab"], [b"a[b"]),
        ("é*", ["é1".encode()], [b"e1"]),
    ],
)
def test_a_pattern_means_what_it_means_to_keys(pattern, fits, fits_not):
    found = matcher([pattern])
    assert all(found.fullmatch(key) for key in fits)
    assert not any(found.fullmatch(key) for key in fits_not)


@given(st.lists(st.text(), max_size=3), st.binary())
def test_any_text_is_a_pattern(patterns, key):
    assert matcher(patterns).fullmatch(key) is not None or patterns


@given(st.sets(st.integers(1, 500)))
def test_numbers_of_lines_come_back(numbers):
    assert list(lines_of(lines_in_words(sorted(numbers)))) == sorted(numbers)


def entries(*said):
    made, last = [], None
    for kind, data in said:
        last = next_entry(last, kind, data, NOW)
        made.append(last)
    return made


def test_a_key_is_brought_only_where_its_result_says_so():
    done, lost = {"answer": {"kind": "done"}}, {"answer": {"kind": "unknown"}}
    found = sent_lines(
        entries(
            ("intent", {"lines": "1-4"}),
            ("result", {**done, "kept_back": [{"why": "appeared", "text": "", "lines": "2-3"}]}),
            ("intent", {"lines": "5,6"}),
            ("result", lost),
            ("intent", {"lines": "7"}),
            ("result", {"answer": {"kind": "not sent"}}),
            ("intent", {"lines": "8-9"}),
        )
    )
    assert found.brought == {1, 4}
    assert found.unknown == {5, 6, 8, 9}


def test_an_order_comes_back_from_its_entry():
    order = ReplayOrder("cache", "RUN-1", "redis-a", "/runs/1/keys.jsonl", ("a*", "b*"), NOW, 7.0, keys=9)
    assert order_of(json.loads(json.dumps(order.as_entry()))) == order
    assert order_of({}) is None
    assert order_of({"replays": {"cluster": "cache"}}) is None


def test_each_class_of_conflict_has_another_sentence_and_missing_keys_have_none():
    sentences = [sentence_for(fate, 2, "redis-b") for fate in (Fate.EXPIRY, Fate.VALUE, Fate.TYPE)]
    assert len(set(sentences)) == 3
    assert all("redis-b" in one for one in sentences)
    assert not sentence_for(Fate.MISSING, 2, "redis-b")


@pytest.mark.parametrize(
    ("flavour", "version", "newest"),
    [("redis", (2, 4), 0), ("redis", (2, 8, 19), 6), ("redis", (6, 2, 14), 9), ("redis", (7, 0, 15), 10),
     ("redis", (8, 0, 2), 12), ("redis", (99, 0), 12), ("valkey", (8, 1, 0), 11)],
)  # fmt: skip
def test_what_a_version_takes(flavour, version, newest):
    assert newest_payload(flavour, version) == newest


@given(st.binary(max_size=200))
def test_only_a_short_text_is_shown_as_a_value_and_never_with_a_sign_that_steers_a_terminal(data):
    shown = value_shown(payload(StringValue(data)))
    assert shown.startswith(("“", "not shown"))
    assert len(shown) < 1_500
    assert shown.isprintable()
    assert value_shown(payload(StringValue(b"21"))) == "“21”"
    assert value_shown(b"") == "nothing"
    assert value_shown(payload(SetValue(frozenset({b"secret"})))) == "not shown: a set"


def test_names_of_keys_in_an_answer_are_never_counted_as_keys():
    said = "looked at all 9 keys of redis-a: 3 keys are not on redis-b, 1 key has another value on redis-b"
    for name in ("a, 70 keys are b", "x: 5 have y", "z"):
        assert Export("redis-a", "redis-b", "/k", f"{said}; for example {name}, key:1").keys == 4
