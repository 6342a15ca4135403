"""What can be broken in a laboratory, and mended again."""

from __future__ import annotations

import itertools
import subprocess

from console.lab.hosts import lasting_faults as lasting
from console.lab.hosts.host import Host
from console.lab.hosts.namespaces import program
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabError

SERVICES = {
    "redis": "redis-server",
    "keepalived": "keepalived",
    "sshd": "sshd",
    "sentinel": "redis-sentinel",
    "consul": "consul",
}
"""Name in a fault → process name."""
_SIGNALS = {"kill": "KILL", "freeze": "STOP", "thaw": "CONT"}
KINDS = {
    "kill": "ends a service at once (SIGKILL); without a service: cuts the host's power",
    "stop": "stops a service as its init script does",
    "start": "starts a service as its init script does; without a service: gives a host its power back",
    "freeze": "stops the processes of a service where they stand (SIGSTOP); without a service: of the whole host",
    "thaw": "lets what was frozen go on",
    "cut": "pulls the host's network cable: its interface loses its carrier",
    "isolate": "the host's switch port drops every packet: its interface looks well",
    **lasting.KINDS,
    "heal": "undoes cut, isolate, slow, fill and clock; of redis its password, of sshd its host key",
}


def apply(kind: str, host: Host, service: str | None) -> None:
    """Does it. Raises LabError where that makes no sense."""
    if kind not in KINDS:
        raise LabError(f"no fault {kind}: there are {', '.join(KINDS)}")
    if service is not None and service not in SERVICES:
        raise LabError(f"no service {service}: there are {', '.join(SERVICES)}")
    if kind in lasting.KINDS:
        lasting.begin(kind, host, service)
    elif kind == "heal":
        _heal(host, service)
    elif kind in ("cut", "isolate"):
        if service is not None:
            raise LabError(f"{kind} is for a whole host: leave {service} out")
        _cable(kind, host)
    elif service is None:
        _whole_host(kind, host)
    elif kind in _SIGNALS:
        found = host.running(SERVICES[service])
        if not found:
            raise LabError(f"{service} does not run on {host.name}")
        # Children first: a keepalived child whose parent dies before it gives the VIP up.
        host.run(f"kill -{_SIGNALS[kind]} {' '.join(map(str, reversed(found)))}")
    else:
        _init_script(kind, host, service)


def _heal(host: Host, service: str | None) -> None:
    if service is None:
        _cable("heal", host)
    lasting.end(host, service)


def _cable(kind: str, host: Host) -> None:
    changes = {"cut": [["down"]], "isolate": [["nomaster"]], "heal": [["up"], ["master", BRIDGE]]}
    for port, change in itertools.product(host.ports, changes[kind]):
        done = subprocess.run(
            [program("ip"), "link", "set", port, *change], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LabError(f"{kind} {host.name}: {done.stderr.strip()}")


def _whole_host(kind: str, host: Host) -> None:
    if kind == "kill":
        host.switch_off()
    elif kind == "start":
        if host.pid:
            raise LabError(f"{host.name} is on")
        host.switch_on()
        host.finish_start()
    elif kind in _SIGNALS:
        # Everything on the host but its init, and the shell that says so.
        host.run(f"kill -{_SIGNALS[kind]} -1")
    else:
        raise LabError(f"{kind} needs a service: one of {', '.join(SERVICES)}")


def _init_script(kind: str, host: Host, service: str) -> None:
    if service != "sshd":
        host.service(SERVICES[service], kind)
    elif kind == "start":
        host.run(["/usr/sbin/sshd", "-E", "/var/log/auth.log"], check=True)
    else:
        host.run("kill -TERM $(cat /run/sshd.pid)", check=True)
