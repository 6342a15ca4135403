"""A node recovered from the survivor's RDB while clients write: nothing is lost, and the role is where it is wanted."""

from __future__ import annotations

import json

import pytest
from lab.plain import run_plain, status
from lab.writer import Writer

from console.lab import password_pair

pytestmark = pytest.mark.lab

OLD, SURVIVOR = password_pair.MASTER, password_pair.REPLICA
DUMP = {name: f"/data/redis/{file}" for name, file in password_pair.DUMPS.items()}
RUNBOOK = "recover-from-rdb"
KNOWN = {"script-fights-operator", "persistence-off", "replica-not-in-config"}
"""What this pair is said to be like, however well it does."""


def writer_on(lab):
    return Writer(lab.vip, password=lab.options.password)


def replication(lab, name):
    return lab.host(name).redis("INFO", "replication")


def assert_protected(lab, master, replica):
    cluster = status(lab)
    codes = {one["code"] for one in cluster["findings"]}
    assert codes <= KNOWN, json.dumps(cluster["findings"], indent=1)
    assert lab.vip_holders() == [master]
    assert "role:master" in replication(lab, master)
    assert "role:slave" in replication(lab, replica)
    assert "master_link_status:up" in replication(lab, replica)
    for name in (master, replica):
        assert lab.host(name).running("keepalived")
        assert lab.host(name).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0"


@pytest.mark.parametrize(
    ("scenario", "version", "master"),
    [
        ("password-failed-over", "6.0", OLD),
        ("password-stale-master", "8.0", OLD),
        ("password-failed-over", "7.0", SURVIVOR),
    ],
    ids=["as documented", "stale master, newest Redis", "the survivor keeps the role"],
)
def test_nothing_is_lost_and_the_role_is_where_it_is_wanted(pair, tmp_path, scenario, version, master):
    lab = pair(scenario, redis=version)
    replica = SURVIVOR if master == OLD else OLD
    with writer_on(lab) as writer:
        writer.wait_for(100, 10)
        run = run_plain(lab, RUNBOOK, "--bind", f"master={master}", state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(100, 10)
    assert writer.lost() == 0
    assert run.gates[:2] == [SURVIVOR, OLD], "typed where clients begin to wait, and where the dump is replaced"
    assert_protected(lab, master, replica)
