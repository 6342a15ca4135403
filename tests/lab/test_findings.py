"""Finding codes on real servers: a healthy pair, one small mishap after the other, each seen by name and healed."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from console.core.command import Secret
from console.core.kinds.diagnose import diagnose
from console.documents.inventories.inventory import load_inventory
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
CONF = "/etc/keepalived/keepalived.conf"
SCRIPTS = "/etc/keepalived/scripts"
REDIS_CONF = "/etc/redis/redis6379.conf"


class Watcher:
    """Looks at a laboratory as the console does, and keeps the codes that were seen."""

    def __init__(self, lab, stack):
        self.lab = lab
        self.cluster = load_inventory(lab.inventory).clusters[0]
        self.stack = stack
        self.inspector = self.another()
        self.seen = set()

    def another(self, *, passwords=None, clock=None, **ssh):
        nodes = tuple(replace(node, ssh=replace(node.ssh, **ssh)) for node in self.cluster.nodes)
        cluster = replace(self.cluster, nodes=nodes)
        return self.stack.enter_context(
            contextlib.closing(make_inspector(cluster, passwords or {}, clock or SystemClock()))
        )

    def found(self, inspector=None):
        state = (inspector or self.inspector).observe(fresh=True)
        worst_first = diagnose(state, state.observed_at)
        return {finding.code: finding for finding in reversed(worst_first)}

    def sees(self, *codes, inspector=None, deadline=8.0):
        """Looks until all of these are there; the findings by code."""
        end = time.monotonic() + deadline
        while True:
            found = self.found(inspector)
            if set(codes) <= set(found):
                self.seen |= set(codes)
                return found
            assert time.monotonic() < end, f"{set(codes) - set(found)} not among {sorted(found)}"
            time.sleep(0.05)

    def no_longer_sees(self, *codes, deadline=10.0):
        self.lab.wait(lambda: not set(codes) & set(self.found()), deadline, f"no {codes}")

    def redis(self, node, *words):
        answer = self.lab.host(node).redis(*words)
        assert "ERR" not in answer, answer
        assert not answer.startswith("LOADING"), answer
        return answer

    @contextlib.contextmanager
    def setting(self, node, key, value):
        """CONFIG SET for the length of the block."""
        before = [*self.redis(node, "CONFIG", "GET", key).split("\n"), ""][1]
        self.redis(node, "CONFIG", "SET", key, value)
        yield
        self.redis(node, "CONFIG", "SET", key, before)

    @contextlib.contextmanager
    def edited(self, node, path, sed):
        """A file changed by sed for the length of the block."""
        before = self.lab.host(node).read(path)
        self.lab.host(node).run(f"sed -i -e '{sed}' {path}", check=True)
        assert self.lab.host(node).read(path) != before, sed
        yield
        mode = (self.lab.host(node).root / path.lstrip("/")).stat().st_mode & 0o777
        self.lab.host(node).write(path, before, mode)

    def follow(self, node, host, port="6379"):
        self.redis(node, "SLAVEOF", host, port)

    def heal(self):
        """redis-b is the master, redis-a follows it."""
        self.follow(B, "NO", "ONE")
        self.follow(A, self.lab.host(B).address)
        self.lab.wait(lambda: "master_link_status:up" in self.redis(A, "INFO", "replication"), 60, "in sync")


@pytest.fixture
def watch():
    with contextlib.ExitStack() as stack:
        yield lambda lab: Watcher(lab, stack)


def test_mishaps_of_redis(pair, watch):
    lab = pair("healthy", redis_config=("key-load-delay 0", "loading-process-events-interval-bytes 1024"))
    watcher = watch(lab)
    found = watcher.sees("replica-not-in-config")
    # Nothing else is wrong with a healthy pair.
    assert set(found) == {"replica-not-in-config", "script-security-off"}, sorted(found)
    # From here on nothing moves by itself, however busy this machine is.
    lab.fault("stop", A, "keepalived")
    settings_of_servers(watcher)
    lost_links(watcher)
    wrong_masters(watcher)
    watcher.heal()
    full_copies(watcher)
    reachability(watcher, lab)
    silent_servers(watcher, lab)
    assert len(watcher.seen) >= 28, sorted(watcher.seen)


def settings_of_servers(watcher):
    with (
        watcher.setting(A, "slave-read-only", "no"),
        watcher.setting(A, "maxmemory", "100mb"),
        watcher.setting(B, "save", ""),
        watcher.setting(B, "min-slaves-to-write", "5"),
        watcher.setting(A, "appendonly", "yes"),
    ):
        watcher.sees(
            "data-not-in-config", "replica-writable", "maxmemory-mismatch", "persistence-off", "writes-refused"
        )
    with watcher.setting(B, "repl-backlog-size", "16384"):
        script = "for i = 1, 400 do redis.call('SET', 'some:' .. i, string.rep('x', 400)) end"
        watcher.redis(B, "EVAL", script, "0")
        found = watcher.sees("backlog-too-small")
        assert any("repl-backlog-size 16.4 kB" in line for line in found["backlog-too-small"].evidence)
    dump = "/data/redis/dump6379.rdb"
    watcher.lab.host(B).run(f"rm {dump} && mkdir {dump}", check=True)
    watcher.redis(B, "BGSAVE")
    watcher.sees("redis-misconf")
    watcher.lab.host(B).run(f"rmdir {dump}", check=True)
    watcher.redis(B, "SAVE")
    with watcher.edited(B, REDIS_CONF, "$ a slaveof 192.168.100.201 6379"):
        assert "192.168.100.201" in watcher.sees("replica-not-in-config")["replica-not-in-config"].summary
    watcher.lab.host(B).run("dd if=/dev/zero of=/data/filled bs=64k", check=False)
    watcher.sees("fork-headroom")
    watcher.lab.host(B).run("rm /data/filled")


def lost_links(watcher):
    a, b = watcher.lab.host(A), watcher.lab.host(B)
    with watcher.setting(A, "masterauth", "not-it"):
        watcher.redis(B, "CLIENT", "KILL", "TYPE", "replica")
        found = watcher.sees("masterauth-mismatch")
        assert "replica-link-down" not in found
        assert "not-it" not in str(found)
    watcher.lab.wait(lambda: "master_link_status:up" in watcher.redis(A, "INFO", "replication"), 60)
    a.run(f"ip route add blackhole {b.address}/32", check=True)
    watcher.redis(A, "CLIENT", "KILL", "TYPE", "master")
    watcher.sees("replica-link-down")
    a.run(f"ip route del blackhole {b.address}/32", check=True)
    watcher.heal()
    b.run(f"ip route add blackhole {a.address}/32", check=True)
    watcher.redis(B, "EVAL", "for i = 1, 20 do redis.call('SET', 'big:' .. i, string.rep('x', 110000)) end", "0")
    watcher.sees("replica-lagging")
    b.run(f"ip route del blackhole {a.address}/32", check=True)
    watcher.no_longer_sees("replica-lagging")


def wrong_masters(watcher):
    a, b = watcher.lab.host(A).address, watcher.lab.host(B).address
    watcher.follow(A, watcher.lab.vip)
    watcher.sees("replica-of-vip")
    watcher.follow(A, "192.168.100.1", "6380")
    watcher.sees("replica-of-stranger")
    watcher.follow(A, b)
    watcher.follow(B, "192.168.100.1", "6380")
    watcher.sees("no-master", "chained-replica", "vip-on-replica")
    watcher.follow(B, a)
    watcher.sees("mutual-replication")
    watcher.heal()
    watcher.follow(A, "NO", "ONE")
    watcher.redis(A, "SET", "written-on", "the-other")
    watcher.sees("dual-master", "histories-diverged")
    watcher.redis(A, "FLUSHALL")
    watcher.sees("empty-master")


def full_copies(watcher):
    with watcher.setting(B, "rdb-key-save-delay", "2000"):
        watcher.follow(A, "NO", "ONE")
        watcher.redis(A, "SET", "another", "history")
        watcher.follow(A, watcher.lab.host(B).address)
        watcher.sees("replica-syncing")
    watcher.heal()
    with watcher.edited(A, REDIS_CONF, "s/^key-load-delay .*/key-load-delay 2000/"):
        watcher.redis(A, "SAVE")
        watcher.lab.host(A).service("redis-server", "restart")
        watcher.sees("redis-loading")
        watcher.lab.wait(lambda: "\nloading:0" in watcher.lab.host(A).redis("INFO"), 60, "it has loaded")
        watcher.redis(A, "CONFIG", "SET", "key-load-delay", "0")
    watcher.heal()


def reachability(watcher, lab):
    ahead = SimpleNamespace(now=lambda: time.time() + 30)
    watcher.sees("clock-skew", inspector=watcher.another(clock=ahead))
    with watcher.setting(A, "requirepass", "hidden"):
        found = watcher.sees("redis-auth-failed", inspector=watcher.another(passwords={A: Secret("hunter2")}))
        assert "hunter2" not in str(found)
    key = lab.folder / "other-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    watcher.sees("ssh-auth-failed", inspector=watcher.another(identity_file=str(key)))
    changed = lab.folder / "changed"
    shutil.copy(lab.folder / "known_hosts", changed)
    other = key.with_suffix(".pub").read_text().split()[1]
    lines = [line.split() for line in changed.read_text().splitlines()]
    changed.write_text("".join(f"{host} {kind} {other}\n" for host, kind, _ in lines))
    watcher.sees("ssh-host-key-changed", inspector=watcher.another(known_hosts=str(changed)))


def silent_servers(watcher, lab):
    lab.fault("freeze", A, "redis")
    watcher.sees("redis-hung")
    lab.fault("thaw", A, "redis")
    lab.fault("stop", A, "redis")
    watcher.sees("redis-down", "failover-unprotected")
    lab.fault("kill", A)
    watcher.sees("ssh-unreachable", "master-without-replica", deadline=12.0)


def test_mishaps_of_keepalived(pair, watch):
    lab = pair("healthy", redis_of={B: "6.2"}, advert_interval=1)
    watcher = watch(lab)
    watcher.sees("version-skew")
    files_of_keepalived(watcher)
    scripts_of_keepalived(watcher)
    addresses(watcher, lab)
    without_keepalived(watcher, lab)
    assert len(watcher.seen) >= 18, sorted(watcher.seen)


def files_of_keepalived(watcher):
    for sed, code, words in (
        ("s/priority 138/priority 139/", "priority-equal", "139 on redis-a"),
        ("s/priority 138/priority 120/", "priority-rule-broken", "redis-a with 120 is not between 129 and 139"),
        ("s/virtual_router_id 123/virtual_router_id 124/", "vrrp-mismatch", "124 (redis-a line"),
        ("s/interface eth2/interface eth9/", "vrrp-mismatch", "eth9 (redis-a line"),
        ("s/advert_int .*/advert_int 5/", "vrrp-mismatch", "advert_int: 5 (redis-a line"),
        ("s/state BACKUP/state MASTER\\n    nopreempt/", "nopreempt-ineffective", "state MASTER (redis-a line"),
        ("/track_script {/,/}/d", "check-without-effect", "tracks no script"),
        ("$ a }", "keepalived-config-invalid", "closing brace"),
        ("2 a include /etc/keepalived/more.conf", "keepalived-config-partly-read", "more.conf is not followed"),
    ):
        with watcher.edited(A, CONF, sed):
            evidence = "\n".join(watcher.sees(code)[code].evidence)
            assert words in evidence, evidence


def scripts_of_keepalived(watcher):
    a = watcher.lab.host(A)
    a.run(f"chmod -x {SCRIPTS}/redis_fault.sh")
    (line,) = watcher.sees("script-missing")["script-missing"].evidence
    assert "redis_fault.sh (notify_fault" in line
    a.run(f"chmod +x {SCRIPTS}/redis_fault.sh")
    with watcher.edited(A, f"{SCRIPTS}/redis_backup.sh", "s/^#\\/usr/\\/usr/; $ a service redis-server restart"):
        finding = watcher.sees("script-fights-operator")["script-fights-operator"]
        assert "redis_backup.sh line" in finding.evidence[0]
        assert "SLAVEOF redis-b 6379" in finding.evidence[0]
        assert "service redis-server restart" in finding.evidence[1]
    with watcher.edited(A, f"{SCRIPTS}/redis_fault.sh", "2 i sleep 3"):
        a.run(f"setsid {SCRIPTS}/redis_fault.sh >/dev/null 2>&1 </dev/null &")
        watcher.sees("notify-in-progress")
    # What its log says and what the kernel holds are two things.
    now = a.run("date").stdout.strip()
    with watcher.edited(A, "/var/log/keepalived.log", f"$ a {now}: (VI_123) Entering MASTER STATE"):
        watcher.sees("vrrp-dual-master", "vrrp-state-disagrees")


def addresses(watcher, lab):
    vip = f"{lab.vip}/32 dev eth2"
    lab.host(A).run(f"ip addr add {vip}", check=True)
    watcher.sees("vip-duplicate")
    lab.host(A).run(f"ip addr del {vip}", check=True)


def without_keepalived(watcher, lab):
    vip = f"{lab.vip}/32 dev eth2"
    for node in (A, B):
        lab.fault("stop", node, "keepalived")
    watcher.sees("vip-missing", "keepalived-down")
    with stranger(lab):
        watcher.sees("vip-reaches-stranger")
    lab.host(B).run(f"ip addr add {vip}", check=True)
    lab.fault("stop", B, "redis")
    watcher.sees("vip-on-dead-redis")
    # As after the night: the replica has taken over, and the other's keepalived waits for its Redis.
    lab.host(B).run(f"ip addr del {vip}", check=True)
    watcher.follow(A, "NO", "ONE")
    for node in (A, B):
        lab.fault("start", node, "keepalived")
    watcher.sees("would-preempt-stale", deadline=15.0)


@contextlib.contextmanager
def stranger(lab):
    """A third Redis that has the virtual IP, on the operator's machine."""
    subprocess.run(["ip", "addr", "add", f"{lab.vip}/32", "dev", "lo"], check=True)
    words = ["redis-server", "--port", "6379", "--bind", lab.vip, "--save", "", "--protected-mode", "no"]
    process = subprocess.Popen([*words, "--dir", str(lab.folder)], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        subprocess.run(["ip", "addr", "del", f"{lab.vip}/32", "dev", "lo"], check=True)
