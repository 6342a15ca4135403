"""What this console asks of a server in bulk: while it does, the load figures of that server are not its clients'."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator

DISTORTED_FOR = 3.0
"""Seconds after the last bulk question. A server tells its operations a second over the last 1.6 seconds."""

_lock = threading.Lock()
_under_way: Counter[str] = Counter()
_ended: dict[str, float] = {}
"""Server → when the last one ended, on the monotonic clock."""


@contextlib.contextmanager
def own_load(*servers: str) -> Iterator[None]:
    """Around a scan or a comparison of keys. `servers`: as errors name them, `Redis on 10.0.0.1:6379`."""
    with _lock:
        _under_way.update(servers)
    try:
        yield
    finally:
        with _lock:
            _under_way.subtract(servers)
            _ended.update(dict.fromkeys(servers, time.monotonic()))


def is_own_load(server: str) -> bool:
    """Whether what the server tells of its load now is mostly due to this console."""
    with _lock:
        ended = _ended.get(server)
        return _under_way[server] > 0 or (ended is not None and time.monotonic() - ended < DISTORTED_FOR)
