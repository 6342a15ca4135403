"""SysV service scripts for the laboratory's hosts: one text, for every server that runs there."""

from __future__ import annotations

_SCRIPT = """\
#!/bin/sh
# The @name@ of this host, as a SysV service.@about@
pidfile=@pidfile@
running() {
    pid=
    [ -s "$pidfile" ] || return 1
    read -r pid <"$pidfile" || [ -n "$pid" ] || return 1
    kill -0 "$pid" 2>/dev/null
}
# Only Redis goes into the background by itself, as a Redis or as a Sentinel. This script has its name too.
starting() { if [ -n "$!" ]; then kill -0 "$!" 2>/dev/null; else pgrep -f '^[^ ]*redis-server' >/dev/null; fi; }
case "${1:-}" in
start)
    if running; then echo "@name@ is already running"; exit 0; fi
    rm -f "$pidfile"
    @start@
    tries=0
    until running; do
        tries=$((tries + 1))
        if [ "$tries" -gt 1500 ]; then echo "@name@ did not start: see @log@" >&2; exit 1; fi
        if ! starting && ! running; then
            echo "@name@ ended at once: see @log@" >&2; exit 1
        fi
        sleep 0.02
    done
    ;;
stop)
    running || exit 0
    kill -@signal@ "$pid"
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -gt 1500 ]; then echo "@name@ does not end" >&2; exit 1; fi
        sleep 0.02
    done
    ;;
restart)
    "$0" stop && "$0" start
    ;;
reload)
    if running; then kill -HUP "$pid"; else echo "@name@ is stopped" >&2; exit 7; fi
    ;;
status)
    if running; then echo "@name@ is running"; else echo "@name@ is stopped"; exit 3; fi
    ;;
*)
    echo "usage: $0 start|stop|restart|reload|status" >&2
    exit 2
    ;;
esac
"""


def service_script(name: str, start: str, *, pidfile: str, log: str, signal: str = "TERM", about: str = "") -> str:
    """A script that starts, stops, reloads and tells of one server.

    `start`: shell text that returns at once, with the server in the background; it writes `pidfile` itself.
    """
    parts = {"name": name, "start": start, "pidfile": pidfile, "log": log, "signal": signal}
    text = _SCRIPT.replace("@about@", f" {about}" if about else "")
    for part, value in parts.items():
        text = text.replace(f"@{part}@", value)
    return text
