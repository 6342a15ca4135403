"""200 cold SSH connections, 32 at once, by the console's own code and by asyncssh: host keys checked, logged in."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import asyncssh
from measure import in_turn, verdict
from rig import Rig, in_a_room, rig

from console.documents.inventories.inventory import load_inventory
from console.transport.ssh import connection, route

NODES, AT_ONCE, ROUNDS, GOAL = 200, 32, 5, 1.15


def ours(made: Rig) -> None:
    nodes = [node for cluster in load_inventory(made.inventory).clusters for node in cluster.nodes]
    turns = threading.Semaphore(AT_ONCE)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        opened = list(
            threads.map(lambda node: connection.connect(route.resolve(node.ssh, node.address), 60.0, turns), nodes)
        )
    for one in opened:
        one.close()


async def theirs(made: Rig) -> None:
    turns = asyncio.Semaphore(AT_ONCE)
    key = asyncssh.read_private_key(made.key)
    known = asyncssh.read_known_hosts(str(made.known_hosts))

    async def connect(address: str) -> asyncssh.SSHClientConnection:
        async with turns:
            return await asyncssh.connect(
                address, username="root", client_keys=[key], known_hosts=known, config=None, agent_path=None
            )

    for one in await asyncio.gather(*map(connect, made.addresses)):
        one.abort()


def main() -> int:
    with rig(NODES) as made:
        ours(made)
        works = {
            f"{NODES} connections": lambda: ours(made),
            "asyncssh": lambda: asyncio.run(theirs(made)),
        }
        mine, library = in_turn(works, ROUNDS).values()
    return 0 if verdict("cold connections", mine.wall / library.wall, GOAL) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
