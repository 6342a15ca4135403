"""Cold `status` of a pair against two cold `ssh NODE command`, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from measure import as_an_operators, cluster, median, seconds, ssh_config, verdict

TIMES = 11
GOAL = 0.6
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed program has its bytecode; one that is run from a work tree must be let keep it."""


def main() -> int:
    nodes = [node.name for node in cluster().nodes]
    with as_an_operators() as inventory:
        return measure(nodes, inventory)


def measure(nodes: list[str], inventory: Path) -> int:
    status = [sys.executable, "-m", "console", "-i", str(inventory), "status", "--format", "json"]
    ssh = ["ssh", "-F", ssh_config()]

    def ours() -> None:
        subprocess.run(status, check=False, stdout=subprocess.DEVNULL, env=ENVIRONMENT)

    def theirs() -> None:
        for node in nodes:
            subprocess.run([*ssh, node, "cat /proc/uptime"], check=True, stdout=subprocess.DEVNULL)

    seconds(ours, 1)
    seen = json.loads(subprocess.run(status, check=False, stdout=subprocess.PIPE, env=ENVIRONMENT).stdout)
    if not all(node["ssh"]["ok"] and node["redis"]["ok"] for node in seen["clusters"][0]["nodes"]):
        sys.exit("status did not see the pair: what it took would not count")
    mine, serial = [], []
    for _ in range(TIMES):
        mine += seconds(ours, 1)
        serial += seconds(theirs, 1)
    print(
        f"cold status: {median(mine) * 1000:.0f} ms; two cold ssh, one after the other: {median(serial) * 1000:.0f} ms"
    )
    return 0 if verdict("cold status", median(mine) / median(serial), GOAL) else 1


if __name__ == "__main__":
    sys.exit(main())
