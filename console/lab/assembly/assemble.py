"""The hosts of a system, put together on one bridge, with the files that the operator needs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_interface
from pathlib import Path

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import network
from console.lab.hosts.containment import make_disk, seal
from console.lab.hosts.host import Host
from console.lab.hosts.keys import make_key
from console.lab.hosts.namespaces import LABORATORY_FOLDER, check_programs, program, require_isolated_network
from console.lab.hosts.root_folder import create_root
from console.lab.options import LabError, LabOptions
from console.lab.servers.versions import redis_server
from console.lab.systems import operator_files
from console.lab.systems.system import System


def assemble(
    system: System, options: LabOptions, report: Callable[[str], None], scenario: str, name: str = ""
) -> Laboratory:
    """The hosts of a system on a bridge. sshd runs, nothing else is started. `name`: of its folder; empty: any."""
    check_programs()
    require_isolated_network()
    options = system.options(options)
    if not LABORATORY_FOLDER.is_dir():
        raise LabError("this process has no namespaces for a laboratory: use `redis-ha-console lab run`")
    servers = {name: redis_server(options.version_for(name)).folder for name in system.addresses}
    folder = LABORATORY_FOLDER / name if name else Path(tempfile.mkdtemp(prefix="pair-", dir=LABORATORY_FOLDER))
    folder.mkdir(exist_ok=not name)
    hosts = {
        name: system.outfit(Host(name, address, folder / "hosts" / name, options.password, servers[name]))
        for name, address in system.addresses.items()
    }
    folder.chmod(0o711)  # root of a contained host is somebody else, and must reach its own folder
    lab = Laboratory(folder, hosts, options, system, scenario)
    try:
        _start_hosts(lab)
        _write_operator_files(lab)
        for host in hosts.values():
            lab.wait_for(host.answers_ssh, f"sshd answers on {host.name}", host, "sshd")
        report(f"{system.words} with sshd: " + ", ".join(f"{name} {host.address}" for name, host in hosts.items()))
    except BaseException as error:
        lab.close()
        if isinstance(error, subprocess.CalledProcessError):
            raise LabError(f"{' '.join(map(str, error.cmd))} failed: exit code {error.returncode}") from error
        raise
    return lab


def _start_hosts(lab: Laboratory) -> None:
    """Prepares the hosts side by side. They are started by this thread: a host ends with the thread that started it."""
    _build_network(lab.system)
    lab.system.prepare(lab.folder, lab.options)
    make_key(lab.folder / "id_ed25519", "operator@laboratory")
    public_key = (lab.folder / "id_ed25519.pub").read_text(encoding="ascii")

    def prepare(host: Host) -> Host:
        if host.cage:
            make_disk(host.root, host.cage)
        create_root(host, lab.options.disk, lab.system.addresses, public_key)
        lab.system.write_files(host, lab.options, redis_server(lab.options.version_for(host.name)))
        if host.cage:
            seal(host.root, host.cage, host.servers)
        return host

    with ThreadPoolExecutor(len(lab.hosts)) as pool:
        for host in pool.map(prepare, lab.hosts.values()):
            host.switch_on()
    for host in lab.hosts.values():
        host.finish_start()


def _build_network(system: System) -> None:
    ip = program("ip")
    subprocess.run([ip, "link", "add", network.BRIDGE, "type", "bridge", "forward_delay", "0"], check=True)
    for address in operator_addresses(system):
        subprocess.run([ip, "address", "add", address, "dev", network.BRIDGE], check=True)
    subprocess.run([ip, "link", "set", network.BRIDGE, "up"], check=True)


def operator_addresses(system: System) -> tuple[str, ...]:
    """The addresses of the operator's machine: its usual one too, unless it has another one among those hosts."""
    usual = ip_interface(f"{network.OPERATOR}/{network.PREFIX}")
    given = [ip_interface(one) for one in system.operator]
    needed = not given or any(ip_address(one) in usual.network for one in system.addresses.values())
    covered = any(one.ip in usual.network for one in given)
    return (*((str(usual),) if needed and not covered else ()), *system.operator)


def _write_operator_files(lab: Laboratory) -> None:
    keys = ""
    for host in lab.hosts.values():
        kind, key = host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        keys += f"{host.address} {kind} {key}\n"
    (lab.folder / "known_hosts").write_text(keys, encoding="ascii")
    ssh_config = operator_files.ssh_config(str(lab.folder), lab.system.addresses)
    (lab.folder / "ssh_config").write_text(ssh_config, encoding="utf-8")
    lab.inventory.write_text(lab.system.inventory(str(lab.folder), lab.options), encoding="utf-8")
    if lab.options.password:
        password = lab.folder / "redis-password"
        password.touch(mode=0o600)
        password.write_text(lab.options.password + "\n", encoding="utf-8")
    lab.save()
