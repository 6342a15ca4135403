"""Whether two values that have another DUMP are the same value all the same.

A DUMP has the version of its server at its end, and the way in which the server holds the value. A large hash or set
has its members in an order that each server makes up for itself. So the values are read and compared. Only commands
that read are sent. A value of another type, or a stream, counts as what its DUMP says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.redis.connection import RedisConnection, Refusal, Reply


def _as_it_is(reply: Reply) -> object:
    return reply


def _unordered(reply: Reply) -> object:
    return frozenset(reply) if isinstance(reply, tuple) else reply


def _by_name(reply: Reply) -> object:
    return dict(zip(reply[::2], reply[1::2], strict=False)) if isinstance(reply, tuple) else reply


_READ: Mapping[str, tuple[Callable[[str], tuple[str, ...]], Callable[[Reply], object]]] = {
    "string": (lambda key: ("GET", key), _as_it_is),
    "list": (lambda key: ("LRANGE", key, "0", "-1"), _as_it_is),
    "set": (lambda key: ("SMEMBERS", key), _unordered),
    "hash": (lambda key: ("HGETALL", key), _by_name),
    "zset": (lambda key: ("ZRANGE", key, "0", "-1", "WITHSCORES"), _as_it_is),
}
"""Type → the command that reads a value, and what of its reply is compared."""


def same_content(one: RedisConnection, other: RedisConnection, keys: Sequence[str], within: float) -> frozenset[str]:
    """Those of the keys whose values are the same. Both connections have selected the database. Raises RemoteError."""
    if not keys:
        return frozenset()
    kinds = _from_both(one, other, [("TYPE", key) for key in keys], within)
    read = [(key, _READ[str(mine)]) for key, (mine, its) in zip(keys, kinds, strict=True) if mine == its in _READ]
    values = _from_both(one, other, [command(key) for key, (command, _) in read], within) if read else []
    return frozenset(
        key
        for (key, (_, content)), (mine, its) in zip(read, values, strict=True)
        if not isinstance(mine, Refusal) and content(mine) == content(its)
    )


def _from_both(
    one: RedisConnection, other: RedisConnection, commands: Sequence[Sequence[str]], within: float
) -> list[tuple[Reply, Reply]]:
    for link in (one, other):
        link.send_words(commands)
    until = time.monotonic() + within
    replies = one.receive(until), other.receive(until)
    if replies[0] is None or replies[1] is None:
        raise RemoteError(ProblemKind.TIMEOUT, "a Redis does not answer in time")
    return list(zip(replies[0], replies[1], strict=True))
