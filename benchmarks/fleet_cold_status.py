"""Cold `status` of 2, 20 and 200 nodes against a cold `ssh NODE command` for each node, one after the other.

The floor is what asyncssh takes to log in on all nodes, 32 at a time, and to read the same first answer, without making
anything of it. The servers run on the same processors: what they need is in all three.

python benchmarks/fleet_cold_status.py [NODES…]
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import asyncssh
from measure import ansible_program, in_turn, verdict
from rig import Rig, in_a_room, rig

from console.probes import framing, program
from console.transport.ssh.shells.login_shell import FOR_QUESTIONS

GOALS = {2: 0.6, 20: 0.12, 200: 0.08}
ROUNDS = {2: 9, 20: 5, 200: 1}
AT_ONCE = 32
NONCE = "0123456789abcdef"


async def first_answers(made: Rig) -> None:
    """The first answer of the same program from each node."""
    settings = framing.ProgramSettings(f"{made.folder}/keepalived.conf")
    request = framing.request_line(0, framing.FULL, str(made.folder), "dump.rdb")
    text = FOR_QUESTIONS + program.program_text(settings, NONCE, request).encode()
    key, known = asyncssh.read_private_key(made.key), asyncssh.read_known_hosts(str(made.known_hosts))
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(address: str) -> None:
        async with turns:
            connection = await asyncssh.connect(
                address, username="root", client_keys=[key], known_hosts=known, config=None, agent_path=None
            )
            process = await connection.create_process("exec sh", encoding=None)
            process.stdin.write(text)
            await process.stdout.readuntil(framing.end_marker(NONCE, 0))
            connection.abort()

    await asyncio.gather(*map(one, made.addresses))


def measure(made: Rig) -> bool:
    nodes = len(made.addresses)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= made.environment  # an installed program has its bytecode
    status = [sys.executable, "-m", "console", "status", "--format", "json"]

    def ours() -> bytes:
        return subprocess.run(status, check=False, stdout=subprocess.PIPE, env=environment).stdout

    def theirs() -> None:
        for address in made.addresses:
            words = ["ssh", "-F", str(made.ssh_config), address, "cat /proc/uptime"]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    seen = [node for one in json.loads(ours())["clusters"] for node in one["nodes"]]
    if not all(node["ssh"]["ok"] and node["redis"]["ok"] for node in seen):
        sys.exit("status did not read every node: what it took would not count")
    works = {
        f"status of {nodes}": ours,
        f"{nodes} ssh in turn": theirs,
        "asyncssh, the first answers": lambda: asyncio.run(first_answers(made)),
    }
    if program := ansible_program():
        own = {"ANSIBLE_SSH_ARGS": f"-F {made.ssh_config}", "ANSIBLE_HOME": str(made.folder / "ansible")}
        words = [program, "all", "-i", ",".join(made.addresses) + ",", "-u", "root", "-f", str(AT_ONCE)]
        words += ["-m", "raw", "-a", "cat /proc/uptime"]
        works["ansible ad hoc"] = lambda: subprocess.run(
            words, check=True, stdout=subprocess.DEVNULL, env=os.environ | own
        )
    mine, serial, library, *peer = in_turn(works, ROUNDS.get(nodes, 3)).values()
    print(f"floor for {nodes}, by asyncssh: ratio {library.wall / serial.wall:.2f}")
    for one in peer:
        print(f"status of {nodes} to ansible ad hoc: ratio {mine.wall / one.wall:.2f}")
    return verdict(f"cold status of {nodes}", mine.wall / serial.wall, GOALS.get(nodes, min(GOALS.values())))


def main() -> int:
    met = []
    for nodes in map(int, sys.argv[1:] or GOALS):
        with rig(nodes) as made:
            met.append(measure(made))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
