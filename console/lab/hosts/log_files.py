"""Where the servers of a laboratory host write their logs."""

from __future__ import annotations

STATE_LOG = "/data/redis/keepalived-redis-state.log"
SYSTEM_LOG = "/var/log/keepalived.log"
REDIS_LOG = "/data/redis/redis6379.log"
AUTH_LOG = "/var/log/auth.log"
SENTINEL_LOG = "/var/log/sentinel.log"
CONSUL_LOG = "/var/log/consul.log"
LOGS = (STATE_LOG, SYSTEM_LOG, REDIS_LOG, SENTINEL_LOG, CONSUL_LOG, AUTH_LOG)
LOG_OF_PROCESS = {
    "redis-server": REDIS_LOG,
    "keepalived": SYSTEM_LOG,
    "redis-sentinel": SENTINEL_LOG,
    "consul": CONSUL_LOG,
    "sshd": AUTH_LOG,
}
"""Process name → the log of that server."""
