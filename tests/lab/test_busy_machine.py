"""Every core is kept busy by other programs: a node that gets on is waited for, however slowly it does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import rig

pytestmark = pytest.mark.lab
NODES = 20
LOOPS_A_CORE = 4
IMPATIENT = "ssh: {connect_timeout: 1, "
"""As long as a machine that has nothing else to do needs for all of it, and a busy one for one of the steps."""


def test_every_node_is_read_while_every_core_is_busy(room):
    with rig.rig(NODES) as made, rig.busy(LOOPS_A_CORE * (os.cpu_count() or 1)):
        text = made.inventory.read_text(encoding="ascii")
        made.inventory.write_text(text.replace("ssh: {", IMPATIENT, 1), encoding="ascii")
        status = [sys.executable, "-m", "console", "status", "--format", "json"]
        done = subprocess.run(status, env=os.environ | made.environment, capture_output=True, text=True, check=False)
    nodes = [node for cluster in json.loads(done.stdout)["clusters"] for node in cluster["nodes"]]
    errors = [node[part]["error"] for node in nodes for part in ("ssh", "redis") if not node[part]["ok"]]
    assert errors == []
    assert len(nodes) == NODES
    assert done.stderr == ""
