"""The actuator on real servers: identity before anything is sent, one outcome of four, nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.core.command import Identity, Planned, RedisCommand, ShellCommand
from console.core.inventory import RedisRoute
from console.core.model import Role
from console.core.runs.answer import AnswerKind
from console.documents.inventories.inventory import load_inventory
from console.transport.actuator import make_actuator
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"


def identities(cluster):
    inspector = make_inspector(cluster, {}, SystemClock())
    try:
        state = inspector.observe(fresh=True)
    finally:
        inspector.close()
    return {
        node.name: Identity(
            node.ssh.value.hostname, node.ssh.value.boot_id, node.redis.value.run_id, node.redis.value.config_file
        )
        for node in state.nodes
    }


@pytest.fixture
def console_context(pair):
    """The pair, its cluster, who is who, and an actuator."""
    lab = pair("healthy")
    cluster = load_inventory(lab.inventory).clusters[0]
    actuator = make_actuator(cluster, {}, SystemClock())
    yield lab, identities(cluster), actuator
    actuator.close()


def shell(script, node=A, **more):
    return Planned(node, ShellCommand(script, **more), "a test")


def redis(*words, node=B, **more):
    return Planned(node, RedisCommand(words, **more), "a test")


def test_four_outcomes_of_shell_commands(console_context):
    _, who, actuator = console_context
    done = actuator.send(shell("cat; hostname", stdin=b"in "), who[A])
    assert (done.kind, done.text, done.exit_status) == (AnswerKind.DONE, f"in {A}", 0)
    failed = actuator.send(shell("echo why >&2; exit 3"), who[A])
    assert (failed.kind, failed.text, failed.exit_status) == (AnswerKind.FAILED, "exit status 3: why", 3)
    assert actuator.send(shell("sleep 5", timeout=0.5), who[A]).kind is AnswerKind.UNKNOWN
    refused = actuator.send(shell("touch /tmp/sent"), replace(who[A], boot_id="another"))
    assert refused.kind is AnswerKind.NOT_SENT
    assert "another" in refused.text
    assert who[A].boot_id in refused.text
    assert actuator.send(shell("touch /tmp/sent"), Identity()).kind is AnswerKind.NOT_SENT
    assert actuator.read_file(A, "/etc/hostname").strip() == A.encode()
    with pytest.raises(OSError, match="No such file"):
        actuator.read_file(A, "/tmp/sent")


def test_four_outcomes_of_redis_commands(console_context):
    lab, who, actuator = console_context
    assert actuator.send(redis("SET", "k", "a b"), who[B]).text == "OK"
    assert actuator.send(redis("GET", "k", through_vip=True), who[B]).text == "a b"
    assert actuator.send(redis("SET", "k", "x", node=A), who[A]).kind is AnswerKind.FAILED
    assert actuator.send(redis("BLPOP", "none", "5", timeout=0.3), who[B]).kind is AnswerKind.UNKNOWN
    # The virtual IP leads to redis-b: what is meant for redis-a is not sent there.
    stray = actuator.send(redis("SET", "k", "x", node=A, through_vip=True), who[A])
    assert stray.kind is AnswerKind.NOT_SENT
    assert who[B].run_id in stray.text
    lab.fault("kill", B, "redis")
    assert actuator.send(redis("SET", "k", "x"), who[B]).kind is AnswerKind.NOT_SENT
    lab.fault("start", B, "redis")
    lab.wait(lambda: lab.host(B).redis("PING") == "PONG", 60)
    # The same address, another server (H07).
    assert actuator.send(redis("SET", "k", "x"), who[B]).kind is AnswerKind.NOT_SENT


def test_a_connection_that_has_gone_silent_is_not_used_again(console_context):
    """As behind a firewall that has forgotten it. The other end's identity is asked again over a new connection."""
    lab, who, actuator = console_context
    assert actuator.send(shell("hostname"), who[A]).kind is AnswerKind.DONE
    a = lab.host(A)
    sessions = [pid for pid in a.running("sshd") if pid != int(a.read("/run/sshd.pid"))]
    a.run(f"kill -STOP {' '.join(map(str, sessions))}")
    assert actuator.send(shell("echo sent >>/tmp/sent"), who[A]).kind is AnswerKind.DONE
    a.run(f"kill -CONT {' '.join(map(str, sessions))}")
    assert actuator.send(shell("cat /tmp/sent"), who[A]).text == "sent", "once, over the new connection"


def test_through_ssh_and_a_jump_host(pair):
    lab = pair("healthy")
    cluster = load_inventory(lab.inventory).clusters[0]
    through = {A: f"root@{lab.host(B).address}", B: ""}
    cluster = replace(
        cluster,
        nodes=tuple(
            replace(
                node,
                ssh=replace(node.ssh, jump=through[node.name]),
                redis=replace(node.redis, via=RedisRoute.SSH, host="127.0.0.1"),  # each node's own
            )
            for node in cluster.nodes
        ),
    )
    inspector = make_inspector(cluster, {}, SystemClock())
    actuator = make_actuator(cluster, {}, SystemClock())
    try:
        state = inspector.observe(fresh=True)
        assert state.masters == (B,)
        assert state.node(A).redis.value.role is Role.REPLICA
        state = inspector.observe()
        assert state.vip_reaches == B
        assert state.vip_reach.value.route == f"through {A}"
        who = identities(cluster)
        assert actuator.send(redis("SET", "k", "1", through_vip=True), who[B]).text == "OK"
        assert actuator.send(redis("GET", "k"), who[B]).text == "1"
        assert actuator.send(redis("GET", "k"), who[A]).kind is AnswerKind.NOT_SENT
        assert actuator.send(shell("hostname"), who[A]).text == A
    finally:
        inspector.close()
        actuator.close()
