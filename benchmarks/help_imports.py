"""`--help` imports neither textual, paramiko nor redis; and how long it takes against a bare Python."""

from __future__ import annotations

import subprocess
import sys

from measure import median, seconds, verdict

HEAVY = ("textual", "paramiko", "redis", "pydantic", "yaml")
GOAL = 6.0
ASK = f"""
import sys
sys.argv = ["redis-ha-console", "--help"]
from console.__main__ import main
try:
    main()
except SystemExit:
    pass
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""


def main() -> int:
    asked = subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True)
    print(f"imported by --help, of {', '.join(HEAVY)}: {asked.stderr.strip()}")
    shown = [sys.executable, "-m", "console", "--help"]
    ours = seconds(lambda: subprocess.run(shown, check=True, stdout=subprocess.DEVNULL), 11)
    bare = seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), 11)
    print(f"--help: {median(ours) * 1000:.0f} ms; bare Python: {median(bare) * 1000:.0f} ms")
    met = verdict("--help", median(ours) / median(bare), GOAL)
    return 0 if met and asked.stderr.strip() == "[]" else 1


if __name__ == "__main__":
    sys.exit(main())
