"""The documented system of one master, two replicas and three Sentinels, with a write VIP and a read VIP.

The Sentinels' client-reconfig-script moves the write VIP. The read VIP is that of two directors: keepalived and LVS
with direct routing, so that each Redis host has the read VIP on its loopback and keeps quiet about it. Each host has
two addresses, as documented: replication and Sentinels use the one, clients and directors the other.

What is not real here: the kernel has no IPVS. keepalived 2.2.7 then ends at once ("Can't initialize ipvs"), so it is
started with -P, for VRRP alone; `ipvsadm` and keepalived's health checker are stand-ins that say so of themselves, and
nobody is forwarded from the read VIP.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabOptions
from console.lab.servers.versions import INSTALLED, MOUNTED_AT, RedisServer
from console.lab.systems import keepalived_service, operator_files, redis_service
from console.lab.systems.director_service import write_director_service
from console.lab.systems.sentinel_service import set_documented_times, write_sentinel
from console.lab.systems.system import CLUSTER, System

ADDRESSES = {
    "web-1": "192.168.100.123", "web-2": "192.168.100.124", "web-3": "192.168.100.125",
    "lb-1": "192.168.100.121", "lb-2": "192.168.100.122",
}  # fmt: skip
OUTSIDE = {
    "web-1": "10.18.14.72", "web-2": "10.18.13.166", "web-3": "10.18.14.80",
    "lb-1": "10.18.14.54", "lb-2": "10.18.14.64",
}  # fmt: skip
"""The addresses that clients and directors use."""
OUTSIDE_PREFIX = 20
OPERATOR_OUTSIDE = "10.18.14.88"
REDIS_HOSTS = ("web-1", "web-2", "web-3")
DIRECTORS = ("lb-1", "lb-2")
WRITE_VIP, READ_VIP = "10.18.14.94", "10.18.14.93"
MASTER_NAME = "master1"
RECONFIG_SCRIPT = "/var/lib/redis/reconfig_master.sh"
RECONFIG_LOG = "/var/log/reconfig_master.log"

_RECONFIG = """\
#!{shell}
# Called by the Sentinel of this host: MASTER-NAME ROLE STATE FROM-IP FROM-PORT TO-IP TO-PORT. Brings the write VIP here
# if this host's Redis is the new master, takes it away if another one's is.
unset LD_LIBRARY_PATH
to=$6
own=192.168.100.{last}
echo "$(date +'%F %T') $*" >>{log}
if [ "$to" = "$own" ]; then
    ip addr add {vip}/{prefix} dev eth2
    arping -q -c 3 -A {vip} -I eth2
else
    ip addr del {vip}/{prefix} dev eth2
fi
exit 0
"""

_QUIET_ON_LO = f"""\
ip addr add {READ_VIP}/32 dev lo label lo:0
for one in lo all; do
    echo 1 >/proc/sys/net/ipv4/conf/$one/arp_ignore
    echo 2 >/proc/sys/net/ipv4/conf/$one/arp_announce
done
"""


def redis_conf(name: str, options: LabOptions) -> str:
    """The documented redis.conf, with the folders of a laboratory host."""
    lines = [
        "daemonize yes",
        "pidfile /data/redis/redis6379.pid",
        "port 6379",
        "protected-mode no",
        f'logfile "{log_files.REDIS_LOG}"',
        f"masterauth {options.password}",
        f"requirepass {options.password}",
        "maxmemory 1g",
        "maxmemory-policy volatile-lru",
        "appendonly yes",
        "dir /data/redis",
        f"repl-diskless-sync-delay {options.sync_delay}",
    ]
    if name != "web-1":
        lines.append(f"replicaof {ADDRESSES['web-1']} 6379")
    return "\n".join([*lines, *options.redis_config]) + "\n"


def sentinel_conf(options: LabOptions) -> str:
    """The documented sentinel.conf.

    But for one line: there down-after-milliseconds names a master that the file does not have, and no Sentinel starts.
    """
    return f"""\
protected-mode no
daemonize yes
pidfile /run/redis-sentinel.pid
port 26379
dir /tmp
logfile "{log_files.SENTINEL_LOG}"
sentinel monitor {MASTER_NAME} {ADDRESSES["web-1"]} 6379 2
sentinel auth-pass {MASTER_NAME} {options.password}
sentinel down-after-milliseconds {MASTER_NAME} {options.down_after}
sentinel parallel-syncs {MASTER_NAME} 1
sentinel failover-timeout {MASTER_NAME} {options.failover_timeout}
sentinel client-reconfig-script {MASTER_NAME} {RECONFIG_SCRIPT}
"""


def keepalived_conf(name: str, options: LabOptions) -> str:
    """The documented keepalived.conf of a director."""
    other = next(one for one in DIRECTORS if one != name)
    first = name == DIRECTORS[0]
    version3 = options.vrrp_version == 3  # noqa: PLR2004 - the protocol's number
    delay_loop = 1 if version3 else 6
    servers = "".join(_real_server(one) for one in REDIS_HOSTS)
    return f"""\
{_VERSION_3 if version3 else ""}\
vrrp_instance VI_1 {{
    state {"MASTER" if first else "BACKUP"}
    interface eth2
    virtual_router_id 51
    priority {100 if first else 90}
    advert_int {options.advert_interval:g}
{"" if version3 else _AUTHENTICATION}\
    virtual_ipaddress {{
        {READ_VIP}
    }}
    unicast_src_ip {OUTSIDE[name]}
    unicast_peer {{
       {OUTSIDE[other]}
    }}
}}

virtual_server {READ_VIP} 6379 {{
    delay_loop {delay_loop}
    lb_algo rr
    lb_kind DR
    persistence_timeout 0
    protocol TCP

{servers}}}
"""


_VERSION_3 = """\
global_defs {
    vrrp_version 3
}

"""
_AUTHENTICATION = """\
    authentication {
        auth_type PASS
        auth_pass 1111
    }
"""


def _real_server(name: str) -> str:
    retry = "nb_get_retry 3" if name == REDIS_HOSTS[-1] else "retry 3"
    return f"""\
    real_server {OUTSIDE[name]} 6379 {{
        weight 1
        TCP_CHECK {{
            connect_port 6379
            connect_timeout 2
            {retry}
            delay_before_retry 3
        }}
    }}
"""


def _write_files(host: Host, options: LabOptions, server: RedisServer) -> None:
    outside = f"#!/bin/sh\nset -eu\nip addr add {OUTSIDE[host.name]}/{OUTSIDE_PREFIX} dev eth2\n"
    if host.name in DIRECTORS:
        host.write("/etc/rc.local", outside, 0o755)
        host.write("/etc/keepalived/keepalived.conf", keepalived_conf(host.name, options))
        write_director_service(host, keepalived_service.KEEPALIVED_SERVICE.replace(" -D ", " -D -P "))
        return
    write_redis_host(host, options, server)
    host.write("/etc/rc.local", outside + _QUIET_ON_LO, 0o755)


def write_redis_host(host: Host, options: LabOptions, server: RedisServer) -> None:
    """Redis, its Sentinel and the script that moves the write VIP, on a host that is in both networks."""
    outside = f"#!/bin/sh\nset -eu\nip addr add {OUTSIDE[host.name]}/{OUTSIDE_PREFIX} dev eth2\n"
    host.write("/etc/rc.local", outside, 0o755)
    redis_service.write_redis(host, options, server)
    host.write("/etc/redis/redis6379.conf", redis_conf(host.name, options), 0o640)
    if options.version_for(host.name) == "6.0":
        server = INSTALLED  # with the libraries of that time no script of the Sentinel's would start on this machine
    write_sentinel(host, server, sentinel_conf(options))
    # A fetched server hands its environment on, and with its libraries the machine's own bash does not start.
    shell = f"{MOUNTED_AT}/ld /bin/bash" if server.environment else "/bin/bash"
    script = _RECONFIG.format(
        shell=shell, last=host.address.rpartition(".")[2], vip=WRITE_VIP, prefix=OUTSIDE_PREFIX, log=RECONFIG_LOG
    )
    host.write(RECONFIG_SCRIPT, script, 0o755)


def _inventory(folder: str, options: LabOptions) -> str:
    nodes = "".join(_inventory_node(name) for name in REDIS_HOSTS)
    service = "service: {sysv: redis-sentinel}"
    sentinels = "".join(
        f"      - {{name: sentinel-{name[-1]}, address: {ADDRESSES[name]}, {service}}}\n" for name in REDIS_HOSTS
    )
    directors = "".join(_inventory_director(name) for name in DIRECTORS)
    return f"""\
{operator_files.inventory_defaults(folder, options)}\
clusters:
  - name: {CLUSTER}
    kind: sentinel-vip
    vip: {WRITE_VIP}
    master_name: {MASTER_NAME}
    nodes:
{nodes}\
    sentinels:
{sentinels}\
    read_vip: {READ_VIP}
    directors:
{directors}"""


def _inventory_node(name: str) -> str:
    return f"""\
      - name: {name}
        address: {ADDRESSES[name]}
        redis:
          service: {{sysv: redis-server}}
          config: /etc/redis/redis6379.conf
          dir: /data/redis
"""


def _inventory_director(name: str) -> str:
    return f"""\
      - name: {name}
        address: {ADDRESSES[name]}
        keepalived:
          instance: VI_1
          system_log: {log_files.SYSTEM_LOG}
          service: {{sysv: keepalived}}
"""


def _set_documented_times(host: Host, options: LabOptions) -> None:
    if host.name not in REDIS_HOSTS:
        return
    set_documented_times(host, MASTER_NAME, down_after=options.down_after, failover_timeout=options.failover_timeout)
    if host.running("redis-server"):
        host.redis("CONFIG", "SET", "repl-diskless-sync-delay", str(options.sync_delay))


def with_password(options: LabOptions) -> LabOptions:
    """The documented system has one, always."""
    return options if options.password else replace(options, password=secrets.token_urlsafe(12))


SYSTEM = System(
    addresses=ADDRESSES,
    vip=WRITE_VIP,
    write_files=_write_files,
    inventory=_inventory,
    options=with_password,
    after_build=_set_documented_times,
    operator=(f"{OPERATOR_OUTSIDE}/{OUTSIDE_PREFIX}",),
    words="three Redis hosts and two directors",
)
