"""A console that is ended by a signal gives the terminal back."""

import os
import signal
import sys

import pexpect
import pytest

INVENTORY = """\
version: 1
defaults: {ssh: {user: nobody, port: 9, connect_timeout: 1}, redis: {port: 9}}
clusters:
  - name: cache
    kind: keepalived
    vip: 127.0.0.9
    nodes:
      - {name: redis-a, address: 127.0.0.1}
      - {name: redis-b, address: 127.0.0.2}
"""
ALTERNATE, OWN, CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_its_own_screen_back(tmp_path, number):
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment = {**os.environ, **home, "TERM": "xterm-256color"}
    console = pexpect.spawn(
        sys.executable, ["-m", "console", "-i", str(tmp_path / "inventory.yaml")],
        env=environment, dimensions=(24, 80), encoding="utf-8", timeout=60,
    )  # fmt: skip
    try:
        console.expect_exact(ALTERNATE)
        console.expect_exact("READ-ONLY")
        console.kill(number)
        console.expect_exact(OWN)
        console.expect_exact(CURSOR)
        console.expect(pexpect.EOF)
        console.wait()
    finally:
        console.close(force=True)
    assert console.signalstatus == number, "who started it sees by what it ended"
