"""The program that a node's own sh runs: it answers each request line with one framed batch of sections.

It needs dash, bash or a sh of the age of CentOS 6's, writes nothing, and ends when its channel closes. Requests and
batches: `console.probes.framing`.
"""

from __future__ import annotations

import shlex

from console.probes.framing import MOST, ProgramSettings
from console.probes.host import addresses, arp, backups, clock, disk, files, memory, places, processes, run_lock
from console.probes.host import identity as host_identity
from console.probes.keepalived import configuration as keepalived_config
from console.probes.keepalived import ipvs, notify_log, scripts, system_log
from console.probes.keepalived import version as keepalived_version
from console.probes.redis import config_file as redis_file
from console.probes.redis import data_files
from console.probes.redis import log as redis_log

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
