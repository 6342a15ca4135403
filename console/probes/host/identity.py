"""Which machine answers: hostname, boot id, uptime. Read with builtins only."""

from __future__ import annotations

from console.core.model import HostIdentity
from console.core.numbers import decimal_number
from console.probes import NotUnderstoodError

NAME = "identity"
SCRIPT = """
host=; boot=; up=
read -r host </proc/sys/kernel/hostname
read -r boot </proc/sys/kernel/random/boot_id
read -r up rest </proc/uptime
mark identity ok
printf '%s\\n' "$host" "$boot" "$up"
"""


def parse(text: str) -> HostIdentity:
    """Three lines: hostname, boot_id, seconds since boot."""
    lines = text.splitlines()
    if len(lines) != 3 or not all(lines):  # noqa: PLR2004 - the three lines that SCRIPT prints
        raise NotUnderstoodError("the node does not say its hostname, boot id and uptime (/proc not mounted?)")
    uptime = decimal_number(lines[2], 0)
    if uptime is None:
        raise NotUnderstoodError("the node's uptime is no number of seconds")
    return HostIdentity(hostname=lines[0], boot_id=lines[1], uptime=uptime)
