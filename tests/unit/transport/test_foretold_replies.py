"""Replies that are known before they come are compared, and only the others are read: the result is the same."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from console.transport.redis import raw_replies as raw
from console.transport.redis.raw_replies import Foretold, RawRefusal, RawReplies, heads, joined, packed, packed_word

WORDS = st.lists(st.binary(max_size=40), max_size=6)


class Stream:
    """Gives the bytes in parts of any size."""

    def __init__(self, data, sizes):
        self._data, self._sizes = data, sizes

    def recv(self, _):
        size = self._sizes.pop() if self._sizes else len(self._data) or 1
        part, self._data = self._data[:size], self._data[size:]
        return part

    def recv_ready(self, size):
        """A part has come, or nothing."""
        return self.recv(size) if self._data and self._sizes and self._sizes[-1] % 2 else b""


def sent(reply):
    if isinstance(reply, RawRefusal):
        return b"-%b\r\n" % reply.text.encode()
    return b":%d\r\n" % reply if isinstance(reply, int) else packed_word(reply)


NUMBERS = st.lists(st.integers(-2, 10**12), max_size=8)
ODD = st.lists(
    st.one_of(st.integers(-2, 99), st.builds(RawRefusal, st.sampled_from(["ERR no", "READONLY"]))), max_size=8
)
SIZES = st.lists(st.integers(1, 30), max_size=40)


PART = st.tuples(WORDS, st.one_of(NUMBERS, ODD), st.booleans())


@given(st.lists(PART, max_size=4), st.binary(max_size=60), SIZES)
def test_what_is_foretold_never_changes_what_is_read(parts, last, sizes):
    stream = Stream(b"", sizes)
    replies, made = RawReplies(stream), []
    for values, numbers, as_foretold in parts:
        known = b"".join(map(sent, values))
        stream._data += known + b"".join(map(sent, numbers))
        foretold = Foretold(len(values) + len(numbers), len(numbers), known if as_foretold else known[:-1] + b"x")
        replies.expect(foretold)
        replies.take_ready()
        made.append(foretold)
    stream._data += sent(last)
    assert replies.rest(1) == [last]
    for (values, numbers, as_foretold), one in zip(parts, made, strict=True):
        assert one.as_foretold is as_foretold
        assert one.found == (numbers if as_foretold else [*values, *numbers])


@given(st.lists(st.one_of(st.binary(max_size=300), st.integers(-2, 99)), max_size=30), SIZES)
def test_replies_of_any_size_are_read_however_they_come(replies, sizes):
    """What was read is dropped while a reply is still coming: here after some bytes, in the field after a megabyte."""
    with patch.object(raw, "_CHUNK", 4):
        assert RawReplies(Stream(b"".join(map(sent, replies)), sizes)).rest(len(replies)) == replies


@given(WORDS)
def test_commands_that_are_packed_by_columns_are_those_that_are_packed_one_by_one(words):
    one_by_one = b"*%d\r\n" % len(words) + b"".join(map(packed_word, words))
    assert packed(*words) == one_by_one
    assert joined(heads(words), words, [b"\r\n"] * len(words)) == b"".join(map(packed_word, words))
