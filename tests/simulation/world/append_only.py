"""The append-only file of one Redis of the model: what is in it, what is not on the disk yet, and its rewrites.

Sources, of Redis 7.0: aof.c (flushAppendOnlyFile, stopAppendOnly, restartAOFAfterSYNC, backgroundRewriteDoneHandler,
loadAppendOnlyFiles); server.c (writeCommandsDeniedByDiskError). `appendfsync everysec`: what was written is read by a
process that starts again, and after a crash of the host the last second is gone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.core.model import DataForm
from console.core.numbers import version_of

if TYPE_CHECKING:
    from simulation.world.redis_server import RedisServer

FOLDER = "/data/redis"
FOLDER_SINCE = (7, 0)
FSYNC_EVERY = 1.0
REWRITE_SECONDS = 1.5
RETRIES = 1.0
"""Seconds after which a rewrite that failed begins again."""
COMMAND_BYTES = 60


@dataclass
class Aof:
    """The file, or from Redis 7.0 on the folder of a base and an increment."""

    keys: set[int]
    base_bytes: int
    modified: float
    appended: int = 0
    """Commands since its base."""
    sequence: int = 1
    """Of its rewrites: the files of the folder are named by it."""

    @property
    def size(self) -> int:
        return self.base_bytes + COMMAND_BYTES * self.appended


@dataclass
class AppendOnly:
    """What a process does with it. Without `appendonly yes` it does nothing."""

    server: RedisServer
    aof: Aof | None
    """On the disk."""
    configured: bool = False
    """Whether redis.conf said `appendonly yes` when the process began."""
    on: bool = False
    """`aof_enabled` of INFO: not while a copy is loaded."""
    rewriting: bool = False
    unwritten: list[int] = field(default_factory=list)
    """Commands that the full disk did not take."""
    unsynced: deque[tuple[float, int]] = field(default_factory=deque)
    """Commands of the last second, and when they were written."""
    waits: bool = False
    """A copy is loaded, or was: until the rewrite of it has ended, the old file stays."""

    @property
    def in_folder(self) -> bool:
        """One file before Redis 7.0."""
        return version_of(self.server.world.version) >= FOLDER_SINCE

    @property
    def path(self) -> str:
        return f"{FOLDER}/appendonlydir" if self.in_folder else f"{FOLDER}/appendonly.aof"

    @property
    def form(self) -> DataForm:
        return DataForm.AOF_FOLDER if self.in_folder else DataForm.AOF

    @property
    def lasting(self) -> Aof | None:
        """The file, unless a rewrite is about to replace it."""
        return None if self.waits else self.aof

    @property
    def write_ok(self) -> bool:
        return not self.unwritten

    def start(self) -> None:
        """Without the file a process begins with nothing, whatever the dump has."""
        self.on = self.configured = self.server.host.configured_aof()
        if self.on and self.aof is None:
            self.aof = Aof(set(), 90 if self.in_folder else 0, self._now())

    def end(self) -> None:
        """The process is gone. What it has written is in the file."""
        self.on = self.rewriting = self.waits = False
        self.unwritten.clear()

    def crash(self) -> None:
        """The host is gone, too."""
        now = self.server.world.now
        for at, number in self.unsynced:
            if self.aof is not None and now - at < FSYNC_EVERY:
                self.aof.keys.discard(number)
        self.unsynced.clear()

    def append(self, number: int) -> None:
        """feedAppendOnlyFile and flushAppendOnlyFile."""
        if not self.on or self.waits:
            return
        if self.server.host.disk_full:
            self.unwritten.append(number)
        else:
            self._write(number)

    def beat(self) -> None:
        """What a full disk did not take is tried again."""
        if self.unwritten and not self.server.host.disk_full:
            for number in self.unwritten:
                self._write(number)
            self.unwritten.clear()

    def _write(self, number: int) -> None:
        aof, now = self.aof, self.server.world.now
        assert aof is not None
        aof.keys.add(number)
        aof.appended += 1
        aof.modified = self._now()
        self.unsynced.append((now, number))
        while self.unsynced and now - self.unsynced[0][0] >= FSYNC_EVERY:
            self.unsynced.popleft()

    # --- a copy of a master ---------------------------------------------------------------------------------------

    def stop(self) -> None:
        """stopAppendOnly: a copy is about to be loaded."""
        self.on = self.rewriting = False
        self.waits = self.configured
        self.unwritten.clear()

    def restart(self) -> None:
        """restartAOFAfterSYNC: a rewrite makes the new file."""
        if self.configured:
            self.on = True
            self._rewrite()

    def _rewrite(self) -> None:
        process, world = self.server.process, self.server.world
        self.rewriting = True

        def done() -> None:
            if self.server.process is not process or process is None or not self.waits:
                return
            if self.server.host.disk_full:
                world.after(RETRIES, done)
                return
            self.rewriting = self.waits = False
            sequence = self.aof.sequence + 1 if self.aof is not None else 1
            keys = set(process.keys)
            self.aof = Aof(keys, 1000 + 100 * len(keys), self._now(), sequence=sequence)
            self.unsynced.clear()

        world.after(REWRITE_SECONDS, done)

    def _now(self) -> float:
        return float(int(self.server.world.now + self.server.host.clock_ahead))
