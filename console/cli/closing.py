"""Closes inspectors at the end of a command, and waits for none that hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.engine.ports import Inspector

CLOSING_SECONDS = 0.5
"""How long the end of a command waits for connections to be closed."""


def close_side_by_side(inspectors: Iterable[Inspector]) -> None:
    """Closes all of them.

    An inspector closes when its observation has ended, and that may hang with a node. What is still open after
    CLOSING_SECONDS only reads, and ends with the process.
    """
    closing = [threading.Thread(target=one.close, name=f"close-{one.cluster}", daemon=True) for one in inspectors]
    for one in closing:
        one.start()
    until = time.monotonic() + CLOSING_SECONDS
    for one in closing:
        one.join(max(0.0, until - time.monotonic()))
