"""Real servers for replays: what is kept on them, in every type and form, and what they hold."""

from __future__ import annotations

import contextlib

from real_servers import RealNode
from replay_stage import ask

from console.engine.replay.look import BATCH

BINARY = bytes(range(256))
MORE = BATCH + 1_000
"""So many keys are sent in two batches."""


@contextlib.contextmanager
def server(folder, version, **settings):
    folder.mkdir()
    node = RealNode(folder, version, appendonly="no", **settings)
    node.start()
    try:
        yield node
    finally:
        node.stop(at_once=True)


def fill(node, version):
    """One key of each type and form, with any bytes in names and values."""
    commands = [
        ("SET", b"bin\xff\x00\r\n", BINARY), ("SET", "number", 12345), ("SET", "compressed", b"abc" * 500),
        ("SET", "", "a key without a name"), ("SETEX", "fleeting", 3600, "x"),
        ("HSET", "hash", b"f\xfe", BINARY, 1, -7),
        ("RPUSH", "list", *range(-3, 3), BINARY, b"y" * 9000), ("SADD", "numbers", *range(9)),
        ("SADD", "set", "a", BINARY),
        ("ZADD", "zset", "-inf", "low", 0.1, "tenth", 3, BINARY, "+inf", "high"), ("EXPIRE", "zset", 7200),
        ("SADD", "many", *(f"member:{one}" for one in range(700))),
        ("HSET", "large", *(word for one in range(700) for word in (f"f{one}", "v" * 80))),
        ("ZADD", "scores", *(word for one in range(700) for word in (one / 3, f"m{one}"))),
        ("RPUSH", "long", *(f"item {one}" for one in range(3000))),
        *(("XADD", "stream", f"{one}-1", "a", one, "b", BINARY) for one in range(1, 300)), ("XDEL", "stream", "7-1"),
        ("XADD", "stream", "900-1", "other", "fields"), ("XGROUP", "CREATE", "stream", "group", "0"),
        ("XREADGROUP", "GROUP", "group", "reader", "COUNT", 3, "STREAMS", "stream", ">"),
        ("XGROUP", "CREATECONSUMER", "stream", "group", "idle"), ("XGROUP", "CREATE", "void", "g", "$", "MKSTREAM"),
    ]  # fmt: skip
    if version == "8.0":
        commands += [("HSET", "expiring", "a", 1, "b", 2), ("HPEXPIRE", "expiring", 9_000_000, "FIELDS", 1, "a")]
    replies = ask(node, *commands)
    assert not [one for one in replies if type(one).__name__ == "RawRefusal"]
    return list(ask(node, ("KEYS", "*"))[0])


def dumps(node, keys):
    return dict(zip(keys, ask(node, *(("DUMP", key) for key in keys)), strict=True))
