"""A Sentinel on a laboratory host: the program of Redis in its other mode, as a SysV service."""

from __future__ import annotations

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.hosts.service_script import service_script
from console.lab.servers.versions import RedisServer

SENTINEL_CONF = "/etc/redis/sentinel.conf"


def write_sentinel(host: Host, server: RedisServer, conf: str) -> None:
    """The service and its configuration, not started. `conf` names /run/redis-sentinel.pid and daemonizes."""
    start = f"{server.environment}{server.program} {SENTINEL_CONF} --sentinel || exit 1"
    text = service_script("redis-sentinel", start, pidfile="/run/redis-sentinel.pid", log=log_files.SENTINEL_LOG)
    host.write("/etc/init.d/redis-sentinel", text, 0o755)
    host.write(SENTINEL_CONF, conf, 0o640)
