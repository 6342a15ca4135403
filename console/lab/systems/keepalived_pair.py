"""The files of the documented pair: keepalived moves the virtual IP, and its scripts promote the new master."""

from __future__ import annotations

from dataclasses import replace

from console.lab.hosts.host import Host
from console.lab.hosts.log_files import STATE_LOG, SYSTEM_LOG
from console.lab.options import LabOptions
from console.lab.servers.versions import RedisServer
from console.lab.systems.keepalived_service import BUILD_SLEEP, KEEPALIVED_SERVICE
from console.lab.systems.operator_files import inventory_defaults
from console.lab.systems.redis_service import write_redis
from console.lab.systems.system import CLUSTER, System

VIP = "192.168.100.123"
ADDRESSES = {"redis-a": "192.168.100.201", "redis-b": "192.168.100.202"}
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


def write_scripts(host: Host, options: LabOptions) -> None:
    """The check script and the notify scripts of the documented pair."""
    for name, text in scripts(host.name, options).items():
        host.write(f"/etc/keepalived/scripts/{name}", text, 0o755)


def _write_files(host: Host, options: LabOptions, server: RedisServer) -> None:
    write_redis(host, options, server)
    host.write("/etc/keepalived/keepalived.conf", keepalived_conf(host.name, options))
    host.write("/etc/init.d/keepalived", KEEPALIVED_SERVICE, 0o755)
    write_scripts(host, replace(options, notify_sleep=min(options.notify_sleep, BUILD_SLEEP)))


SYSTEM = System(addresses=ADDRESSES, vip=VIP, write_files=_write_files, inventory=inventory, after_build=write_scripts)
"""The documented pair."""
