"""The states that the pair with a password can be built in."""

from __future__ import annotations

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import COUNTER, answers_as_master, ask, in_sync, role, start_redis
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import traffic_through_vip
from console.lab.systems.password_pair import MASTER, REPLICA, SCRIPT_ENDS, SYSTEM

REDIS, KEEPALIVED = "redis-server", "keepalived"
_PORTION = 4_000_000
"""Bytes that are written at once."""


def healthy(lab: Laboratory, report: Report) -> None:
    """Starts the Redis of the master, its replica, the master's keepalived, then the replica's."""
    master, replica = lab.host(MASTER), lab.host(REPLICA)
    for host in (master, replica):
        start_redis(lab, host)
    ask(lab, master, "SET", COUNTER, "0")
    _fill(lab, master)
    # The full sync leaves a dump on the master too. A master without save points has no other one.
    ask(lab, replica, "SLAVEOF", master.address, "6379")
    lab.wait_for(lambda: in_sync(lab, replica, master), f"{REPLICA} is in sync", replica, REDIS)
    report(f"{MASTER} is the master and saves nothing, {REPLICA} its replica and saves")
    master.service(KEEPALIVED, "start")
    lab.wait_for(lambda: lab.vip_holders() == [MASTER], f"{MASTER} holds the VIP", master, KEEPALIVED)
    report(f"{MASTER} holds the VIP {lab.vip}")
    replica.service(KEEPALIVED, "start")
    lab.wait_for(
        lambda: "Entering BACKUP STATE" in replica.read(log_files.SYSTEM_LOG),
        f"{REPLICA} is in BACKUP", replica, KEEPALIVED,
    )  # fmt: skip
    _wait_for_script(lab, replica, "backup")
    if lab.vip_holders() != [MASTER]:
        raise LabError(f"the VIP moved while keepalived started on {REPLICA}", replica.log_tail(log_files.SYSTEM_LOG))
    report("keepalived runs on both: the pair survives one failure")


def failed_over(lab: Laboratory, report: Report) -> None:
    """The master's Redis crashed and its check killed its keepalived. The replica was promoted and takes writes."""
    healthy(lab, report)
    master, survivor = lab.host(MASTER), lab.host(REPLICA)
    with traffic_through_vip(lab) as traffic:
        traffic.wait_for_writes(50, master)
        lab.fault("kill", MASTER, "redis")
        report(f"redis-server on {MASTER} was killed")
        what = f"the check of {MASTER} kills its keepalived, and the VIP moves to {REPLICA}"
        lab.wait_for(lambda: _gave_up(lab, master), what, survivor, KEEPALIVED)
        report(f"the check of {MASTER} killed its keepalived; {REPLICA} holds the VIP, its script promotes it")
        _wait_for_script(lab, survivor, "master")
        lab.wait_for(lambda: role(lab, survivor) == "master", f"{REPLICA} is a master", survivor, REDIS)
        traffic.wait_for_writes(50, survivor)
    report(f"{REPLICA} is the master; on {MASTER} neither Redis nor keepalived runs, and its dump is old")


def stale_master(lab: Laboratory, report: Report) -> None:
    """Somebody started the Redis of the failed host: a master again, with the old dump of its disk."""
    failed_over(lab, report)
    stale = lab.host(MASTER)
    start_redis(lab, stale)
    lab.wait_for(lambda: answers_as_master(lab, stale), f"{MASTER} answers as a master", stale, REDIS)
    report(f"{MASTER} is back as a master with its old dump, its keepalived is stopped")


def _gave_up(lab: Laboratory, master: Host) -> bool:
    """Whether the address is on the replica alone.

    keepalived ends its checks when it ends. On a busy machine that is before the check has taken the address off: the
    network is restarted for it then.
    """
    holders = lab.vip_holders()
    if master.running(KEEPALIVED) or master.running("redis_monitor.sh"):
        return False
    if MASTER in holders:
        master.run("service network restart")
    return holders == [REPLICA]


def _fill(lab: Laboratory, host: Host) -> None:
    """Writes into database 1, as the document does. Some keys expire. No portion keeps the server busy for long."""
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
    lab.wait_for(
        lambda: host.read(log_files.STATE_LOG).rstrip().endswith(SCRIPT_ENDS[state]),
        f"the {state} script of {host.name} ends", host, KEEPALIVED,
    )  # fmt: skip


SCENARIOS: dict[str, Scenario] = {
    "password-pair": Scenario(
        "a pair with a password, persistence on the replica server12 only, scripts that act by themselves",
        healthy,
        SYSTEM,
    ),
    "password-failed-over": Scenario(
        "server11's Redis died and its check killed keepalived; server12 was promoted and took writes",
        failed_over,
        SYSTEM,
    ),
    "password-stale-master": Scenario(
        "as password-failed-over, and server11 is back as a master with an old dump, its keepalived off",
        stale_master,
        SYSTEM,
    ),
}
"""Name → what the pair looks like, and how it gets there."""
