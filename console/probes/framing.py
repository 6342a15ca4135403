"""A request to a node's shell, and the framed batch of sections that answers it.

A request is data and never evaluated: sequence number, tier, Redis directory, names of the dump, the AOF and its
folder, Redis' log and configuration file, script paths, separated by tabs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from console.core.lazy_dataclass import dataclass

LIVE = "live"
"""What moves: identity, addresses, processes, memory, and files whose `stat` has changed."""
CHECKED = "checked"
"""Everything, but files whose `stat` has not changed since they were sent."""
FULL = "full"
"""Everything, read anew."""

MOST = 262_144
"""Bytes of one part of an answer that are read. A part that is longer is not understood."""

BY_PATH = frozenset({"data", "backups", "disk", "redis-log", "redis-file", "scripts"})
"""The parts of an answer that depend on the paths of its request."""

_NOTHING = "-"  # stands for an empty field: read would drop it
_LONGEST = 4096
_SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair cannot be sent


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """The paths that a node's program is made for."""

    config: str
    state_log: str = ""
    system_log: str = ""
    unit: str = "keepalived"
    """The systemd unit of keepalived, whose journal is read where no log is named."""
    ipvs: bool = False
    """A director: its table of real servers is wanted."""
    arp: bool = False
    """A real server: how it treats ARP is wanted."""


@dataclass(frozen=True, slots=True)
class Section:
    """One probe's part of a batch. `status` is `ok`, or why there is no answer: missing, denied, unknown."""

    status: str
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", errors="replace")


def request_line(  # noqa: PLR0913 - a line of fields
    seq: int,
    tier: str,
    redis_dir: str = "",
    dump: str = "",
    scripts: Iterable[str] = (),
    *,
    aof: str = "",
    aof_folder: str = "",
    redis_log: str = "",
    redis_file: str = "",
) -> str:
    """One request, without its newline. A path that no line can carry counts as not known."""
    paths = (redis_dir, dump, aof, aof_folder, redis_log, redis_file)
    fields = [str(seq), tier, *map(_field, paths)]
    for script in scripts:
        if _field(script) != _NOTHING and sum(map(len, fields)) + len(script) < _LONGEST:
            fields.append(script)
    return "\t".join(fields)


def end_marker(nonce: str, seq: int) -> bytes:
    """What the last line of a batch looks like."""
    return f"\n@{nonce} {seq} end ok\n".encode()


def split_sections(batch: bytes, nonce: str, seq: int) -> dict[str, Section]:
    """Section name → section. Whatever stands outside of this batch's frames is passed over."""
    # One pattern for all batches of a shell: to compile it costs more than to split a batch.
    marker = re.compile(rf"\n@{re.escape(nonce)} ([0-9]+) ([a-z-]+) ([a-z]+)(?=\n)".encode())
    marks = [mark for mark in marker.finditer(batch) if mark[1] == b"%d" % seq]
    found: dict[str, Section] = {}
    ends = [*(mark.start() for mark in marks[1:]), len(batch)]
    for mark, end in zip(marks, ends, strict=False):  # without marks there is an end more
        name, status = mark[2].decode(), mark[3].decode()
        found[name] = Section(status, batch[mark.end() + 1 : end])
    found.pop("end", None)
    return found


def _field(value: str) -> str:
    clean = value.strip() == value and not any(sign in value for sign in "\t\n\r\0")
    return value if value and clean and not _SURROGATE.search(value) else _NOTHING
