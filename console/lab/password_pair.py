"""A documented pair with a password: persistence on the replica only, a check of positive weight, scripts that act.

Its keepalived is configured as for 1.x. The check kills keepalived where Redis does not answer; the replica's scripts
send SLAVEOF by themselves, and SLAVEOF NO ONE after a sleep; the master has none for a change of its state.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from console.lab import files
from console.lab.layout import CLUSTER, Layout, Scenario, Tell
from console.lab.options import LabError, LabOptions
from console.lab.scenarios import COUNTER, Traffic, ask, in_sync, role

if TYPE_CHECKING:
    from console.lab.host import Host
    from console.lab.pair import Laboratory
    from console.lab.servers import Server

MASTER, REPLICA = "server11", "server12"
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

_PORTION = 4_000_000
"""Bytes that are written at once."""

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
    lines = files.redis_conf(options).splitlines()
    if host == MASTER:
        lines = [one for one in lines if not one.startswith("save ")] + ['save ""']
    lines = [f"dbfilename {DUMPS[host]}" if one.startswith("dbfilename ") else one for one in lines]
    return "\n".join(lines) + "\n"


def write_scripts(host: Host, options: LabOptions) -> None:
    """The check and the notify scripts; the password stands in them, as in the document."""
    other = next(address for name, address in ADDRESSES.items() if name != host.name)
    words = {"address": host.address, "other": other, "password": options.password, "log": files.STATE_LOG}
    made = {
        "monitor": CHECK_SCRIPT.format(**words),
        "master": MASTER_SCRIPT.format(**words, sleep=f"{options.notify_sleep:g}"),
        "backup": BACKUP_SCRIPT.format(**words, sleep=f"{LONGER * options.notify_sleep:g}"),
    }
    made |= {state: QUIET_SCRIPT.format(**words, state=state) for state in ("fault", "stop")}
    for name, text in made.items():
        host.write(f"/etc/keepalived/scripts/redis_{name}.sh", text, 0o755)


def _furnish(host: Host, options: LabOptions, server: Server) -> None:
    files.write_redis(host, options, server)
    host.write("/etc/redis/redis6379.conf", redis_conf(host.name, options), 0o640)
    host.write("/etc/keepalived/keepalived.conf", keepalived_conf(host.name, options))
    host.write("/etc/init.d/keepalived", files.KEEPALIVED_SERVICE, 0o755)
    host.write("/etc/init.d/network", NETWORK_SERVICE.format(address=host.address), 0o755)
    write_scripts(host, replace(options, notify_sleep=min(options.notify_sleep, files.HURRIED)))


def _options(options: LabOptions) -> LabOptions:
    """A password, always; priorities and weight are the document's."""
    return options if options.password else replace(options, password=secrets.token_urlsafe(12))


def inventory(folder: str, options: LabOptions) -> str:
    """An ordinary inventory: nothing in it says that the hosts are not machines."""
    nodes = "".join(_inventory_node(name) for name in ADDRESSES)
    return f"""\
{files.inventory_defaults(folder, options)}\
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
          state_log: {files.STATE_LOG}
          system_log: {files.SYSTEM_LOG}
          service: {{sysv: keepalived}}
"""


def healthy(lab: Laboratory, tell: Tell) -> None:
    """The master's Redis, its replica, the master's keepalived, the replica's."""
    master, replica = lab.host(MASTER), lab.host(REPLICA)
    for host in (master, replica):
        host.service("redis-server", "start")
    ask(lab, master, "SET", COUNTER, "0")
    _fill(lab, master)
    # Its full sync leaves a dump on the master too: the only one that a master without save points ever has.
    ask(lab, replica, "SLAVEOF", master.address, "6379")
    lab.wait(lambda: in_sync(lab, replica, master), 20, f"{REPLICA} is in sync")
    tell(f"{MASTER} is the master and saves nothing, {REPLICA} its replica and saves")
    master.service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [MASTER], 30, f"{MASTER} holds the VIP")
    tell(f"{MASTER} holds the VIP {lab.vip}")
    replica.service("keepalived", "start")
    lab.wait(lambda: "Entering BACKUP STATE" in replica.read(files.SYSTEM_LOG), 20, f"{REPLICA} is in BACKUP")
    _wait_for_script(lab, replica, "backup")
    if lab.vip_holders() != [MASTER]:
        raise LabError(f"the VIP moved while {REPLICA}'s keepalived started\n{lab.logs()}")
    tell("keepalived runs on both: the pair survives one failure")


def failed_over(lab: Laboratory, tell: Tell) -> None:
    """The master's Redis crashed, its check killed its keepalived; the replica was promoted and takes writes."""
    healthy(lab, tell)
    master, survivor = lab.host(MASTER), lab.host(REPLICA)
    traffic = Traffic(lab)
    traffic.start()
    try:
        lab.wait(lambda: traffic.acknowledged >= 50, 10, "clients write through the VIP")  # noqa: PLR2004 - some
        lab.fault("kill", MASTER, "redis")
        tell(f"redis-server on {MASTER} was killed")
        lab.wait(lambda: not master.running("keepalived"), 20, f"the check of {MASTER} kills its keepalived")
        lab.wait(lambda: lab.vip_holders() == [REPLICA], 30, f"the VIP moves to {REPLICA}")
        tell(f"the check of {MASTER} killed its keepalived; {REPLICA} holds the VIP, its script promotes it")
        _wait_for_script(lab, survivor, "master")
        lab.wait(lambda: role(lab, survivor) == "master", 10, f"{REPLICA} is a master")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 50, 10, f"clients write to {REPLICA}")
    finally:
        traffic.stop()
    tell(f"{REPLICA} is the master; on {MASTER} neither Redis nor keepalived runs, and its dump is old")


def stale_master(lab: Laboratory, tell: Tell) -> None:
    """Somebody started the Redis of the failed host: a master again, with the old dump that its disk held."""
    failed_over(lab, tell)
    stale = lab.host(MASTER)
    stale.service("redis-server", "start")
    lab.wait(
        lambda: role(lab, stale) == "master" and "\nloading:0" in ask(lab, stale, "INFO"),
        20,
        f"{MASTER} answers as a master",
    )
    tell(f"{MASTER} is back as a master with its old dump, its keepalived off")


def _fill(lab: Laboratory, host: Host) -> None:
    """In database 1, as the document does; some of it expires. In portions that no server takes long for."""
    loop = (
        "redis.call('SELECT', 1) for i = ARGV[1], ARGV[2] do"
        " redis.call('SET', 'vm_instance:' .. i, string.rep('x', ARGV[3]))"
        " if i % 10 == 0 then redis.call('EXPIRE', 'vm_instance:' .. i, 86400) end end return 1"
    )
    keys, length = lab.options.keys, lab.options.value_bytes
    portion = max(1, _PORTION // max(1, length))
    for first in range(1, keys + 1, portion):
        ask(lab, host, "EVAL", loop, "0", str(first), str(min(keys, first + portion - 1)), str(length))


def _wait_for_script(lab: Laboratory, host: Host, state: str) -> None:
    lab.wait(
        lambda: host.read(files.STATE_LOG).rstrip().endswith(SCRIPT_ENDS[state]),
        15,
        f"the script of {host.name} for {state} ends",
    )


LAYOUT = Layout(
    addresses=ADDRESSES,
    vip=VIP,
    furnish=_furnish,
    inventory=inventory,
    after_build=write_scripts,
    options=_options,
    operator=(OPERATOR,),
)
SCENARIOS: dict[str, Scenario] = {
    "password-pair": Scenario(
        "a pair with a password, persistence on the replica server12 only, scripts that act by themselves",
        healthy,
        LAYOUT,
    ),
    "password-failed-over": Scenario(
        "its master's Redis died and its check killed keepalived; server12 was promoted and took writes",
        failed_over,
        LAYOUT,
    ),
    "password-stale-master": Scenario(
        "as password-failed-over, and server11 is back as a master with an old dump, its keepalived off",
        stale_master,
        LAYOUT,
    ),
}
"""Name → what the pair looks like, and how it gets there."""
