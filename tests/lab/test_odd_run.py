"""A whole run on odd hosts: other login shells, start files that print, one session for each connection."""

from __future__ import annotations

import shutil

import pytest
from lab.plain import assert_healthy_and_protected, run_plain

pytestmark = pytest.mark.lab


def test_a_rebuild_through_fish_and_csh_with_one_session_each(pair):
    shells = {"redis-a": "/usr/bin/fish", "redis-b": "/usr/bin/bsd-csh"}
    if not all(map(shutil.which, shells.values())):
        pytest.skip("fish or csh is not installed (make test-packages)")
    lab = pair("failed-over")
    for name, shell in shells.items():
        host = lab.host(name)
        host.write("/etc/passwd", host.read("/etc/passwd").replace("/root:/bin/bash", f"/root:{shell}"))
        host.write("/etc/ssh/sshd_config", f"MaxSessions 1\n{host.read('/etc/ssh/sshd_config')}")
        host.write("/root/.config/fish/config.fish", "echo Welcome to $hostname\n")
        host.write("/root/.cshrc", "echo Welcome\n")
        host.run("kill -HUP $(cat /run/sshd.pid)", check=True)
        lab.wait(host.answers_ssh, 30, f"sshd answers on {name}")
    seen = run_plain(lab)
    assert (seen.outcome, seen.code) == ("done", 0), seen.text
    assert_healthy_and_protected(lab, "redis-a")
