"""Room where Redis saves its RDB."""

from __future__ import annotations

from console.core.model import DiskRoom
from console.core.numbers import count
from console.probes import NotUnderstoodError

NAME = "disk"
SCRIPT = """
if [ "$tier" != live ] || [ "$dir" != "$disk_was" ]; then
  disk_was=$dir
  if [ -z "$dir" ]; then mark disk unknown; echo 'the directory of Redis'
  else mark disk ok; printf '%s\\n' "$dir"; df -P -k "$dir"; fi
fi
"""

_KIB = 1024
_COLUMNS = 6


def parse(text: str) -> DiskRoom:
    """The directory on the first line, then `df -P -k`."""
    lines = text.splitlines()
    columns = lines[-1].split() if len(lines) > 2 else []  # noqa: PLR2004 - directory, header, figures
    total, free = (count(columns[1]), count(columns[3])) if len(columns) >= _COLUMNS else (None, None)
    if total is None or free is None:
        raise NotUnderstoodError(f"df does not know {lines[0] if lines else 'the directory'}")
    return DiskRoom(path=lines[0], free=free * _KIB, total=total * _KIB)
