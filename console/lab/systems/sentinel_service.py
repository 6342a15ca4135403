"""A Sentinel on a laboratory host: the program of Redis in its other mode, as a SysV service.

While a scenario is built a Sentinel waits less than documented. `set_build_times` and `set_documented_times` change its
times while it runs.
"""

from __future__ import annotations

import shlex

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.hosts.redis_client import RedisConnection
from console.lab.hosts.service_script import service_script
from console.lab.options import LabError
from console.lab.servers.versions import RedisServer

SENTINEL_CONF = "/etc/redis/sentinel.conf"
SENTINEL_PORT = 26379
SENTINEL_LOGIN = "/etc/redis/sentinel-cli"
"""On a host whose Sentinel is closed: the options with which redis-cli reaches it."""
SENTINEL_PASSWORD = "/etc/redis/sentinel-password"  # noqa: S105 - a path
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


def ask_sentinel(host: Host, *words: str) -> str:
    """The answer of its Sentinel; of an array, one line per element."""
    login = host.read(SENTINEL_LOGIN)
    if login:
        cli = f"redis-cli {login} -p {SENTINEL_PORT} {shlex.join(words)}"
        return host.run(f'REDISCLI_AUTH="$(cat {SENTINEL_PASSWORD})" {cli}').stdout.rstrip("\n")
    with RedisConnection(host.address, port=SENTINEL_PORT) as line:
        return line.ask(*words)


def _set_times(host: Host, master_name: str, down_after: int, failover_timeout: int) -> None:
    times = ["down-after-milliseconds", str(down_after), "failover-timeout", str(failover_timeout)]
    said = ask_sentinel(host, "SENTINEL", "SET", master_name, *times)
    if said != "OK":
        raise LabError(f"the Sentinel of {host.name} does not take its times: {said}")
