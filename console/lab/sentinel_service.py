"""A Sentinel on a laboratory host: the program of Redis in its other mode, as a SysV service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.lab import files

if TYPE_CHECKING:
    from console.lab.host import Host
    from console.lab.servers import Server

SENTINEL_CONF = "/etc/redis/sentinel.conf"

SENTINEL_SERVICE = """\
#!/bin/sh
# The Sentinel of this host, as a SysV service: the program of Redis in its other mode.
pidfile=/run/redis-sentinel.pid
running() {{ [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }}
case "${{1:-}}" in
start)
    if running; then echo "redis-sentinel is already running"; exit 0; fi
    rm -f "$pidfile"
    {environment}{program} {conf} --sentinel || exit 1
    tries=0
    until [ -s "$pidfile" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 100 ]; then echo "redis-sentinel did not start: see {log}" >&2; exit 1; fi
        sleep 0.05
    done
    ;;
stop)
    running || exit 0
    pid=$(cat "$pidfile")
    kill -TERM "$pid"
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ]; then echo "redis-sentinel does not end" >&2; exit 1; fi
        sleep 0.05
    done
    ;;
status)
    if running; then echo "redis-sentinel is running"; else echo "redis-sentinel is stopped"; exit 3; fi
    ;;
*)
    echo "usage: $0 start|stop|status" >&2
    exit 2
    ;;
esac
"""


def write_sentinel(host: Host, server: Server, conf: str) -> None:
    """The service and its configuration, not started. `conf` names /run/redis-sentinel.pid and daemonizes."""
    text = SENTINEL_SERVICE.format(
        program=server.program, environment=server.environment, conf=SENTINEL_CONF, log=files.SENTINEL_LOG
    )
    host.write("/etc/init.d/redis-sentinel", text, 0o755)
    host.write(SENTINEL_CONF, conf, 0o640)
