"""Memory and the overcommit policy: what a fork for a full sync has to live with (H11). Builtins only."""

from __future__ import annotations

from console.core.model import Memory
from console.core.numbers import count
from console.probes import NotUnderstoodError

NAME = "memory"
SCRIPT = """
mark memory ok
overcommit=
read -r overcommit </proc/sys/vm/overcommit_memory
printf 'overcommit: %s\\n' "$overcommit"
{ for field in 1 2 3 4 5; do read -r line && printf '%s\\n' "$line"; done; } </proc/meminfo
"""

_KIB = 1024


def parse(text: str) -> Memory:
    """Kernels before 3.14 have no MemAvailable: there free, buffers and cache together stand for it."""
    fields: dict[str, int] = {}
    for line in text.splitlines():
        key, _, value = line.partition(":")
        number = count(value.split()[0]) if value.split() else None
        if number is not None:
            fields[key] = number
    if "MemTotal" not in fields or "overcommit" not in fields:
        raise NotUnderstoodError("/proc/meminfo has no MemTotal, or vm.overcommit_memory could not be read")
    older = sum(fields.get(key, 0) for key in ("MemFree", "Buffers", "Cached"))
    return Memory(
        total=fields["MemTotal"] * _KIB,
        available=fields.get("MemAvailable", older) * _KIB,
        overcommit=fields["overcommit"],
    )
