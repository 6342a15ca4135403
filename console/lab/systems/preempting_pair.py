"""The files of the pair that preempts. It changes roles by itself, and trusts fixed sleeps instead of asking Redis.

Its numbers are priority 100 and 95, weight -10, a check every 4 s, 10 s for the sync of a new master and 15 s until the
old one follows. `LabOptions.notify_sleep` stands for the 10 s, and everything else keeps its proportion to it.
"""

from __future__ import annotations

from dataclasses import replace

from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabOptions
from console.lab.servers.versions import RedisServer
from console.lab.systems import keepalived_pair, keepalived_service, operator_files, redis_service
from console.lab.systems.system import CLUSTER, System

PREFERRED, OTHER = "redis-a", "redis-b"
"""The one that takes the role back whenever it can, and the one that stands in for it."""
INSTANCE = "VI_222"
CHECK_SCRIPT = "/etc/keepalived/scripts/redis_check.sh"
CHANGES_LOG = "/data/redis/keepalived-changes.log"
"""One line for each change of keepalived's state: the scripts ask it which state that is."""
_PRIORITIES = {PREFERRED: 100, OTHER: 95}
_STATES = {PREFERRED: "MASTER", OTHER: "BACKUP"}
_DOCUMENTED_SLEEP = 10
_FOLLOW, _CHECK, _DELAY, _RESTART = 15, 4, 5, 3
"""Seconds beside those 10: until the old master follows, between checks, before preempting, after a restart."""
_BUILD_SLEEP = 0.4

_HEAD = """\
#!/bin/bash
peer=$1
port=$2
secret=$3
log=/data/redis/keepalived-redis-state.log
client="/usr/bin/redis-cli -p $port"
[ -z "$secret" ] || client="$client -a $secret --no-auth-warning"
log() { echo "$(date +'%Y-%m-%d:%H:%M:%S')|$$|state:[WORD] $1" >>"$log"; }
"""

_NOTIFY = """\
#!/bin/bash
# Every change of state, the newest last. The eighth word is the state.
echo "$(date +'%Y-%m-%d %H:%M:%S') $1 $2 has changed to $3, priority $4" >>/data/redis/keepalived-changes.log
"""

_MASTER = """\
# This host has become the VRRP master: fetch what the other one has, and then stop following it.
if [ "$($client -h "$peer" PING)" = PONG ]; then
    log "fetching from $peer:$port"
    $client SLAVEOF $peer $port >/dev/null
    sleep {sync}
fi
log "the data should be here now, becoming the master of it"
$client SLAVEOF NO ONE >/dev/null
log "finished"
"""

_BACKUP = """\
# This host is no VRRP master any more: let the new one fetch, then follow it.
log "giving the other host time to fetch"
sleep {follow}
state=$(awk 'END {{print $8}}' /data/redis/keepalived-changes.log | sed 's/,//')
if [ "$state" != MASTER ]; then
    log "following $peer:$port"
    $client SLAVEOF $peer $port >/dev/null
fi
log "finished"
"""

_CHECK_TEXT = """\
#!/bin/bash
# A Redis that does not answer is started again; that counts as a failure only if it does not answer then either.
port=$1
secret=$2
client="/usr/bin/redis-cli -p $port"
[ -z "$secret" ] || client="$client -a $secret --no-auth-warning"
[ "$($client PING)" != PONG ] || exit 0
service redis-server restart
sleep {restart}
[ "$($client PING)" = PONG ] || exit 1
state=$(awk 'END {{print $8}}' /data/redis/keepalived-changes.log | sed 's/,//')
if [ "$state" = MASTER ]; then
    $client SLAVEOF NO ONE
fi
exit 0
"""


def _scaled(seconds: float, options: LabOptions) -> float:
    return seconds * options.notify_sleep / _DOCUMENTED_SLEEP


def follow_sleep(options: LabOptions) -> float:
    """Seconds after which the old master follows."""
    return _scaled(_FOLLOW, options)


def scripts(options: LabOptions) -> dict[str, str]:
    """File name → text, with the sleeps that belong to these options."""
    return {
        "notify.sh": _NOTIFY,
        "redis_check.sh": _CHECK_TEXT.format(restart=f"{_scaled(_RESTART, options):g}"),
        "redis_master.sh": _HEAD.replace("WORD", "master") + _MASTER.format(sync=f"{options.notify_sleep:g}"),
        "redis_backup.sh": _HEAD.replace("WORD", "backup") + _BACKUP.format(follow=f"{follow_sleep(options):g}"),
    }


def keepalived_conf(host: str, options: LabOptions) -> str:
    """The two differ in state, priority and whom their scripts name."""
    peer = next(address for name, address in keepalived_pair.ADDRESSES.items() if name != host)
    secret = f" {options.password}" if options.password else ""
    version = "   vrrp_version 3\n" if options.vrrp_version == 3 else ""  # noqa: PLR2004 - the protocol's number
    authentication = "" if version else "    authentication {\n        auth_type PASS\n        auth_pass 1111\n    }\n"
    return f"""\
! Configuration File for keepalived

global_defs {{
   router_id REDIS-HA
   script_user root
{version}}}

vrrp_script chk_redis {{
    script "/etc/keepalived/scripts/redis_check.sh 6379{secret}"
    weight -10
    interval {max(1, round(_scaled(_CHECK, options)))}
    rise 3
    fall 2
}}

vrrp_instance {INSTANCE} {{
    state {_STATES[host]}
    interface eth2
    virtual_router_id 222
    priority {_PRIORITIES[host]}
    advert_int {options.advert_interval:g}
{authentication}    virtual_ipaddress {{
        {keepalived_pair.VIP}
    }}
    track_script {{
        chk_redis
    }}
    preempt_delay {_scaled(_DELAY, options):g}
    notify /etc/keepalived/scripts/notify.sh
    notify_master "/etc/keepalived/scripts/redis_master.sh {peer} 6379{secret}"
    notify_backup "/etc/keepalived/scripts/redis_backup.sh {peer} 6379{secret}"
}}
"""


def inventory(folder: str, options: LabOptions) -> str:
    """An ordinary inventory."""
    nodes = "".join(_node(name, address) for name, address in keepalived_pair.ADDRESSES.items())
    return f"""\
{operator_files.inventory_defaults(folder, options)}\
clusters:
  - name: {CLUSTER}
    kind: keepalived
    vip: {keepalived_pair.VIP}
    nodes:
{nodes}"""


def _node(name: str, address: str) -> str:
    return f"""\
      - name: {name}
        address: {address}
        redis: {{service: {{sysv: redis-server}}, dir: /data/redis, dbfilename: dump6379.rdb}}
        keepalived:
          config: /etc/keepalived/keepalived.conf
          instance: {INSTANCE}
          state_log: {CHANGES_LOG}
          system_log: {log_files.SYSTEM_LOG}
          service: {{sysv: keepalived}}
"""


def write_scripts(host: Host, options: LabOptions) -> None:
    """With the sleeps of these options: keepalived starts them anew each time, so that they count from then on."""
    for name, text in scripts(options).items():
        host.write(f"/etc/keepalived/scripts/{name}", text, 0o755)


def _write_files(host: Host, options: LabOptions, server: RedisServer) -> None:
    redis_service.write_redis(host, options, server)
    host.write("/etc/keepalived/keepalived.conf", keepalived_conf(host.name, options))
    host.write("/etc/init.d/keepalived", keepalived_service.KEEPALIVED_SERVICE, 0o755)
    # Nobody wants to watch the sleeps while a scenario is built.
    write_scripts(host, replace(options, notify_sleep=min(options.notify_sleep, _BUILD_SLEEP)))


SYSTEM = System(
    addresses=keepalived_pair.ADDRESSES,
    vip=keepalived_pair.VIP,
    write_files=_write_files,
    inventory=inventory,
    after_build=write_scripts,
)
