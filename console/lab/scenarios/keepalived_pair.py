"""The states that a laboratory pair can be built in. Every wait is for a condition and has a deadline."""

from __future__ import annotations

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import ask, fill, in_sync, role
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import Traffic
from console.lab.systems import keepalived_service
from console.lab.systems.keepalived_pair import SYSTEM

MASTER, REPLICA = "redis-b", "redis-a"
"""Who is what while the pair is healthy: redis-b has the higher priority."""


def fresh(_: Laboratory, report: Report) -> None:
    """Nothing to do: hosts come with sshd running and both services configured."""
    report("nothing started, nothing replicating, no data")


def healthy(lab: Laboratory, report: Report) -> None:
    """The documented start order."""
    master, replica = lab.host(MASTER), lab.host(REPLICA)
    for host in (master, replica):
        host.service("redis-server", "start")
    fill(lab, master)
    ask(lab, replica, "SLAVEOF", master.address, "6379")
    lab.wait(lambda: in_sync(lab, replica, master), 20, f"{REPLICA} is in sync")
    report(f"{MASTER} is the master, {REPLICA} its replica, in sync")
    master.service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [MASTER], 30, f"{MASTER} holds the VIP")
    report(f"{MASTER} holds the VIP {lab.vip}")
    wait_for_script(lab, master)
    replica.service("keepalived", "start")
    lab.wait(lambda: "Entering BACKUP STATE" in replica.read(log_files.SYSTEM_LOG), 20, f"{REPLICA} is in BACKUP")
    lab.wait(lambda: "state:[backup]" in replica.read(log_files.STATE_LOG), 10, f"{REPLICA}'s notify script ran")
    if lab.vip_holders() != [MASTER]:
        raise LabError(f"the VIP moved while {REPLICA}'s keepalived started\n{lab.logs()}")
    report("keepalived runs on both: the pair survives one failure")


def failed_over(lab: Laboratory, report: Report) -> None:
    """As after a real night: the master's Redis died under traffic, the pair moved, nobody has touched it."""
    healthy(lab, report)
    master, survivor = lab.host(MASTER), lab.host(REPLICA)
    traffic = Traffic(lab)
    traffic.start()
    try:
        lab.wait(lambda: traffic.acknowledged >= 20, 10, "clients write through the VIP")  # noqa: PLR2004 - some
        # What the dead master's disk will hold: older than the last writes, as a periodic save leaves it.
        ask(lab, master, "SAVE")
        saved = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= saved + 50, 10, "clients go on writing")
        lab.fault("kill", MASTER, "redis")
        report(f"redis-server on {MASTER} was killed")
        lab.wait(lambda: lab.vip_holders() == [REPLICA], 30, f"the VIP moves to {REPLICA}")
        report(f"{REPLICA} holds the VIP, its notify script promotes it")
        wait_for_script(lab, survivor)
        lab.wait(lambda: role(lab, survivor) == "master", 10, f"{REPLICA} is a master")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 20, 10, f"clients write to {REPLICA}")
    finally:
        traffic.stop()
    lab.wait(lambda: "state:[backup]" in master.read(log_files.STATE_LOG), 10, f"{MASTER}'s notify script ran")
    report(f"{REPLICA} is the master; on {MASTER} Redis is down and keepalived runs: the pair survives nothing now")


def stale_master_back(lab: Laboratory, report: Report) -> None:
    """Somebody stopped keepalived on the failed host and started its Redis: a master again, with what its disk held."""
    failed_over(lab, report)
    stale = lab.host(MASTER)
    stale.service("keepalived", "stop")
    stale.service("redis-server", "start")
    lab.wait(lambda: role(lab, stale) == "master" and "\nloading:0" in ask(lab, stale, "INFO"), 20,
             f"{MASTER} answers as a master")  # fmt: skip
    report(f"{MASTER} is back as a master with stale data, its keepalived off")


def split_brain(lab: Laboratory, report: Report) -> None:
    """The network parted the pair for a while: each side had a master, each side's clients wrote, then it healed.

    keepalived has settled since, the higher priority holds the VIP; the two Redis go on as masters.
    """
    healthy(lab, report)
    old, other = lab.host(MASTER), lab.host(REPLICA)
    lab.fault("isolate", MASTER)
    report(f"{MASTER}'s switch port drops every packet")
    lab.wait(lambda: other.has_address(lab.vip), 30, f"{REPLICA} takes the VIP")
    wait_for_script(lab, other)
    lab.wait(lambda: role(lab, other) == "master", 10, f"{REPLICA} is a master")
    for number in range(20):
        ask(lab, other, "SET", f"written:on:{REPLICA}:{number}", str(number))
    # Clients on the far side of the switch: they still reach the old master.
    writes = "".join(f"SET written:on:{MASTER}:{number} {number}\n" for number in range(30))
    old.run(["redis-cli"], stdin=writes, check=True)
    report("both sides took writes")
    lab.fault("heal", MASTER)
    lab.wait(lambda: lab.vip_holders() == [MASTER], 30, f"{MASTER} holds the VIP alone")
    wait_for_script(lab, old)
    lab.wait(lambda: role(lab, old) == role(lab, other) == "master", 10, "both are masters")
    report(f"the network is whole again: both Redis are masters, the VIP is on {MASTER}")


def wait_for_script(lab: Laboratory, host: Host) -> None:
    """Until the notify script of a new master has written its last line."""
    lab.wait(
        lambda: (
            host.read(log_files.STATE_LOG).rstrip().endswith(keepalived_service.SCRIPT_DONE)
            and not host.running("redis_master.sh")
        ),
        15,
        f"{host.name}'s notify script ends",
    )


SCENARIOS: dict[str, Scenario] = {
    "healthy": Scenario(
        "redis-b is the master and holds the VIP, redis-a follows, keepalived runs on both",
        healthy,
        SYSTEM,
    ),
    "failed-over": Scenario(
        "redis-b's Redis died, redis-a was promoted: the pair would survive nothing now",
        failed_over,
        SYSTEM,
    ),
    "fresh": Scenario("two configured hosts, nothing started, nothing replicating, no data", fresh, SYSTEM),
    "stale-master-back": Scenario(
        "as failed-over, and redis-b is back as a master with stale data, its keepalived off",
        stale_master_back,
        SYSTEM,
    ),
    "split-brain": Scenario(
        "the network parted and healed: both Redis are masters and both took writes",
        split_brain,
        SYSTEM,
    ),
}
"""Name → what the pair looks like, and how it gets there."""
