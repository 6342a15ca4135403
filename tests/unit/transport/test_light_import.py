"""Libraries are imported without their heaviest optional parts, and everything is as ever afterwards."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from console.transport.connections.light_import import light

FOR_A_LOOK = "import sys, console.transport.ssh.connection, console.transport.redis.connection; print(*sys.modules)"


def test_what_nothing_here_uses_is_not_loaded():
    done = subprocess.run([sys.executable, "-c", FOR_A_LOOK], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"paramiko", "redis.connection"} <= loaded
    assert not loaded & {"importlib.metadata", "invoke", "email", "zipfile", "redis"}


def test_an_optional_module_is_away_for_a_while_only(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with light("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").rgb_to_hsv


def test_what_is_loaded_already_stays(monkeypatch):
    import colorsys
    import importlib.metadata as real

    monkeypatch.setitem(sys.modules, "importlib.metadata", real)
    with light("colorsys"):
        assert sys.modules["colorsys"] is colorsys
        assert sys.modules["importlib.metadata"] is real
    assert sys.modules["colorsys"] is colorsys
    assert sys.modules["importlib.metadata"] is real


def test_versions_can_be_looked_up_afterwards(monkeypatch):
    monkeypatch.delitem(sys.modules, "importlib.metadata", raising=False)
    with light():
        assert importlib.import_module("importlib.metadata").version("anything")
    assert importlib.import_module("importlib.metadata").version("paramiko") != "0"
