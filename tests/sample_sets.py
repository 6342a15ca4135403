"""Sample states of what Sentinels steer: three servers behind a write VIP, and a pair behind a name in Consul."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import samples
from samples import NOW

from console.core.model import (
    ArpSettings,
    AttachedReplica,
    ClusterState,
    ConsulCheck,
    ConsulInstance,
    ConsulState,
    DirectorState,
    DnsAnswer,
    HostIdentity,
    InterfaceAddress,
    Keepalived,
    KnownReplica,
    KnownSentinel,
    MasterLink,
    NodeState,
    RealServer,
    Role,
    Sentinel,
    SentinelState,
    VipReach,
    VirtualService,
    VrrpState,
    WatchedMaster,
    read,
)

WEB01, WEB02, WEB03 = "web01", "web02", "web03"
LB01, LB02 = "lb01", "lb02"
APP01, APP02 = "app01", "app02"
ADDRESS = {
    WEB01: "10.18.14.72",
    WEB02: "10.18.13.166",
    WEB03: "10.18.14.80",
    LB01: "10.18.14.54",
    LB02: "10.18.14.64",
    APP01: "192.168.3.1",
    APP02: "192.168.3.2",
}
WRITE_VIP, READ_VIP = "10.18.14.94", "10.18.14.93"
EPOCH = 3


def run_id(name: str) -> str:
    return (name.encode().hex() * 8)[:40]


def server(name: str, master: str, names: tuple[str, ...], *, read_vip: bool = False, vip: bool = False) -> NodeState:
    """One of the set: the master, or a replica of it with its link up."""
    others = tuple(one for one in names if one != master)
    facts: dict[str, Any] = {"run_id": run_id(name)}
    if name == master:
        facts["replicas"] = tuple(
            AttachedReplica(ADDRESS[one], 6379, "online", offset=8093, lag_seconds=0) for one in others
        )
    else:
        link = MasterLink(ADDRESS[master], 6379, up=True, sync_in_progress=False, last_io_seconds=1)
        facts |= {"role": Role.REPLICA, "master": link, "offset": 8093, "replica_priority": 100}
    base = samples.node(samples.A, NOW, replace(samples.redis(samples.A), **facts), VrrpState.STOP)
    addresses = [InterfaceAddress("lo", "127.0.0.1", 8), InterfaceAddress("eth2", ADDRESS[name], 24)]
    addresses += [InterfaceAddress("lo", READ_VIP, 32)] if read_vip else []
    addresses += [InterfaceAddress("eth2", WRITE_VIP, 20)] if vip and name == master else []
    return replace(
        base,
        name=name,
        address=ADDRESS[name],
        ssh=read(HostIdentity(name, f"boot-of-{name}", 864_000.0), NOW),
        addresses=read(tuple(addresses), NOW),
        redis_file=read(samples.redis_file(base.redis), NOW),
        arp=read(ArpSettings(1, 2), NOW) if read_vip else base.arp,
    )


def sentinel(name: str, host: str, master: str, names: tuple[str, ...], watchers: dict[str, str]) -> SentinelState:
    """A Sentinel that is content: it names the master, knows the others, and reaches its quorum."""
    replicas = tuple(
        KnownReplica(
            ADDRESS[one],
            6379,
            frozenset({"slave"}),
            link_up=True,
            master=f"{ADDRESS[master]}:6379",
            offset=8093,
            priority=100,
        )
        for one in names
        if one != master
    )
    peers = tuple(
        KnownSentinel(run_id(other), ADDRESS[at], 26379, frozenset({"sentinel"}), 0.4)
        for other, at in watchers.items()
        if other != name
    )
    watched = WatchedMaster(ADDRESS[master], 6379, frozenset({"master"}), 1 + len(peers) // 2, EPOCH, "", 5.0)
    value = Sentinel(
        run_id(name), "6.0.16", tilt=False, master=watched, replicas=replicas, peers=peers, quorum_ok=True,
        quorum_text=f"OK {1 + len(peers)} usable Sentinels. Quorum and failover authorization can be reached",
    )  # fmt: skip
    return SentinelState(name, ADDRESS[host], 26379, read(value, NOW))


def director(name: str, state: VrrpState) -> DirectorState:
    """A director that spreads readers over all three."""
    addresses = [InterfaceAddress("eth2", ADDRESS[name], 20)]
    addresses += [InterfaceAddress("eth2", READ_VIP, 32)] if state is VrrpState.MASTER else []
    servers = tuple(RealServer(ADDRESS[one], 6379, "Route", 1, 1, 0) for one in (WEB02, WEB01, WEB03))
    return DirectorState(
        name,
        ADDRESS[name],
        ssh=read(HostIdentity(name, f"boot-of-{name}", 864_000.0), NOW),
        addresses=read(tuple(addresses), NOW),
        keepalived=read(Keepalived(True, state, "address", NOW - 3600, None, None, "1.3.5", ()), NOW),
        services=read((VirtualService("TCP", READ_VIP, 6379, "rr", servers),), NOW),
    )


def sentinel_vip_set(master: str = WEB01) -> ClusterState:
    """Healthy: one master with the write VIP, two replicas, three Sentinels that agree, two directors."""
    names = (WEB01, WEB02, WEB03)
    watchers = {"sentinel1": WEB01, "sentinel2": WEB02, "sentinel3": WEB03}
    return ClusterState(
        name="sessions",
        kind="sentinel-vip",
        vip=WRITE_VIP,
        nodes=tuple(server(one, master, names, read_vip=True, vip=True) for one in names),
        vip_reach=read(VipReach(run_id(master), Role.MASTER, "direct"), NOW),
        observed_at=NOW,
        master_name="master1",
        sentinels=tuple(sentinel(one, at, master, names, watchers) for one, at in watchers.items()),
        read_vip=READ_VIP,
        directors=(director(LB01, VrrpState.MASTER), director(LB02, VrrpState.BACKUP)),
    )


def instance(name: str, status: str) -> ConsulInstance:
    """One registered server whose check asks whether it is the master."""
    check = ConsulCheck(
        f"service:{name}", "Service 'redis' check", status, "role:master" if status == "passing" else "", name
    )
    serf = ConsulCheck("serfHealth", "Serf Health Status", "passing", "Agent alive and reachable")
    return ConsulInstance(APP01, name, ADDRESS[name], 6379, (serf, check))


def sentinel_consul_set(master: str = APP02) -> ClusterState:
    """Healthy: a master, a replica, one Sentinel, and a name that resolves to the master only."""
    names = (APP01, APP02)
    instances = tuple(instance(one, "passing" if one == master else "critical") for one in names)
    return ClusterState(
        name="app",
        kind="sentinel-consul",
        vip="",
        nodes=tuple(server(one, master, names) for one in names),
        vip_reach=samples.unread(samples.ProblemKind.NOT_CONFIGURED, "this kind of cluster has no virtual IP", NOW),
        observed_at=NOW,
        master_name="mymaster",
        sentinels=(sentinel("sentinel", APP02, master, names, {"sentinel": APP02}),),
        consul=ConsulState(
            "redis",
            "http://192.168.3.1:8500",
            read(instances, NOW),
            read(DnsAnswer("redis.service.consul", (ADDRESS[master],), 0), NOW),
        ),
    )
