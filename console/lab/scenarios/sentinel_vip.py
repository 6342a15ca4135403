"""The states that the systems with Sentinels and a write VIP can be built in."""

from __future__ import annotations

from functools import partial

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import Host
from console.lab.options import LabError
from console.lab.scenarios.replication import ask, fill, in_sync, replication, role, start_redis
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import traffic_through_vip
from console.lab.systems import secured_sentinels
from console.lab.systems.sentinel_service import ask_sentinel, set_build_times
from console.lab.systems.sentinel_vip import (
    DIRECTORS,
    MASTER_NAME,
    OUTSIDE_PREFIX,
    READ_VIP,
    REDIS_HOSTS,
    SYSTEM,
    WRITE_VIP,
)

MASTER = REDIS_HOSTS[0]
"""The master while nothing has happened."""
REDIS, SENTINEL, KEEPALIVED = "redis-server", "redis-sentinel", "keepalived"


def healthy(lab: Laboratory, report: Report) -> None:
    """In the documented order: servers, the write VIP by hand, Sentinels, directors."""
    hosts = [lab.host(name) for name in REDIS_HOSTS]
    master, *replicas = hosts
    for host in hosts:
        start_redis(lab, host)
        ask(lab, host, "CONFIG", "SET", "repl-diskless-sync-delay", "0")  # during the build only
    fill(lab, master)
    for host in replicas:
        lab.wait_for(partial(in_sync, lab, host, master), f"{host.name} is in sync", host, REDIS)
    take_vip(master)
    report(f"{MASTER} is the master and has the write VIP {WRITE_VIP}, {' and '.join(REDIS_HOSTS[1:])} follow it")
    for host in hosts:
        host.service(SENTINEL, "start")
    directors = [name for name in DIRECTORS if name in lab.hosts]
    for name in directors:
        lab.host(name).service(KEEPALIVED, "start")
    for host in hosts:
        what = f"the Sentinel of {host.name} knows all other servers"
        lab.wait_for(partial(knows_all, host), what, host, SENTINEL)
    report("three Sentinels know each other and all three servers")
    if not directors:
        return
    first = directors[0]
    what = f"{first} holds the read VIP"
    lab.wait_for(lambda: readers_find(lab) == [first], what, lab.host(first), KEEPALIVED)
    report(f"{first} holds the read VIP {READ_VIP}; `ipvsadm` there is a stand-in, for this kernel has no IPVS")


def failed_over(lab: Laboratory, report: Report) -> None:
    """The master's Redis died under traffic. The Sentinels promoted another one and their script moved the VIP."""
    healthy(lab, report)
    _lose_master(lab, report, with_its_sentinel=False)
    new = master_of(lab)
    what = "the write VIP is on the new master alone"
    lab.wait_for(lambda: lab.vip_holders() == [new.name], what, new, SENTINEL)
    report(f"the write VIP moved to {new.name}; Redis on {MASTER} is down")


def vip_on_two(lab: Laboratory, report: Report) -> None:
    """The old master's Sentinel died with its Redis: nobody there took the VIP away."""
    healthy(lab, report)
    _lose_master(lab, report, with_its_sentinel=True)
    held = {MASTER, master_of(lab).name}
    what = "the write VIP is on two hosts"
    lab.wait_for(lambda: set(lab.vip_holders()) == held, what, master_of(lab), SENTINEL)
    report(f"the write VIP is on {' and '.join(lab.vip_holders())}; Redis and Sentinel on {MASTER} are down")


def vip_on_none(lab: Laboratory, report: Report) -> None:
    """The script of the new master's host failed: the old one gave the VIP up, and nobody took it."""
    healthy(lab, report)
    for name in REDIS_HOSTS[1:]:
        lab.host(name).run(["chmod", "a-x", "/var/lib/redis/reconfig_master.sh"], check=True)
    _lose_master(lab, report, with_its_sentinel=False)
    lab.wait_for(lambda: lab.vip_holders() == [], "the write VIP is nowhere", lab.host(MASTER), SENTINEL)
    report("the write VIP is on no host: the script could not run where the new master is")


def stale_reads(lab: Laboratory, report: Report) -> None:
    """A replica whose link to the master is down stays in the read VIP: its port answers."""
    healthy(lab, report)
    stale = lab.host(REDIS_HOSTS[-1])
    ask(lab, stale, "CONFIG", "SET", "masterauth", "not-this-one")
    ask(lab, lab.host(MASTER), "CLIENT", "KILL", "TYPE", "slave")
    lab.wait_for(
        lambda: replication(lab, stale).get("master_link_status") == "down", f"{stale.name} lost its link", stale, REDIS
    )
    report(f"{stale.name} lost its link to the master, and readers are still sent to it")


def no_quorum(lab: Laboratory, report: Report) -> None:
    """Two of three Sentinels are gone: the third one can fail nothing over."""
    healthy(lab, report)
    for name in REDIS_HOSTS[1:]:
        lab.fault("kill", name, "sentinel")
    report(f"the Sentinels of {' and '.join(REDIS_HOSTS[1:])} are down: no failover is possible")


def disagree(lab: Laboratory, report: Report) -> None:
    """Somebody pointed one Sentinel at another master by hand."""
    healthy(lab, report)
    odd = lab.host(REDIS_HOSTS[-1])
    for words in (
        ("REMOVE", MASTER_NAME),
        ("MONITOR", MASTER_NAME, lab.host(REDIS_HOSTS[1]).address, "6379", "2"),
    ):
        ask_sentinel(odd, "SENTINEL", *words)
    report(f"the Sentinel of {odd.name} names another master than the other two")


def _lose_master(lab: Laboratory, report: Report, *, with_its_sentinel: bool) -> None:
    """Kills the master under traffic, and waits until the Sentinels have promoted another one.

    Sentinels that split their vote try again after twice the failover timeout. This waits for it.
    """
    left = lab.host(REDIS_HOSTS[1])
    with traffic_through_vip(lab) as traffic:
        traffic.wait_for_writes(20, lab.host(MASTER))
        for name in REDIS_HOSTS:
            set_build_times(lab.host(name), MASTER_NAME)
        if with_its_sentinel:
            lab.fault("kill", MASTER, "sentinel")
        lab.fault("kill", MASTER, "redis")
        report(f"redis-server on {MASTER} was killed")
        lab.wait_for(lambda: master_of(lab).name != MASTER, "the Sentinels promote another one", left, SENTINEL)
        what = "the Sentinels that are left agree, and the other replica follows"
        lab.wait_for(lambda: _settled(lab), what, left, SENTINEL)
    report(f"{master_of(lab).name} is the master now")


def _settled(lab: Laboratory) -> bool:
    new = master_of(lab)
    others = [lab.host(name) for name in REDIS_HOSTS if name not in (MASTER, new.name)]
    named = [master_named_by(lab.host(name)) for name in REDIS_HOSTS if lab.host(name).running("redis-sentinel")]
    if set(named) != {new.address} or any(failing_over(lab.host(name)) for name in REDIS_HOSTS):
        return False
    return all(in_sync(lab, one, new) for one in others)


def take_vip(host: Host) -> None:
    """Puts the write VIP on a host by hand, as the document begins."""
    host.run(["ip", "addr", "add", f"{WRITE_VIP}/{OUTSIDE_PREFIX}", "dev", "eth2"], check=True)
    host.run(["arping", "-q", "-c", "1", "-A", WRITE_VIP, "-I", "eth2"])


def master_of(lab: Laboratory) -> Host:
    """The one host whose Redis says that it is a master. Raises LabError where there is none, or several."""
    found = [host for name in REDIS_HOSTS if (host := lab.host(name)).running("redis-server")]
    masters = [host for host in found if role(lab, host) == "master"]
    if len(masters) != 1:
        raise LabError(f"{len(masters)} masters")
    return masters[0]


def readers_find(lab: Laboratory) -> list[str]:
    """The directors that hold the read VIP."""
    return [name for name in DIRECTORS if lab.host(name).has_address(READ_VIP)]


def master_named_by(host: Host) -> str:
    """The address that its Sentinel gives to clients."""
    return ask_sentinel(host, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME).split("\n")[0]


def failing_over(host: Host) -> bool:
    """Whether its Sentinel, if it runs, is in a failover."""
    return bool(host.running("redis-sentinel")) and "failover_in_progress" in ask_sentinel(host, "SENTINEL", "MASTERS")


def knows_all(host: Host) -> bool:
    """Whether its Sentinel knows the two others and both replicas."""
    ours = f"name={MASTER_NAME},status=ok"
    return any(
        line.startswith(f"master0:{ours}") and "slaves=2,sentinels=3" in line
        for line in ask_sentinel(host, "INFO", "sentinel").splitlines()
    )


SCENARIOS: dict[str, Scenario] = {
    "sentinel-healthy": Scenario(
        "three Sentinels, a write VIP on web-1, a read VIP on two directors: all is well", healthy, SYSTEM
    ),
    "sentinel-failed-over": Scenario(
        "web-1's Redis died, the Sentinels promoted another one and moved the write VIP", failed_over, SYSTEM
    ),
    "sentinel-vip-on-two": Scenario(
        "as sentinel-failed-over, but web-1's Sentinel died too: two nodes hold the write VIP", vip_on_two, SYSTEM
    ),
    "sentinel-vip-on-none": Scenario(
        "as sentinel-failed-over, but the script did not run on the new master: no node holds it", vip_on_none, SYSTEM
    ),
    "sentinel-stale-reads": Scenario(
        "web-3 lost its link to the master, and the read VIP still sends readers to it", stale_reads, SYSTEM
    ),
    "sentinel-no-quorum": Scenario("two of three Sentinels are down: no failover is possible", no_quorum, SYSTEM),
    "sentinel-secured": Scenario(
        "three Sentinels with TLS and a password, on loopback: reached through SSH; all is well",
        healthy,
        secured_sentinels.SYSTEM,
    ),
    "sentinel-secured-failed-over": Scenario(
        "as sentinel-vip-on-two, with such Sentinels, and without a read VIP", vip_on_two, secured_sentinels.SYSTEM
    ),
    "sentinel-disagree": Scenario("one Sentinel names another master than the other two", disagree, SYSTEM),
}
"""Name → what the system looks like, and how it gets there."""
