"""Whether keepalived promotes the node that gets the virtual IP: one rule for readiness, finding and advice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples as s

from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model import ProblemKind, read, unread
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.tui.present.clusters.kinds import presentation_of

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
PAIR = s.healthy_pair()
"""redis-b is the master, redis-a its replica."""
PROMOTING = PAIR.node(s.A).scripts.value[3].actions


def notified(state=PAIR, **notify):
    return s.with_instance(state, s.A, notify=notify)


def script(word="master", **changes):
    return s.with_script(PAIR, s.A, word, **changes)


WAYS = {
    "the documented script": (PAIR, HOLDS),
    "a script for every state": (notified(notify=f"{s.SCRIPTS}/redis_master.sh"), HOLDS),
    "the group's script": (
        s.with_instance(PAIR, s.A, notify={}, group_notify={"notify_master": f"{s.SCRIPTS}/redis_master.sh"}),
        HOLDS,
    ),
    "a check that promotes": (s.with_script(notified(), s.A, "check", actions=PROMOTING), HOLDS),
    "a command in keepalived.conf": (notified(notify_master="/usr/bin/redis-cli SLAVEOF NO ONE"), HOLDS),
    "no script at all": (notified(), FAILS),
    "only one for BACKUP": (notified(notify_backup=f"{s.SCRIPTS}/redis_master.sh"), FAILS),
    "a script that writes a log": (script(actions=()), FAILS),
    "a script that is not there": (script(exists=False, executable=False, readable=False, actions=()), FAILS),
    "a script that nobody may run": (script(executable=False, mode=0o644), FAILS),
    "a script that cannot be read": (script(readable=False, actions=()), UNKNOWN),
    "a program": (script(not_understood="not a shell script", actions=()), UNKNOWN),
    "scripts that were not read": (
        s.with_node(PAIR, s.A, scripts=unread(ProblemKind.TIMEOUT, "no answer", s.NOW)),
        UNKNOWN,
    ),
    "a file that includes others": (
        s.with_instance(PAIR, s.A, notify={}, uncertain=frozenset({"notify_master"})),
        UNKNOWN,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_readiness_and_finding_are_one_rule(way):
    state, verdict = WAYS[way]
    assert protection(state).verdict is verdict
    found = [one for one in diagnose(state, s.NOW) if one.code == "nobody-promotes"]
    assert bool(found) is (verdict is FAILS)
    proof = evaluate(Condition("pair-protected"), state, {})
    assert proof.holds, "a rebuild cannot do more"
    assert ("survives the next failure" in proof.statement) is (verdict is HOLDS)
    if verdict is FAILS:
        assert "a human has to promote" in proof.statement
        assert found[0].evidence[0].split(" (")[0] in protection(state).reason


def test_after_the_failover_the_cause_and_the_command_are_named():
    """The master has died. The address is on a replica that no script promotes."""
    state = notified(s.with_vip(s.with_vip(PAIR, s.B, held=False), s.A, held=True))
    state = s.with_link(state, s.A, up=False, down_seconds=7)
    gone = replace(state.node(s.B).processes.value, redis=())
    state = s.with_node(state, s.B, redis=s.refused(), processes=read(gone, s.NOW))
    found = {one.code: one for one in diagnose(state, s.NOW)}
    advice = found["vip-on-replica"].next.advice or ""
    assert "names no notify_master" in advice
    assert f"redis-cli -h {s.ADDRESS[s.A]} -p 6379 SLAVEOF NO ONE" in advice
    assert "link down for 7 s" in advice
    assert not found["nobody-promotes"].summary.startswith("If ")
    silent = s.with_node(state, s.B, redis=unread(ProblemKind.TIMEOUT, "no answer", s.NOW))
    found = {one.code: one for one in diagnose(silent, s.NOW)}
    assert "SLAVEOF" not in (found["vip-on-replica"].next.advice or ""), "the other one may be a master"


@pytest.mark.parametrize("state", [PAIR, sets.sentinel_vip_set(), sets.sentinel_consul_set()], ids=lambda one: one.kind)
def test_no_path_of_writers_is_ticked_that_ends_at_a_replica(state):
    (master,) = state.masters
    replica = next(node for node in state.nodes if node.name != master)
    topology = presentation_of(state.kind).topology
    assert "✓ MASTER" in topology(state, 200)[0].plain
    if state.consul is not None:
        answer = replace(state.consul.dns.value, addresses=(replica.address,))
        state = replace(state, consul=replace(state.consul, dns=read(answer, s.NOW)))
    else:
        reach = replace(state.vip_reach.value, run_id=replica.redis.value.run_id)
        state = replace(state, vip_reach=read(reach, s.NOW))
    path = topology(state, 200)[0].plain
    assert "✓" not in path
    assert "refuses writes" in path
