"""How a host begins: nothing of it is read by its own root, who may be nobody on this machine."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

import console
from console.lab.hosts import host as host_module
from console.lab.hosts.containment import Cage
from console.lab.hosts.host import Host

PACKAGE = str(Path(console.__file__).parents[1])


@pytest.mark.parametrize("cage", [None, Cage(first_id=100_000)])
def test_no_word_of_its_beginning_is_a_file_of_this_program(monkeypatch, tmp_path, cage):
    """The program may lie below a folder that only its owner may enter: root of a contained host could read nothing."""
    begun = []

    def started(words, **options):
        begun.append((words, options))
        return SimpleNamespace(stdin=io.StringIO(), stdout=io.StringIO("7\n"), stderr=io.StringIO())

    holder = SimpleNamespace(kill=lambda: None, wait=lambda: None)
    monkeypatch.setattr(host_module.subprocess, "Popen", started)
    monkeypatch.setattr(host_module.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(host_module, "enter_user_namespace", lambda _: (["nsenter", "--"], holder))
    made = Host("redis-a", "192.168.100.1", tmp_path / "root", "", "", cage=cage)
    made.switch_on()
    ((words, options),) = begun
    assert made.pid == 7
    assert not [word for word in words if PACKAGE in word]
    assert PACKAGE not in str(options["env"])
    assert options["cwd"] == "/", "the folder that the operator is in may be closed, too"
    assert any("pivot_root" in word for word in words), "the script itself is among the words"
