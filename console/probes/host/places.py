"""Where the processes of Redis and keepalived run: in which systemd unit, and on which root folder. Builtins only.

The paths of the inventory are read on the root folder of the login. A program in a container has another one, so its
files are somewhere else.
"""

from __future__ import annotations

import re

from console.core.model import ProcessPlace
from console.core.numbers import count
from console.probes import NotUnderstoodError

NAME = "places"
# `found` is from the probe of the processes, which comes before. `-ef` compares file and device, and fails without the
# right to look: then `-e` fails too.
SCRIPT = """
if [ "$tier" != live ]; then
  mark places ok
  IFS=$n
  for file in $found; do
    process=${file%/cmdline}
    root=unknown group=
    if [ "$process/root/." -ef /. ]; then root=same
    elif [ -e "$process/root/." ]; then root=other; fi
    while IFS= read -r line; do
      case $line in 0::*|*:name=systemd:*) [ -n "$group" ] && [ "$group" != / ] || group=${line#*:*:} ;; esac
    done <"$process/cgroup"
    printf '%s %s %s\\n' "${process#/proc/}" "$root" "$group"
  done
  IFS=" $t$n"
fi
"""

_LINE = re.compile(r"([0-9]{1,10}) (same|other|unknown) (.*)")
_UNIT = ".service"
_CONTAINER = re.compile(r"docker|libpod|containerd|kubepods|crio-|/lxc[./]|machine\.slice")
_ROOTS = {"same": False, "other": True, "unknown": None}


def parse(text: str) -> tuple[ProcessPlace, ...]:
    """Lines `PID same|other|unknown CONTROL-GROUP`. The unit is the last `NAME.service` in the path of the group."""
    found = []
    for line in filter(None, text.splitlines()):
        parts = _LINE.fullmatch(line)
        pid = count(parts[1]) if parts is not None else None
        if parts is None or pid is None:
            raise NotUnderstoodError("the list of control groups has a line of another form")
        units = [one.removesuffix(_UNIT) for one in parts[3].split("/") if one.endswith(_UNIT) and one != _UNIT]
        container = _CONTAINER.search(parts[3]) is not None
        elsewhere = True if container else _ROOTS[parts[2]]
        found.append(ProcessPlace(pid, elsewhere, "" if container else "".join(units[-1:])))
    return tuple(found)
