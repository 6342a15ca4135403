"""keepalived's version, asked for once a connection."""

from __future__ import annotations

import re

from console.probes import NotUnderstoodError

NAME = "version"
SCRIPT = """
if [ "$tier" = full ]; then
  if ! command -v keepalived >/dev/null; then mark version missing; echo keepalived
  else
    [ -n "$version" ] || version=$(keepalived -v 2>&1)
    mark version ok
    printf '%s\\n' "$version"
  fi
fi
"""

_VERSION = re.compile(r"Keepalived v(\d+(?:\.\d+)+)")


def parse(text: str) -> str:
    """`Keepalived v2.2.7 (01/16,2022)` and what older and newer ones print around it."""
    found = _VERSION.search(text)
    if found is None:
        raise NotUnderstoodError("keepalived -v does not say a version")
    return found.group(1)
