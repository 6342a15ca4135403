"""Connections to the nodes of a cluster that are there for the lock only."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from console.core.inventory import NodeSpec
from console.transport.connections.errors import RemoteError
from console.transport.ssh import connection as ssh
from console.transport.ssh import route as ssh_route


def connect_all(nodes: Sequence[NodeSpec]) -> tuple[dict[str, ssh.SshConnection], dict[str, str]]:
    """Logs in to all nodes at once. Returns node → connection, and node → why there is none."""
    opened: dict[str, ssh.SshConnection] = {}
    unreachable: dict[str, str] = {}
    handshakes = threading.Semaphore(max(1, len(nodes)))

    def log_in(node: NodeSpec) -> None:
        try:
            opened[node.name] = ssh.connect(
                ssh_route.resolve(node.ssh, node.address), node.ssh.connect_timeout, handshakes
            )
        except RemoteError as error:
            unreachable[node.name] = str(error)
        except Exception as error:  # noqa: BLE001 - one node's trouble must not end the others'
            unreachable[node.name] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=log_in, args=(node,), daemon=True) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return opened, {node.name: unreachable[node.name] for node in nodes if node.name in unreachable}
