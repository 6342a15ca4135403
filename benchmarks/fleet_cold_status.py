"""Cold `status` of 2, 20 and 200 nodes against a cold `ssh NODE command` for each node, one after the other.

python benchmarks/fleet_cold_status.py [NODES…]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from measure import in_turn, verdict
from rig import Rig, in_a_room, rig

GOALS = {2: 0.6, 20: 0.12, 200: 0.08}
ROUNDS = {2: 9, 20: 5, 200: 1}


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
    found = in_turn({f"status of {nodes}": ours, f"{nodes} ssh in turn": theirs}, ROUNDS.get(nodes, 3))
    mine, serial = found.values()
    return verdict(f"cold status of {nodes}", mine.wall / serial.wall, GOALS.get(nodes, min(GOALS.values())))


def main() -> int:
    met = []
    for nodes in map(int, sys.argv[1:] or GOALS):
        with rig(nodes) as made:
            met.append(measure(made))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(in_a_room(main))
