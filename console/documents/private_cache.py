"""Files that only make the next start faster: they are the operator's own, and nothing fails for want of one."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path


def write_cache(place: Path, value: object) -> None:
    """Writes a value as JSON in one piece, readable for this user only. Where that cannot be done, it is left out."""
    temp = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(value, file)
        temp.replace(place)
    except (OSError, ValueError):
        with contextlib.suppress(OSError):
            temp.unlink()
