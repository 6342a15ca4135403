"""The processes that matter: Redis, keepalived, and the notify and check scripts that run now (H09).

One grep over the command lines finds them; no `ps`, whose options and cost differ. A script whose keepalived has died
is still found, by the path that keepalived.conf gives it: it will promote all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from console.core.keepalived.masking import mask, mask_arguments
from console.core.keepalived.script_timing import sleep_seconds
from console.core.lazy_dataclass import dataclass
from console.core.model import Process, Processes
from console.core.numbers import count, decimal_number
from console.probes import NotUnderstoodError

NAME = "processes"
SCRIPT = r"""
if ! command -v grep >/dev/null || ! command -v head >/dev/null; then
  mark processes missing; echo 'grep and head'
elif [ ! -r /proc/1/cmdline ]; then
  mark processes denied; echo 'the processes of other users (/proc is mounted with hidepid)'
else
  mark processes ok
  printf '%s\n' "$up"
  found=$(grep -lsF "redis-server${n}valkey-server${n}keydb-server${n}keepalived$scripts" /proc/[0-9]*/cmdline)
  set --
  IFS=$n
  for file in $found; do
    process=${file%/cmdline}
    set -- "$@" "$process/stat" "$file"
    children=
    read -r children <"$process/task/${process#/proc/}/children"
    IFS=' '
    for child in $children; do set -- "$@" "/proc/$child/stat" "/proc/$child/cmdline"; done
    IFS=$n
  done
  IFS=" $t$n"
  [ $# -eq 0 ] || head -c 4096 "$@"
fi
"""

_HEADER = re.compile(r"\n?==> /proc/([0-9]{1,10})/(stat|cmdline) <==\n")
_TICKS_A_SECOND = 100  # USER_HZ: fixed in the kernel's interface on every architecture that Redis runs on
_STARTED = 19  # fields of /proc/PID/stat after the command: state is 0, ppid 1, starttime 19
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "python", "python3", "perl", "ruby", "sudo", "env"})


@dataclass(frozen=True, slots=True)
class _Seen:
    pid: int
    parent: int
    name: str
    words: tuple[str, ...]
    age: float

    def process(self, sleeps: float | None = None) -> Process:
        command = mask_arguments(mask(" ".join(self.words))) or f"[{self.name}]"
        return Process(self.pid, self.parent, command, self.age, sleeps)


def parse(text: str, scripts: Iterable[str] = ()) -> Processes:
    """The section as SCRIPT prints it; `scripts` are the paths that keepalived.conf names."""
    first, _, rest = text.partition("\n")
    uptime = decimal_number(first, 0)
    if uptime is None:
        raise NotUnderstoodError("the list of processes came without the uptime")
    seen = _collect(rest, uptime)
    keepalived = {pid for pid, one in seen.items() if one.name.startswith("keepalived")}
    redis = {pid for pid, one in seen.items() if _is_redis(one)}
    paths = tuple(scripts)
    running = {
        pid
        for pid, one in seen.items()
        if pid not in keepalived and pid not in redis and (one.parent in keepalived or _runs(one, paths))
    }
    return Processes(
        redis=_in_order(seen, {pid for pid in redis if seen[pid].parent not in redis}),
        keepalived=_in_order(seen, keepalived),
        scripts=_in_order(seen, running),
    )


def _in_order(seen: Mapping[int, _Seen], pids: set[int]) -> tuple[Process, ...]:
    return tuple(seen[pid].process(_sleeps(seen, pid)) for pid in sorted(pids))


def _sleeps(seen: Mapping[int, _Seen], pid: int) -> float | None:
    """Seconds until a sleep that this process has started ends."""
    left = (
        length - one.age
        for one in seen.values()
        if one.parent == pid and one.name == "sleep" and (length := sleep_seconds(one.words[1:])) is not None
    )
    return max((max(0.0, one) for one in left), default=None)


def _collect(text: str, uptime: float) -> dict[int, _Seen]:
    parts = _HEADER.split(text)
    stats: dict[int, str] = {}
    lines: dict[int, str] = {}
    for place in range(1, len(parts) - 2, 3):
        (stats if parts[place + 1] == "stat" else lines)[int(parts[place])] = parts[place + 2]
    seen = (_one(pid, stat, lines.get(pid, ""), uptime) for pid, stat in stats.items())
    return {one.pid: one for one in seen if one is not None}


def _one(pid: int, stat: str, line: str, uptime: float) -> _Seen | None:
    """None for a process that ended meanwhile, or that is dead and only waits to be collected."""
    name = stat.partition("(")[2].rpartition(")")[0]
    fields = stat.rpartition(")")[2].split()
    if len(fields) <= _STARTED or fields[0] in "ZX":
        return None
    parent, started = count(fields[1]), count(fields[_STARTED])
    if parent is None or started is None:
        return None
    words = tuple(word for word in re.split(r"[\0\n]+", line.strip("\0\n ")) if word)
    age = max(0.0, uptime - started / _TICKS_A_SECOND)
    return _Seen(pid, parent, name, words, age)


def _is_redis(one: _Seen) -> bool:
    """By the kernel's name of it: the command line of a Redis is whatever it has set as its title."""
    sentinel = any("[sentinel]" in word or word == "--sentinel" for word in one.words)
    return one.name.startswith(("redis-server", "valkey-server", "keydb-server")) and not sentinel


def _runs(one: _Seen, scripts: tuple[str, ...]) -> bool:
    """Whether it runs one of the scripts: itself, or a shell with it. An editor that has it open does not."""
    words = [word for part in one.words[:3] for word in part.split()]
    if not words:
        return False
    if words[0] in scripts:
        return True
    shell = re.sub(r"[\d.]+$", "", words[0].rpartition("/")[2])
    return shell in _SHELLS and any(word in scripts for word in words[1:])
