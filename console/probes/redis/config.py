"""CONFIG GET of a closed list of keys. None of them is a secret; `CONFIG GET *` is never sent."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.model import RedisConfig
from console.core.numbers import count

PATTERNS = (
    "dir",
    "dbfilename",
    "save",
    "maxmemory",
    "min-*-to-write",  # min-slaves-to-write, from 5.0 min-replicas-to-write too
    "stop-writes-on-bgsave-error",
    "repl-diskless-*",
    "logfile",
    "append*name",  # of the AOF
)


def parse(told: Mapping[str, str]) -> RedisConfig:
    """Keys as the server spells them → their values; what it does not know stays None."""
    replicas = told.get("min-replicas-to-write", told.get("min-slaves-to-write"))
    return RedisConfig(
        dir=told.get("dir"),
        dbfilename=told.get("dbfilename"),
        save=told.get("save"),
        maxmemory=_number(told.get("maxmemory")),
        min_replicas_to_write=_number(replicas),
        stop_writes_on_bgsave_error=_flag(told.get("stop-writes-on-bgsave-error")),
        diskless_sync=_flag(told.get("repl-diskless-sync")),
        diskless_load=told.get("repl-diskless-load"),
        logfile=told.get("logfile"),
        appendfilename=told.get("appendfilename"),
        appenddirname=told.get("appenddirname"),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else count(text)


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "yes"
