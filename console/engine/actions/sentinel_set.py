"""Commands for a set under Sentinels: a planned failover, the write VIP set by hand, and the readers of a node."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface

from console.core.command import Planned, RedisCommand, ShellCommand
from console.core.inventory import DirectorSpec
from console.core.keepalived.virtual_servers import DEFAULT_WEIGHT, virtual_servers
from console.core.model import DirectorState, RealServer, VirtualService
from console.core.watchers.read_vip import director_entries
from console.core.watchers.sentinels import proved_silent, readable_sentinels
from console.engine.actions.request import SERVICE_TIMEOUT, NotNowError, PlanError, Request
from console.engine.actions.virtual_ip import NO_ARPING, announcement

FORWARDS = {"Route": "-g", "Masq": "-m", "Tunnel": "-i"}
"""The forwarding method as ipvsadm prints it → the option that keeps it."""
FAILOVER_TIMEOUT = 10.0


def sentinel_failover(request: Request) -> tuple[Planned, ...]:
    """Asks one Sentinel. It needs no consent of the others for this, and answers when it has begun."""
    name = request.state.master_name
    able = [
        one
        for one, said in readable_sentinels(request.state)
        if said.master and not said.tilt and said.quorum_ok is not False
    ]
    if not able:
        raise NotNowError("no Sentinel can fail over now: look at their findings")
    summary = (
        f"Asks {able[0].name} to make another node than {request.node.name} the master: it picks the replica with the"
        " lowest replica-priority, then the newest data."
    )
    command = RedisCommand(("SENTINEL", "FAILOVER", name), timeout=FAILOVER_TIMEOUT)
    return (Planned(able[0].name, command, summary),)


def sentinel_forget(request: Request) -> tuple[Planned, ...]:
    """Asks every Sentinel, as each has a list of its own."""
    name = request.state.master_name
    if set(name) & set("*?[\\"):
        raise PlanError(f"SENTINEL RESET takes a pattern, and {name} would match other names too: send it by hand")
    node = request.node.name
    summary = "Makes {0} forget {1}. It learns the other nodes and Sentinels again within seconds."
    return tuple(
        Planned(one.name, RedisCommand(("SENTINEL", "RESET", name)), summary.format(one.name, node))
        for one in request.state.sentinels
    )


def start_sentinels(request: Request) -> tuple[Planned, ...]:
    """Starts those that refuse connections. One that hangs is not started a second time. Raises PlanError."""
    cluster, state = request.context.cluster, request.state
    sudo = {node.name: node.ssh.sudo for node in cluster.nodes}
    sudo |= {director.name: director.ssh.sudo for director in cluster.directors}
    readable = {node.name for node in state.nodes if node.ssh.ok}
    readable |= {director.name for director in state.directors if director.ssh.ok}
    planned = []
    for one in state.sentinels:
        if not one.start or one.sentinel.ok:
            continue
        if not proved_silent(one):
            raise NotNowError(f"{one.name} does not answer, and is not proved to be down: {one.sentinel.problem}")
        if one.host not in readable:
            raise PlanError(f"{one.host}, the host of {one.name}, cannot be read over SSH: start {one.name} by hand")
        command = ShellCommand(one.start, sudo=sudo[one.host], timeout=SERVICE_TIMEOUT)
        planned.append(Planned(one.host, command, f"Starts {one.name} on {one.host}."))
    return tuple(planned)


def take_vip(request: Request) -> tuple[Planned, ...]:
    """Sets the address and sends gratuitous ARP, as the script of the Sentinels should have done."""
    node, vip = request.node, request.state.vip
    interface, prefix = _network_of(request)
    device = shlex.quote(interface)
    add = ShellCommand(f"ip addr add {vip}/{prefix} dev {device}", sudo=node.ssh.sudo)
    announce = ShellCommand(announcement(vip, device, NO_ARPING), sudo=node.ssh.sudo)
    return (
        Planned(node.name, add, f"Sets {vip}/{prefix} on {interface} of {node.name}; it does not survive a reboot."),
        Planned(node.name, announce, f"Tells the neighbours of {node.name} that {vip} is there (gratuitous ARP)."),
    )


def _network_of(request: Request) -> tuple[str, int]:
    """The interface whose network has the virtual IP, and the prefix of that network. Raises PlanError."""
    name, vip = request.node.name, request.state.vip
    seen = request.state.node(name).addresses
    if seen.value is None:
        raise NotNowError(f"the addresses of {name} could not be read: {seen.problem}")
    found = {
        (one.interface, one.prefix)
        for one in seen.value
        if one.interface != "lo" and one.address != vip and _contains(f"{one.address}/{one.prefix}", vip)
    }
    if len(found) != 1:
        where = " and ".join(sorted(interface for interface, _ in found)) or "no interface"
        raise PlanError(
            f"{vip} is in the network of {where} of {name}: set it by hand, as the script of the Sentinels does"
        )
    return found.pop()


def _contains(address: str, vip: str) -> bool:
    try:
        return ip_address(vip) in ip_interface(address).network
    except ValueError:  # an address that no kernel prints
        return False


@dataclass(frozen=True, slots=True)
class _Entry:
    """The node's row in the table of one director."""

    director: DirectorState
    spec: DirectorSpec
    service: VirtualService
    server: RealServer

    def edit(self, weight: int) -> ShellCommand:
        forward = FORWARDS.get(self.server.forward)
        if forward is None:
            raise PlanError(
                f"{self.director.name} forwards to it by {self.server.forward}, which this console does not support"
            )
        service = _endpoint(self.service.address, self.service.port)
        server = _endpoint(self.server.address, self.server.port)
        return ShellCommand(f"ipvsadm -e -t {service} -r {server} {forward} -w {weight}", sudo=self.spec.ssh.sudo)


def drain_readers(request: Request) -> tuple[Planned, ...]:
    """Weight 0 on every director. No new reader comes; connected ones stay until they disconnect."""
    return tuple(
        Planned(
            one.director.name,
            one.edit(0),
            f"{one.director.name} sends no new readers to {request.node.name}; {one.server.active} active connections"
            " stay until they end.",
        )
        for one in _entries(request)
        if one.server.weight > 0
    )


def serve_readers(request: Request) -> tuple[Planned, ...]:
    """The weight of keepalived.conf, on every director where it is 0."""
    planned = []
    for one in _entries(request):
        if one.server.weight == 0:
            weight = _configured_weight(one)
            summary = f"{one.director.name} sends readers to {request.node.name} again, with weight {weight}."
            planned.append(Planned(one.director.name, one.edit(weight), summary))
    return tuple(planned)


def _entries(request: Request) -> Iterator[_Entry]:
    """Raises PlanError if a director could not be read."""
    specs = {one.name: one for one in request.context.cluster.directors}
    for one in request.state.directors:
        if one.services.value is None:
            raise NotNowError(f"the table of {one.name} could not be read: {one.services.problem}")
    for place in director_entries(request.state, request.state.node(request.node.name)):
        service = place.director.service(request.state.read_vip)
        if place.server is not None and service is not None:
            yield _Entry(place.director, specs[place.director.name], service, place.server)


def _configured_weight(entry: _Entry) -> int:
    config = entry.director.keepalived_config.value
    services = virtual_servers(config.file.text) if config is not None else ()
    weights = [
        server.weight
        for service in services
        for server in service.servers
        if (server.address, server.port) == (entry.server.address, entry.server.port)
    ]
    return weights[0] if weights and weights[0] > 0 else DEFAULT_WEIGHT


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
