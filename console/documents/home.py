"""Paths that may begin with `~`."""

from __future__ import annotations

import os
from pathlib import Path


def expand_home(path: str) -> Path:
    """The path with its `~` replaced. Where no home folder is known, and for an unknown user, the `~` stays."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path raises an error where no home folder is known
