"""The states that a laboratory pair can be built in. Every wait is for a condition and has a deadline."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from console.lab import files
from console.lab.host import Host
from console.lab.layout import Scenario, Tell
from console.lab.options import LabError
from console.lab.wire import Line, Refused

if TYPE_CHECKING:
    from console.lab.pair import Laboratory

MASTER, REPLICA = "redis-b", "redis-a"
"""Who is what while the pair is healthy: redis-b has the higher priority."""
COUNTER = "laboratory:counter"


def fresh(_: Laboratory, tell: Tell) -> None:
    """Nothing to do: hosts come with sshd running and both services configured."""
    tell("nothing started, nothing replicating, no data")


def healthy(lab: Laboratory, tell: Tell) -> None:
    """The documented start order."""
    master, replica = lab.host(MASTER), lab.host(REPLICA)
    for host in (master, replica):
        host.service("redis-server", "start")
    fill(lab, master)
    ask(lab, replica, "SLAVEOF", master.address, "6379")
    lab.wait(lambda: in_sync(lab, replica, master), 20, f"{REPLICA} is in sync")
    tell(f"{MASTER} is the master, {REPLICA} its replica, in sync")
    master.service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [MASTER], 30, f"{MASTER} holds the VIP")
    tell(f"{MASTER} holds the VIP {lab.vip}")
    wait_for_script(lab, master)
    replica.service("keepalived", "start")
    lab.wait(lambda: "Entering BACKUP STATE" in replica.read(files.SYSTEM_LOG), 20, f"{REPLICA} is in BACKUP")
    lab.wait(lambda: "state:[backup]" in replica.read(files.STATE_LOG), 10, f"{REPLICA}'s notify script ran")
    if lab.vip_holders() != [MASTER]:
        raise LabError(f"the VIP moved while {REPLICA}'s keepalived started\n{lab.logs()}")
    tell("keepalived runs on both: the pair survives one failure")


def failed_over(lab: Laboratory, tell: Tell) -> None:
    """As after a real night: the master's Redis died under traffic, the pair moved, nobody has touched it."""
    healthy(lab, tell)
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
        tell(f"redis-server on {MASTER} was killed")
        lab.wait(lambda: lab.vip_holders() == [REPLICA], 30, f"the VIP moves to {REPLICA}")
        tell(f"{REPLICA} holds the VIP, its notify script promotes it")
        wait_for_script(lab, survivor)
        lab.wait(lambda: role(lab, survivor) == "master", 10, f"{REPLICA} is a master")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 20, 10, f"clients write to {REPLICA}")
    finally:
        traffic.stop()
    lab.wait(lambda: "state:[backup]" in master.read(files.STATE_LOG), 10, f"{MASTER}'s notify script ran")
    tell(f"{REPLICA} is the master; on {MASTER} Redis is down and keepalived runs: the pair survives nothing now")


def stale_master_back(lab: Laboratory, tell: Tell) -> None:
    """Somebody stopped keepalived on the failed host and started its Redis: a master again, with what its disk held."""
    failed_over(lab, tell)
    stale = lab.host(MASTER)
    stale.service("keepalived", "stop")
    stale.service("redis-server", "start")
    lab.wait(lambda: role(lab, stale) == "master" and "\nloading:0" in ask(lab, stale, "INFO"), 20,
             f"{MASTER} answers as a master")  # fmt: skip
    tell(f"{MASTER} is back as a master with stale data, its keepalived off")


def split_brain(lab: Laboratory, tell: Tell) -> None:
    """The network parted the pair for a while: each side had a master, each side's clients wrote, then it healed.

    keepalived has settled since, the higher priority holds the VIP; the two Redis go on as masters.
    """
    healthy(lab, tell)
    old, other = lab.host(MASTER), lab.host(REPLICA)
    lab.fault("isolate", MASTER)
    tell(f"{MASTER}'s switch port drops every packet")
    lab.wait(lambda: other.has_address(lab.vip), 30, f"{REPLICA} takes the VIP")
    wait_for_script(lab, other)
    lab.wait(lambda: role(lab, other) == "master", 10, f"{REPLICA} is a master")
    for number in range(20):
        ask(lab, other, "SET", f"written:on:{REPLICA}:{number}", str(number))
    # Clients on the far side of the switch: they still reach the old master.
    writes = "".join(f"SET written:on:{MASTER}:{number} {number}\n" for number in range(30))
    old.run(["redis-cli"], stdin=writes, check=True)
    tell("both sides took writes")
    lab.fault("heal", MASTER)
    lab.wait(lambda: lab.vip_holders() == [MASTER], 30, f"{MASTER} holds the VIP alone")
    wait_for_script(lab, old)
    lab.wait(lambda: role(lab, old) == role(lab, other) == "master", 10, "both are masters")
    tell(f"the network is whole again: both Redis are masters, the VIP is on {MASTER}")


def fill(lab: Laboratory, host: Host) -> None:
    """Some data: one server-side loop, so that it takes no time."""
    loop = "for i = 1, tonumber(ARGV[1]) do redis.call('SET', 'customer:' .. i, string.rep('x', ARGV[2])) end return 1"
    ask(lab, host, "EVAL", loop, "0", str(lab.options.keys), str(lab.options.value_bytes))
    ask(lab, host, "SET", COUNTER, "0")


def wait_for_script(lab: Laboratory, host: Host) -> None:
    """Until the notify script of a new master has written its last line."""
    lab.wait(
        lambda: host.read(files.STATE_LOG).rstrip().endswith(files.SCRIPT_DONE) and not host.running("redis_master.sh"),
        15,
        f"{host.name}'s notify script ends",
    )


def in_sync(lab: Laboratory, replica: Host, master: Host) -> bool:
    """Whether the replica has all that its master wrote: link up, no sync, equal offsets."""
    below, above = replication(lab, replica), replication(lab, master)
    return (
        below.get("master_link_status") == "up"
        and below.get("master_sync_in_progress") == "0"
        and below.get("master_host") == master.address
        and below.get("slave_repl_offset") == above.get("master_repl_offset")
    )


def role(lab: Laboratory, host: Host) -> str:
    """`master`, `slave`, as Redis says."""
    return replication(lab, host).get("role", "")


def replication(lab: Laboratory, host: Host) -> dict[str, str]:
    """The replication section of INFO."""
    lines = ask(lab, host, "INFO", "replication").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def ask(lab: Laboratory, host: Host, *words: str) -> str:
    """What its Redis answers. Raises LabError where it refuses, OSError where it cannot be reached."""
    try:
        with Line(host.address, lab.options.password) as line:
            return line.ask(*words)
    except Refused as error:
        raise LabError(f"Redis on {host.name} refused {words[0]}: {error}") from None


class Traffic(threading.Thread):
    """Clients of the pair: increments a counter through the VIP, again and again, reconnecting."""

    def __init__(self, lab: Laboratory) -> None:
        super().__init__(name="traffic", daemon=True)
        self.acknowledged = 0
        self._lab = lab
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.02):
            try:
                with Line(self._lab.vip, self._lab.options.password, timeout=0.5) as line:
                    while not self._end.wait(0.005):
                        line.ask("INCR", COUNTER)
                        self.acknowledged += 1
            except (OSError, Refused):
                continue

    def stop(self) -> None:
        self._end.set()
        self.join(timeout=5)


SCENARIOS: dict[str, Scenario] = {
    "healthy": Scenario(
        "redis-b is the master and holds the VIP, redis-a follows, keepalived runs on both", healthy, files.PAIR
    ),
    "failed-over": Scenario(
        "redis-b's Redis died, redis-a was promoted: the pair would survive nothing now", failed_over, files.PAIR
    ),
    "fresh": Scenario("two configured hosts, nothing started, nothing replicating, no data", fresh, files.PAIR),
    "stale-master-back": Scenario(
        "as failed-over, and redis-b is back as a master with stale data, its keepalived off",
        stale_master_back,
        files.PAIR,
    ),
    "split-brain": Scenario(
        "the network parted and healed: both Redis are masters and both took writes", split_brain, files.PAIR
    ),
}
"""Name → what the pair looks like, and how it gets there."""
