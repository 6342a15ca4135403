"""Relays in front of the sshd of nodes: the console reaches them through port 2222, and a test decides how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.relay import Mode, Relay

_PORT = 2222


@contextmanager
def late_ssh(lab: Laboratory, *, seed: int) -> Iterator[tuple[Relay, ...]]:
    """All nodes' SSH answers come 0.5 to 4 s late, and one in ten never comes."""
    with ExitStack() as stack:
        relays = []
        for number, host in enumerate(lab.hosts.values()):
            relay = stack.enter_context(Relay(host, _PORT, 22, seed=seed + number))
            relay.mode = Mode.LATE
            relays.append(relay)
            through_relay(lab, host.name)
        yield tuple(relays)


def through_relay(lab: Laboratory, name: str) -> None:
    """The inventory names the relay's port for this node, and its key is known."""
    host = lab.host(name)
    text = lab.inventory.read_text(encoding="utf-8")
    place = f"address: {host.address}\n"
    lab.inventory.write_text(text.replace(place, f"{place}        ssh: {{port: {_PORT}}}\n"), encoding="utf-8")
    with (lab.folder / "known_hosts").open("a", encoding="ascii") as known:
        key = host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        known.write(f"[{host.address}]:{_PORT} {' '.join(key)}\n")
