"""The program that a node's own sh runs: it answers each request line with one framed batch of sections.

It needs dash, bash or a sh of the age of CentOS 6's, writes nothing, and ends when its channel closes. A request is
data and never evaluated: sequence number, tier, Redis directory, names of the dump, the AOF and its folder, Redis' log
and configuration file, script paths, separated by tabs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from console.probes.host import addresses, arp, backups, clock, disk, files, memory, places, processes, run_lock
from console.probes.host import identity as host_identity
from console.probes.keepalived import configuration as keepalived_config
from console.probes.keepalived import ipvs, notify_log, scripts, system_log
from console.probes.keepalived import version as keepalived_version
from console.probes.redis import config_file as redis_file
from console.probes.redis import data_files
from console.probes.redis import log as redis_log

LIVE = "live"
"""What moves: identity, addresses, processes, memory, and files whose `stat` has changed."""
CHECKED = "checked"
"""Everything, but files whose `stat` has not changed since they were sent."""
FULL = "full"
"""Everything, read anew."""

MOST = 262_144
"""Bytes of one part of an answer that are read. A part that is longer is not understood."""

_NOTHING = "-"  # stands for an empty field: read would drop it
_LONGEST = 4096
_SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair cannot be sent

# Everything is one compound command: the shell has read all of it before it runs, so nothing that arrives later can be
# taken for program text, and its standard input can be put aside for the requests.
_HEAD = """{
exec 3<&0 0</dev/null 2>/dev/null
LC_ALL=C; export LC_ALL
PATH=$PATH:/sbin:/usr/sbin:/usr/local/sbin:/bin:/usr/bin; export PATH
n='
'
t='\t'
mark() { printf '\\n@%s %s %s %s\\n' "$nonce" "$seq" "$1" "$2"; }
if command -v head >/dev/null; then bounded() { head -c @most@; }; else bounded() { cat; }; fi
""".replace("@most@", str(MOST))

_REQUEST = """
while :; do
  IFS=$t; set -f; set -- $request; set +f; IFS=" $t$n"
  seq=${1:-0}; tier=${2:-live}; dir=${3:--}; base=${4:--}
  [ "$dir" != - ] || dir=
  [ "$base" != - ] || base=dump.rdb
  dump=${dir:+$dir/$base}
  aof=${5:--}; [ "$aof" != - ] || aof=appendonly.aof
  aofdir=${6:--}; [ "$aofdir" != - ] || aofdir=appendonlydir
  rlog=${7:--}; [ "$rlog" != - ] || rlog=
  rconf=${8:--}; [ "$rconf" != - ] || rconf=
  scripts=
  if [ $# -gt 8 ]; then shift 8; for word in "$@"; do scripts="$scripts$n$word"; done; fi
"""

_TAIL = """
  mark end ok
  [ -z "$once" ] || exit 0
  IFS= read -r request <&3 || exit 0
done
}
"""

_PROBES = (
    host_identity,
    clock,
    addresses,
    processes,
    places,
    memory,
    files,
    keepalived_config,
    notify_log,
    system_log,
    keepalived_version,
    disk,
    data_files,
    backups,
    redis_file,
    redis_log,
    run_lock,
    scripts,
    ipvs,
    arp,
)


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


def program_text(watched: ProgramSettings, nonce: str, request: str, *, once: bool = False) -> str:
    """The program, with its first request in it. `once`: it answers that one and ends."""
    variables = {
        "nonce": nonce,
        "request": request,
        "once": "yes" if once else "",
        "conf": watched.config,
        "state_log": watched.state_log,
        "log": watched.system_log,
        "unit": watched.unit,
        "ipvs": "yes" if watched.ipvs else "",
        "arp": "yes" if watched.arp else "",
    }
    settings = "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    probes = "".join(probe.SCRIPT for probe in _PROBES)
    return _HEAD + settings + system_log.SETUP + _REQUEST + probes + _TAIL


def end_marker(nonce: str, seq: int) -> bytes:
    """What the last line of a batch looks like."""
    return f"\n@{nonce} {seq} end ok\n".encode()


def split_sections(batch: bytes, nonce: str, seq: int) -> dict[str, Section]:
    """Section name → section. Whatever stands outside of this batch's frames is passed over."""
    marker = re.compile(rf"\n@{re.escape(nonce)} {seq} ([a-z-]+) ([a-z]+)\n".encode())
    found: dict[str, Section] = {}
    marks = list(marker.finditer(batch))
    ends = [*(mark.start() for mark in marks[1:]), len(batch)]
    for mark, end in zip(marks, ends, strict=False):
        name, status = (part.decode() for part in mark.groups())
        found[name] = Section(status, batch[mark.end() : end])
    found.pop("end", None)
    return found


def _field(value: str) -> str:
    clean = value.strip() == value and not any(sign in value for sign in "\t\n\r\0")
    return value if value and clean and not _SURROGATE.search(value) else _NOTHING
