"""The Redis of a laboratory host: its redis.conf and its service."""

from __future__ import annotations

from console.lab.hosts.host import Host
from console.lab.hosts.log_files import REDIS_LOG
from console.lab.hosts.service_script import service_script
from console.lab.options import LabOptions
from console.lab.servers.versions import RedisServer


def redis_conf(options: LabOptions) -> str:
    """The documented redis6379.conf, as far as every version since 2.8 takes it."""
    lines = [
        "daemonize yes",
        "pidfile /data/redis/redis6379.pid",
        "port 6379",
        "bind 0.0.0.0",
        "protected-mode no",
        "tcp-backlog 511",
        "timeout 0",
        "tcp-keepalive 0",
        "loglevel notice",
        f'logfile "{REDIS_LOG}"',
        "databases 16",
        "save 900 1",
        "save 300 10",
        "save 60 10000",
        "stop-writes-on-bgsave-error yes",
        "rdbcompression yes",
        "rdbchecksum yes",
        "dbfilename dump6379.rdb",
        "dir /data/redis",
        "slave-serve-stale-data yes",
        "slave-read-only yes",
        "repl-diskless-sync no",
        f"repl-diskless-sync-delay {options.sync_delay}",
        "repl-disable-tcp-nodelay no",
        "slave-priority 100",
        "appendonly no",
        "slowlog-log-slower-than 10000",
        "slowlog-max-len 128",
        "hz 10",
    ]
    if options.password:
        lines += [f"requirepass {options.password}", f"masterauth {options.password}"]
    return "\n".join([*lines, *options.redis_config]) + "\n"


def write_redis(host: Host, options: LabOptions, server: RedisServer) -> None:
    """Redis and its service, not started."""
    host.write("/etc/redis/redis6379.conf", redis_conf(options), 0o640)
    if options.password:
        host.write("/etc/redis/password", options.password, 0o600)
    start = f"{server.environment}{server.program} /etc/redis/redis6379.conf || exit 1"
    service = service_script("redis-server", start, pidfile="/data/redis/redis6379.pid", log=REDIS_LOG)
    host.write("/etc/init.d/redis-server", service, 0o755)
