"""The data on the disk of a node: what its Redis would load, and whether a backup holds it.

The configuration file says whether the append-only file (AOF) is on. The files themselves are believed too: an AOF that
is newer than the dump, or not much older, is data, also where the configuration file does not turn it on.
"""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model import AofFiles, Backup, DataForm, DumpFile, NodeState, Problem, ProblemKind, Reading, RedisFile
from console.core.model.facts import proved_down
from console.core.quantities import size

BY_HAND = "the SSH user must be able to read the folder of the data (ssh.sudo), and redis.dir must be correct"
LONGEST_SAVE = 3600.0
"""Seconds. A dump has the time of its end: what was written while it was saved may be in the AOF alone."""


class UnreadDataError(Exception):
    """It is not known what Redis would load. The text says why."""


@dataclass(frozen=True, slots=True)
class DiskData:
    """A dump or an AOF on the disk of a node."""

    form: DataForm
    path: str
    size: int
    modified: float
    names: tuple[str, ...] = ()
    manifest: str = ""

    @property
    def in_words(self) -> str:
        files = f", {len(self.names)} files" if self.names else ""
        return f"{self.path} ({self.form.value}, {size(self.size)}{files})"


def disk_data(node: NodeState) -> tuple[DiskData, ...]:
    """What a start of this Redis could load, that which it would load first. Raises UnreadDataError."""
    on = aof_is_on(node)
    if proved_down(node):
        _same_names(node, node.redis_file.value)
    dump, aof = _dump(node), _aof(node)
    file = node.redis_file.value
    if on is None and aof is None and file is not None:
        raise UnreadDataError(
            f"{file.path} includes {', '.join(file.includes)}, which is not read: it may turn on an append-only file of"
            " another name"
        )
    if on and aof is not None and aof.size:
        return (aof,)
    if on is False and aof is not None and dump is not None and aof.modified < dump.modified - LONGEST_SAVE:
        return (dump,)
    return tuple(one for one in (aof, dump) if one is not None and (one is dump or one.size))


def newest_data(node: NodeState) -> DiskData | None:
    """The data of the folder that was written last: the last writes of a server that died are in it. None: no data.

    It may be known where `disk_data` is not: it does not need the configuration file. Raises UnreadDataError.
    """
    try:
        found = disk_data(node)
    except UnreadDataError:
        if node.redis_file.value is not None:
            raise
        found = tuple(one for one in (_aof(node), _dump(node)) if one is not None and one.size)
        if not found:  # under another name there may be some
            raise
    return max(found, key=lambda one: one.modified, default=None)


def name_the_file(node: str) -> str:
    """Where an operator names the configuration file of a Redis that does not run, and cannot name it itself."""
    return f"name it in the inventory at {node}, under `redis:`, as `config: /etc/redis/redis.conf`"


def aof_is_on(node: NodeState) -> bool | None:
    """Whether a start loads the AOF: as the server says that runs, else its configuration file. None: not known.

    Raises UnreadDataError if the configuration file of a server that does not run could not be read.
    """
    if node.redis.value is not None:
        return node.redis.value.persistence.aof
    file = node.redis_file.value
    if file is None:
        raise UnreadDataError(
            f"the configuration file of Redis on {node.name} could not be read: {node.redis_file.problem}:"
            f" {name_the_file(node.name)}"
        )
    return None if file.includes else file.appendonly


def kept_copy(data: DiskData, backups: tuple[Backup, ...]) -> Backup | None:
    """The newest backup that holds exactly this data; None: there is none."""
    return next((one for one in reversed(backups) if holds_data(one, data)), None)


def holds_data(backup: Backup, data: DiskData) -> bool:
    """Whether form, size and time are equal. A backup keeps the time, and each write gives a new one."""
    same = (backup.size, backup.modified) == (data.size, data.modified)
    return same and (backup.form is data.form or _loads_dump_as_base(backup, data))


def _loads_dump_as_base(backup: Backup, data: DiskData) -> bool:
    """A restored dump is the AOF itself, or the base of an AOF without increments."""
    return backup.form is DataForm.DUMP and data.form is not DataForm.DUMP


def as_data(found: DumpFile | AofFiles) -> DiskData:
    """The same as data on the disk."""
    if isinstance(found, AofFiles):
        return DiskData(found.form, found.path, found.size, found.modified, found.names, found.manifest)
    return DiskData(DataForm.DUMP, found.path, found.size, found.modified)


def _dump(node: NodeState) -> DiskData | None:
    value = _value(node.dump, f"the dump of {node.name}")
    return as_data(value) if value is not None else None


def _aof(node: NodeState) -> DiskData | None:
    value = _value(node.aof, f"the append-only file of {node.name}")
    return as_data(value) if value is not None else None


def _value(reading: Reading[DumpFile] | Reading[AofFiles], what: str) -> DumpFile | AofFiles | None:
    if reading.value is None and not is_absent(reading.problem):
        raise UnreadDataError(f"{what} could not be read: {reading.problem} ({BY_HAND})")
    return reading.value


def is_absent(problem: Problem | None) -> bool:
    """Whether it is proved that there is nothing to read."""
    return problem is not None and problem.kind is ProblemKind.ABSENT


def _same_names(node: NodeState, file: RedisFile | None) -> None:
    """Raises UnreadDataError if the configuration file names another folder than the one that was read."""
    seen = node.dump.value.path if node.dump.value is not None else ""
    seen = seen or (node.disk.value.path + "/" if node.disk.value is not None else "")
    named = file.dir.rstrip("/") if file is not None and file.dir.startswith("/") else ""
    if file is not None and named and seen and seen.rpartition("/")[0] not in (named, file.real_dir):
        raise UnreadDataError(
            f"{file.path} names the folder {named}, but the console reads {seen.rpartition('/')[0]}: correct redis.dir"
            " in the inventory"
        )
