"""Moves a run that includes laboratory tests into namespaces of its own, where the user is not root."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

_INSIDE = "REDIS_HA_TEST_ROOM"
_LAB = Path(__file__).parent / "lab"

settings.register_profile("any machine", deadline=None)  # a busy machine takes its time for one example
settings.register_profile("quick", deadline=None, max_examples=25)  # for `make quick`: `make test` draws all
settings.load_profile("any machine")

gc.set_threshold(20_000, 20, 50)  # nearly everything that a test makes is freed without the collector

# A shell's `&` and nohup leave these ignored, and every console that a test starts would inherit it.
for _signal, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _usual)


def pytest_configure(config: pytest.Config) -> None:
    """Starts this very command again as the root of a user namespace: a process with threads can no longer move."""
    if os.geteuid() == 0 or hasattr(config, "workerinput") or _INSIDE in os.environ or not _wants_laboratory(config):
        return
    from console.lab.hosts.namespaces import command_in_namespaces
    from console.lab.options import LabError

    try:
        command = command_in_namespaces([sys.executable, *sys.orig_argv[1:]])
    except LabError:
        return  # the tests that need it say so themselves
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)
    os.environ |= {_INSIDE: "1", "LOGNAME": f"user{os.geteuid()}"}  # pytest's folder in /tmp is named after the latter
    os.execv(command[0], command)


def pytest_collection_finish() -> None:
    """Thousands of tests and all modules stay until the end: the collector need not go through them again and again."""
    gc.collect()
    gc.freeze()


def _wants_laboratory(config: pytest.Config) -> bool:
    """Whether any of the paths asked for is, holds or lies in tests/lab."""
    for argument in config.args:
        path = Path(argument.split("::")[0]).resolve()
        if path == _LAB or path in _LAB.parents or _LAB in path.parents:
            return True
    return False
