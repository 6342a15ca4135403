"""Consul's answers are JSON."""

from __future__ import annotations

import json
from typing import Any

from console.probes import NotUnderstoodError


def parse_json(text: str) -> Any:
    """The value. Raises NotUnderstoodError, also for brackets that are nested too deeply to be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotUnderstoodError("Consul's answer is no JSON") from None
