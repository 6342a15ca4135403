"""A rebuild lasts for the next restart, too, where no script of keepalived changes roles: on real servers."""

from __future__ import annotations

import pytest
from lab.plain import run_plain, status

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
QUIET = "#!/bin/sh\nlogger 'redis: became master'\n"


def roles(lab):
    return {node["name"]: node["redis"]["role"] for node in status(lab)["nodes"]}


def test_a_pair_without_scripts_keeps_its_roles_after_a_restart(pair, tmp_path):
    lab = pair("stale-master-back")
    for host in (lab.host(A), lab.host(B)):
        host.write("/etc/keepalived/scripts/redis_master.sh", QUIET, 0o755)
    run = run_plain(lab, "one-shot-rebuild", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert "a dry start of redis-server read the whole file without an error" in " ".join(run.text.split()), run.text
    for name in (B, A):
        lab.host(name).service("redis-server", "restart")
        lab.wait(lambda: "master_link_status:up" in lab.host(B).redis("INFO", "replication"), 30)
        assert roles(lab) == {A: "master", B: "replica"}
