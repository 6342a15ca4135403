"""The states that the pair that preempts can be built in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import log_files
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import COUNTER, ask, fill, in_sync, replication, role, start_redis
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import traffic_through_vip
from console.lab.systems.preempting_pair import CHECK_SCRIPT, OTHER, PREFERRED, SYSTEM, write_scripts

REDIS, KEEPALIVED = "redis-server", "keepalived"
SCRIPTS = ("redis_master.sh", "redis_backup.sh")
SHORT_SLEEP = 2.0
"""Seconds that the script of `preempting-early` waits for a sync that takes longer."""
SYNC_TIME = 8.0
"""Seconds that this sync takes."""
LONG_SLEEP = 3600.0
"""Seconds that a script sleeps which the scenario ends: no machine is so slow that the script goes on before."""


def healthy(lab: Laboratory, report: Report) -> None:
    """Starts all of the preferred node first: its script would follow the other Redis if that one answered already."""
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    start_redis(lab, preferred)
    fill(lab, preferred)
    preferred.service(KEEPALIVED, "start")
    lab.wait_for(lambda: lab.vip_holders() == [PREFERRED], f"{PREFERRED} holds the VIP", preferred, KEEPALIVED)
    start_redis(lab, other)
    other.service(KEEPALIVED, "start")
    lab.wait_for(lambda: in_sync(lab, other, preferred), f"{OTHER} follows by its script", other, KEEPALIVED)
    wait_for_scripts(lab)
    lab.wait_for(lambda: in_sync(lab, other, preferred), f"{OTHER} is in sync", other, REDIS)
    if lab.vip_holders() != [PREFERRED] or role(lab, preferred) != "master":
        raise LabError(f"the VIP moved while {OTHER} was started", other.log_tail(log_files.SYSTEM_LOG))
    report(f"{PREFERRED} is the master and holds the VIP {lab.vip}, {OTHER} follows, keepalived runs on both")


def failed(lab: Laboratory, report: Report) -> None:
    """Redis and keepalived of the preferred node were stopped while clients wrote. The other node serves."""
    healthy(lab, report)
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    with traffic_through_vip(lab) as traffic:
        traffic.wait_for_writes(20, preferred)
        stop_node(preferred)
        lab.wait_for(lambda: lab.vip_holders() == [OTHER], f"the VIP moves to {OTHER}", other, KEEPALIVED)
        lab.wait_for(lambda: role(lab, other) == "master", f"{OTHER} is promoted", other, KEEPALIVED)
        traffic.wait_for_writes(20, other)
        wait_for_scripts(lab)
    report(f"{PREFERRED} was stopped, {OTHER} is the master and holds the VIP")


def race(lab: Laboratory, report: Report) -> None:
    """Somebody started the failed node. It took the VIP and fetches the data. Its script promotes it after a sleep."""
    failed(lab, report)
    start_preferred(lab)
    report(f"{PREFERRED} is back: it holds the VIP and fetches the data, the scripts of both sleep")


def loop(lab: Laboratory, report: Report) -> None:
    """The master's keepalived was restarted, both scripts made their Redis follow, and then both scripts were ended."""
    healthy(lab, report)
    preferred = lab.host(PREFERRED)
    for host in lab.hosts.values():
        _set_sleep(lab, host, LONG_SLEEP)
    preferred.service(KEEPALIVED, "restart")
    lab.wait_for(lambda: follow_each_other(lab), "both follow each other", preferred, KEEPALIVED)
    for host in lab.hosts.values():
        end_scripts(host)
    lab.wait_for(lambda: lab.vip_holders() == [PREFERRED], f"{PREFERRED} alone holds the VIP", preferred, KEEPALIVED)
    report("both Redis follow each other, and no script runs that would end it")


def early(lab: Laboratory, report: Report) -> None:
    """The sync took longer than the script's sleep: old data was promoted. The other script was ended in time."""
    failed(lab, report)
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    delay = int(SYNC_TIME * 1_000_000 / max(1, int(ask(lab, other, "DBSIZE"))))
    ask(lab, other, "CONFIG", "SET", "rdb-key-save-delay", str(delay))
    _set_sleep(lab, preferred, SHORT_SLEEP)
    _set_sleep(lab, other, LONG_SLEEP)
    _start_preferred(lab)
    what = f"{PREFERRED} is promoted in the middle of its sync"
    lab.wait_for(lambda: role(lab, preferred) == "master", what, preferred, KEEPALIVED)
    end_scripts(other)
    ask(lab, other, "CONFIG", "SET", "rdb-key-save-delay", "0")
    with traffic_through_vip(lab) as traffic:
        traffic.wait_for_writes(20, preferred)
    if ask(lab, preferred, "GET", COUNTER) == ask(lab, other, "GET", COUNTER):
        ask(lab, preferred, "INCR", COUNTER)  # equal by chance: the two data sets must differ
    wait_for_scripts(lab)
    report(f"{PREFERRED} was promoted before its sync had ended, {OTHER} still has the data")


def second(lab: Laboratory, report: Report) -> None:
    """The preferred node came back, took writes, and was stopped again before the other one had begun to follow."""
    failed(lab, report)
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    _set_sleep(lab, other, LONG_SLEEP)
    _start_preferred(lab)
    with traffic_through_vip(lab) as traffic:
        lab.wait_for(lambda: role(lab, preferred) == "master", f"{PREFERRED} is promoted", preferred, KEEPALIVED)
        traffic.wait_for_writes(20, preferred)
        stop_node(preferred)
        lab.wait_for(lambda: lab.vip_holders() == [OTHER], f"the VIP moves to {OTHER}", other, KEEPALIVED)
    end_scripts(other)
    report(f"{PREFERRED} was stopped again: the last writes are on its disk, {OTHER} serves without them")


def stop_node(host: Host) -> None:
    """Stops Redis, then keepalived. The check script answers well in between: it would start Redis again.

    Scripts that still sleep end first, as they do when a host stops. One of them would follow the other node.
    """
    check = host.read(CHECK_SCRIPT)
    host.write(CHECK_SCRIPT, "#!/bin/sh\nexit 0\n", 0o755)
    host.run("pkill -KILL -f '/etc/keepalived/scripts/redis[_]'")
    host.service(REDIS, "stop")
    host.service(KEEPALIVED, "stop")
    host.write(CHECK_SCRIPT, check, 0o755)


def start_preferred(lab: Laboratory) -> None:
    """Starts the failed node, with the documented sleeps on both: until it holds the VIP and follows."""
    for host in lab.hosts.values():
        write_scripts(host, lab.options)
    _start_preferred(lab)
    preferred = lab.host(PREFERRED)
    lab.wait_for(lambda: role(lab, preferred) == "slave", f"{PREFERRED} follows", preferred, KEEPALIVED)


def _start_preferred(lab: Laboratory) -> None:
    """Until its script has begun. The log tells it: with a short sleep the node is a replica for a moment only."""
    preferred = lab.host(PREFERRED)
    line = f"fetching from {lab.host(OTHER).address}:6379"
    before = preferred.read(log_files.STATE_LOG).count(line)
    start_redis(lab, preferred)
    preferred.service(KEEPALIVED, "start")
    lab.wait_for(lambda: lab.vip_holders() == [PREFERRED], f"{PREFERRED} takes the VIP", preferred, KEEPALIVED)
    lab.wait_for(
        lambda: preferred.read(log_files.STATE_LOG).count(line) > before,
        f"the script of {PREFERRED} makes it follow", preferred, KEEPALIVED,
    )  # fmt: skip


def _set_sleep(lab: Laboratory, host: Host, seconds: float) -> None:
    write_scripts(host, replace(lab.options, notify_sleep=seconds))


def follow_each_other(lab: Laboratory) -> bool:
    """Whether each of the two is a replica of the other one."""
    preferred, other = lab.host(PREFERRED), lab.host(OTHER)
    pairs = ((preferred, other), (other, preferred))
    return all(replication(lab, one).get("master_host") == two.address for one, two in pairs)


def end_scripts(host: Host) -> None:
    """Ends the sleeping scripts of a host before they go on, and their sleeps with them.

    Looks again until nothing is found: a script may start its sleep between the look and the signal.
    """
    while found := [pid for name in (*SCRIPTS, "sleep") for pid in host.running(name)]:
        host.run(f"kill -KILL {' '.join(map(str, found))}")


def wait_for_scripts(lab: Laboratory) -> None:
    """Waits until no script runs any more."""
    for host in lab.hosts.values():
        lab.wait_for(partial(_runs_no_script, host), f"the scripts of {host.name} end")


def _runs_no_script(host: Host) -> bool:
    return not any(map(host.running, SCRIPTS))


SCENARIOS: dict[str, Scenario] = {
    "preempting-pair": Scenario(
        "redis-a has the role whenever it can: scripts with fixed sleeps move it and sync; all is well", healthy, SYSTEM
    ),
    "preempting-failed": Scenario(
        "redis-a went down, redis-b serves; redis-a would take the role back", failed, SYSTEM
    ),
    "preempting-race": Scenario(
        "as preempting-failed, and redis-a was just started: the scripts' race is on", race, SYSTEM
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
