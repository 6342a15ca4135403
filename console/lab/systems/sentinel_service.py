"""A Sentinel on a laboratory host: the program of Redis in its other mode, as a SysV service.

While a scenario is built a Sentinel waits less than documented. `set_build_times` and `set_documented_times` change its
times while it runs.
"""

from __future__ import annotations

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.hosts.service_script import service_script
from console.lab.options import LabError
from console.lab.servers.versions import RedisServer

SENTINEL_CONF = "/etc/redis/sentinel.conf"
SENTINEL_PORT = 26379
_BUILD_DOWN_AFTER = 1000
"""Milliseconds. A shorter time would let a busy machine look like a dead master."""
_BUILD_FAILOVER_TIMEOUT = 5000
"""Milliseconds. Sentinels that have split their vote try again after twice this time."""


def write_sentinel(host: Host, server: RedisServer, conf: str) -> None:
    """The service and its configuration, not started. `conf` names /run/redis-sentinel.pid and daemonizes."""
    start = f"{server.environment}{server.program} {SENTINEL_CONF} --sentinel || exit 1"
    text = service_script("redis-sentinel", start, pidfile="/run/redis-sentinel.pid", log=log_files.SENTINEL_LOG)
    host.write("/etc/init.d/redis-sentinel", text, 0o755)
    host.write(SENTINEL_CONF, conf, 0o640)


def set_build_times(host: Host, master_name: str) -> None:
    """Lets the Sentinel of this host notice a dead master soon, and try a failed failover again soon."""
    _set_times(host, master_name, _BUILD_DOWN_AFTER, _BUILD_FAILOVER_TIMEOUT)


def set_documented_times(host: Host, master_name: str, *, down_after: int, failover_timeout: int) -> None:
    """Lets the Sentinel of this host wait as long as documented (milliseconds), if it runs."""
    if host.running("redis-sentinel"):
        _set_times(host, master_name, down_after, failover_timeout)


def _set_times(host: Host, master_name: str, down_after: int, failover_timeout: int) -> None:
    times = ["down-after-milliseconds", str(down_after), "failover-timeout", str(failover_timeout)]
    done = host.run(["redis-cli", "-p", str(SENTINEL_PORT), "SENTINEL", "SET", master_name, *times])
    if done.stdout.strip() != "OK":
        raise LabError(f"the Sentinel of {host.name} does not take its times: {done.stdout.strip()}")
