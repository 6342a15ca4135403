"""A Sentinel on a laboratory host: the program of Redis in its other mode, as a SysV service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.lab import files
from console.lab.sysv import service_script

if TYPE_CHECKING:
    from console.lab.host import Host
    from console.lab.servers import Server

SENTINEL_CONF = "/etc/redis/sentinel.conf"


def write_sentinel(host: Host, server: Server, conf: str) -> None:
    """The service and its configuration, not started. `conf` names /run/redis-sentinel.pid and daemonizes."""
    start = f"{server.environment}{server.program} {SENTINEL_CONF} --sentinel || exit 1"
    text = service_script("redis-sentinel", start, pidfile="/run/redis-sentinel.pid", log=files.SENTINEL_LOG)
    host.write("/etc/init.d/redis-sentinel", text, 0o755)
    host.write(SENTINEL_CONF, conf, 0o640)
