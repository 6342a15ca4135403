"""Copies of another node's dump: whether a node holds the data of its source because it loaded such a copy (H25).

A copy that this console transferred is on the node twice: as its dump, and as a dated backup. The note of the backup
names the source and the time. Size and time of the source's dump tell whether it is still the same file.
`console.core.replication.backups.dump_matches_memory` tells whether that dump holds all data of the source.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.core.model import Backup, NodeState, Redis
from console.core.model.facts import started_at
from console.core.quantities import counted
from console.core.replication.backups import SLACK, dump_matches_memory, same_file


def received_copy(node: NodeState, source: NodeState) -> Backup | None:
    """The copy of the source's present dump on the node; None: there is none, or only one of an older dump."""
    dump = source.dump.value
    copies = node.backups.value or ()
    return next((one for one in reversed(copies) if one.origin == source.name and same_file(one, dump)), None)


def dump_is_copy(node: NodeState, source: NodeState) -> bool:
    """Whether the dump of the node is a copy of the source's present dump."""
    copy = received_copy(node, source)
    return copy is not None and same_file(copy, node.dump.value)


def loaded_from_source(node: NodeState, source: NodeState) -> str:
    """Why the node has every write of the source, in words; empty: it lacks some, or that is not known.

    It has them if the dump of the source holds all its data, the node received exactly this file, and the node was
    started after that. Later writes on the node do not matter: they only add data.
    """
    redis, start, copy = node.redis.value, started_at(node), received_copy(node, source)
    if redis is None or redis.loading or redis.persistence.aof or start is None or copy is None or not copy.received:
        return ""
    if start + SLACK < copy.received or not dump_matches_memory(source):
        return ""
    return f"{node.name} was started from the dump of {source.name}, and {source.name} had no change since that save"


def unchanged_since_start(node: NodeState) -> str:
    """Why the node holds exactly the data that it loaded, in words; empty: it does not, or that is not known."""
    redis = node.redis.value
    disk = redis.persistence if redis is not None else None
    if disk is None or disk.aof or disk.changes_since_save != 0 or disk.rdb_last_seconds is not None:
        return ""
    return f"no change on {node.name} since it was started"


def same_key_counts(one: Redis, other: Redis) -> bool:
    """Whether both have the same number of keys in each database. Keys with an expiry do not count."""
    return _lasting(one) == _lasting(other)


def _lasting(redis: Redis) -> Mapping[int, int]:
    lasting = {number: keys - redis.expires.get(number, 0) for number, keys in redis.keys.items()}
    return {number: keys for number, keys in lasting.items() if keys}


def key_counts_in_words(redis: Redis) -> str:
    """`db0 1 key, db1 5,000 keys (500 expire)`."""
    words = [
        f"db{number} {counted(keys, 'key')}"
        + (f" ({redis.expires[number]:,} expire)" if redis.expires.get(number) else "")
        for number, keys in sorted(redis.keys.items())
    ]
    return ", ".join(words) or "no keys"
