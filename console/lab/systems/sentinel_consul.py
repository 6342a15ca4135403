"""The documented system of a master, a replica and one Sentinel, where clients find the master by a name in Consul.

One Consul agent in its development mode, on the first host, has both Redis registered under one service name. The check
of each asks its Redis for its role every 5 s and is critical unless it is a master, so that the name resolves to the
master. Nothing else moves clients: a former master that starts again is a master until the Sentinel has converted it
some 10 s later, and for as long its check passes too.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.hosts.namespaces import program
from console.lab.hosts.service_script import service_script
from console.lab.options import LabOptions
from console.lab.servers import versions
from console.lab.servers.versions import RedisServer
from console.lab.systems import operator_files, redis_service
from console.lab.systems.sentinel_service import set_documented_times, write_sentinel
from console.lab.systems.system import CLUSTER, System

ADDRESSES = {"app01": "192.168.3.1", "app02": "192.168.3.2"}
FIRST, SECOND = ADDRESSES
"""As documented: the one with Consul is the master at first, the other one has the Sentinel."""
OPERATOR = "192.168.3.254"
MASTER_NAME = "mymaster"
SERVICE = "redis"
NAME = f"{SERVICE}.service.consul"
INSTANCES = {"app01": "redisnode1", "app02": "redisnode2"}
HTTP_PORT, DNS_PORT = 8500, 8600
HTTP = f"http://{ADDRESSES[FIRST]}:{HTTP_PORT}"
RESOLVER_PORT = 53
"""Where the documented name server stands in front of Consul; the laboratory has one only where its cache matters."""
CONSUL_CONF = "/etc/consul/redis.json"
REDIS_CONF = "/etc/redis/redis6379.conf"
INTERVAL = 5
"""Seconds between two runs of a check, as documented."""
DOWN_AFTER = 30_000
"""down-after-milliseconds of the documented Sentinel: it told of the master's death 30 s after it."""
FAILOVER_TIMEOUT = 180_000
"""failover-timeout of the documented Sentinel, milliseconds."""

_SERVICE = service_script(
    "consul",
    'setsid /opt/consul/consul agent -dev -config-dir=/etc/consul -pid-file="$pidfile" '
    f">>{log_files.CONSUL_LOG} 2>&1 </dev/null &",
    pidfile="/run/consul.pid",
    log=log_files.CONSUL_LOG,
    signal="INT",
    about="It runs in the development mode that its document starts it in.",
)


def check(address: str, options: LabOptions) -> list[str]:
    """The documented check script: the role as redis-cli tells it, anything but a master is critical."""
    login = "REDISCLI_AUTH=$(cat /etc/redis/password) " if options.password else ""
    return ["/bin/sh", "-c", f"{login}redis-cli -h {address} -p 6379 info | grep role:master || exit 2"]


def consul_conf(options: LabOptions, *, service_ttl: int = 0) -> str:
    """The agent's configuration: both services, and access control where the laboratory has a password.

    `service_ttl`: seconds for which a name server may keep an answer; Consul's own default is 0.
    """
    token = {"token": options.password} if options.password else {}
    conf: dict[str, object] = {
        "bind_addr": ADDRESSES[FIRST],
        "client_addr": "0.0.0.0",
        "ports": {"http": HTTP_PORT, "dns": DNS_PORT, "grpc": -1},
        "log_level": "DEBUG",
        "enable_local_script_checks": True,
        "disable_update_check": True,
        "services": [
            {
                "id": INSTANCES[name], "name": SERVICE, "address": address, "port": 6379, **token,
                "check": {"args": check(address, options), "interval": f"{options.check_interval}s"},
            }
            for name, address in ADDRESSES.items()
        ],
    }  # fmt: skip
    if options.password:
        tokens = {"master": options.password, "agent": options.password}
        conf["acl"] = {"enabled": True, "default_policy": "deny", "tokens": tokens}
    if service_ttl:
        conf["dns_config"] = {"service_ttl": {"*": f"{service_ttl}s"}}
    return json.dumps(conf, indent=2) + "\n"


def write_consul(host: Host, options: LabOptions) -> None:
    """The agent's program, its service and its configuration, not started."""
    place = host.root / "opt/consul"
    place.mkdir(parents=True, exist_ok=True)
    mount = program("mount")
    subprocess.run([mount, "--bind", str(versions.consul_folder()), str(place)], check=True)
    subprocess.run([mount, "-o", "remount,bind,ro", str(place)], check=False, capture_output=True)
    host.write("/etc/init.d/consul", _SERVICE, 0o755)
    host.write(CONSUL_CONF, consul_conf(options), 0o600)


def _write_files(host: Host, options: LabOptions, server: RedisServer) -> None:
    redis_service.write_redis(host, options, server)
    if host.name == SECOND:
        host.write(REDIS_CONF, f"{host.read(REDIS_CONF)}slaveof {ADDRESSES[FIRST]} 6379\n", 0o640)
        write_sentinel(host, server, sentinel_conf(options))
    else:
        write_consul(host, options)


def sentinel_conf(options: LabOptions) -> str:
    """The documented sentinel.conf: one Sentinel, a quorum of one."""
    password = f"sentinel auth-pass {MASTER_NAME} {options.password}\n" if options.password else ""
    return f"""\
protected-mode no
daemonize yes
pidfile /run/redis-sentinel.pid
port 26379
dir /tmp
logfile "{log_files.SENTINEL_LOG}"
sentinel monitor {MASTER_NAME} {ADDRESSES[FIRST]} 6379 1
{password}sentinel down-after-milliseconds {MASTER_NAME} {options.down_after}
sentinel parallel-syncs {MASTER_NAME} 1
sentinel failover-timeout {MASTER_NAME} {FAILOVER_TIMEOUT}
"""


def _documented(options: LabOptions) -> LabOptions:
    """The document's numbers where nothing else was asked for."""
    usual = LabOptions()
    interval = INTERVAL if options.check_interval == usual.check_interval else options.check_interval
    down_after = DOWN_AFTER if options.down_after == usual.down_after else options.down_after
    return replace(options, check_interval=interval, down_after=down_after)


def _inventory(folder: str, options: LabOptions) -> str:
    nodes = "".join(_node(name, address) for name, address in ADDRESSES.items())
    token = f"\n      token: {{file: {folder}/redis-password}}" if options.password else ""
    return f"""\
{operator_files.inventory_defaults(folder, options)}\
clusters:
  - name: {CLUSTER}
    kind: sentinel-consul
    master_name: {MASTER_NAME}
    sentinels:
      - {{name: sentinel, address: {ADDRESSES[SECOND]}, service: {{sysv: redis-sentinel}}}}
    consul:
      http: {HTTP}
      dns: {ADDRESSES[FIRST]}:{DNS_PORT}
      service: {SERVICE}{token}
    nodes:
{nodes}"""


def _node(name: str, address: str) -> str:
    return f"""\
      - name: {name}
        address: {address}
        redis:
          service: {{sysv: redis-server}}
          dir: /data/redis
          dbfilename: dump6379.rdb
          config: {REDIS_CONF}
"""


def _set_documented_times(host: Host, options: LabOptions) -> None:
    if host.name == SECOND:
        set_documented_times(host, MASTER_NAME, down_after=options.down_after, failover_timeout=FAILOVER_TIMEOUT)


def start_resolver(host: Host) -> None:
    """Starts the stand-in of a caching name server in front of Consul. It ends with its host."""
    stand_in = Path(__file__).with_name("resolver_stand_in.py")
    words = [sys.executable, str(stand_in), str(RESOLVER_PORT), ADDRESSES[FIRST], str(DNS_PORT)]
    subprocess.Popen([program("nsenter"), "-t", str(host.pid), "-n", "-p", "--", *words],
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


SYSTEM = System(
    addresses=ADDRESSES,
    vip="",
    write_files=_write_files,
    inventory=_inventory,
    after_build=_set_documented_times,
    options=_documented,
    operator=(f"{OPERATOR}/24",),
    words="two hosts",
    servers=(versions.CONSUL,),
)
"""The documented system."""
