"""The keepalived of a laboratory host: its service, and what its notify scripts write when they end."""

from __future__ import annotations

from console.lab.hosts.service_script import service_script

BUILD_SLEEP = 0.2
"""Seconds that the notify script of a new master waits at most while a scenario is built."""
SCRIPT_DONE = "state:[master] finished, a replica may connect"
"""The last line that a new master's notify script writes."""
KEEPALIVED_SERVICE = service_script(
    "keepalived",
    "setsid /usr/sbin/keepalived -l -n -D >>/var/log/keepalived.log 2>&1 </dev/null &",
    pidfile="/run/keepalived.pid",
    log="/var/log/keepalived.log",
    about="Without a syslog daemon it logs to a file through its console log.",
)
