"""A console that is ended by a signal gives the terminal back."""

import os
import signal
import sys
from dataclasses import replace

import pexpect
import pytest
from tui_stage import run_state

from console.core.runs.state import StepStatus
from console.tui.apps import signals

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


def test_a_command_that_is_on_its_way_gets_its_answer_first():
    looks = [run_state(1, steps=sending()), run_state(1, steps=sending()), run_state(2)]
    app = Looked(looks)
    signals.wait_for_answer(app)
    assert looks == [], "it looked until the answer was there, and no longer"


def test_nothing_is_waited_for_where_no_run_is_armed():
    looks = [None, None]
    signals.wait_for_answer(Looked(looks))
    assert len(looks) == 1


class Looked:
    """An app whose run is at another point at every look."""

    def __init__(self, looks):
        self.looks = looks

    @property
    def current_run(self):
        return self.looks.pop(0)


def sending():
    steps = run_state(1).steps
    return (steps[0], replace(steps[1], status=StepStatus.SENDING), *steps[2:])
