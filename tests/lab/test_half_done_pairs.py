"""Every half-done state that a runbook can leave has a way out, on real servers.

One laboratory a runbook: it is begun and given up at a step, begun again and given up at the next step that asks, and
so on to its end. Steps that ask nothing send nothing. Where nothing has changed that a condition is judged by, the
state is the one before, and it is not given up (`giving_up.py`). Which steps are already so in a laboratory, and are
never asked, is asserted by name.
"""

from __future__ import annotations

import pytest
from lab.giving_up import GivenUp, asking, give_up_everywhere
from lab.plain import assert_healthy_and_protected, run_plain, status
from lab.writer import Writer

from console.lab.scenarios import password_pair

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
OLD, SURVIVOR = password_pair.MASTER, password_pair.REPLICA
KNOWN = {"script-security-off", "script-fights-operator", "persistence-off", "replica-not-in-config", "nobody-promotes"}
"""What pairs with such scripts are said to be like, however well they do."""
BY_SCRIPTS = {"backup", "replicate", "resume-writes", "start-keepalived-on-replica", "final-proof"}
"""What is left of a recovery from an RDB when the VIP has moved, and scripts make a replica of the survivor."""
FILES = {"keep-master", "keep-replica"}
DUMP = "/data/redis/dump6379.rdb"
RETURNED = ["keep-disk-keys", "start-returning", "backup", "replicate", "stay-below", "protect"]
"""The steps of safe-return that make a protected replica of the node that returns."""
GONE_THROUGH = ["stop-keepalived", *RETURNED[:2], "save", *RETURNED[2:4], "let-go", *RETURNED[4:]]
"""The same with those that were already so: after the VIP has moved, they make a replica of the other node."""


def left_out(runbook, seen, late=()):
    """The steps that were already so; the others were given up at in their order, each once.

    The configuration files of Redis are left alone: scripts of these pairs change roles.
    `late`: not those, which may be asked again by a run that begins while the virtual IP still moves.
    """
    steps = asking(runbook)
    at = [step for step in seen.asked if step in steps and step not in late]
    assert at == sorted(set(at), key=steps.index), seen.asked
    assert not FILES & set(at), seen.asked
    return set(steps) - set(at) - FILES


def nothing_held_back(lab, *names):
    for name in names:
        assert lab.host(name).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0", name


def assert_protected(lab, master):
    cluster = status(lab)
    assert {one["code"] for one in cluster["findings"]} <= KNOWN, cluster["findings"]
    assert lab.vip_holders() == [master]


@pytest.mark.long
def test_break_replication_loop(pair, tmp_path):
    """A chain without a head; the VIP is left behind on one node, and was added by hand to the other one."""
    lab = pair("healthy")
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        lab.fault("stop", A, "keepalived")
        lab.host(A).run(f"ip addr add {lab.vip}/32 dev eth2", check=True)
        lab.host(B).run(f"ip addr add {lab.vip}/24 dev eth2", check=True)
        with writer.held():
            lab.wait(lambda: "lag=0" in lab.host(B).redis("INFO", "replication"), 60, "redis-a has everything")
            lab.host(B).redis("SLAVEOF", "192.168.100.250", "6379")
            # Clients find redis-a as soon as redis-b gives the address up. Else they wait 30 s for their ARP.
            lab.host(A).run(f"arping -q -c 120 -A {lab.vip} -I eth2 >/dev/null 2>&1 &", check=True)
        seen = give_up_everywhere(lab, "break-replication-loop", "--bind", f"master={A}", state=tmp_path)
        writer.wait_for(50, 10)
    assert writer.lost() == 0
    assert left_out("break-replication-loop", seen) == {"save", "backup"}, "the node has nothing of its own"
    assert_healthy_and_protected(lab, A)


@pytest.mark.long
def test_recover_from_rdb(pair, tmp_path):
    """Once the virtual IP has moved, scripts and the run race for the rest. Either may be first, and both end well."""
    lab = pair("password-failed-over")
    with Writer(lab.vip, password=lab.options.password) as writer:
        writer.wait_for(50, 10)
        seen = give_up_everywhere(lab, "recover-from-rdb", "--bind", f"master={OLD}", state=tmp_path)
        writer.wait_for(50, 10)
        leads = {one["next"].get("runbook") for one in status(lab)["findings"]}
        assert leads <= {None, "resume-writes"}
        if "resume-writes" in leads:  # the scripts were first: they know nothing of the pause
            assert run_plain(lab, "resume-writes", state=tmp_path).outcome == "done"
    assert writer.lost() == 0
    assert not seen.led
    left = left_out("recover-from-rdb", seen, late=("stop-keepalived", "stop-redis"))
    assert "priorities" in left
    assert left <= {"stop-keepalived", "stop-redis", "priorities"} | BY_SCRIPTS
    assert_protected(lab, OLD)
    nothing_held_back(lab, OLD, SURVIVOR)


def test_restore_backup(pair, tmp_path):
    """It promises a master of its own, without clients; the rebuild is what leads on from each of its states."""
    lab = pair("healthy")
    host = lab.host(A)
    host.redis("SAVE")
    host.run(f"cp -p {DUMP} {DUMP}.redis-ha-console.20261121T034000Z", check=True)
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        seen = give_up_everywhere(lab, "restore-backup", "--bind", f"target={A}", state=tmp_path)
        writer.wait_for(50, 10)
        # Only a Redis that runs tells where its file is. A run that begins while it is down asks about that file.
        late = {"starts-as-master"}
        assert left_out("restore-backup", seen, late) == {"save"} | late, "what a replica holds is on its master"
        assert all("one-shot-rebuild" in named for named in seen.named.values()), seen.named
        assert host.redis("GET", writer.key) != lab.host(B).redis("GET", writer.key), "it has what its backup had"
        assert lab.vip_holders() == [B]
        assert run_plain(lab, state=tmp_path).outcome == "done"
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, B)


@pytest.mark.long
def test_safe_return(pair, tmp_path):
    """First the survivor keeps the role. Then the node that has returned gets it back, from the protected pair on."""
    lab = pair("preempting-failed", redis="6.0", notify_sleep=1)
    with Writer(lab.vip) as writer:
        writer.wait_for(50, 10)
        kept = give_up_everywhere(lab, "safe-return", "--bind", f"master={B}", state=tmp_path)
        writer.wait_for(50, 10)
        assert kept.asked == [*RETURNED, "final-proof"], "the others are for who gets the role back, or were already so"
        assert_protected(lab, B)
        back = GivenUp(asked=list(GONE_THROUGH))
        words = ("safe-return", "--bind", f"master={A}")
        give_up_everywhere(lab, *words, state=tmp_path, seen=back, until="hand-over")
        assert back.named["hand-over"] == ["resume-writes"], "writes are paused and nobody has moved yet"
        assert run_plain(lab, "resume-writes", state=tmp_path).outcome == "done"
        give_up_everywhere(lab, *words, state=tmp_path, seen=back)
        writer.wait_for(50, 10)
    assert writer.lost() == 0
    assert back.asked[len(GONE_THROUGH) :] == ["hold-writes", "hand-over", "follow-master", "final-proof"]
    assert back.named["follow-master"] == ["safe-return"]
    assert_protected(lab, A)
    nothing_held_back(lab, A, B)
