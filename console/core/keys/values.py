"""The values of keys, so that two of them can be compared whatever form a server keeps them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from console.core.quantities import counted, size

StreamId = tuple[int, int]


@dataclass(frozen=True, slots=True)
class StringValue:
    """A string."""

    type: ClassVar[str] = "string"
    data: bytes

    def extent(self) -> str:
        return size(len(self.data))


@dataclass(frozen=True, slots=True)
class ListValue:
    """A list, from its head to its tail."""

    type: ClassVar[str] = "list"
    items: tuple[bytes, ...]

    def extent(self) -> str:
        return counted(len(self.items), "item")


@dataclass(frozen=True, slots=True)
class SetValue:
    """A set. Its order means nothing."""

    type: ClassVar[str] = "set"
    members: frozenset[bytes]

    def extent(self) -> str:
        return counted(len(self.members), "member")


@dataclass(frozen=True, slots=True)
class HashValue:
    """A hash, with the expiries of fields that have one (from Redis 7.4 on)."""

    type: ClassVar[str] = "hash"
    fields: Mapping[bytes, bytes]
    expiries: Mapping[bytes, int] = field(default_factory=dict)
    """Field → epoch milliseconds on the server's clock."""

    def extent(self) -> str:
        return counted(len(self.fields), "field")


@dataclass(frozen=True, slots=True)
class SortedSetValue:
    """A sorted set."""

    type: ClassVar[str] = "zset"
    scores: Mapping[bytes, float]

    def extent(self) -> str:
        return counted(len(self.scores), "member")


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An entry that a consumer got and has not acknowledged."""

    consumer: bytes
    delivered_at: int
    """Epoch milliseconds."""
    deliveries: int


@dataclass(frozen=True, slots=True)
class StreamGroup:
    """A consumer group. When a consumer was last seen is not part of it."""

    last_id: StreamId
    consumers: frozenset[bytes]
    pending: Mapping[StreamId, PendingEntry]
    entries_read: int | None = field(default=None, compare=False)
    """None: not known, as before Redis 7.0."""


@dataclass(frozen=True, slots=True)
class StreamValue:
    """A stream with its groups."""

    type: ClassVar[str] = "stream"
    entries: tuple[tuple[StreamId, tuple[bytes, ...]], ...]
    """Id, and fields and values in turn."""
    last_id: StreamId
    groups: Mapping[bytes, StreamGroup]
    added: int | None = field(default=None, compare=False)
    """Entries that were ever added; None: not known, as before Redis 7.0."""
    last_deleted: StreamId = field(default=(0, 0), compare=False)

    def extent(self) -> str:
        groups = f", {counted(len(self.groups), 'group')}" if self.groups else ""
        return counted(len(self.entries), "entry", "entries") + groups


Value = StringValue | ListValue | SetValue | HashValue | SortedSetValue | StreamValue
