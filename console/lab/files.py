"""The files of a laboratory host: text only, as one would find them on a machine of the documented pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from console.lab.layout import CLUSTER, Layout
from console.lab.options import LabOptions
from console.lab.sysv import service_script

if TYPE_CHECKING:
    from console.lab.host import Host
    from console.lab.servers import Server

VIP = "192.168.100.123"
OPERATOR = "192.168.100.1"
PREFIX = 24
ADDRESSES = {"redis-a": "192.168.100.201", "redis-b": "192.168.100.202"}
STATE_LOG = "/data/redis/keepalived-redis-state.log"
SYSTEM_LOG = "/var/log/keepalived.log"
REDIS_LOG = "/data/redis/redis6379.log"
AUTH_LOG = "/var/log/auth.log"
SENTINEL_LOG = "/var/log/sentinel.log"
LOGS = (STATE_LOG, SYSTEM_LOG, REDIS_LOG, SENTINEL_LOG, AUTH_LOG)
HURRIED = 1.0
"""Seconds that a new master's notify script waits at most while a scenario is built: nobody wants to watch it sleep."""
SCRIPT_DONE = "state:[master] finished, a replica may connect"
"""The last line that a new master's notify script writes."""

ACCOUNTS = """\
root:x:0:0:root:/root:/bin/bash
sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n"
SHADOW = "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\nnobody:*:19000:0:99999:7:::\n"

SSHD_CONFIG = """\
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile .ssh/authorized_keys
UsePAM no
UseDNS no
SyslogFacility AUTH
LogLevel VERBOSE
PidFile /run/sshd.pid
SetEnv PATH=/opt/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Subsystem sftp internal-sftp
"""

CHECK_SCRIPT = """\
#!/bin/bash
# Exit 0 while the Redis of this host answers.
{auth}answer=$(/usr/bin/redis-cli PING)
echo "$answer"
[ "$answer" == "PONG" ]
"""

MASTER_SCRIPT = """\
#!/bin/bash
# This host has become the VRRP master: give the old master's stream time to arrive, then take over.
log=/data/redis/keepalived-redis-state.log
{auth}say() {{ echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[master] $1" >>"$log"; }}
say "now the VRRP master"
say "waiting {sleep} s for the rest of the old master's data"
sleep {sleep}
say "waited long enough"
say "sending SLAVEOF NO ONE"
/usr/bin/redis-cli SLAVEOF NO ONE >>"$log" 2>&1
say "finished, a replica may connect"
"""

QUIET_SCRIPT = """\
#!/bin/bash
# This host has gone to {state}. Following the other host is left to a human: a sync is hard on the servers, and one
# with an empty master wipes the data.
log=/data/redis/keepalived-redis-state.log
{auth}say() {{ echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[{state}] $1" >>"$log"; }}
say "now in {state}"
#say "sending SLAVEOF {other} 6379"
#/usr/bin/redis-cli SLAVEOF {other} 6379 >>"$log" 2>&1
say "waiting for an operator"
"""

KEEPALIVED_SERVICE = service_script(
    "keepalived",
    "setsid /usr/sbin/keepalived -l -n -D >>/var/log/keepalived.log 2>&1 </dev/null &",
    pidfile="/run/keepalived.pid",
    log="/var/log/keepalived.log",
    about="Without a syslog daemon it logs to a file through its console log.",
)


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


def keepalived_conf(host: str, options: LabOptions) -> str:
    """The documented keepalived.conf: the two differ in router_id and priority."""
    priority = options.priorities[list(ADDRESSES).index(host)]
    version = "   vrrp_version 3\n" if options.vrrp_version == 3 else ""  # noqa: PLR2004 - the protocol's number
    authentication = (
        ""
        if options.vrrp_version == 3  # noqa: PLR2004
        else "    authentication {\n        auth_type PASS\n        auth_pass 1111\n    }\n"
    )
    return f"""\
! Configuration File for keepalived

global_defs {{
   router_id LVS_{host}
{version}}}

vrrp_script chk_redis {{
        script "/etc/keepalived/scripts/redis_check.sh"
        weight  {options.weight}
        interval {options.check_interval}
}}



vrrp_instance VI_123 {{
    state BACKUP
    interface eth2
    virtual_router_id 123
    priority {priority}
    advert_int {options.advert_interval:g}
{authentication}    track_script {{
            chk_redis
    }}


    virtual_ipaddress {{
\t{VIP}
    }}
        notify_master /etc/keepalived/scripts/redis_master.sh
        notify_backup /etc/keepalived/scripts/redis_backup.sh
        notify_fault  /etc/keepalived/scripts/redis_fault.sh
        notify_stop   /etc/keepalived/scripts/redis_stop.sh

}}
"""


def scripts(host: str, options: LabOptions) -> dict[str, str]:
    """File name → text of the check script and the notify scripts."""
    other = next(name for name in ADDRESSES if name != host)
    auth = "export REDISCLI_AUTH=$(cat /etc/redis/password)\n" if options.password else ""
    made = {
        "redis_check.sh": CHECK_SCRIPT.format(auth=auth),
        "redis_master.sh": MASTER_SCRIPT.format(auth=auth, sleep=f"{options.notify_sleep:g}"),
    }
    for state in ("backup", "fault", "stop"):
        made[f"redis_{state}.sh"] = QUIET_SCRIPT.format(auth=auth, state=state, other=other)
    return made


def ssh_config(folder: str, addresses: Mapping[str, str]) -> str:
    """For a human in `lab shell`: `ssh -F FILE redis-a`."""
    common = f"  User root\n  IdentityFile {folder}/id_ed25519\n  UserKnownHostsFile {folder}/known_hosts\n"
    return "".join(f"Host {name}\n  HostName {address}\n{common}" for name, address in addresses.items())


def inventory_defaults(folder: str, options: LabOptions) -> str:
    """What the inventory of every laboratory begins with."""
    password = f", password: {{file: {folder}/redis-password}}" if options.password else ""
    return f"""\
version: 1
defaults:
  ssh: {{user: root, identity_file: {folder}/id_ed25519, known_hosts: {folder}/known_hosts,
        config_file: {folder}/ssh_config}}
  redis: {{port: 6379{password}}}
"""


def inventory(folder: str, options: LabOptions) -> str:
    """An ordinary inventory: nothing in it says that the hosts are not machines."""
    nodes = "".join(_inventory_node(name, address) for name, address in ADDRESSES.items())
    return f"""\
{inventory_defaults(folder, options)}\
clusters:
  - name: {CLUSTER}
    kind: keepalived
    vip: {VIP}
    nodes:
{nodes}"""


def _inventory_node(name: str, address: str) -> str:
    return f"""\
      - name: {name}
        address: {address}
        redis:
          service: {{sysv: redis-server}}
          dir: /data/redis
          dbfilename: dump6379.rdb
        keepalived:
          config: /etc/keepalived/keepalived.conf
          instance: VI_123
          state_log: {STATE_LOG}
          system_log: {SYSTEM_LOG}
          service: {{sysv: keepalived}}
"""


def write_redis(host: Host, options: LabOptions, server: Server) -> None:
    """Redis and its service, not started."""
    host.write("/etc/redis/redis6379.conf", redis_conf(options), 0o640)
    if options.password:
        host.write("/etc/redis/password", options.password, 0o600)
    start = f"{server.environment}{server.program} /etc/redis/redis6379.conf || exit 1"
    service = service_script("redis-server", start, pidfile="/data/redis/redis6379.pid", log=REDIS_LOG)
    host.write("/etc/init.d/redis-server", service, 0o755)


def write_scripts(host: Host, options: LabOptions) -> None:
    """The check script and the notify scripts of the documented pair."""
    for name, text in scripts(host.name, options).items():
        host.write(f"/etc/keepalived/scripts/{name}", text, 0o755)


def _furnish(host: Host, options: LabOptions, server: Server) -> None:
    write_redis(host, options, server)
    host.write("/etc/keepalived/keepalived.conf", keepalived_conf(host.name, options))
    host.write("/etc/init.d/keepalived", KEEPALIVED_SERVICE, 0o755)
    write_scripts(host, replace(options, notify_sleep=min(options.notify_sleep, HURRIED)))


PAIR = Layout(addresses=ADDRESSES, vip=VIP, furnish=_furnish, inventory=inventory, after_build=write_scripts)
"""The documented pair."""
