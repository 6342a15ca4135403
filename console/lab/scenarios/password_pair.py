"""The states that the pair with a password can be built in."""

from __future__ import annotations

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import COUNTER, ask, in_sync, role
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import Traffic
from console.lab.systems.password_pair import MASTER, REPLICA, SCRIPT_ENDS, SYSTEM

_PORTION = 4_000_000
"""Bytes that are written at once."""


def healthy(lab: Laboratory, report: Report) -> None:
    """The master's Redis, its replica, the master's keepalived, the replica's."""
    master, replica = lab.host(MASTER), lab.host(REPLICA)
    for host in (master, replica):
        host.service("redis-server", "start")
    ask(lab, master, "SET", COUNTER, "0")
    _fill(lab, master)
    # Its full sync leaves a dump on the master too: the only one that a master without save points ever has.
    ask(lab, replica, "SLAVEOF", master.address, "6379")
    lab.wait(lambda: in_sync(lab, replica, master), 20, f"{REPLICA} is in sync")
    report(f"{MASTER} is the master and saves nothing, {REPLICA} its replica and saves")
    master.service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [MASTER], 30, f"{MASTER} holds the VIP")
    report(f"{MASTER} holds the VIP {lab.vip}")
    replica.service("keepalived", "start")
    lab.wait(lambda: "Entering BACKUP STATE" in replica.read(log_files.SYSTEM_LOG), 20, f"{REPLICA} is in BACKUP")
    _wait_for_script(lab, replica, "backup")
    if lab.vip_holders() != [MASTER]:
        raise LabError(f"the VIP moved while {REPLICA}'s keepalived started\n{lab.logs()}")
    report("keepalived runs on both: the pair survives one failure")


def failed_over(lab: Laboratory, report: Report) -> None:
    """The master's Redis crashed, its check killed its keepalived; the replica was promoted and takes writes."""
    healthy(lab, report)
    master, survivor = lab.host(MASTER), lab.host(REPLICA)
    traffic = Traffic(lab)
    traffic.start()
    try:
        lab.wait(lambda: traffic.acknowledged >= 50, 10, "clients write through the VIP")  # noqa: PLR2004 - some
        lab.fault("kill", MASTER, "redis")
        report(f"redis-server on {MASTER} was killed")
        lab.wait(lambda: not master.running("keepalived"), 20, f"the check of {MASTER} kills its keepalived")
        lab.wait(lambda: lab.vip_holders() == [REPLICA], 30, f"the VIP moves to {REPLICA}")
        report(f"the check of {MASTER} killed its keepalived; {REPLICA} holds the VIP, its script promotes it")
        _wait_for_script(lab, survivor, "master")
        lab.wait(lambda: role(lab, survivor) == "master", 10, f"{REPLICA} is a master")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 50, 10, f"clients write to {REPLICA}")
    finally:
        traffic.stop()
    report(f"{REPLICA} is the master; on {MASTER} neither Redis nor keepalived runs, and its dump is old")


def stale_master(lab: Laboratory, report: Report) -> None:
    """Somebody started the Redis of the failed host: a master again, with the old dump that its disk held."""
    failed_over(lab, report)
    stale = lab.host(MASTER)
    stale.service("redis-server", "start")
    lab.wait(
        lambda: role(lab, stale) == "master" and "\nloading:0" in ask(lab, stale, "INFO"),
        20,
        f"{MASTER} answers as a master",
    )
    report(f"{MASTER} is back as a master with its old dump, its keepalived off")


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
        lambda: host.read(log_files.STATE_LOG).rstrip().endswith(SCRIPT_ENDS[state]),
        15,
        f"the script of {host.name} for {state} ends",
    )


SCENARIOS: dict[str, Scenario] = {
    "password-pair": Scenario(
        "a pair with a password, persistence on the replica server12 only, scripts that act by themselves",
        healthy,
        SYSTEM,
    ),
    "password-failed-over": Scenario(
        "its master's Redis died and its check killed keepalived; server12 was promoted and took writes",
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
