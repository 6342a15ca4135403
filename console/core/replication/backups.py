"""Backups of a node's data: their names, their notes, and whether a backup holds the data that is in memory.

A backup is a copy of the dump or of the append-only file (AOF), and is beside it, as `NAME.redis-ha-console.STAMP`. It
has the mode, owner and time of what it was copied from. Its note `….note` has its size, its SHA-256 and the counts of
the check programs. The file or folder gets its name only when the copy is complete and verified. So the name on the
node proves the backup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from console.core.lazy_dataclass import dataclass
from console.core.model import Backup, DataForm, DumpFile, NodeState
from console.core.model.facts import proved_down, started_at
from console.core.numbers import count
from console.core.quantities import size
from console.core.replication.disk_data import DiskData, UnreadDataError, as_data, disk_data, kept_copy

NEWEST = "newest"
SLACK = 10.0
"""Seconds. INFO counts whole seconds, and a save is written before it counts as done."""
DISK_MARGIN = 1.1
"""The free space must be this many times the size of the new file."""

_BACKUP = re.compile(r"(?P<dump>/.+)\.redis-ha-console\.(?P<stamp>\d{8}T\d{6}Z)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def restore_runbook(kind: str) -> str:
    """The shipped runbook that restores a backup in a cluster of this kind."""
    return {"sentinel-vip": "sentinel-restore-backup", "sentinel-consul": "consul-restore-backup"}.get(
        kind, "restore-backup"
    )


def is_backup(path: str) -> bool:
    """Whether this is the name of a finished backup."""
    return _BACKUP.fullmatch(path) is not None


def dump_of(path: str) -> str:
    """The dump, AOF or folder that a backup of this name was copied from. Raises ValueError."""
    found = _BACKUP.fullmatch(path)
    if found is None:
        raise ValueError(f"{path} is not the name of a backup")
    return found["dump"]


def stamp_of(path: str) -> str:
    """The UTC time in the name, when the run that made the backup began; empty: there is none."""
    found = _BACKUP.fullmatch(path)
    return found["stamp"] if found else ""


@dataclass(frozen=True, slots=True)
class BackupNote:
    """What the script that makes a backup reports about it, in the note file and in its answer."""

    size: int
    sha256: str
    keys: int | None = None
    expires: int | None = None
    checked: str = ""
    origin: str = ""
    received: float | None = None


def parse_note(words: Mapping[str, str]) -> BackupNote | None:
    """Parses `size`, `sha256`, `keys`, `expires`, `checked`, and for a copy from another node `origin` and `received`.

    None: the size or the checksum is missing or invalid.
    """
    length, digest = count(words.get("size", "")), words.get("sha256", "")
    if length is None or not _SHA256.fullmatch(digest):
        return None
    keys, expires, received = (_count(words, one) for one in ("keys", "expires", "received"))
    return BackupNote(length, digest, keys, expires, words.get("checked", ""), words.get("origin", ""), received)


def parse_answer(text: str) -> tuple[str, BackupNote] | None:
    """The path and the note in the answer of the script that makes a backup; None: it is another answer."""
    words = dict(line.partition(" ")[::2] for line in text.splitlines())
    note = parse_note(words)
    return (words["backup"], note) if note is not None and is_backup(words.get("backup", "")) else None


def _count(words: Mapping[str, str], key: str) -> int | None:
    return count(words.get(key, ""))


def find_backup(backups: tuple[Backup, ...], which: str = NEWEST) -> Backup | None:
    """The backup of this stamp, or the newest one of the node's own data; None: there is none."""
    fitting = [
        one for one in backups if which in (stamp_of(one.path), one.path) or (which == NEWEST and not one.origin)
    ]
    # Of two that one run made, the append-only file is the one that Redis would have loaded.
    return max(fitting, key=lambda one: (stamp_of(one.path), one.form is not DataForm.DUMP), default=None)


def same_file(backup: Backup, dump: DumpFile | None) -> bool:
    """Whether size and time are equal. A backup keeps the time of its dump, and a new save has a new time."""
    return dump is not None and (backup.size, backup.modified) == (dump.size, dump.modified)


def key_count_fits(backup: Backup, total: int) -> bool:
    """Whether a server with so many keys can hold this backup. Keys with an expiry may be gone.

    True if redis-check-rdb did not count the keys.
    """
    return backup.keys is None or backup.keys - (backup.expires or 0) <= total <= backup.keys


def dump_matches_memory(node: NodeState) -> str:
    """Why the dump on disk equals the data in memory, in words; empty: it does not, or that is not known.

    This can hold only for a server without changes since its last save. Its dump is either that of the last save, or
    the one that it loaded at its start. A server with AOF loads the AOF instead, so its dump must be newer than the
    start. The file of a long save can be as old as the begin of the save.
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


def data_to_back_up(node: NodeState) -> tuple[DiskData, ...]:
    """What a backup of this node copies. Raises UnreadDataError where that is not known.

    Of a server that runs, the dump is copied if it holds all that is in memory. Else, and of a server that is down,
    what a start would load is copied.
    """
    dump = node.dump.value
    if proved_down(node):
        return disk_data(node)
    if dump is not None and dump_matches_memory(node):
        return (as_data(dump),)
    if node.redis.value is not None and node.redis.value.persistence.aof:
        return disk_data(node)
    if dump is None:
        raise UnreadDataError(f"the dump of {node.name} could not be read: {node.dump.problem}")
    return (as_data(dump),)


def dump_size(node: NodeState) -> int | None:
    """The estimated size of the next dump in bytes: that of the last dump, otherwise the used memory."""
    redis, dump = node.redis.value, node.dump.value
    if dump is not None and (redis is None or not redis.persistence.aof):
        return dump.size
    return redis.used_memory if redis is not None else None


@dataclass(frozen=True, slots=True)
class Room:
    """The disk space that is needed and that is free on a node. Bytes."""

    free: int
    wanted: int
    figures: str

    @property
    def enough(self) -> bool:
        return self.free >= self.wanted


def room_for_backup(node: NodeState, free: int, path: str) -> Room | None:
    """The space for a copy of the data, and for a new dump if it must be saved first; None: the size is not known.

    Raises UnreadDataError where it is not known what a server that is down would load.
    """
    redis, dump = node.redis.value, node.dump.value
    if proved_down(node):
        found = [one for one in disk_data(node) if kept_copy(one, node.backups.value or ()) is None]
        wanted = int(sum(one.size for one in found) * DISK_MARGIN)
        what = " and ".join(f"a copy of {one.in_words}" for one in found) or "nothing: its data is kept"
    elif dump is not None and dump_matches_memory(node):
        wanted = int(dump.size * DISK_MARGIN)
        what = f"a copy of the dump of {size(dump.size)}"
    else:
        length = dump_size(node)
        if length is None or redis is None:
            return None
        wanted = int(length * DISK_MARGIN) * 2
        what = f"a new dump and a copy of it, about {size(length)} each"
        aof = node.aof.value
        if redis.persistence.aof and aof is not None and aof.size * DISK_MARGIN > wanted:
            wanted, what = int(aof.size * DISK_MARGIN), f"a copy of the append-only file of {size(aof.size)}"
    return Room(free, wanted, f"{size(free)} free in {path}, {size(wanted)} needed for {what}")


def room_for_restore(backup: Backup, free: int, path: str) -> Room:
    """The space for one more copy: what is there now is renamed and kept."""
    wanted = int(backup.size * DISK_MARGIN)
    return Room(free, wanted, f"{size(free)} free in {path}, {size(wanted)} needed for {backup.path}")


# --- as text, and back ----------------------------------------------------------------------------------------------


def backup_in_words(node: str, backup: Backup) -> str:
    """`redis-b:/data/dump.rdb.redis-ha-console.20261121T034000Z (5200000 bytes, sha256 …)`.

    `backups_mentioned` reads this form.
    """
    note = f", sha256 {backup.sha256}" if backup.sha256 else ""
    return f"{node}:{backup.path} ({backup.size} bytes{note})"


@dataclass(frozen=True, slots=True)
class Mention:
    """A backup that a text of a journal mentions."""

    node: str
    path: str
    size: int
    sha256: str


_IN_NAME = ".redis-ha-console."
_MENTION = re.compile(
    r"(?P<node>[^\s;(]+):(?P<path>/[^;]+?\.redis-ha-console\.\d{8}T\d{6}Z)"
    r" \((?P<size>[0-9]{1,20}) bytes(?:, sha256 (?P<sha256>[0-9a-f]{64}))?\)"
)


def backups_mentioned(text: str) -> tuple[Mention, ...]:
    """Every backup that a text mentions in the form of `backup_in_words`."""
    if _IN_NAME not in text:  # most texts mention none, and the search for a node's name begins at each letter
        return ()
    return tuple(
        Mention(one["node"], one["path"], int(one["size"]), one["sha256"] or "") for one in _MENTION.finditer(text)
    )
