"""Backups of a dump: how they are named, what their notes say, and whether one holds the data set that is in memory.

A backup stands beside the dump, as `DUMP.redis-ha-console.STAMP`, with the mode, owner and time of the dump that it was
copied from. Its note `….note` has its size and SHA-256 and what redis-check-rdb counted. The name appears only when the
copy is whole and verified, so that looking at the node tells whether it was made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from console.core.model import Backup, DumpFile, NodeState
from console.core.model.facts import proved_down, started_at
from console.core.quantities import size

NEWEST = "newest"
SLACK = 10.0
"""Seconds: INFO counts in whole ones, and a save is written before it counts as done."""
DISK_MARGIN = 1.1
"""This many times the size of what is written must be free."""

_BACKUP = re.compile(r"(?P<dump>/.+)\.redis-ha-console\.(?P<stamp>\d{8}T\d{6}Z)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_backup(path: str) -> bool:
    """Whether this is the name of a finished backup."""
    return _BACKUP.fullmatch(path) is not None


def dump_of(path: str) -> str:
    """The dump that a backup of this name was copied from. Raises ValueError."""
    found = _BACKUP.fullmatch(path)
    if found is None:
        raise ValueError(f"{path} is not the name of a backup")
    return found["dump"]


def stamp_of(path: str) -> str:
    """When the run that made it began, UTC; empty where the name has none."""
    found = _BACKUP.fullmatch(path)
    return found["stamp"] if found else ""


@dataclass(frozen=True, slots=True)
class BackupNote:
    """What is written down about a backup when it is made: in its note, and as the answer of the script."""

    size: int
    sha256: str
    keys: int | None = None
    expires: int | None = None
    checked: str = ""
    origin: str = ""
    received: float | None = None


def parse_note(words: Mapping[str, str]) -> BackupNote | None:
    """From `size`, `sha256`, `keys`, `expires`, `checked`, and `origin` and `received` where it came from another node.

    None where size or checksum are not there, or no such.
    """
    length, digest = words.get("size", ""), words.get("sha256", "")
    if not length.isdigit() or not _SHA256.fullmatch(digest):
        return None
    keys, expires, received = (_count(words, one) for one in ("keys", "expires", "received"))
    return BackupNote(int(length), digest, keys, expires, words.get("checked", ""), words.get("origin", ""), received)


def parse_answer(text: str) -> tuple[str, BackupNote] | None:
    """The path and the note in the answer of the script that made a backup; None: it is not such an answer."""
    words = dict(line.partition(" ")[::2] for line in text.splitlines())
    note = parse_note(words)
    return (words["backup"], note) if note is not None and is_backup(words.get("backup", "")) else None


def _count(words: Mapping[str, str], key: str) -> int | None:
    value = words.get(key, "")
    return int(value) if value.isdigit() else None


def find_backup(backups: tuple[Backup, ...], which: str = NEWEST) -> Backup | None:
    """The backup of this stamp, or the newest one of the node's own data; None: there is none."""
    fitting = [one for one in backups if which == stamp_of(one.path) or (which == NEWEST and not one.origin)]
    return max(fitting, key=lambda one: stamp_of(one.path), default=None)


def same_file(backup: Backup, dump: DumpFile | None) -> bool:
    """By size and time: a backup keeps the time of the dump that it was copied from, and a new save has another."""
    return dump is not None and (backup.size, backup.modified) == (dump.size, dump.modified)


def key_count_fits(backup: Backup, total: int) -> bool:
    """Whether a server with so many keys can hold this backup: keys that expire may be gone, and none comes by itself.

    Holds where redis-check-rdb did not count them.
    """
    return backup.keys is None or backup.keys - (backup.expires or 0) <= total <= backup.keys


def dump_matches_memory(node: NodeState) -> str:
    """Why the dump on disk is the data set in memory, in words; empty: it is not, or that is not known.

    Only for a server that counts no change since its last save. Its dump is either the one of that save, or the one it
    was started from; a server with AOF is started from that instead, so its dump must be from after the start. A save
    that took long began before it counted as done, and the file may be as old as that.
    """
    redis, dump, start = node.redis.value, node.dump.value, started_at(node)
    if redis is None or dump is None or start is None or redis.persistence.changes_since_save != 0:
        return ""
    disk = redis.persistence
    saved = disk.rdb_last_save
    if saved is None:
        return ""
    unsaved = disk.rdb_last_seconds is None and saved <= start + SLACK
    if unsaved and not disk.aof and dump.modified <= start + SLACK:
        return "no change since it was loaded"
    began = saved - (disk.rdb_last_seconds or 0) - SLACK
    if began <= dump.modified <= saved + SLACK and (not disk.aof or dump.modified >= start - 1):
        return "no change since it was saved"
    return ""


def dump_size(node: NodeState) -> int | None:
    """Bytes that the next dump will have, at a guess: as many as the last one, and without one as memory is used."""
    redis, dump = node.redis.value, node.dump.value
    if dump is not None and (redis is None or not redis.persistence.aof):
        return dump.size
    return redis.used_memory if redis is not None else None


@dataclass(frozen=True, slots=True)
class Room:
    """What is to be written on a node's disk, and what is free there. Bytes."""

    free: int
    wanted: int
    figures: str

    @property
    def enough(self) -> bool:
        return self.free >= self.wanted


def room_for_backup(node: NodeState, free: int, path: str) -> Room | None:
    """For a copy of the dump, and for a new dump beside the old one where it has to be saved first."""
    redis, dump = node.redis.value, node.dump.value
    if dump is not None and (dump_matches_memory(node) or proved_down(node)):
        wanted = int(dump.size * DISK_MARGIN)
        what = f"a copy of the dump of {size(dump.size)}"
    else:
        length = dump_size(node)
        if length is None or redis is None:
            return None
        wanted = int(length * DISK_MARGIN) * 2
        what = f"a new dump and a copy of it, some {size(length)} each"
    return Room(free, wanted, f"{size(free)} free in {path}, {size(wanted)} wanted for {what}")


def room_for_restore(backup: Backup, free: int, path: str) -> Room:
    """For one more copy: what is there now is set aside and stays."""
    wanted = int(backup.size * DISK_MARGIN)
    return Room(free, wanted, f"{size(free)} free in {path}, {size(wanted)} wanted for {backup.path}")


# --- in words, and back ---------------------------------------------------------------------------------------------


def backup_in_words(node: str, backup: Backup) -> str:
    """`redis-b:/data/dump.rdb.redis-ha-console.20261121T034000Z (5200000 bytes, sha256 …)`.

    `backups_mentioned` reads this form.
    """
    note = f", sha256 {backup.sha256}" if backup.sha256 else ""
    return f"{node}:{backup.path} ({backup.size} bytes{note})"


@dataclass(frozen=True, slots=True)
class Mention:
    """A backup that a journal speaks of."""

    node: str
    path: str
    size: int
    sha256: str


_MENTION = re.compile(
    r"(?P<node>[^\s;(]+):(?P<path>/[^;]+?\.redis-ha-console\.\d{8}T\d{6}Z)"
    r" \((?P<size>\d+) bytes(?:, sha256 (?P<sha256>[0-9a-f]{64}))?\)"
)


def backups_mentioned(text: str) -> tuple[Mention, ...]:
    """Every backup that `backup_in_words` has put into a text."""
    return tuple(
        Mention(one["node"], one["path"], int(one["size"]), one["sha256"] or "") for one in _MENTION.finditer(text)
    )
