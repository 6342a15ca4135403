"""Inspection of real servers: right, read-only, one session a node, and one node's trouble is not the other's."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from console.core.model import ProblemKind, Role, VrrpState
from console.documents.inventories.inventory import load_inventory
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
FILES = (
    "find /etc /data /tmp /run /root /var -xdev -type f -printf '%p %s\\n'"
    " | grep -v -e /var/log/ -e dump -e keepalived-redis-state | sort"
)
"""Without what servers write by themselves: keepalived's scripts have a log, and a busy machine loses adverts."""


@pytest.fixture
def look():
    """An inspector for a laboratory; keywords change how it logs in."""
    made = []

    def make(lab, **ssh):
        cluster = load_inventory(lab.inventory).clusters[0]
        nodes = tuple(replace(node, ssh=replace(node.ssh, **ssh)) for node in cluster.nodes)
        made.append(make_inspector(replace(cluster, nodes=nodes), {}, SystemClock()))
        return made[-1]

    yield make
    for one in made:
        one.close()


def until(inspector, condition, deadline=20.0):
    """Polls as a screen does, until the condition holds of a state."""
    end = time.monotonic() + deadline
    while True:
        state = inspector.observe()
        if condition(state):
            return state
        assert time.monotonic() < end, state
        time.sleep(0.1)


def test_healthy_pair(pair, look):
    lab = pair("healthy")
    state = look(lab).observe()
    a, b = state.node(A), state.node(B)
    assert state.masters == (B,)
    assert state.vip_holders == (B,)
    assert state.vip_unread == ()
    assert state.vip_reaches == B
    assert a.redis.value.role is Role.REPLICA
    assert a.redis.value.master.host == b.address
    assert a.redis.value.master.up
    assert b.redis.value.offset is not None
    assert {node.name: node.keepalived.value.state for node in state.nodes} == {
        A: VrrpState.BACKUP,
        B: VrrpState.MASTER,
    }
    assert {node.name: node.keepalived.value.effective_priority for node in state.nodes} == {A: 138, B: 139}
    for node in state.nodes:
        assert node.ssh.value.hostname == node.name
        assert node.keepalived.value.since is not None
        assert node.keepalived.value.version
        assert node.redis.value.process_id in {one.pid for one in node.processes.value.redis}
        assert node.keepalived_config.value.instance("VI_123").weight == -10
        assert abs(node.clock.value.offset) <= node.clock.value.uncertainty + 0.05
        assert node.memory.value.available > 0
        assert node.disk.value.path == node.redis.value.config.dir
        assert node.dump.value.size > 0
        assert "1111" not in str(node)  # auth_pass


def test_failed_over_pair(pair, look):
    lab = pair("failed-over")
    state = look(lab).observe()
    b = state.node(B)
    assert state.vip_holders == (A,)
    assert state.vip_reaches == A
    assert state.masters == (A,)
    assert b.redis.problem.kind is ProblemKind.REFUSED
    assert b.processes.value.redis == ()
    assert b.keepalived.value.running
    assert b.keepalived.value.effective_priority == 129
    assert b.dump.ok or b.dump.problem.kind is ProblemKind.NOT_AVAILABLE


def test_a_notify_script_that_sleeps_is_seen(pair, look):
    lab = pair("healthy", notify_sleep=6.0)
    inspector = look(lab)
    inspector.observe()
    lab.fault("kill", B, "redis")

    def promoting(state):
        return any("redis_master.sh" in one.command for one in state.node(A).processes.value.scripts)

    until(inspector, promoting)


def test_a_notify_script_without_its_keepalived_is_seen(pair, look):
    """This keepalived takes its scripts along when it is killed; older ones do not, and their script promotes."""
    lab = pair("healthy", notify_sleep=4.0)
    inspector = look(lab)
    inspector.observe()
    lab.fault("stop", B, "keepalived")
    lab.host(B).run("setsid /etc/keepalived/scripts/redis_master.sh >/dev/null 2>&1 </dev/null &")
    # Not the first sight of it: the shells that start it carry its name for a moment too.
    state = until(inspector, lambda state: len(state.node(B).processes.value.scripts) == 1)
    (script,) = state.node(B).processes.value.scripts
    assert "redis_master.sh" in script.command
    assert state.node(B).processes.value.keepalived == ()
    assert state.node(B).keepalived.value.state is VrrpState.STOP


def test_inspection_only_reads_and_opens_one_session(pair, look):
    lab = pair("healthy")
    before = {name: host.run(FILES).stdout for name, host in lab.hosts.items()}
    with contextlib.ExitStack() as stack:
        heard = {name: stack.enter_context(monitored(host.address)) for name, host in lab.hosts.items()}
        inspector = look(lab)
        end = time.monotonic() + 5.0
        while time.monotonic() < end:
            inspector.observe()
            time.sleep(0.05)
        inspector.observe(fresh=True)
    for name, host in lab.hosts.items():
        commands = {line.split('"')[1].upper() for line in heard[name] if '"' in line and "[0 127.0.0.1" not in line}
        assert "INFO" in commands
        assert commands <= {"INFO", "CONFIG", "PING", "REPLCONF"}, commands
        assert not [line for line in heard[name] if '"CONFIG" "SET"' in line.upper() or "HELLO" in line.upper()]
        log = host.read("/var/log/auth.log")
        assert log.count("Accepted publickey") == 1
        assert log.count("Starting session") == 1
        assert host.run(FILES).stdout == before[name]
    inspector.close()
    # The loop ends with its channel.
    for host in lab.hosts.values():
        lab.wait(lambda host=host: "exec sh" not in host.run("cat /proc/[0-9]*/cmdline").stdout, 60)


@contextlib.contextmanager
def monitored(address):
    """Every command that this Redis executes meanwhile, a line each."""
    lines = []
    with socket.create_connection((address, 6379), timeout=5) as sock:
        sock.sendall(b"MONITOR\r\n")

        def listen():
            with contextlib.suppress(OSError):
                lines.extend(line.decode(errors="replace") for line in sock.makefile("rb"))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield lines
        finally:
            sock.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@pytest.mark.parametrize("service", ["redis", "sshd"])
def test_a_hung_service_is_waited_for_once(pair, look, service):
    lab = pair("healthy")
    inspector = look(lab)
    inspector.observe()
    lab.fault("freeze", A, service)
    began = time.monotonic()
    state = inspector.observe()
    assert 1.5 < time.monotonic() - began < 4.0
    frozen = state.node(A).redis if service == "redis" else state.node(A).ssh
    assert frozen.problem.kind is ProblemKind.TIMEOUT
    assert "has not answered since" in frozen.problem.text
    assert state.node(B).redis.ok
    assert state.node(B).ssh.ok
    assert (state.node(A).ssh if service == "redis" else state.node(A).redis).ok
    began = time.monotonic()
    inspector.observe()
    assert time.monotonic() - began < 1.0
    lab.fault("thaw", A, service)
    state = until(inspector, lambda state: state.node(A).redis.ok and state.node(A).ssh.ok)
    assert state.vip_reaches == B


def test_a_host_that_is_gone_and_comes_back(pair, look):
    lab = pair("healthy")
    inspector = look(lab)
    inspector.observe()
    lab.fault("kill", A)
    state = until(inspector, lambda state: not state.node(A).ssh.ok and not state.node(A).redis.ok)
    assert state.node(B).ssh.ok
    assert state.node(B).redis.value.role is Role.MASTER
    lab.fault("start", A)
    until(inspector, lambda state: state.node(A).ssh.ok, deadline=60.0)
    assert inspector.observe(fresh=True).node(A).ssh.ok


def test_a_host_that_is_cut_off(pair, look):
    lab = pair("healthy")
    lab.fault("isolate", A)
    inspector = look(lab, connect_timeout=1.0)
    state = inspector.observe(fresh=True)
    assert state.node(A).ssh.problem.kind in (ProblemKind.TIMEOUT, ProblemKind.UNREACHABLE)
    assert state.node(A).keepalived.problem is not None
    assert state.node(B).ssh.ok


def test_a_virtual_ip_that_nobody_has_is_waited_for_once(pair, look):
    lab = pair("fresh")
    inspector = look(lab)
    assert inspector.observe(fresh=True).vip_reach.problem is not None
    for _ in range(5):
        began = time.monotonic()
        state = inspector.observe()
        assert time.monotonic() - began < 1.0
        assert state.vip_reach.problem is not None
        assert state.vip_reaches is None


def test_keys_that_are_refused_unknown_or_changed(pair, look, tmp_path):
    lab = pair("fresh")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)

    refused = look(lab, identity_file=str(key)).observe(fresh=True)
    assert {node.ssh.problem.kind for node in refused.nodes} == {ProblemKind.AUTH_FAILED}
    assert str(key) in refused.node(A).ssh.problem.text

    nobody = tmp_path / "nobody"
    nobody.touch()
    unknown = look(lab, known_hosts=str(nobody)).observe(fresh=True)
    assert {node.ssh.problem.kind for node in unknown.nodes} == {ProblemKind.HOST_KEY_UNKNOWN}
    assert "ssh-keyscan" in unknown.node(A).ssh.problem.text
    assert nobody.read_text() == ""

    other = key.with_suffix(".pub").read_text().split()[1]
    changed = tmp_path / "changed"
    shutil.copy(lab.folder / "known_hosts", changed)
    lines = [line.split() for line in changed.read_text().splitlines()]
    a = lab.host(A).address
    changed.write_text("".join(f"{host} {kind} {other if host == a else key}\n" for host, kind, key in lines))
    state = look(lab, known_hosts=str(changed)).observe(fresh=True)
    assert state.node(A).ssh.problem.kind is ProblemKind.HOST_KEY_CHANGED
    assert state.node(A).ssh.problem.text.count("SHA256:") == 2
    assert state.node(B).ssh.ok
