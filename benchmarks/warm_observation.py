"""A warm observation of a pair against one bare `ssh` exec over a ControlMaster connection to one of its nodes."""

from __future__ import annotations

import subprocess
import sys
import tempfile

from measure import cluster, median, seconds, ssh_config, verdict

from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

TIMES = 60
GOAL = 2.0


def main() -> int:
    pair = cluster()
    inspector = make_inspector(pair, {}, SystemClock())
    inspector.observe()
    inspector.observe()
    with tempfile.TemporaryDirectory() as folder:
        ssh = ["ssh", "-F", ssh_config(), "-o", f"ControlPath={folder}/master"]
        node = pair.nodes[0].name
        subprocess.run([*ssh, "-M", "-N", "-f", node], check=True, stdin=subprocess.DEVNULL)
        try:
            seconds(lambda: subprocess.run([*ssh, node, "true"], check=True), 5)
            # Turns about: what else the machine does meets both.
            ours, theirs = [], []
            for _ in range(TIMES // 5):
                ours += seconds(inspector.observe, 5)
                theirs += seconds(lambda: subprocess.run([*ssh, node, "true"], check=True), 5)
        finally:
            subprocess.run([*ssh, "-O", "exit", node], check=False, capture_output=True)
            inspector.close()
    print(f"warm observation: {median(ours) * 1000:.1f} ms; ssh over ControlMaster: {median(theirs) * 1000:.1f} ms")
    return 0 if verdict("warm observation", median(ours) / median(theirs), GOAL) else 1


if __name__ == "__main__":
    sys.exit(main())
