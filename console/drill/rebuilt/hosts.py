"""A captured machine as a laboratory's host: the same name, addresses, interfaces, paths, accounts and files."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_interface
from pathlib import Path
from posixpath import dirname

from console.core.drills.capture import Capture, CapturedFile, CapturedHost, CapturedMachine, Part
from console.core.drills.redis_lines import usable_text
from console.core.keepalived.lexer import read_document
from console.core.quantities import counted
from console.drill.rebuilt import certificates, consul, sentinels, services
from console.drill.rebuilt.inventory import inventory
from console.lab.hosts import base_files
from console.lab.hosts.containment import Cage, first_id, place_of
from console.lab.hosts.host import Host
from console.lab.options import LabOptions
from console.lab.servers import versions
from console.lab.servers.versions import RedisServer
from console.lab.systems.director_service import write_director_service
from console.lab.systems.system import System

_STAND_IN_SCRIPT = (
    "#!/bin/sh\n# Stands in for a script that could not be captured. It does nothing and succeeds.\nexit 0\n"
)
_QUIET = """\
for one in lo all; do
    echo 1 >/proc/sys/net/ipv4/conf/$one/arp_ignore
    echo 2 >/proc/sys/net/ipv4/conf/$one/arp_announce
done
"""
"""What direct routing needs of a host with the read VIP on its loopback."""


def system_of(capture: Capture) -> System:
    """The cluster as a system of the laboratory. Raises LabError."""
    return System(
        addresses={one.name: one.address for one in capture.machines},
        vip=capture.vip,
        write_files=lambda host, options, server: _write_files(capture, host, options, server),
        inventory=lambda folder, options: inventory(capture, folder, options),
        prepare=lambda folder, _: _prepare(capture, folder),
        operator=_operator(capture),
        words=f"{counted(len(capture.machines), 'host')} of {capture.cluster}",
        outfit=lambda host: _outfit(capture, capture.machine(host.name), host),
        servers=(versions.CONSUL,) if capture.consul is not None else (),
    )


def _prepare(capture: Capture, folder: Path) -> None:
    certificates.make_certificates(capture, folder)
    secrets = {**{host.name: host.redis.password for host in capture.hosts},
               **{one.name: one.password for one in capture.sentinels}}  # fmt: skip
    for name, secret in secrets.items():
        if secret:
            place = folder / f"password-{name}"
            place.touch(mode=0o600)
            place.write_text(secret + "\n", encoding="utf-8")


def _outfit(capture: Capture, captured: CapturedMachine, host: Host) -> Host:
    """Its interfaces, the one of its address first, its name, and its cage."""
    found = [(one.name, one.addresses) for one in captured.interfaces]
    found.sort(key=lambda one: not any(ip_interface(each).ip.exploded == captured.address for each in one[1]))
    agent = consul.has_agent(captured)
    programs = {consul.PROGRAM_FOLDER: str(versions.consul_folder())} if agent else {}
    redis = captured.redis if isinstance(captured, CapturedHost) else None
    return dataclasses.replace(
        host,
        root=host.root / "root",
        password=redis.password if redis else "",
        interfaces=tuple(found),
        hostname=captured.hostname,
        cage=Cage(first_id(), owners=_owners(capture, captured), programs=programs),
        data=redis.dir if redis else "/data",
    )


def _owners(capture: Capture, captured: CapturedMachine) -> dict[str, tuple[int, int]]:
    """Path → who it belongs to, of what is not root's. What a server writes to belongs to the server's user."""
    accounts = {one.name: (one.uid, one.gid) for one in captured.users}
    folders: dict[str, str] = {}
    for one in sentinels.sentinels_on(capture, captured.name):
        folders |= dict.fromkeys(sentinels.sentinel_folders(captured, one), sentinels.sentinel_user(captured))
    if isinstance(captured, CapturedHost):
        folders |= dict.fromkeys(services.redis_folders(captured), services.redis_user(captured))
    folders |= dict.fromkeys(consul.consul_folders(captured), consul.consul_user(captured))
    folders |= dict.fromkeys(certificates.certificate_paths(captured), certificates.certificate_owner(captured))
    owners = {path: accounts[user] for path, user in folders.items() if user in accounts and user != "root"}
    for file in captured.files:
        owner, _, group = file.owner.partition(":")
        if owner in accounts:
            owners[file.path] = accounts[owner][0], accounts.get(group, accounts[owner])[1]
    return owners


def _operator(capture: Capture) -> tuple[str, ...]:
    """An address for the operator's machine in each network of the nodes: the highest one that is free."""
    taken = {capture.vip, capture.read_vip} | {one.partition("/")[0] for host in capture.machines
                                               for each in host.interfaces for one in each.addresses}  # fmt: skip
    wanted = [
        ip_interface(f"{one}/32").ip for one in (*(host.address for host in capture.machines), capture.vip) if one
    ]
    found: dict[str, str] = {}
    for one in (address for host in capture.machines for each in host.interfaces for address in each.addresses):
        network = ip_interface(one).network
        if str(network) in found or not any(each in network for each in wanted):
            continue
        highest = int(network.broadcast_address)
        free = next(str(type(network.broadcast_address)(number)) for number in range(highest - 1, highest - 250, -1)
                    if str(type(network.broadcast_address)(number)) not in taken)  # fmt: skip
        found[str(network)] = f"{free}/{network.prefixlen}"
    return tuple(found.values())


def _write_files(capture: Capture, host: Host, options: LabOptions, server: RedisServer) -> None:
    del options
    captured = capture.machine(host.name)
    watching = sentinels.sentinels_on(capture, host.name)
    _write_accounts(captured, host)
    names = {**{one.hostname: one.address for one in capture.machines}, **captured.names}
    host.write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
        f"{address} {name}\n" for name, address in names.items() if name != "localhost"))  # fmt: skip
    ours = {f"/etc/init.d/{services.service_name(captured, role)}" for role in ("redis", "keepalived")}
    ours |= {f"/etc/init.d/{sentinels.sentinel_service(one)}" for one in watching} | {f"/etc/init.d/{consul.SERVICE}"}
    for file in captured.files:
        if file.path not in ours:
            host.write(file.path, _text(file), file.mode)
    for path in (one.what for one in capture.unread if one.node == host.name and "nothing and succeeds" in one.means):
        host.write(path, _STAND_IN_SCRIPT, 0o755)
    if isinstance(captured, CapturedHost):
        _write_redis(captured, host, server)
    if captured.file(captured.keepalived_config) is not None:
        _write_keepalived(captured, host)
    for one in watching:
        sentinels.write_sentinel(capture, captured, one, host, server)
        _make_folders(host, sentinels.sentinel_folders(captured, one))
    if consul.has_agent(captured) and capture.consul is not None:
        consul.write_consul(capture, captured, host)
        _make_folders(host, consul.consul_folders(captured))
    services.write_systemctl(host)
    services.write_program_links(captured, host, server)
    certificates.write_certificates(captured, host, host.root.parents[2])
    host.write("/etc/rc.local", _at_start(capture, captured), 0o755)


def _text(file: CapturedFile) -> str:
    """What the rehearsal has of it."""
    if file.part is Part.CONSUL:
        return consul.consul_text(file)
    return usable_text(file.text) if file.part is Part.REDIS else file.text


def _make_folders(host: Host, folders: tuple[str, ...]) -> None:
    for folder in folders:
        place_of(host.root, folder).mkdir(parents=True, exist_ok=True)


def _write_redis(captured: CapturedHost, host: Host, server: RedisServer) -> None:
    if captured.file(captured.redis.config) is None:
        host.write(captured.redis.config, _redis_conf(captured), 0o640)
    services.write_redis(captured, host, server)
    _make_folders(host, services.redis_folders(captured))


def is_director(captured: CapturedMachine) -> bool:
    """Whether its keepalived distributes connections, which needs IPVS."""
    conf = captured.file(captured.keepalived_config)
    statements = read_document(conf.text).statements if conf else []
    return any(one.keyword in ("virtual_server", "virtual_server_group") for one in statements)


def _write_keepalived(captured: CapturedMachine, host: Host) -> None:
    name = services.service_name(captured, "keepalived")
    if is_director(captured):
        write_director_service(
            host, services.keepalived_script(captured, "-P "), name=name, conf=captured.keepalived_config
        )
    else:
        host.write(f"/etc/init.d/{name}", services.keepalived_script(captured), 0o755)
    if captured.state_log:
        _make_folders(host, (dirname(captured.state_log),))


def _at_start(capture: Capture, captured: CapturedMachine) -> str:
    """What a host does whenever it starts: its loopback's addresses, and ways to machines in other networks."""
    networks = [ip_interface(one).network for each in captured.interfaces for one in each.addresses]
    lines = ["#!/bin/sh"]
    lines += [f"ip address add {one} dev lo" for one in captured.loopback]
    lines += [_QUIET] if captured.loopback else []
    for other in capture.machines:
        address = ip_interface(f"{other.address}/32").ip
        if captured.interfaces and not any(address in one for one in networks):
            lines.append(f"ip route add {address}/32 dev {captured.interfaces[0].name}")
    return "\n".join([*lines, "exit 0"]) + "\n"


def _write_accounts(captured: CapturedMachine, host: Host) -> None:
    known = {line.split(":")[0] for line in base_files.ACCOUNTS.splitlines()}
    new = [one for one in captured.users if one.name not in known]
    host.write("/etc/passwd", base_files.ACCOUNTS + "".join(
        f"{one.name}:x:{one.uid}:{one.gid}::{one.home}:{one.shell}\n" for one in new))  # fmt: skip
    groups = {one.gid: one.name for one in reversed(new) if one.gid}
    host.write("/etc/group", base_files.GROUP + "".join(f"{name}:x:{gid}:\n" for gid, name in groups.items()))


def _redis_conf(captured: CapturedHost) -> str:
    """For a redis.conf that could not be read: what is known of it."""
    redis = captured.redis
    lines = [
        f"port {redis.port}",
        "bind 0.0.0.0",
        "protected-mode no",
        f"dir {redis.dir}",
        f"dbfilename {redis.dbfilename}",
    ]
    if redis.password:
        lines += [f"requirepass {redis.password}", f"masterauth {redis.password}"]
    return "\n".join(lines) + "\n"
