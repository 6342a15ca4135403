"""Commands for the virtual IP: remove it from an interface, restart keepalived, tell the neighbours where it is."""

from __future__ import annotations

import shlex

from console.core.command import Planned, ShellCommand
from console.core.inventory import NodeSpec
from console.core.model import InterfaceAddress
from console.core.quantities import counted
from console.engine.actions.request import SERVICE_TIMEOUT, NotNowError, Request, service_command

ANNOUNCEMENTS = 3
"""How often the address is announced. A neighbour may miss one announcement."""

NO_ARPING = "echo 'no arping on this node: install it, or wait for the neighbour caches' >&2; exit 127"


def remove_vip(request: Request) -> tuple[Planned, ...]:
    """`ip addr del` of exactly the address that the kernel has, where no keepalived manages it."""
    node, held = request.node, _held(request)
    script = f"ip addr del {held.address}/{held.prefix} dev {shlex.quote(held.interface)}"
    summary = f"Removes {held.address} from {held.interface} of {node.name}; nothing else is changed there."
    return (Planned(node.name, ShellCommand(script, sudo=node.ssh.sudo), summary),)


def restart_keepalived(request: Request) -> tuple[Planned, ...]:
    """Stop and start. A reload does not help a keepalived that runs and sends no adverts."""
    node = request.node
    seen = request.state.node(node.name).keepalived.value
    if seen is None:
        raise NotNowError(f"it is not known whether keepalived runs on {node.name}")
    start = service_command(node, "keepalived", "start")
    return (service_command(node, "keepalived", "stop"), start) if seen.running else (start,)


def announce_vip(request: Request) -> tuple[Planned, ...]:
    """Gratuitous ARP from the holder: by arping if the node has it, else by a restart of keepalived."""
    node, held = request.node, _held(request)
    device = shlex.quote(held.interface)
    summary = f"Tells the neighbours of {node.name} that {held.address} is there (gratuitous ARP)"
    if request.state.sentinels:  # no keepalived manages the address
        summary += "."
        otherwise = NO_ARPING
    else:
        summary += "; where the node has no arping, its keepalived is restarted, which also tells them."
        otherwise = " && ".join(_script(node, word) for word in ("stop", "start"))
    script = announcement(held.address, device, otherwise)
    return (Planned(node.name, ShellCommand(script, sudo=node.ssh.sudo, timeout=SERVICE_TIMEOUT), summary),)


def announcement(address: str, device: str, otherwise: str) -> str:
    """Script that tells the neighbours about an address on a device. `otherwise`: what to do where there is no arping.

    There are two programs of this name. The one of iputils has the option -I. The other one has -i, and its exit status
    says whether anybody answered. Nobody answers here, so it is ignored.
    """
    return (
        "if arping -V 2>&1 | grep -q iputils; then\n"
        f"  arping -U -c {ANNOUNCEMENTS} -I {device} {address}\n"
        "elif command -v arping >/dev/null; then\n"
        f"  arping -U -c {ANNOUNCEMENTS} -i {device} {address} || true\n"
        "else\n"
        f"  {otherwise}\n"
        "fi"
    )


def _script(node: NodeSpec, action: str) -> str:
    command = service_command(node, "keepalived", action).command
    assert isinstance(command, ShellCommand)
    return command.script


def _held(request: Request) -> InterfaceAddress:
    """The virtual IP as the node's kernel has it. Raises PlanError."""
    node = request.state.node(request.node.name)
    if node.addresses.value is None:
        raise NotNowError(f"the addresses of {node.name} could not be read: {node.addresses.problem}")
    found = [one for one in node.addresses.value if one.address == request.state.vip]
    if len(found) != 1:
        where = counted(len(found), "interface")
        raise NotNowError(f"{request.state.vip} is on {where} of {node.name}, and must be on exactly one")
    return found[0]
