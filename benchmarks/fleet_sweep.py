"""A warm sweep of 200 hosts with the real probes, against streams of asyncssh that move the same bytes.

The console asks all and then reads all, and makes values of what it reads. asyncssh does neither parse nor keep
anything.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import asyncssh
from measure import in_turn, verdict
from rig import Rig, in_a_room, rig

from console.core.inventory import NodeSpec
from console.documents.inventories.inventory import load_inventory
from console.probes import framing, program
from console.probes.keepalived.configuration import script_paths
from console.transport.connections.patience import Pace
from console.transport.ssh.host_inspector import HostInspector
from console.transport.ssh.shells.login_shell import FOR_QUESTIONS
from console.transport.ssh.shells.request import RedisFiles

NODES, ROUNDS, GOAL = 200, 7, 1.3
NONCE = "0123456789abcdef"
Process = asyncssh.SSHClientProcess[bytes]


def connected(node: NodeSpec, turns: threading.Semaphore, folder: str) -> HostInspector:
    files = RedisFiles(folder, "dump.rdb")
    made = HostInspector(node, "127.30.0.1", time.time, turns, lambda: files, pace=Pace(60.0))
    made.start_connecting(force=True)
    return made


async def streams(made: Rig, node: NodeSpec) -> list[Process]:
    """The same program on each host, with its first answer read."""
    settings = framing.ProgramSettings(node.keepalived.config)
    text = FOR_QUESTIONS + program.program_text(settings, NONCE, framing.request_line(0, framing.FULL)).encode()
    known, turns = asyncssh.read_known_hosts(str(made.known_hosts)), asyncio.Semaphore(16)

    async def start(address: str) -> Process:
        async with turns:
            connection = await asyncssh.connect(
                address, username="root", client_keys=[str(made.key)], known_hosts=known, config=None, agent_path=None
            )
            process: Process = await connection.create_process("exec sh", encoding=None)
            process.stdin.write(text)
            await process.stdout.readuntil(framing.end_marker(NONCE, 0))
            return process

    return list(await asyncio.gather(*map(start, made.addresses)))


async def theirs(processes: list[Process], seq: int, request: str) -> int:
    """Writes all, then reads all. How many bytes came."""
    for one in processes:
        one.stdin.write(request.encode() + b"\n")
    answers = await asyncio.gather(*(one.stdout.readuntil(framing.end_marker(NONCE, seq)) for one in processes))
    return sum(map(len, answers))


def main() -> int:
    loop = asyncio.new_event_loop()
    with rig(NODES) as made:
        nodes = [node for cluster in load_inventory(made.inventory).clusters for node in cluster.nodes]
        turns = threading.Semaphore(8)
        ours = [connected(node, turns, str(made.folder)) for node in nodes]
        assert all(one.finish_connecting(time.monotonic() + 120) for one in ours)
        processes = loop.run_until_complete(streams(made, nodes[0]))
        seq, moved = 0, 0

        def sweep() -> None:
            for one in ours:
                one.ask(full=False)
            until = time.monotonic() + 60
            for one in ours:
                one.receive(until)
            assert all(one.readings.identity.ok for one in ours)

        def by_asyncssh() -> None:
            nonlocal seq, moved
            seq += 1
            request = framing.request_line(seq, framing.LIVE, str(made.folder), "dump.rdb", paths)
            moved = loop.run_until_complete(theirs(processes, seq, request))

        paths = script_paths(ours[0].readings.config.value)
        sweep()
        works = {f"sweep of {NODES} hosts": sweep, "asyncssh, the same bytes": by_asyncssh}
        mine, library = in_turn(works, ROUNDS).values()
        print(f"{moved:,} bytes a sweep")
    return 0 if verdict("warm sweep", mine.wall / library.wall, GOAL) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
