"""Relays in front of the sshd of nodes: the console reaches them through port 2222, and a test decides how."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.relay import LATE_BY, Mode, Relay

_PORT = 2222


@contextmanager
def late_ssh(lab: Laboratory, *, seed: int) -> Iterator[Callable[[], None]]:
    """All nodes' SSH answers come late, and one in ten never comes, until what it yields is called.

    With LATE=full in the environment they are 0.5 to 4 s late, as on a bad night. Else they are sooner, so that a test
    is.
    """
    late_by = LATE_BY if os.environ.get("LATE") == "full" else (0.2, 1.5)
    with ExitStack() as stack:
        relays = []
        for number, host in enumerate(lab.hosts.values()):
            relay = stack.enter_context(Relay(host, _PORT, 22, seed=seed + number, late_by=late_by))
            relay.mode = Mode.LATE
            relays.append(relay)
            through_relay(lab, host.name)

        def end() -> None:
            for relay in relays:
                relay.mode = Mode.THROUGH

        yield end


def through_relay(lab: Laboratory, name: str) -> None:
    """The inventory names the relay's port for this node, and its key is known."""
    host = lab.host(name)
    text = lab.inventory.read_text(encoding="utf-8")
    place = f"address: {host.address}\n"
    lab.inventory.write_text(text.replace(place, f"{place}        ssh: {{port: {_PORT}}}\n"), encoding="utf-8")
    with (lab.folder / "known_hosts").open("a", encoding="ascii") as known:
        key = host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        known.write(f"[{host.address}]:{_PORT} {' '.join(key)}\n")
