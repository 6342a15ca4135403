"""Metrics of Sentinels, of LVS directors, and of Consul."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.family import CLUSTER, Family, Sample, Samples, Value, flag
from console.core.model import ConsulState, DirectorState, RealServer, Sentinel, VrrpState, WatchedMaster

SENTINEL, DIRECTOR = (*CLUSTER, "sentinel"), (*CLUSTER, "director")


def _sentinel(name: str, text: str, value: Callable[[Sentinel], Value], unit: str = "") -> Family:
    def of(seen: ClusterStatus) -> Iterator[Sample]:
        for one in seen.state.sentinels:
            if one.sentinel.value is not None:
                yield (seen.state.name, one.name), value(one.sentinel.value)

    return Family(f"sentinel_{name}", text, SENTINEL, of, unit=unit)


def _watched(name: str, text: str, value: Callable[[WatchedMaster], Value], unit: str = "") -> Family:
    """Of the master that a Sentinel names."""
    return _sentinel(name, text, lambda one: None if one.master is None else value(one.master), unit)


def _named_masters(seen: ClusterStatus) -> Iterator[Sample]:
    for one in seen.state.sentinels:
        found = one.sentinel.value
        if found is not None:
            master = found.master.address if found.master is not None else ""
            yield (seen.state.name, one.name, found.version, found.process_run_id, master), 1


def _director(
    name: str, text: str, value: Callable[[ClusterStatus, DirectorState], Value], states: tuple[str, ...] = ()
) -> Family:
    def of(seen: ClusterStatus) -> Samples:
        return [((seen.state.name, one.name), value(seen, one)) for one in seen.state.directors]

    return Family(f"director_{name}", text, DIRECTOR, of, states=states)


def _server(name: str, text: str, value: Callable[[RealServer], Value]) -> Family:
    """Of each real server behind the read VIP, in the table of each director."""

    def of(seen: ClusterStatus) -> Iterator[Sample]:
        for one in seen.state.directors:
            service = one.service(seen.state.read_vip)
            for server in service.servers if service is not None else ():
                yield (seen.state.name, one.name, f"{server.address}:{server.port}"), value(server)

    return Family(f"lvs_{name}", text, (*DIRECTOR, "server"), of)


def _consul(name: str, text: str, value: Callable[[ConsulState], Value]) -> Family:
    def of(seen: ClusterStatus) -> Iterator[Sample]:
        if seen.state.consul is not None:
            yield (seen.state.name,), value(seen.state.consul)

    return Family(f"consul_{name}", text, CLUSTER, of)


def _instances(seen: ClusterStatus) -> Iterator[Sample]:
    consul = seen.state.consul
    for one in (consul.instances.value or ()) if consul is not None else ():
        labels = (seen.state.name, one.service_id, one.node, f"{one.address}:{one.port}")
        yield labels, flag(one.passing)


def _resolved(seen: ClusterStatus) -> Iterator[Sample]:
    consul = seen.state.consul
    if consul is not None and consul.dns.value is not None:
        yield from (((seen.state.name, consul.dns.value.name, one), 1) for one in consul.dns.value.addresses)


def _running(one: DirectorState) -> Value:
    return flag(one.keepalived.value.running) if one.keepalived.value is not None else None


def _state(one: DirectorState) -> Value:
    return one.keepalived.value.state.value if one.keepalived.value is not None else None


FAMILIES = (
    Family(
        "sentinel_up",
        "1 if the Sentinel answers.",
        SENTINEL,
        lambda seen: [((seen.state.name, one.name), int(one.sentinel.ok)) for one in seen.state.sentinels],
    ),
    Family(
        "sentinel",
        "The Sentinel, and the master that it names.",
        (*SENTINEL, "version", "run_id", "master"),
        _named_masters,
        is_info=True,
    ),
    _sentinel("watches", "1 if it watches the master.", lambda one: flag(one.master is not None)),
    _sentinel("tilt", "1 in TILT mode, in which it does not act.", lambda one: flag(one.tilt)),
    _sentinel("quorum_ok", "1 if it can reach a quorum and a majority.", lambda one: flag(one.quorum_ok)),
    _watched("quorum", "Sentinels that must agree that the master is down.", lambda one: one.quorum),
    _watched("config_epoch", "Epoch of its configuration. A higher one is newer.", lambda one: one.config_epoch),
    _watched("failover_in_progress", "1 while it fails over.", lambda one: flag(one.failing_over)),
    _watched("master_down", "1 if it takes the master for down.", lambda one: flag(one.down)),
    _watched("down_after_seconds", "Seconds of silence after which it does so.", lambda one: one.down_after, "seconds"),
    _sentinel("replicas", "Replicas that it knows.", lambda one: len(one.replicas)),
    _sentinel("replicas_down", "Those that it takes for down.", lambda one: sum(known.down for known in one.replicas)),
    _sentinel("peers", "Other Sentinels that it knows.", lambda one: len(one.peers)),
    _sentinel("peers_down", "Those that it takes for down.", lambda one: sum(known.down for known in one.peers)),
    _director("up", "1 if the director answers over SSH.", lambda _, one: int(one.ssh.ok)),
    _director(
        "holds_read_vip", "1 if its kernel has the read VIP.", lambda seen, one: flag(one.holds(seen.state.read_vip))
    ),
    _director("keepalived_up", "1 if its keepalived is running.", lambda _, one: _running(one)),
    _director("keepalived_state", "Its VRRP state.", lambda _, one: _state(one), tuple(VrrpState)),
    _server("weight", "Weight of a real server; 0: it gets no new connections.", lambda one: one.weight),
    _server("active_connections", "Its open connections.", lambda one: one.active),
    _server("inactive_connections", "Its closing connections.", lambda one: one.inactive),
    _consul("up", "1 if Consul answers.", lambda one: int(one.instances.ok)),
    _consul(
        "instances",
        "Registered instances of the service.",
        lambda one: None if one.instances.value is None else len(one.instances.value),
    ),
    Family(
        "consul_instance_passing",
        "1 if the name resolves to the instance.",
        (*CLUSTER, "instance", "consul_node", "address"),
        _instances,
    ),
    _consul(
        "dns_addresses",
        "Addresses that the name resolves to.",
        lambda one: None if one.dns.value is None else len(one.dns.value.addresses),
    ),
    Family(
        "consul_dns_address", "1 for each address that the name resolves to.", (*CLUSTER, "name", "address"), _resolved
    ),
)
