"""The states of the pair that preempts (`console.lab.systems.preempting_pair`). Every wait is for a condition."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import ask, fill, in_sync, replication, role
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import Traffic
from console.lab.systems.preempting_pair import OTHER, PREFERRED, SYSTEM, write_scripts

SCRIPTS = ("redis_master.sh", "redis_backup.sh")
KEY_DELAY = 3
"""Seconds that a slow sync takes longer than the script waits for it."""


def healthy(lab: Laboratory, report: Report) -> None:
    """The preferred node first, all of it: where the other Redis answers already, the script would follow that one."""
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    preferred.service("redis-server", "start")
    fill(lab, preferred)
    preferred.service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [PREFERRED], 30, f"{PREFERRED} holds the VIP")
    other.service("redis-server", "start")
    other.service("keepalived", "start")
    lab.wait(lambda: in_sync(lab, other, preferred), 60, f"{OTHER} follows by its script")
    quiet(lab)
    lab.wait(lambda: in_sync(lab, other, preferred), 20, f"{OTHER} is in sync")
    if lab.vip_holders() != [PREFERRED] or role(lab, preferred) != "master":
        raise LabError(f"the VIP moved while {OTHER} was started\n{lab.logs()}")
    report(f"{PREFERRED} is the master and holds the VIP {lab.vip}, {OTHER} follows, keepalived runs on both")


def failed(lab: Laboratory, report: Report) -> None:
    """The preferred node went down in order, Redis and keepalived, while clients wrote; the other one serves."""
    healthy(lab, report)
    with _traffic(lab) as traffic:
        lab.wait(lambda: traffic.acknowledged >= 20, 10, "clients write through the VIP")  # noqa: PLR2004 - some
        goes_down(lab.host(PREFERRED))
        lab.wait(lambda: lab.vip_holders() == [OTHER], 30, f"the VIP moves to {OTHER}")
        lab.wait(lambda: role(lab, lab.host(OTHER)) == "master", 30, f"{OTHER} is promoted")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 20, 10, f"clients write to {OTHER}")
        quiet(lab)
    report(f"{PREFERRED} went down, {OTHER} is the master and holds the VIP")


def returning(lab: Laboratory, report: Report) -> None:
    """Somebody started the failed node: it takes the VIP and fetches; after its script's sleep it is promoted."""
    failed(lab, report)
    comes_back(lab)
    report(f"{PREFERRED} is back: it holds the VIP and is fetching, the scripts of both sleep")


def loop(lab: Laboratory, report: Report) -> None:
    """The master's keepalived was restarted, both scripts made their Redis follow, and were ended right then."""
    healthy(lab, report)
    for host in lab.hosts.values():
        write_scripts(host, lab.options)
    restart_master(lab)
    for host in lab.hosts.values():
        end_scripts(host)
    lab.wait(lambda: lab.vip_holders() == [PREFERRED], 30, f"{PREFERRED} holds the VIP alone")
    if not follow_each_other(lab):
        raise LabError(f"a script went on before it was ended\n{lab.logs()}")
    report("both Redis follow each other, and no script runs that would end it")


def early(lab: Laboratory, report: Report) -> None:
    """The sync took longer than the script's sleep: old data was promoted. The other one's script was ended in time."""
    failed(lab, report)
    other = lab.host(OTHER)
    keys = int(ask(lab, other, "DBSIZE"))
    slow = int((lab.options.notify_sleep + KEY_DELAY) * 1_000_000 / max(1, keys))
    ask(lab, other, "CONFIG", "SET", "rdb-key-save-delay", str(slow))
    comes_back(lab)
    preferred = lab.host(PREFERRED)
    lab.wait(lambda: role(lab, preferred) == "master", 60, f"{PREFERRED} is promoted in the middle of its sync")
    end_scripts(other)
    ask(lab, other, "CONFIG", "SET", "rdb-key-save-delay", "0")
    with _traffic(lab) as traffic:
        lab.wait(lambda: traffic.acknowledged >= 20, 10, "clients write to the old data")  # noqa: PLR2004 - some
    quiet(lab)
    report(f"{PREFERRED} was promoted before its sync had ended, {OTHER} still has the data")


def second(lab: Laboratory, report: Report) -> None:
    """The preferred node came back, took writes, and went down again before the other one had begun to follow."""
    failed(lab, report)
    comes_back(lab)
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    with _traffic(lab) as traffic:
        lab.wait(lambda: role(lab, preferred) == "master", 60, f"{PREFERRED} is promoted")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 20, 10, f"clients write to {PREFERRED}")
        goes_down(preferred)
        lab.wait(lambda: lab.vip_holders() == [OTHER], 30, f"the VIP moves to {OTHER}")
    if role(lab, other) != "master":
        raise LabError(f"{OTHER} followed before {PREFERRED} went down\n{lab.logs()}")
    quiet(lab)
    report(f"{PREFERRED} went down again: the last writes are on its disk, {OTHER} serves without them")


def goes_down(host: Host) -> None:
    """Redis and keepalived stop in order, in one moment: the check of keepalived would start Redis again.

    Scripts that still sleep end first, as they do with their host: one of them would follow the other node on the way.
    """
    scripts = "pkill -KILL -f '/etc/keepalived/scripts/redis[_]'; kill -TERM $(cat /run/keepalived.pid)"
    done = host.run(f"{scripts} && service redis-server stop && service keepalived stop")
    if done.returncode != 0:
        raise LabError(f"{host.name} does not go down: {done.stderr.strip()}")


def comes_back(lab: Laboratory) -> None:
    """Starts Redis and keepalived on the failed node: until it holds the VIP and follows."""
    for host in lab.hosts.values():
        write_scripts(host, lab.options)
    preferred = lab.host(PREFERRED)
    preferred.service("redis-server", "start")
    preferred.service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [PREFERRED], 60, f"{PREFERRED} takes the VIP")
    lab.wait(lambda: role(lab, preferred) == "slave", 20, f"the script of {PREFERRED} makes it follow")


def restart_master(lab: Laboratory) -> None:
    """Restarts keepalived of the master: until both Redis follow each other."""
    lab.host(PREFERRED).service("keepalived", "restart")
    lab.wait(lambda: follow_each_other(lab), 60, "both follow each other")


def follow_each_other(lab: Laboratory) -> bool:
    """Whether each of the two is a replica of the other one."""
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    pairs = ((preferred, other), (other, preferred))
    return all(replication(lab, one).get("master_host") == two.address for one, two in pairs)


def end_scripts(host: Host) -> None:
    """Ends the sleeping scripts of a host before they go on, and their sleeps with them."""
    found = [pid for name in (*SCRIPTS, "sleep") for pid in host.running(name)]
    if found:
        host.run(f"kill -KILL {' '.join(map(str, found))}")


def quiet(lab: Laboratory) -> None:
    """Waits until no script runs any more."""
    lab.wait(lambda: not any(host.running(name) for host in lab.hosts.values() for name in SCRIPTS), 60, "scripts end")


@contextmanager
def _traffic(lab: Laboratory) -> Iterator[Traffic]:
    traffic = Traffic(lab)
    traffic.start()
    try:
        yield traffic
    finally:
        traffic.stop()


SCENARIOS: dict[str, Scenario] = {
    "preempting-pair": Scenario(
        "redis-a has the role whenever it can: scripts with fixed sleeps move it and sync; all is well", healthy, SYSTEM
    ),
    "preempting-failed": Scenario(
        "redis-a went down, redis-b serves; redis-a would take the role back", failed, SYSTEM
    ),
    "preempting-race": Scenario(
        "as preempting-failed, and redis-a was just started: the scripts' race is on", returning, SYSTEM
    ),
    "preempting-loop": Scenario("the scripts made both Redis follow each other, and were ended", loop, SYSTEM),
    "preempting-early": Scenario(
        "redis-a was promoted before its sync had ended: old data takes writes, redis-b has the good one", early, SYSTEM
    ),
    "preempting-second": Scenario(
        "redis-a came back and failed again before redis-b followed: redis-b serves without the last writes",
        second,
        SYSTEM,
    ),
}
"""Name → what the pair looks like, and how it gets there."""
