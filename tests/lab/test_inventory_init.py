"""A first inventory is written by asking one node, and the console works with it."""

from __future__ import annotations

import pytest
from lab.plain import console, status

pytestmark = pytest.mark.lab


def test_one_node_of_a_healthy_pair_is_asked(pair, tmp_path):
    lab = pair("healthy")
    written, ssh = tmp_path / "inventory.yaml", lab.folder
    words = ("inventory", "init", lab.host("redis-a").address, "--ssh-user", "root", "--output", str(written))
    words += ("--ssh-identity", str(ssh / "id_ed25519"), "--ssh-known-hosts", str(ssh / "known_hosts"))
    words += ("--ssh-config", str(ssh / "ssh_config"))
    made = console(lab, *words)
    assert made.returncode == 0, made.stderr
    assert "Please check" in made.stdout
    text = written.read_text(encoding="utf-8")
    assert f"vip: {lab.vip}" in text
    assert f"address: {lab.host('redis-b').address}" in text
    assert "???" in text, "what was not found out is marked"
    assert console(lab, "inventory", "check", str(written)).returncode == 0
    lab.inventory.write_text(text, encoding="utf-8")
    assert status(lab)["health"] == "healthy"
    again = console(lab, *words)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    assert written.read_text(encoding="utf-8") == text
    away = console(lab, "inventory", "init", "192.168.100.250", "--output", str(tmp_path / "none.yaml"))
    assert away.returncode == 2
    assert len(away.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "none.yaml").exists()
