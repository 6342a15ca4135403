"""The files of a documented pair with a password.

Only the replica saves its data. The check script has a positive weight. keepalived is configured as for 1.x. The check
kills keepalived where Redis does not answer. The replica's scripts send SLAVEOF by themselves, and SLAVEOF NO ONE after
a sleep; the master has no script for a change of its state.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabOptions
from console.lab.servers.versions import RedisServer
from console.lab.systems import keepalived_service, operator_files, redis_service
from console.lab.systems.system import CLUSTER, System

MASTER = "server11"
REPLICA = "server12"
ADDRESSES = {MASTER: "192.168.1.112", REPLICA: "192.168.1.113"}
VIP = "192.168.1.120"
OPERATOR = "192.168.1.10/24"
PRIORITIES = {MASTER: 100, REPLICA: 99}
WEIGHT = 2
DUMPS = {MASTER: "master_dump.rdb", REPLICA: "slave_dump.rdb"}
SCRIPTS = "/etc/keepalived/scripts"
SCRIPT_ENDS = {"master": "[master] done", "backup": "[backup] done"}
LONGER = 1.5
"""The script of a new backup sleeps so many times as long as that of a new master."""
CHECK_SCRIPT = """\
#!/bin/bash
# Without its Redis this host has no business in the pair: away with keepalived, and with the address that it leaves.
answer=$(/usr/bin/redis-cli -h {address} -p 6379 -a {password} PING 2>/dev/null)
if [ "$answer" == "PONG" ]; then
    exit 0
fi
pkill -9 -x keepalived
service network restart
exit 1
"""


MASTER_SCRIPT = """\
#!/bin/bash
# Take what the other one may still have, then stand alone.
log={log}
echo "[master]" >>$log
date >>$log
/usr/bin/redis-cli -h {address} -p 6379 -a {password} SLAVEOF {other} 6379 >>$log 2>&1
sleep {sleep}
/usr/bin/redis-cli -h {address} -p 6379 -a {password} SLAVEOF NO ONE >>$log 2>&1
echo "[master] done" >>$log
"""


BACKUP_SCRIPT = """\
#!/bin/bash
# The other one leads now: follow it, once it has settled.
log={log}
echo "[backup]" >>$log
date >>$log
sleep {sleep}
/usr/bin/redis-cli -h {address} -p 6379 -a {password} SLAVEOF {other} 6379 >>$log 2>&1
echo "[backup] done" >>$log
"""


QUIET_SCRIPT = """\
#!/bin/bash
echo "[{state}]" >>{log}
date >>{log}
"""


NETWORK_SERVICE = """\
#!/bin/sh
# The network of this host, as a SysV service: it has the one address that its files give it.
[ "${{1:-}}" = restart ] || exit 2
for held in $(ip -o -4 addr show dev eth2 | awk '{{ print $4 }}'); do
    [ "${{held%/*}}" = {address} ] || ip addr del "$held" dev eth2
done
ip link set eth2 up
"""


def keepalived_conf(host: str, options: LabOptions) -> str:
    """As it was written for 1.x; the master's has no script for becoming master or backup."""
    state = "MASTER" if host == MASTER else "BACKUP"
    three = options.vrrp_version == 3  # noqa: PLR2004 - the protocol's number
    version = "   vrrp_version 3\n" if three else ""
    authentication = (
        "" if three else "    authentication {\n        auth_type PASS\n        auth_pass pass_123\n    }\n"
    )
    named = ("fault", "stop") if host == MASTER else ("master", "backup", "fault", "stop")
    notify = "".join(f"    notify_{one} {SCRIPTS}/redis_{one}.sh\n" for one in named)
    return f"""\
! Configuration File for keepalived
global_defs {{
   router_id LVS_DEVEL
{version}}}

vrrp_script Monitor_redis {{
    script "{SCRIPTS}/redis_monitor.sh"
    interval {options.check_interval}
    weight {WEIGHT}
}}

vrrp_instance VI_1{{
    state {state}
    interface eth2
    virtual_router_id 51
    mcast_src_ip {ADDRESSES[host]}
    priority {PRIORITIES[host]}
    advert_int {options.advert_interval:g}
{authentication}    track_script {{
        Monitor_redis
    }}
    virtual_ipaddress {{
        {VIP}
    }}
{notify}}}
"""


def redis_conf(host: str, options: LabOptions) -> str:
    """The master saves nothing by itself; each has a dump of another name."""
    lines = redis_service.redis_conf(options).splitlines()
    if host == MASTER:
        lines = [one for one in lines if not one.startswith("save ")] + ['save ""']
    lines = [f"dbfilename {DUMPS[host]}" if one.startswith("dbfilename ") else one for one in lines]
    return "\n".join(lines) + "\n"


def write_scripts(host: Host, options: LabOptions) -> None:
    """The check and the notify scripts; the password stands in them, as in the document."""
    other = next(address for name, address in ADDRESSES.items() if name != host.name)
    words = {"address": host.address, "other": other, "password": options.password, "log": log_files.STATE_LOG}
    made = {
        "monitor": CHECK_SCRIPT.format(**words),
        "master": MASTER_SCRIPT.format(**words, sleep=f"{options.notify_sleep:g}"),
        "backup": BACKUP_SCRIPT.format(**words, sleep=f"{LONGER * options.notify_sleep:g}"),
    }
    made |= {state: QUIET_SCRIPT.format(**words, state=state) for state in ("fault", "stop")}
    for name, text in made.items():
        host.write(f"/etc/keepalived/scripts/redis_{name}.sh", text, 0o755)


def _write_files(host: Host, options: LabOptions, server: RedisServer) -> None:
    redis_service.write_redis(host, options, server)
    host.write("/etc/redis/redis6379.conf", redis_conf(host.name, options), 0o640)
    host.write("/etc/keepalived/keepalived.conf", keepalived_conf(host.name, options))
    host.write("/etc/init.d/keepalived", keepalived_service.KEEPALIVED_SERVICE, 0o755)
    host.write("/etc/init.d/network", NETWORK_SERVICE.format(address=host.address), 0o755)
    write_scripts(host, replace(options, notify_sleep=min(options.notify_sleep, keepalived_service.BUILD_SLEEP)))


def _options(options: LabOptions) -> LabOptions:
    """A password, always; priorities and weight are the document's."""
    return options if options.password else replace(options, password=secrets.token_urlsafe(12))


def inventory(folder: str, options: LabOptions) -> str:
    """An ordinary inventory: nothing in it says that the hosts are not machines."""
    nodes = "".join(_inventory_node(name) for name in ADDRESSES)
    return f"""\
{operator_files.inventory_defaults(folder, options)}\
clusters:
  - name: {CLUSTER}
    kind: keepalived
    vip: {VIP}
    nodes:
{nodes}"""


def _inventory_node(name: str) -> str:
    return f"""\
      - name: {name}
        address: {ADDRESSES[name]}
        redis:
          service: {{sysv: redis-server}}
          config: /etc/redis/redis6379.conf
          dir: /data/redis
          dbfilename: {DUMPS[name]}
        keepalived:
          instance: VI_1
          state_log: {log_files.STATE_LOG}
          system_log: {log_files.SYSTEM_LOG}
          service: {{sysv: keepalived}}
"""


SYSTEM = System(
    addresses=ADDRESSES,
    vip=VIP,
    write_files=_write_files,
    inventory=inventory,
    after_build=write_scripts,
    options=_options,
    operator=(OPERATOR,),
)
