"""Whether a node holds another one's data because it was started from a copy of that one's dump (H25).

A copy that this console has carried over lies on the node twice: as its dump, and as a dated backup whose note names
where it came from and when. Size and time of the other one's dump say whether it still is the same file; whether that
dump is all that the other one holds is `console.core.replication.backups.holds_memory`, which counts the changes since.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.core.model import Backup, NodeState, Redis
from console.core.model.facts import started_at
from console.core.quantities import counted
from console.core.replication.backups import SLACK, dump_matches_memory, same_file


def received_copy(node: NodeState, source: NodeState) -> Backup | None:
    """What the node has received of the source's dump as that lies there now; None: nothing, or of an older one."""
    dump = source.dump.value
    copies = node.backups.value or ()
    return next((one for one in reversed(copies) if one.origin == source.name and same_file(one, dump)), None)


def dump_is_copy(node: NodeState, source: NodeState) -> bool:
    """Whether the dump of the node is what came from the source, and the source's dump is that file still."""
    copy = received_copy(node, source)
    return copy is not None and same_file(copy, node.dump.value)


def loaded_from_source(node: NodeState, source: NodeState) -> str:
    """Why the node has every write that the source holds, in words; empty: it has not, or that is not known.

    All that the source holds is in its dump, the node has received that very file, and was started after it came.
    What the node has written since does not matter: it is what it has beyond that.
    """
    redis, start, copy = node.redis.value, started_at(node), received_copy(node, source)
    if redis is None or redis.loading or redis.persistence.aof or start is None or copy is None or not copy.received:
        return ""
    if start + SLACK < copy.received or not dump_matches_memory(source):
        return ""
    return f"{node.name} was started from the dump of {source.name}, and {source.name} had no change since that save"


def unchanged_since_start(node: NodeState) -> str:
    """Why the node holds what it loaded and nothing else, in words; empty: it does not, or that is not known."""
    redis = node.redis.value
    disk = redis.persistence if redis is not None else None
    if disk is None or disk.aof or disk.changes_since_save != 0 or disk.rdb_last_seconds is not None:
        return ""
    return f"no change on {node.name} since it was started"


def same_key_counts(one: Redis, other: Redis) -> bool:
    """Whether both have as many keys in each database, apart from keys that expire: those go by themselves."""
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
