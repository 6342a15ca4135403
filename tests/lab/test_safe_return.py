"""The pair whose scripts preempt and sync by fixed sleeps: what they lose, and that safe-return loses nothing.

The documented sleeps are 10 s for the sync and 15 s until the old master follows: here they are 2 s and 3 s.
"""

from __future__ import annotations

import pytest
from lab.plain import run_plain, status
from lab.writer import Writer

from console.lab import preempting

pytestmark = pytest.mark.lab

PREFERRED, OTHER = "redis-a", "redis-b"
SCALED = {"notify_sleep": 2}


def role(lab, name):
    return lab.host(name).redis("INFO", "replication").split("role:")[1].split()[0]


def codes(lab):
    return {one["code"] for one in status(lab)["findings"]}


def assert_protected(lab, master):
    """What is left to say is what such scripts are, and that no file makes a replica of the replica."""
    replica = OTHER if master == PREFERRED else PREFERRED
    assert codes(lab) <= {"script-fights-operator", "replica-not-in-config"}
    assert lab.vip_holders() == [master]
    assert (role(lab, master), role(lab, replica)) == ("master", "slave")
    assert lab.host(replica).running("keepalived")
    assert lab.host(master).running("keepalived")


@pytest.mark.parametrize(
    ("version", "keeps"), [("6.0", PREFERRED), ("8.0", OTHER)], ids=["given back, 6.0", "kept, 8.0"]
)
def test_the_failed_node_comes_back_and_a_second_failure_at_once_loses_nothing(pair, tmp_path, version, keeps):
    lab = pair("preempting-failed", redis=version, **SCALED)
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        assert {one["next"].get("runbook") for one in status(lab)["findings"]} & {
            "safe-return",
            "one-shot-rebuild",
        } == {"safe-return"}
        run = run_plain(lab, "safe-return", "--bind", f"master={keeps}", state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        assert_protected(lab, keeps)
        writer.wait_for(50, 10)
        preempting.goes_down(lab.host(keeps))
        writer.wait_for(50, 20)
    assert writer.lost() == 0
