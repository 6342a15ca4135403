"""Both Redis follow each other and nobody takes writes (H05): one is made the master again, on real servers."""

from __future__ import annotations

import pytest
from lab.plain import assert_fails_over_again, assert_healthy_and_protected, run_plain, status
from lab.writer import Writer

pytestmark = pytest.mark.lab

HOLDER, OTHER = "redis-b", "redis-a"
"""Who has the virtual IP while they follow each other."""


@pytest.mark.parametrize(
    ("options", "master"),
    [((), HOLDER), (("--bind", f"master={OTHER}"), OTHER)],
    ids=["whom clients reach", "whom the operator names"],
)
def test_a_loop_is_broken_and_nothing_that_was_acknowledged_is_lost(pair, tmp_path, options, master):
    lab = pair("healthy")
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        lab.host(HOLDER).redis("SLAVEOF", lab.host(OTHER).address, "6379")
        lab.wait(lambda: writer.refused > 0, 60, "clients are refused")
        assert "mutual-replication" in [one["code"] for one in status(lab)["findings"]]
        run = run_plain(lab, "break-replication-loop", *options, state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        assert run.gates[0] == master, "the name of the master is typed before anything is sent"
        writer.wait_for(50, 10)
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, master)
    assert_fails_over_again(lab, master)


def test_a_chain_without_a_head_ends_at_the_node_that_has_everything(pair, tmp_path):
    lab = pair("healthy")
    lab.fault("freeze", OTHER, "redis")
    lab.host(HOLDER).redis("CLIENT", "KILL", "TYPE", "replica")
    for number in range(20):
        lab.host(HOLDER).redis("SET", f"written:last:{number}", "1")
    lab.host(HOLDER).redis("SLAVEOF", "192.168.100.250", "6379")
    lab.fault("thaw", OTHER, "redis")
    lab.wait(lambda: "master_link_status:down" in lab.host(OTHER).redis("INFO", "replication"), 60)
    run = run_plain(lab, "break-replication-loop", "--bind", f"master={OTHER}", state=tmp_path)
    assert run.code != 0
    assert "exist only on redis-b" in run.stuck, run.text
    assert run.gates == []
    assert lab.host(HOLDER).running("keepalived"), "nothing was touched"
    run = run_plain(lab, "break-replication-loop", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert run.gates == [HOLDER]
    assert lab.host(OTHER).redis("GET", "written:last:19") == "1"
    assert_healthy_and_protected(lab, HOLDER)
