"""What a capture says of a set's watchers: Sentinels, Consul, and the machines that only they run on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_interface
from urllib.parse import urlsplit

from console.core.drills.capture import (
    CapturedConsul,
    CapturedInterface,
    CapturedMachine,
    CapturedSentinel,
    HostFacts,
    Part,
    Unread,
)
from console.core.inventory import ClusterSpec, DirectorSpec, NodeSpec, RedisRoute, SentinelSpec, ServiceSpec
from console.core.model import ClusterState
from console.core.model.sentinel import SentinelState

SENTINEL_FILES = ("/etc/redis/sentinel.conf", "/etc/redis-sentinel.conf", "/etc/sentinel.conf")
"""A Sentinel that does not answer does not name its file: these are the usual ones."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_CONSUL_FILES = re.compile(r"[ \t]--?config-(?P<kind>dir|file)[ =](?P<path>/\S+)")
_DOWN_AFTER = 30_000
"""Milliseconds: what a Sentinel has that was told nothing."""


def machine_of(spec: ClusterSpec, sentinel: SentinelSpec) -> str:
    """The machine that a Sentinel runs on: a node, a director, or one of its own name."""
    if sentinel.host:
        return sentinel.host
    machines: tuple[NodeSpec | DirectorSpec, ...] = (*spec.nodes, *spec.directors)
    return next((one.name for one in machines if one.address == sentinel.address), sentinel.name)


def sentinel_paths(spec: ClusterSpec, state: ClusterState, name: str, facts: HostFacts) -> Iterator[tuple[str, Part]]:
    """Where the files of the Sentinels of a machine are."""
    seen = {one.name: one for one in state.sentinels}
    for one in spec.sentinels:
        if machine_of(spec, one) == name:
            told = _told_file(seen.get(one.name)) or facts.configuration_of("redis-sentinel")
            yield from ((path, Part.SENTINEL) for path in ([told] if told else SENTINEL_FILES))


def _told_file(seen: SentinelState | None) -> str:
    return seen.sentinel.value.config_file if seen is not None and seen.sentinel.value is not None else ""


def consul_paths(facts: HostFacts) -> Iterator[tuple[str, Part]]:
    """The files that a running agent of Consul was told to read."""
    for one in facts.processes:
        for found in _CONSUL_FILES.finditer(one.command) if one.program == "consul" else ():
            path = found["path"].rstrip("/")
            endings = ("/*.json", "/*.hcl") if found["kind"] == "dir" else ("",)
            yield from ((f"{path}{end}", Part.CONSUL) for end in endings)


def captured_sentinels(
    spec: ClusterSpec, state: ClusterState, machines: Mapping[str, CapturedMachine], password: Mapping[str, str]
) -> tuple[CapturedSentinel, ...]:
    """Every Sentinel of the inventory. `password`: its name → the stand-in of its password."""
    seen = {one.name: one for one in state.sentinels}
    return tuple(
        _sentinel(spec, one, seen.get(one.name), machines, password.get(one.name, "")) for one in spec.sentinels
    )


def _sentinel(
    cluster: ClusterSpec,
    spec: SentinelSpec,
    seen: SentinelState | None,
    machines: Mapping[str, CapturedMachine],
    password: str,
) -> CapturedSentinel:
    name = machine_of(cluster, spec)
    files = machines[name].parts(Part.SENTINEL) if name in machines else ()
    told = _told_file(seen)
    file = next((one.path for one in files if one.path == told or not told), "")
    said = seen.sentinel.value if seen is not None else None
    master = said.master if said is not None else None
    down_after = master.down_after if master is not None else None
    return CapturedSentinel(
        name=spec.name,
        address=spec.address,
        port=spec.port,
        machine=name,
        version=said.version if said is not None else "",
        config=file,
        service=service_text(spec.service),
        quorum=(master.quorum if master is not None else 0) or len(cluster.sentinels) // 2 + 1,
        down_after=_DOWN_AFTER if down_after is None else int(down_after * 1000),
        username=spec.username,
        password=password,
        tls=spec.tls is not None,
        server_name=spec.tls.server_name if spec.tls is not None else "",
        through_ssh=spec.via is RedisRoute.SSH,
    )


def service_text(spec: ServiceSpec) -> str:
    """How a capture writes it; empty: by hand only."""
    if spec.systemd:
        return f"systemd {spec.systemd}"
    return f"sysv {spec.sysv}" if spec.sysv else "own" if spec.start else ""


def captured_consul(spec: ClusterSpec) -> CapturedConsul | None:
    """The agent of the inventory. The machine is empty where none of the cluster has its address."""
    if spec.consul is None:
        return None
    host = urlsplit(spec.consul.http).hostname or ""
    machine = next((one.name for one in spec.nodes if one.address == host), "")
    return CapturedConsul(
        spec.consul.http, spec.consul.dns, spec.consul.service, machine, spec.consul.token is not None
    )


def lone_machines(spec: ClusterSpec, machines: Mapping[str, CapturedMachine]) -> tuple[CapturedMachine, ...]:
    """A machine for each Sentinel that runs on none of the cluster's: made of its address."""
    found: dict[str, CapturedMachine] = {}
    for one in spec.sentinels:
        name = machine_of(spec, one)
        if name not in machines and name not in found and one.address not in _LOOPBACK:
            found[name] = _made(name, one.address, machines)
    return tuple(found.values())


def _made(name: str, address: str, machines: Mapping[str, CapturedMachine]) -> CapturedMachine:
    own = ip_interface(address)
    networks = (
        ip_interface(each).network for one in machines.values() for card in one.interfaces for each in card.addresses
    )
    around = next((one for one in networks if own.version == one.version and own.ip in one), own.network)
    return CapturedMachine(
        name=name, address=address, hostname=name, system="",
        interfaces=(CapturedInterface("eth0", (f"{address}/{around.prefixlen}",)),),
        users=(), processes=(), keepalived_version="", keepalived_config="", instance="", state_log="", memory=0,
        files=(),
    )  # fmt: skip


def not_captured(sentinels: tuple[CapturedSentinel, ...], others: tuple[CapturedMachine, ...]) -> Iterator[Unread]:
    """The Sentinels whose file was not read, with what that means."""
    lone = {one.name for one in others}
    for one in sentinels:
        if not one.config:
            why = "its host is no node of the inventory" if one.machine in lone else "its file was not read"
            yield Unread(
                one.machine, f"the file of {one.name}", why,
                "the rehearsal makes one: quorum and down-after as the Sentinel says, no scripts",
            )  # fmt: skip
