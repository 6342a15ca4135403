"""A request to a node's shell: what it asks for, and when it was sent."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.probes import framing


@dataclass(frozen=True, slots=True)
class RedisFiles:
    """Where Redis has its files, as far as that is known when a request is sent."""

    directory: str
    name: str
    log: str = ""
    config: str = ""
    aof: str = ""
    """Name of the AOF inside the folder; empty: the one that Redis uses by default."""
    aof_folder: str = ""

    @property
    def path(self) -> str:
        return f"{self.directory}/{self.name or 'dump.rdb'}" if self.directory else ""


@dataclass(frozen=True, slots=True)
class Paths:
    """What a request looks for beside what the node's program looks for by itself."""

    redis_files: RedisFiles
    scripts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    seq: int
    at: float
    """When it was sent, in epoch seconds."""
    since: float
    """The same, monotonic."""
    paths: Paths
    guessed: bool = False
    """Whether the paths are remembered ones, which may be wrong."""

    def line(self, tier: str) -> str:
        """What is sent."""
        redis_files = self.paths.redis_files
        return framing.request_line(
            self.seq,
            tier,
            redis_files.directory,
            redis_files.name,
            self.paths.scripts,
            aof=redis_files.aof,
            aof_folder=redis_files.aof_folder,
            redis_log=redis_files.log,
            redis_file=redis_files.config,
        )
