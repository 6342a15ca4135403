"""The states that the documented pair can be built in."""

from __future__ import annotations

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import answers_as_master, ask, fill, in_sync, role, start_redis
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import Traffic, traffic_through_vip
from console.lab.systems import keepalived_service
from console.lab.systems.keepalived_pair import SYSTEM

MASTER, REPLICA = "redis-b", "redis-a"
"""The roles while the pair is healthy: redis-b has the higher priority."""
REDIS, KEEPALIVED = "redis-server", "keepalived"


def fresh(_: Laboratory, report: Report) -> None:
    """Does nothing: hosts come with sshd running and both services configured."""
    report("nothing started, nothing replicating, no data")


def healthy(lab: Laboratory, report: Report) -> None:
    """Starts everything in the documented order."""
    master, replica = lab.host(MASTER), lab.host(REPLICA)
    for host in (master, replica):
        start_redis(lab, host)
    fill(lab, master)
    ask(lab, replica, "SLAVEOF", master.address, "6379")
    lab.wait_for(lambda: in_sync(lab, replica, master), f"{REPLICA} is in sync", replica, REDIS)
    report(f"{MASTER} is the master, {REPLICA} its replica, in sync")
    master.service(KEEPALIVED, "start")
    lab.wait_for(lambda: lab.vip_holders() == [MASTER], f"{MASTER} holds the VIP", master, KEEPALIVED)
    report(f"{MASTER} holds the VIP {lab.vip}")
    wait_for_script(lab, master)
    replica.service(KEEPALIVED, "start")
    lab.wait_for(
        lambda: "Entering BACKUP STATE" in replica.read(log_files.SYSTEM_LOG),
        f"{REPLICA} is in BACKUP", replica, KEEPALIVED,
    )  # fmt: skip
    _wait_for_backup_script(lab, replica)
    if lab.vip_holders() != [MASTER]:
        raise LabError(f"the VIP moved while keepalived started on {REPLICA}", replica.log_tail(log_files.SYSTEM_LOG))
    report("keepalived runs on both: the pair survives one failure")


def failed_over(lab: Laboratory, report: Report) -> None:
    """The master's Redis died under traffic, the pair failed over, and nobody has repaired it."""
    healthy(lab, report)
    master, survivor = lab.host(MASTER), lab.host(REPLICA)
    with traffic_through_vip(lab) as traffic:
        traffic.wait_for_writes(20, master)
        # What the disk of the dead master will hold: older than the last writes, as a periodic save leaves it.
        ask(lab, master, "SAVE")
        traffic.wait_for_writes(50, master)
        lab.fault("kill", MASTER, "redis")
        report(f"redis-server on {MASTER} was killed")
        _wait_for_promotion(lab, report, survivor, traffic)
    _wait_for_backup_script(lab, master)
    report(f"{REPLICA} is the master; on {MASTER} Redis is down and keepalived runs: the pair survives no failure now")


def _wait_for_promotion(lab: Laboratory, report: Report, survivor: Host, traffic: Traffic) -> None:
    lab.wait_for(lambda: lab.vip_holders() == [REPLICA], f"the VIP moves to {REPLICA}", survivor, KEEPALIVED)
    report(f"{REPLICA} holds the VIP, its notify script promotes it")
    wait_for_script(lab, survivor)
    lab.wait_for(lambda: role(lab, survivor) == "master", f"{REPLICA} is a master", survivor, REDIS)
    traffic.wait_for_writes(20, survivor)


def stale_master_back(lab: Laboratory, report: Report) -> None:
    """Somebody stopped keepalived on the failed host and started its Redis: a master with the data of its disk."""
    failed_over(lab, report)
    stale = lab.host(MASTER)
    stale.service(KEEPALIVED, "stop")
    start_redis(lab, stale)
    lab.wait_for(lambda: answers_as_master(lab, stale), f"{MASTER} answers as a master", stale, REDIS)
    report(f"{MASTER} is back as a master with stale data, its keepalived is stopped")


def split_brain(lab: Laboratory, report: Report) -> None:
    """The network parted the pair for a while. Each side had a master, the clients of each side wrote; then it healed.

    keepalived has settled since, and the higher priority holds the VIP. Both Redis are still masters.
    """
    healthy(lab, report)
    old, other = lab.host(MASTER), lab.host(REPLICA)
    lab.fault("isolate", MASTER)
    report(f"{MASTER}'s switch port drops every packet")
    lab.wait_for(lambda: other.has_address(lab.vip), f"{REPLICA} takes the VIP", other, KEEPALIVED)
    wait_for_script(lab, other)
    lab.wait_for(lambda: role(lab, other) == "master", f"{REPLICA} is a master", other, REDIS)
    for number in range(20):
        ask(lab, other, "SET", f"written:on:{REPLICA}:{number}", str(number))
    # These clients are on the far side of the switch: they still reach the old master.
    writes = "".join(f"SET written:on:{MASTER}:{number} {number}\n" for number in range(30))
    old.run(["redis-cli"], stdin=writes, check=True)
    report("both sides took writes")
    lab.fault("heal", MASTER)
    lab.wait_for(lambda: lab.vip_holders() == [MASTER], f"{MASTER} alone holds the VIP", old, KEEPALIVED)
    wait_for_script(lab, old)
    lab.wait_for(lambda: role(lab, old) == role(lab, other) == "master", "both are masters", old, REDIS)
    report(f"the network is whole again: both Redis are masters, the VIP is on {MASTER}")


def wait_for_script(lab: Laboratory, host: Host) -> None:
    """Waits until the notify script of a new master has written its last line."""

    def ended() -> bool:
        text = host.read(log_files.STATE_LOG).rstrip()
        return text.endswith(keepalived_service.SCRIPT_DONE) and not host.running("redis_master.sh")

    lab.wait_for(ended, f"the notify script of {host.name} ends", host, KEEPALIVED)


def _wait_for_backup_script(lab: Laboratory, host: Host) -> None:
    lab.wait_for(
        lambda: "state:[backup]" in host.read(log_files.STATE_LOG),
        f"the notify script of {host.name} runs", host, KEEPALIVED,
    )  # fmt: skip


SCENARIOS: dict[str, Scenario] = {
    "healthy": Scenario(
        "redis-b is the master and holds the VIP, redis-a follows, keepalived runs on both", healthy, SYSTEM
    ),
    "failed-over": Scenario(
        "redis-b's Redis died, redis-a was promoted: the pair would survive nothing now", failed_over, SYSTEM
    ),
    "fresh": Scenario("two configured hosts, nothing started, nothing replicating, no data", fresh, SYSTEM),
    "stale-master-back": Scenario(
        "as failed-over, and redis-b is back as a master with stale data, its keepalived off", stale_master_back, SYSTEM
    ),
    "split-brain": Scenario(
        "the network parted and healed: both Redis are masters and both took writes", split_brain, SYSTEM
    ),
}
"""Name → what the pair looks like, and how it gets there."""
