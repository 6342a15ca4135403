"""Commands and replies of Redis (RESP2) as bytes, for many keys at once: keys and values may hold any bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Protocol, Union

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class RawRefusal:
    """An error reply to one command."""

    text: str


RawReply = Union[bytes, int, None, RawRefusal, list["RawReply"]]  # noqa: UP007 - it names itself
"""A status or a string as bytes, a number, nothing, an error, or several of these."""


@dataclass(slots=True)
class Foretold:
    """Replies that are known before they come, but for some numbers behind them."""

    replies: int
    """How many replies come, with the numbers."""
    numbers: int = 0
    """So many of them are numbers, most often, and come last."""
    known: bytes = b""
    """Those before the numbers, as the server sends them."""
    as_foretold: bool = False
    """Whether the known ones came. Then `found` has only the numbers, otherwise all replies."""
    found: list[RawReply] = field(default_factory=list)


class _Heads(dict[int, bytes]):
    """How a word of so many bytes begins. Kept for the sizes that most words have."""

    def __missing__(self, size: int) -> bytes:
        head = b"$%d\r\n" % size
        if size < _KEPT_SIZES:
            self[size] = head
        return head


_KEPT_SIZES = 1 << 12
_HEADS = _Heads()
LINE_END = b"\r\n"


class Stream(Protocol):
    """The part of a socket that is read."""

    def recv(self, size: int) -> bytes: ...

    def recv_ready(self, size: int) -> bytes:
        """What has come already, perhaps nothing. It does not wait."""


def packed(*words: bytes) -> bytes:
    """One command as it is sent."""
    return b"*%d\r\n" % len(words) + joined(heads(words), words, repeat(LINE_END))


def packed_word(word: bytes) -> bytes:
    """One word of a command as it is sent."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


def heads(words: Iterable[bytes]) -> Iterable[bytes]:
    """What stands before each of these words. Behind each stands LINE_END."""
    return map(_HEADS.__getitem__, map(len, words))


def joined(*columns: Iterable[bytes]) -> bytes:
    """The first of each column, then the second of each: many commands at once, without a loop over keys."""
    return b"".join(chain.from_iterable(zip(*columns, strict=False)))


class RawReplies:
    """Reads replies from a stream: those that are foretold by comparing, which is many times faster.

    All raise OSError where the stream ends or its deadline has passed, and ValueError for what is no reply.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._data = bytearray()
        self._at = 0
        self._foretold: deque[Foretold] = deque()

    def expect(self, foretold: Foretold) -> None:
        """What comes behind everything that was expected before."""
        self._foretold.append(foretold)

    def take_ready(self) -> None:
        """Reads what has come of the foretold replies, and does not wait: the server works on meanwhile."""
        while part := self._stream.recv_ready(_CHUNK):
            self._add(part)
        while self._foretold and self._has_come(self._foretold[0]):
            self._take(self._foretold.popleft())

    def rest(self, count: int) -> list[RawReply]:
        """Reads all that is foretold, and `count` replies behind it. Returns these."""
        while self._foretold:
            self._take(self._foretold.popleft())
        return [self._reply() for _ in range(count)]

    def _has_come(self, foretold: Foretold) -> bool:
        """Whether all of it is there. A part that differs may be shorter: it is left to `rest`."""
        upto = self._at + len(foretold.known)
        if not self._data.startswith(foretold.known, self._at):
            return False
        return self._data.count(LINE_END, upto) >= foretold.numbers

    def _take(self, foretold: Foretold) -> None:
        foretold.as_foretold = self._begins_with(foretold.known)
        if foretold.as_foretold and (numbers := self._numbers(foretold.numbers)):
            foretold.found = numbers
            return
        left = foretold.numbers if foretold.as_foretold else foretold.replies
        foretold.found = [self._reply() for _ in range(left)]

    def _begins_with(self, expected: bytes) -> bool:
        """Reads so many bytes, and compares them. It stops at the first part that differs."""
        compared = 0
        while compared < len(expected):
            if len(self._data) <= self._at + compared:
                self._more()
            upto = min(len(self._data) - self._at, len(expected))
            if not self._data.startswith(memoryview(expected)[compared:upto], self._at + compared):
                return False
            compared = upto
        self._at += compared
        return True

    def _numbers(self, count: int) -> list[RawReply]:
        """The next replies, all at once. Empty: not all of them are numbers, and none of them is read."""
        while self._data.count(LINE_END, self._at) < count:
            self._more()
        *lines, rest = bytes(self._data[self._at :]).split(LINE_END, count)
        together = b"".join(lines)
        try:
            found: list[RawReply] = list(map(int, together[1:].split(b":")))
        except ValueError:
            return []
        if not together.startswith(b":") or len(found) != count:
            return []
        self._at = len(self._data) - len(rest)
        return found

    def _reply(self) -> RawReply:
        kind, line = self._line()
        if kind == 36:  # $: a string of so many bytes  # noqa: PLR2004
            return self._string(int(line))
        if kind == 58:  # :  # noqa: PLR2004
            return int(line)
        if kind == 43:  # +  # noqa: PLR2004
            return line
        if kind == 45:  # -  # noqa: PLR2004
            return RawRefusal(line.decode("utf-8", "replace"))
        if kind == 42:  # *: so many replies  # noqa: PLR2004
            count = int(line)
            return None if count < 0 else [self._reply() for _ in range(count)]
        raise ValueError("a reply begins with an unknown sign")

    def _line(self) -> tuple[int, bytes]:
        while (end := self._data.find(b"\r\n", self._at)) < 0:
            self._more()
        kind, line = self._data[self._at], bytes(self._data[self._at + 1 : end])
        self._at = end + 2
        return kind, line

    def _string(self, size: int) -> bytes | None:
        if size < 0:
            return None
        while len(self._data) < self._at + size + 2:  # what was read is dropped meanwhile, and the place moves
            self._more()
        part = bytes(self._data[self._at : self._at + size])
        self._at += size + 2
        return part

    def _more(self) -> None:
        part = self._stream.recv(_CHUNK)
        if not part:
            raise ConnectionResetError("the connection was closed")
        self._add(part)

    def _add(self, part: bytes) -> None:
        if self._at > _CHUNK * 4:
            del self._data[: self._at]
            self._at = 0
        self._data += part
