"""The loss preview on real servers: what it names is there, what it predicts happens, and looking costs little."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import replace

import pytest
from lab.plain import console

from console.core.inventory import RedisRoute
from console.core.previews.key_comparison import KeyDifference
from console.core.previews.loss_preview import preview
from console.core.replication.resync import ResyncKind
from console.documents.inventories.inventory import load_inventory
from console.lab.scenarios.replication import in_sync, replication
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector
from console.transport.redis import key_sampler

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
BYTES = "redis.call('SET', string.char(255, 0, 10) .. 'no text', 'x') return 1"
FILL = "for i = 1, tonumber(ARGV[2]) do redis.call('SET', ARGV[1] .. i, 'x') end return 1"


@pytest.fixture
def look():
    made = []

    def make(lab, via=RedisRoute.DIRECT):
        cluster = load_inventory(lab.inventory).clusters[0]
        nodes = tuple(replace(node, redis=replace(node.redis, via=via)) for node in cluster.nodes)
        made.append(make_inspector(replace(cluster, nodes=nodes), {}, SystemClock()))
        made[-1].observe(fresh=True)
        return made[-1]

    yield make
    for one in made:
        one.close()


def stats(host):
    lines = host.redis("INFO", "stats").splitlines()
    return {key: int(value) for key, _, value in (line.partition(":") for line in lines) if key.startswith("sync_")}


def test_keys_of_the_target_alone_are_named_and_counted_and_a_full_copy_comes(pair, look, tmp_path):
    lab = pair("stale-master-back", keys=100)
    a, b = lab.host(A), lab.host(B)
    for number in range(12):
        b.redis("SET", f"user:{number}", "written on redis-b alone")
    b.redis("SET", "customer:1", "another value of another size")
    for host in (a, b):
        host.redis("EVAL", BYTES, "0")
    b.redis("-n", "3", "RPUSH", "a list", "one")
    with socket.create_connection((b.address, 6379)) as client:
        client.sendall(b"GET user:1\r\n")
        assert client.recv(100)
        found = look(lab).compare(A, B)
        planned = console(lab, "plan", "one-shot-rebuild", "cache", state=tmp_path)
    lost = found.of_target.value
    assert lost.whole
    assert lost.missing == 13
    assert {str(one) for one in lost.odd if one.oddity is KeyDifference.MISSING} == {
        "a list (db3)",
        *(f"user:{number}" for number in range(12)),
    }
    assert "customer:1" in {str(one) for one in lost.odd if one.oddity is KeyDifference.SIZE}
    assert found.of_source.value.missing == 0
    assert found.clients.value.count == 1, found.clients
    text = " ".join(planned.stdout.split())
    assert "full resync" in text
    assert "13 keys of redis-b are not on redis-a and would be lost: " in text
    assert "user:" in text
    assert "1 client still connected to redis-b" in text
    assert "traffic: " in text
    assert "time: about" in text

    state = look(lab).observe(fresh=True)
    assert preview(state, A, B).resync is ResyncKind.FULL
    before = stats(a)
    b.redis("SLAVEOF", a.address, "6379")
    lab.wait(lambda: in_sync(lab, b, a), 60)
    assert stats(a)["sync_full"] == before["sync_full"] + 1
    assert b.redis("EXISTS", "user:1").strip() == "0"


def test_a_partial_resync_that_is_predicted_happens(pair, look):
    lab = pair("healthy", keys=100)
    a, b = lab.host(A), lab.host(B)
    lab.fault("stop", B, "keepalived")
    lab.wait(lambda: replication(lab, a).get("role") == "master", 60)
    inspector = look(lab)
    lab.wait(lambda: inspector.observe().vip_reaches == A, 60)
    found = preview(inspector.observe(fresh=True), A, B, comparison=inspector.compare(A, B))
    assert found.resync is ResyncKind.PARTIAL, found
    assert found.comparison.of_target.value.missing == 0
    before = stats(a)
    b.redis("SLAVEOF", a.address, "6379")
    lab.wait(lambda: in_sync(lab, b, a), 60)
    after = stats(a)
    assert after["sync_partial_ok"] == before["sync_partial_ok"] + 1
    assert after["sync_full"] == before["sync_full"]
    assert preview(inspector.observe(fresh=True), A, B).resync is ResyncKind.NONE


def test_looking_at_many_keys_costs_little_and_only_reads(pair, look):
    lab = pair("stale-master-back", keys=20_000)
    a, b = lab.host(A), lab.host(B)
    b.redis("EVAL", FILL, "0", "alone:", "2000")
    for via in RedisRoute:
        inspector = look(lab, via)
        kept = {host.name: host.redis("DBSIZE") for host in (a, b)}
        with monitored(a.address) as on_a, monitored(b.address) as on_b:
            began = time.monotonic()
            found = inspector.compare(A, B)
            took = time.monotonic() - began
        lost = found.of_target.value
        assert 0 < lost.looked_at <= key_sampler.MAX_KEYS
        assert 1_500 <= lost.at_most < 3_500, lost  # 2,000 in truth; with 95% certainty it is 1,900 or more
        for heard in (on_a, on_b):
            words = [line.split('"')[1].upper() for line in heard if '"' in line and "[0 127.0.0.1" not in line]
            sent = [word for word in words if word not in {"PING", "REPLCONF", "INCR", "INFO", "CONFIG"}]
            assert {"CLIENT LIST" if word == "CLIENT" else word for word in sent} <= key_sampler.SENT, set(sent)
            assert len(sent) < 2_500, len(sent)
        assert took < 2.0
        assert {host.name: host.redis("DBSIZE") for host in (a, b)} == kept


@contextlib.contextmanager
def monitored(address):
    """Every command that this Redis executes meanwhile, a line each."""
    lines = []
    with socket.create_connection((address, 6379), timeout=5) as sock:
        sock.sendall(b"MONITOR\r\n")
        stream = sock.makefile("rb")
        assert stream.readline() == b"+OK\r\n"

        def listen():
            with contextlib.suppress(OSError):
                lines.extend(line.decode(errors="replace") for line in stream)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield lines
        finally:
            time.sleep(0.2)
            sock.shutdown(socket.SHUT_RDWR)
            thread.join(5)
