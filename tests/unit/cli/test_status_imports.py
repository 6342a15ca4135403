"""What a plain `status` imports, and when: it is called every minute, and imports are most of its time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

NOT_FOR_A_LOOK = (
    "asyncio",
    "console.documents.inventories.model",
    "console.engine",
    "console.tui",
    "email",
    "http",
    "importlib.metadata",
    "invoke",
    "jinja2",
    "msgspec",
    "pydantic",
    "redis.client",
    "rich",
    "textual",
    "unittest",
    "yaml",
)
BEFORE_CONNECTING = ("console.core.inventory", "console.core.model", "console.transport.ssh.tcp")
AFTER_CONNECTING = (
    "paramiko",
    "console.probes.program",
    "console.probes.host_reader",
    "redis.connection",
    "console.core.kinds.diagnose",
)
PROGRAM = ("-c", "import os, sys; os._exit = id; from console.__main__ import main; main(); print(*sys.modules)")
INVENTORY = """\
version: 1
clusters:
  - name: pair
    kind: keepalived
    vip: 127.0.0.3
    nodes:
      - {{name: a, address: 127.0.0.1, ssh: {{port: {port}}}, redis: {{port: {port}}}}}
      - {{name: b, address: 127.0.0.2, ssh: {{port: {port}}}, redis: {{port: {port}}}}}
"""


@pytest.fixture(scope="module")
def imports(tmp_path_factory):
    """The modules that a second `status` imports, in their order. Nothing listens at its nodes."""
    folder = tmp_path_factory.mktemp("status")
    with socket.create_server(("127.0.0.9", 0)) as closed:
        port = closed.getsockname()[1]
    (folder / "inventory.yaml").write_text(INVENTORY.format(port=port))
    homes = ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    environment = os.environ | {name: str(folder) for name in homes}
    words = [*PROGRAM, "status", "-i", str(folder / "inventory.yaml")]
    for _ in range(2):
        done = subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)
    *printed, modules = done.stdout.splitlines()
    assert "refuses connections" in " ".join(printed), done.stdout + done.stderr[-2000:]
    return modules.split()


def test_nothing_is_imported_that_a_look_does_not_need(imports):
    assert len(imports) > 300
    assert not [one for one in imports if any(one == no or one.startswith(f"{no}.") for no in NOT_FOR_A_LOOK)]


@pytest.mark.parametrize("late", AFTER_CONNECTING)
def test_what_connecting_does_not_need_is_imported_while_the_servers_prepare_the_login(imports, late):
    assert max(map(imports.index, BEFORE_CONNECTING)) < imports.index(late)
