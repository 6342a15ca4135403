"""redis-py's Connection without the rest of the library: its asyncio and cluster parts take as long to import again.

asyncio itself is not imported either. The library takes a few names from it, for connections that nothing here makes.
"""

from __future__ import annotations

import importlib.util
import sys

from console.transport.connections.light_import import light

_package = sys.modules.get("redis")
if _package is None:
    # The package's own __init__ imports everything. An empty module stands in for it while the connection module is
    # loaded, and is removed afterwards: a later `import redis` gets the whole library.
    _spec = importlib.util.find_spec("redis")
    if _spec is not None:
        sys.modules["redis"] = importlib.util.module_from_spec(_spec)
try:
    with light(without={"asyncio": ("IncompleteReadError", "StreamReader", "Lock")}):
        from redis.connection import Connection
        from redis.exceptions import AuthenticationError, RedisError, ResponseError
        from redis.maint_notifications import MaintNotificationsConfig
finally:
    if _package is None:
        sys.modules.pop("redis", None)

__all__ = ["AuthenticationError", "Connection", "MaintNotificationsConfig", "RedisError", "ResponseError"]
