"""The watchers in `status`, as JSON and as text: Sentinels, the read VIP with its directors, and Consul."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.core.model import ClusterState, ConsulState, DirectorState, Reading, Sentinel, SentinelState
from console.core.quantities import counted


def watchers_json(state: ClusterState) -> dict[str, Any]:
    """The JSON keys of the watchers that the cluster has."""
    found: dict[str, Any] = {}
    if state.sentinels:
        found |= {"master_name": state.master_name, "sentinels": [_sentinel(one) for one in state.sentinels]}
    if state.read_vip:
        found["read_vip"] = {
            "address": state.read_vip,
            "directors": [_director(state, one) for one in state.directors],
            "nodes": [
                {
                    "name": node.name,
                    "holds": node.holds(state.read_vip),
                    "arp_suppressed": node.arp.value.suppressed if node.arp.value else None,
                    "error": _error(node.arp),
                }
                for node in state.nodes
            ],
        }
    if state.consul is not None:
        found["consul"] = _consul(state.consul)
    return found


def watchers_text(state: ClusterState) -> Iterator[str]:
    """One line for each watcher."""
    for one in state.sentinels:
        host = f" on {one.host}" if one.host and not _is_at(state, one) else ""
        yield f"{one.name} ({one.address}:{one.port}{host}): {_sentinel_words(one.sentinel)}"
    for director in state.directors:
        yield f"{director.name} ({director.address}): {_director_words(state, director)}"
    if state.consul is not None:
        yield f"consul ({state.consul.http}): {_consul_words(state.consul)}"


# --- Sentinels ----------------------------------------------------------------------------------------------------


def _is_at(state: ClusterState, one: SentinelState) -> bool:
    """Whether its address is that of its host, so that the address says where it runs."""
    places = [(node.name, node.address) for node in state.nodes]
    places += [(director.name, director.address) for director in state.directors]
    return (one.host, one.address) in places


def _sentinel(one: SentinelState) -> dict[str, Any]:
    sentinel = one.sentinel.value
    master = sentinel.master if sentinel else None
    return {
        "name": one.name,
        "address": f"{one.address}:{one.port}",
        "host": one.host or None,
        "ok": one.sentinel.ok,
        "error": _error(one.sentinel),
        "run_id": sentinel.run_id if sentinel else None,
        "version": sentinel.version if sentinel else None,
        "tilt": sentinel.tilt if sentinel else None,
        "master": master.address if master else None,
        "flags": sorted(master.flags) if master else None,
        "quorum": master.quorum if master else None,
        "quorum_ok": sentinel.quorum_ok if sentinel else None,
        "config_epoch": master.config_epoch if master else None,
        "failover_in_progress": master.failing_over if master else None,
        "replicas": None
        if sentinel is None
        else [
            {"address": f"{known.host}:{known.port}", "link_up": known.link_up, "flags": sorted(known.flags)}
            for known in sentinel.replicas
        ],
        "sentinels": None
        if sentinel is None
        else [{"address": f"{peer.host}:{peer.port}", "flags": sorted(peer.flags)} for peer in sentinel.peers],
    }


def _sentinel_words(reading: Reading[Sentinel]) -> str:
    sentinel = reading.value
    if sentinel is None:
        return f"not readable: {reading.problem}"
    if sentinel.master is None:
        return "watches no master of this name"
    master = sentinel.master
    words = [f"master {master.address}", f"config epoch {master.config_epoch}", f"quorum {master.quorum}"]
    words += ["quorum cannot be reached"] if sentinel.quorum_ok is False else []
    words += ["failing over"] if master.failing_over else []
    words += ["TILT"] if sentinel.tilt else []
    return ", ".join((*words, counted(len(sentinel.replicas), "replica"), counted(len(sentinel.peers), "peer")))


# --- the read VIP -------------------------------------------------------------------------------------------------


def _director(state: ClusterState, one: DirectorState) -> dict[str, Any]:
    keepalived, service = one.keepalived.value, one.service(state.read_vip)
    return {
        "name": one.name,
        "address": one.address,
        "ssh": {"ok": one.ssh.ok, "error": _error(one.ssh)},
        "holds_read_vip": one.holds(state.read_vip),
        "keepalived": {"ok": one.keepalived.ok, "state": keepalived.state.value if keepalived else None},
        "ipvs": {
            "ok": one.services.ok,
            "error": _error(one.services),
            "scheduler": service.scheduler if service else None,
            "real_servers": None
            if one.services.value is None
            else [
                {
                    "address": f"{server.address}:{server.port}",
                    "forward": server.forward,
                    "weight": server.weight,
                    "active": server.active,
                    "inactive": server.inactive,
                }
                for server in (service.servers if service else ())
            ],
        },
    }


def _director_words(state: ClusterState, director: DirectorState) -> str:
    held = {True: "holds the read VIP", False: "no read VIP", None: "read VIP not known"}[
        director.holds(state.read_vip)
    ]
    keepalived, service = director.keepalived.value, director.service(state.read_vip)
    vrrp = f"keepalived {keepalived.state.value}" if keepalived else f"keepalived: {director.keepalived.problem}"
    if director.services.value is None:
        return f"{held}, {vrrp}, ipvs: {director.services.problem}"
    if service is None:
        return f"{held}, {vrrp}, ipvs: no service at {state.read_vip}"
    servers = ", ".join(f"{one.address} weight {one.weight} ({one.active} active)" for one in service.servers)
    return f"{held}, {vrrp}, {service.scheduler}: {servers or 'no real server'}"


# --- Consul -------------------------------------------------------------------------------------------------------


def _consul(consul: ConsulState) -> dict[str, Any]:
    instances, dns = consul.instances.value, consul.dns.value
    return {
        "service": consul.service,
        "http": consul.http,
        "ok": consul.instances.ok,
        "error": _error(consul.instances),
        "instances": None
        if instances is None
        else [
            {
                "id": one.service_id,
                "node": one.node,
                "address": f"{one.address}:{one.port}",
                "passing": one.passing,
                "checks": [{"id": check.check_id, "status": check.status} for check in one.checks],
            }
            for one in instances
        ],
        "dns": {
            "ok": consul.dns.ok,
            "error": _error(consul.dns),
            "name": dns.name if dns else None,
            "addresses": list(dns.addresses) if dns else None,
        },
    }


def _consul_words(consul: ConsulState) -> str:
    instances, dns = consul.instances.value, consul.dns.value
    if instances is None:
        said = f"not readable: {consul.instances.problem}"
    else:
        passing = ", ".join(one.address for one in instances if one.passing) or "none"
        said = f"{consul.service}: {counted(len(instances), 'instance')}, passing {passing}"
    if dns is None:
        return f"{said}; DNS: {consul.dns.problem}"
    return f"{said}; {dns.name} resolves to {', '.join(dns.addresses) or 'no address'}"


def _error(reading: Reading[Any]) -> str | None:
    return None if reading.problem is None else str(reading.problem)
