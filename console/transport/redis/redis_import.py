"""redis-py's Connection without the rest of the library: its asyncio and cluster halves cost as much again."""

from __future__ import annotations

import importlib.util
import sys

from console.transport.connections.light_import import light

_package = sys.modules.get("redis")
if _package is None:
    # The package's own __init__ imports everything. Its place is held while the connection module is loaded, and given
    # back: whoever imports redis later gets the whole of it.
    _spec = importlib.util.find_spec("redis")
    if _spec is not None:
        sys.modules["redis"] = importlib.util.module_from_spec(_spec)
try:
    with light():
        from redis.connection import Connection
        from redis.exceptions import AuthenticationError, RedisError, ResponseError
        from redis.maint_notifications import MaintNotificationsConfig
finally:
    if _package is None:
        sys.modules.pop("redis", None)

__all__ = ["AuthenticationError", "Connection", "MaintNotificationsConfig", "RedisError", "ResponseError"]
