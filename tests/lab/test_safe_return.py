"""The pair whose scripts preempt and sync by fixed sleeps: what they lose, and that the runbooks lose nothing.

The documented sleeps are 10 s for the sync and 15 s until the old master follows: `SCALED` makes them 2 s and 3 s.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import statistics
import time

import pytest
from lab.plain import run_plain, status
from lab.screen import answer_all, arm, screen_on, text_of
from lab.writer import Writer

from console.core.keepalived.running_scripts import loss_window
from console.core.kinds.diagnose import diagnose
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runs.state import Outcome
from console.documents.inventories.inventory import load_inventory
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.lab.scenarios import preempting_pair as preempting
from console.lab.scenarios.replication import COUNTER
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

pytestmark = pytest.mark.lab

PREFERRED, OTHER = "redis-a", "redis-b"
SCALED = {"notify_sleep": 2}
LOSES = "failover-loses-writes"
SLACK = 1.5
"""Seconds by which what is foretold and what is seen may differ, beside the time between two looks."""


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def role(lab, name):
    return lab.host(name).redis("INFO", "replication").split("role:")[1].split()[0]


def codes(lab):
    return {one["code"] for one in status(lab)["findings"]}


def assert_protected(lab, master):
    """What is left to say is what such scripts are, and that no file makes a replica of the replica."""
    replica = OTHER if master == PREFERRED else PREFERRED
    assert codes(lab) <= {"script-security-off", "script-fights-operator", "replica-not-in-config"}
    assert lab.vip_holders() == [master]
    assert (role(lab, master), role(lab, replica)) == ("master", "slave")
    assert lab.host(replica).running("keepalived")
    assert lab.host(master).running("keepalived")


def assert_loses_nothing_by_a_second_failure(lab, master, writer):
    writer.wait_for(50, 20)
    preempting.stop_node(lab.host(master))
    writer.wait_for(50, 20)


def test_given_back_or_stopped_half_way_nothing_is_lost_by_a_second_failure(pair, tmp_path):
    lab = pair("preempting-failed", redis="6.0", **SCALED)
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        led = {one["next"].get("runbook") for one in status(lab)["findings"]}
        assert led & {"safe-return", "one-shot-rebuild"} == {"safe-return"}
        cut = run_plain(
            lab, "safe-return", "--bind", f"master={PREFERRED}", state=tmp_path,
            at=lambda prompt: "abort" if prompt.step == "follow-master" else "",
        )  # fmt: skip
        assert cut.outcome == "aborted", cut.text
        assert cut.gates == [PREFERRED, OTHER], "typed at SLAVEOF, and where clients begin to wait"
        writer.wait_for(20, 20)
        assert role(lab, PREFERRED) == role(lab, OTHER) == "master", "one of them takes no writes"
        assert lab.vip_holders() == [PREFERRED]
        run = run_plain(lab, "safe-return", "--bind", f"master={PREFERRED}", state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        assert lab.host(OTHER).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0"
        assert_protected(lab, PREFERRED)
        again = run_plain(lab, "safe-return", "--bind", f"master={PREFERRED}", state=tmp_path)
        assert (again.outcome, again.confirmed, again.gates) == ("done", 0, []), "nothing is left to do"
        assert_loses_nothing_by_a_second_failure(lab, PREFERRED, writer)
    assert writer.lost() == 0


@pytest.mark.long
async def test_kept_through_the_screen_nothing_is_lost_by_a_second_failure(pair):
    lab = pair("preempting-failed", redis="8.0", **SCALED)
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        async with screen_on(lab, runbook="safe-return") as pilot:
            await arm(pilot, choose=OTHER)
            run = await answer_all(pilot)
            assert run.outcome is Outcome.DONE, [one.reason for one in run.stuck] or text_of(pilot)
            assert run.gates == [PREFERRED], "the name is typed once: at SLAVEOF"
        assert writer.refused == 0, "clients did not notice"
        assert_protected(lab, OTHER)
        assert_loses_nothing_by_a_second_failure(lab, OTHER, writer)
    assert writer.lost() == 0


def test_the_race_is_counted_down_as_it_goes_and_a_second_failure_in_it_loses_writes(pair):
    lab = pair("preempting-race", notify_sleep=4)
    with contextlib.closing(make_inspector(load_inventory(lab.inventory).clusters[0], {}, SystemClock())) as inspector:
        in_it = inspector.observe(fresh=True)
        unbound = bind_roles(load_runbook(shipped_folder() / "safe-return.yaml"), in_it, {"master": PREFERRED})
        assert isinstance(unbound, Unbound), "nothing is begun in the middle of it"
        _counted_down(inspector)
        with Writer(lab.vip) as writer:
            preempting.stop_node(lab.host(PREFERRED))
            writer.wait_for(50, 20)
            preempting.wait_for_scripts(lab)
            preempting.start_preferred(lab)
            summary = _opened(inspector)
            writer.wait_for(10, 10)
            preempting.stop_node(lab.host(PREFERRED))
            lab.wait(lambda: lab.vip_holders() == [OTHER], 60)
            writer.wait_for(50, 20)
    assert "the failure of redis-a loses writes" in summary
    assert writer.lost() > 0, "what clients wrote in the window is on the dead node alone"
    assert role(lab, OTHER) == "master"


def _opened(inspector):
    """Until the returning node was promoted: what is said of its failure then."""
    end = time.monotonic() + 30
    while True:
        state = inspector.observe(fresh=True)
        found = loss_window(state)
        if found is not None and found.opens is None:
            return next(one.summary for one in diagnose(state, state.observed_at) if one.code == LOSES)
        assert time.monotonic() < end
        time.sleep(0.05)


def _counted_down(inspector):
    """Until no window is left: what was foretold is what was seen, and it never grew."""
    foretold, seen, end = [], [], time.monotonic() + 30
    while True:
        state = inspector.observe(fresh=True)
        found = loss_window(state)
        assert time.monotonic() < end
        if found is None and not all(one.redis.ok and one.keepalived.ok and one.processes.ok for one in state.nodes):
            continue  # a busy machine: one late answer says nothing of the window
        if found is None:
            break
        codes = {one.code for one in diagnose(state, state.observed_at)}
        assert LOSES in codes
        if found.closes is not None:
            foretold.append(found.closes.at)
            seen.append((state.observed_at, found.closes.left(state.observed_at)))
        time.sleep(0.05)
    assert len(seen) > 3
    left = [one for _, one in seen]
    assert all(after <= before + 0.5 for before, after in itertools.pairwise(left)), left
    assert left[-1] < left[0]
    assert max(foretold) - min(foretold) < SLACK, "the moment stays where it is, whenever one looks"
    moment = statistics.median(foretold)
    assert seen[-1][0] - SLACK < moment < state.observed_at + SLACK, (foretold, seen, state)


@pytest.mark.parametrize("master", [PREFERRED, OTHER])
def test_a_loop_that_the_scripts_left_is_broken(pair, tmp_path, master):
    lab = pair("preempting-loop", **SCALED)
    assert {"mutual-replication", "vip-on-replica"} <= codes(lab)
    refused = run_plain(lab, "safe-return", "--bind", f"master={PREFERRED}", state=tmp_path)
    assert refused.code != 0, "there is no survivor to come back to"
    run = run_plain(lab, "break-replication-loop", "--bind", f"master={master}", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert_protected(lab, master)


def test_what_was_promoted_before_its_sync_ended_is_named_and_nothing_is_thrown_away(pair, tmp_path):
    lab = pair("preempting-early", keys=200, **SCALED)
    written = int(lab.host(OTHER).redis("GET", COUNTER))
    assert {"promotion-before-sync", "dual-master", "histories-diverged"} <= codes(lab)
    refused = run_plain(lab, "safe-return", "--bind", f"master={PREFERRED}", state=tmp_path)
    assert refused.code != 0
    assert refused.gates == [], "nothing was overwritten"
    assert int(lab.host(OTHER).redis("GET", COUNTER)) == written
    run = run_plain(lab, "resolve-dual-master", state=tmp_path, override="sentence")
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert _exported(tmp_path, OTHER)[COUNTER.encode()] == "value"
    assert_protected(lab, PREFERRED)


@pytest.mark.parametrize("version", ["6.2", "7.0"])
def test_writes_that_a_second_failure_left_on_the_dead_node_are_found_again(pair, tmp_path, version):
    lab = pair("preempting-second", redis=version, **SCALED)
    stopped = run_plain(lab, "safe-return", "--bind", f"master={OTHER}", state=tmp_path)
    assert stopped.outcome != "done"
    assert stopped.gates == [], "nothing was overwritten: nobody accepted the loss in words"
    left = int(lab.host(PREFERRED).redis("GET", COUNTER))
    assert left != int(lab.host(OTHER).redis("GET", COUNTER))
    run = run_plain(lab, "safe-return", "--bind", f"master={OTHER}", state=tmp_path, override="sentence")
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert _exported(tmp_path, PREFERRED)[COUNTER.encode()] == "value"
    assert_protected(lab, OTHER)


def _exported(folder, node):
    """Key → why it is in the list of what the other node would have lost."""
    newest = max(folder.rglob(f"keys-of-{node}.jsonl"), key=lambda path: path.stat().st_mtime)
    lines = map(json.loads, newest.read_text(encoding="ascii").splitlines()[:-1])
    return {base64.b64decode(one["key_base64"]): one["why"] for one in lines}
