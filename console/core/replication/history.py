"""Compares replication histories: whether the target of a SLAVEOF holds data that its source lacks (H03, H18).

Since 4.0 a server knows up to two histories: its own (`master_replid`, up to its offset), and the one that it shared
with a former master (`master_replid2`, up to `second_repl_offset` - 1). From 7.0 on Redis and Valkey restore the second
one from the RDB when they restart as a master (server.c, loadDataFromDisk). Older servers restart with an unknown
history. Then these facts decide: the changes since the start (changes since the last save, a save after the start), the
number of keys, and which dump is newer if the source was restarted too.

Limits: writes that a dead master acknowledged but never sent were lost by the failover itself. Before 7.0 a restart
hides them. Expired keys add bytes to the stream, so the bytes of a restarted server count only if it also counted
changes. Loading an AOF counts as changes, so the counter of such a server tells nothing. The server is trusted for ten
minutes after its start. Later the answer is UNKNOWN. The preview always warns of this.
"""

from __future__ import annotations

import re

from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, NodeState, Redis, Role
from console.core.model.facts import source_of, started_at
from console.core.model.verdict import Verdict
from console.core.quantities import counted, span
from console.core.replication.dump_copies import loaded_from_source

LARGE_SHARE = 0.2
"""A source that lacks more than this share of the target's keys counts as the older one."""
START_SLACK = 10.0
"""Seconds. INFO counts the uptime in whole seconds, and loading takes some time."""
AOF_TRUSTED = 600
"""Seconds after its start for which a server with AOF is assumed to have had no writes. Nothing proves it."""
_NEW_HISTORY = re.compile(r"New replication ID is ([0-9a-f]{40})")
"""What a server of 4.0 or later logs when it is promoted."""
_SYNCED = re.compile(r"Finished with success|successful partial resync|asks for synchronization", re.IGNORECASE)
"""After a sync with a master or a replica, the logged history is shared."""


def compare_advice(keeper: str, target: str) -> str:
    """What to do where `target` may have data that `keeper` lacks."""
    return (
        f"{target} may be wiped only once what {keeper} lacks is saved: a step of the run that exports keys does that,"
        " and names the file; else compare the data of both nodes by hand"
    )


@dataclass(frozen=True, slots=True)
class HistoryComparison:
    """HOLDS: the source has all data of the target. FAILS: the target may hold data that the source lacks."""

    verdict: Verdict
    reason: str
    beyond: int | None = None
    """Bytes of the stream that only the target has; None: not known."""


def compare_histories(state: ClusterState, source: NodeState, target: NodeState) -> HistoryComparison:
    """Compares source and target as they were observed. The module describes the rules and their limits."""
    s, t = source.redis.value, target.redis.value
    for node in (source, target):
        if node.redis.value is None:
            return HistoryComparison(Verdict.UNKNOWN, f"Redis on {node.name} could not be read: {node.redis.problem}")
        if node.redis.value.loading:
            return HistoryComparison(Verdict.UNKNOWN, f"Redis on {node.name} is still loading its data")
    assert s is not None
    assert t is not None
    if t.master is not None and t.master.up and source_of(state, target) is source:
        return HistoryComparison(Verdict.HOLDS, f"{target.name} already follows {source.name}, and its link is up", 0)
    if t.total_keys == 0:
        return HistoryComparison(Verdict.HOLDS, f"{target.name} holds no keys", None)
    if copied := loaded_from_source(source, target):
        return HistoryComparison(Verdict.HOLDS, copied, 0)
    shared = _shared(source, s, target, t)
    if shared is not None:
        return shared
    if t.role is Role.REPLICA and t.read_only_replica is not False:
        return _by_keys(source, s, target, t, f"{target.name} is a replica and accepts no writes of its own")
    own = own_writes(target)
    if own.verdict is not Verdict.HOLDS:
        return HistoryComparison(own.verdict, f"no common history is known, and {own.reason}")
    older = _of_its_own(source, s, target, t) or _older_dump(source, target)
    return older or _by_keys(source, s, target, t, f"no common history is known, but {own.reason}")


def _shared(source: NodeState, s: Redis, target: NodeState, t: Redis) -> HistoryComparison | None:
    """The result by a history that both servers know; None: they know no common history."""
    limits = _histories(s)
    if t.replid is not None and t.replid in limits and t.offset is not None:
        beyond = t.offset - limits[t.replid]
        if beyond > 0:
            return HistoryComparison(
                Verdict.FAILS,
                f"{target.name} is at {t.offset} of history {t.replid[:8]}, but {source.name} has it only up to"
                f" {limits[t.replid]}: {counted(beyond, 'byte exists', 'bytes exist')} only on {target.name}",
                beyond,
            )
        at = f"{source.name} has history {t.replid[:8]} up to {limits[t.replid]}, {target.name} up to {t.offset}"
        return HistoryComparison(Verdict.HOLDS, at, 0)
    if t.replid2 is None or t.replid2 not in limits or t.second_offset is None or t.second_offset < 1:
        return None
    parted = t.second_offset - 1
    beyond = parted - limits[t.replid2]
    left = f"after byte {parted:,}" if parted else "before it had copied any byte of its stream"
    at = (
        f"both nodes shared history {t.replid2[:8]}: {target.name} left that history {left}, and {source.name} has"
        f" it up to byte {limits[t.replid2]:,}"
    )
    added = max(0, (t.offset or 0) - parted)
    if beyond > 0:
        more = f", and it wrote {counted(added, 'byte')} of its own since then" if added else ""
        return HistoryComparison(
            Verdict.FAILS,
            f"{at}: {counted(beyond, 'byte exists', 'bytes exist')} only on {target.name}{more}",
            beyond + added,
        )
    if not added:
        return HistoryComparison(Verdict.HOLDS, f"{at}, and {target.name} wrote nothing since then", 0)
    own = own_writes(target)
    if own.verdict is Verdict.HOLDS:
        return HistoryComparison(Verdict.HOLDS, f"{at}, and {own.reason} (its {added} own bytes are expired keys)", 0)
    return HistoryComparison(
        Verdict.FAILS, f"{at}; since then {target.name} wrote {counted(added, 'byte')} of its own", added
    )


def _histories(redis: Redis) -> dict[str, int]:
    """Each history that the server knows → the byte up to which it has it."""
    known: dict[str, int] = {}
    if redis.replid2 and redis.replid2.strip("0") and redis.second_offset is not None and redis.second_offset > 0:
        known[redis.replid2] = redis.second_offset - 1
    if redis.replid and redis.offset is not None:
        known[redis.replid] = redis.offset
    return known


def own_writes(node: NodeState) -> HistoryComparison:
    """HOLDS: the server has had no writes since its start. FAILS: it has had some. Its counters decide, not its offset.

    Before 7.0 the offset of a master without replicas does not change with writes: it has no backlog.
    """
    redis, start = node.redis.value, started_at(node)
    if redis is None or start is None:
        return HistoryComparison(Verdict.UNKNOWN, f"Redis on {node.name} could not be read: {node.redis.problem}")
    disk = redis.persistence
    if disk.aof:
        loaded = f"{node.name} started {span(redis.uptime)} ago from its AOF, whose loading counts as changes"
        return HistoryComparison(Verdict.HOLDS if redis.uptime <= AOF_TRUSTED else Verdict.UNKNOWN, loaded)
    if disk.changes_since_save is None:
        return HistoryComparison(Verdict.UNKNOWN, f"{node.name} does not report its changes since the last save")
    if disk.changes_since_save > 0:
        return HistoryComparison(
            Verdict.FAILS, f"{node.name} has had {counted(disk.changes_since_save, 'change')} since its last save"
        )
    if disk.rdb_last_save is not None and disk.rdb_last_save > start + START_SLACK:
        late = span(disk.rdb_last_save - start)
        return HistoryComparison(Verdict.FAILS, f"{node.name} saved {late} after its start, so it had changes to save")
    if disk.rdb_last_seconds is not None:  # so soon after its start that the times do not tell
        return HistoryComparison(
            Verdict.FAILS, f"{node.name} made a background save since its start, so it had changes to save"
        )
    return HistoryComparison(Verdict.HOLDS, f"{node.name} started {span(redis.uptime)} ago and has had no writes since")


def _of_its_own(source: NodeState, s: Redis, target: NodeState, t: Redis) -> HistoryComparison | None:
    """FAILS if the target was the master of a history that the source never had, while the source was running.

    This happens when a node fails again before the other node follows it. Its last writes are then in its dump.
    """
    start, dump, own = started_at(source), target.dump.value, _last_history(target, t)
    if start is None or dump is None or dump.modified <= start or own is None or own in _histories(s):
        return None
    return HistoryComparison(
        Verdict.FAILS,
        f"{target.name} was the master of history {own[:8]}, which {source.name} never had, although {source.name} was"
        f" running when the dump of {target.name} was written: writes may exist only in that dump",
    )


def _last_history(target: NodeState, t: Redis) -> str | None:
    """The history of a restarted node before its start: from its dump since 7.0, else from its log; None: not known."""
    if t.replid2 and t.replid2.strip("0"):
        return t.replid2
    lines = target.redis_log.value.lines if target.redis_log.value is not None else ()
    for line in reversed(lines):
        if _SYNCED.search(line):
            return None
        if found := _NEW_HISTORY.search(line):
            return found[1]
    return None


def _older_dump(source: NodeState, target: NodeState) -> HistoryComparison | None:
    """If the source was also restarted and has had no writes, the newer dump is the newer data."""
    start, dump = started_at(source), target.dump.value
    if own_writes(source).verdict is not Verdict.HOLDS or start is None:
        return None
    if dump is not None and start < dump.modified:
        return None  # the source was running when the target's dump was written, as its replica
    mine = source.dump.value
    if dump is None or mine is None:
        return HistoryComparison(
            Verdict.UNKNOWN,
            f"both were restarted and have had no writes, and it is not known which dump is newer"
            f" ({source.dump.problem or target.dump.problem})",
        )
    older = dump.modified - mine.modified
    if older > START_SLACK:
        return HistoryComparison(
            Verdict.FAILS,
            f"both were restarted, and the dump of {source.name} is {span(older)} older than {target.name}'s",
        )
    return None


def _by_keys(source: NodeState, s: Redis, target: NodeState, t: Redis, reason: str) -> HistoryComparison:
    figures = f"{source.name} holds {counted(s.total_keys, 'key')}, {target.name} {t.total_keys:,}"
    if s.total_keys < t.total_keys * (1 - LARGE_SHARE):
        return HistoryComparison(Verdict.FAILS, f"{figures}: {target.name} may be the newer one ({reason})")
    return HistoryComparison(Verdict.HOLDS, f"{reason}; {figures}")
