"""`inventory check --connect` on real servers: it says what does not work, and what it says to change is right.

One laboratory for all cases: each gives redis-a another configuration, or the operator another inventory.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from lab.odd_redis import CASES, FAILS, NOT_TRIED, NOTE, PASSWORD, WORKS
from lab.plain import console

from console.core.access.examine import examine
from console.core.command import Secret
from console.core.inventory import RedisRoute, ServiceSpec, TlsSpec
from console.documents.inventories.inventory import load_inventory
from console.lab.hosts.network import OPERATOR
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
CONF = "/etc/redis/redis6379.conf"


class Bench:
    """A laboratory in which redis-a is reconfigured, and what the check says about it."""

    def __init__(self, lab):
        self.lab = lab
        self.host = lab.host(A)
        self.before = self.host.read(CONF)
        self.state = None
        """The last observation."""
        self.cluster = load_inventory(lab.inventory).clusters[0]

    @contextmanager
    def redis(self, lines=""):
        """redis-a's Redis with these lines, as long as the block lasts."""
        self.host.write(CONF, f"{self.before}{lines}\n", 0o640)
        self.host.service("redis-server", "start")
        self.lab.wait(lambda: "ready to accept" in self.host.read("/data/redis/redis6379.log").lower(), 60)
        try:
            yield
        finally:
            self.host.service("redis-server", "stop")
            self.host.run("rm -f /data/redis/redis6379.log")

    def look(self, redis=None, password="", ssh=None, keepalived=None, **node):
        """Name of a step → the step, of redis-a. Keywords change redis-a's part of the inventory."""
        found = self.subjects(redis, password, ssh, keepalived, alone=True, **node)
        return {step.name: step for step in found[A].steps}

    def subjects(self, redis=None, password="", ssh=None, keepalived=None, *, alone=False, **node):
        """Name of a subject → the subject. `alone`: redis-a only, without the virtual IP, which nobody has."""
        first, *others = self.cluster.nodes
        changed = replace(
            first,
            redis=replace(first.redis, **(redis or {})),
            ssh=replace(first.ssh, **(ssh or {})),
            keepalived=replace(first.keepalived, **(keepalived or {})),
            **node,
        )
        cluster = replace(
            self.cluster, nodes=(changed, *([] if alone else others)), vip="" if alone else self.cluster.vip
        )
        inspector = make_inspector(cluster, {A: Secret(password) if password else None}, SystemClock())
        try:
            self.state = inspector.observe(fresh=True)
            found = examine(cluster, self.state, inspector.try_redis())
        finally:
            inspector.close()
        assert PASSWORD not in str(found)
        return {one.name: one for one in found}


@pytest.fixture
def bench(pair):
    return Bench(pair("fresh"))


def failed(steps):
    """The step of Redis that failed."""
    (found,) = [
        steps[name] for name in ("Redis port", "TLS", "AUTH", "INFO") if name in steps and steps[name].outcome is FAILS
    ]
    return found


def told(case, steps):
    """What is wrong with what was said, in words; empty: nothing."""
    step = steps[case.step]
    if step.outcome is case.outcome and re.search(case.change, step.change):
        return ""
    return f"{case.name}: {step}"


def test_odd_redis_is_told_with_what_to_change_and_the_change_works(bench):
    wrong = []
    for case in CASES:
        with bench.redis(case.lines):
            wrong.append(told(case, bench.look(case.redis, case.password)))
            if case.followed is not None:
                steps = bench.look(case.followed, case.new_password)
                steps = [steps[one] for one in ("INFO", "commands", case.step)]
                wrong += [f"{case.name}, changed: {one}" for one in steps if one.outcome is not WORKS]
    assert not [one for one in wrong if one]


def test_a_redis_that_is_full_hung_or_not_alone(bench):
    with bench.redis("maxclients 1"), socket.create_connection((bench.host.address, 6379)):
        full = bench.look()
    assert failed(full).change.startswith("CONFIG SET maxclients")
    with bench.redis():
        bench.lab.fault("freeze", A, "redis")
        hung = bench.look()["INFO"]
        bench.lab.fault("thaw", A, "redis")
        assert (hung.outcome, hung.change[:24]) == (FAILS, "look at its log and load")
        # A firewall: what Redis answers to the operator is dropped.
        wall = f"ipproto 6 sport 6379 to {OPERATOR} blackhole"
        bench.host.run(f"ip rule add {wall}", check=True)
        behind = bench.look()["Redis port"]
        assert (behind.outcome, "set redis: {via: ssh} of" in behind.change) == (FAILS, True), behind
        assert bench.look({"via": RedisRoute.SSH})["INFO"].outcome is WORKS
        bench.host.run(f"ip rule del {wall}", check=True)
        second = "redis-server --port 6380 --bind 0.0.0.0 --protected-mode no --save '' --dir /tmp --daemonize yes"
        bench.host.run(second, check=True)
        for port in (6379, 6380):
            assert bench.look({"port": port})["INFO"].outcome is WORKS
        assert "6379, 6380" in bench.look({"port": 6390})["Redis port"].change
        bench.host.run("redis-cli -p 6380 shutdown nosave")
        bench.host.run("echo AllowTcpForwarding no >>/etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid)", check=True)
        bench.lab.wait(lambda: "AllowTcpForwarding" in bench.look({"via": RedisRoute.SSH})["Redis port"].change, 60)
    down = bench.look()["Redis port"]
    assert (down.outcome, "status cache" in down.change) == (FAILS, True)


def test_a_replica_that_announces_another_address(bench):
    """Behind NAT the servers know each other by addresses at which the operator does not reach them."""
    outside, inside = "203.0.113.9", bench.host.address
    master = bench.lab.host(B)
    master.service("redis-server", "start")
    with bench.redis(f"replicaof {master.address} 6379\nreplica-announce-ip {outside}"):
        bench.lab.wait(lambda: f"ip={outside}" in master.redis("INFO", "replication"), 60)
        strange = {one.name: one for one in bench.subjects()[B].steps}["replication"]
        assert (strange.outcome, outside in strange.seen) == (NOTE, True)
        assert "redis.host, ssh.host" in strange.change
        found = bench.subjects({"host": inside}, ssh={"host": inside}, address=outside)
        for name in (A, B):
            steps = {one.name: one for one in found[name].steps}
            assert (steps["INFO"].outcome, steps["replication"].outcome) == (WORKS, WORKS), steps["replication"]


def test_tls_only_with_client_certificates(bench, tmp_path):
    made = certificates(tmp_path, bench.host.address)
    for name in ("ca.pem", "server.pem", "server.key"):
        bench.host.write(f"/etc/redis/{name}", (tmp_path / name).read_text())
    lines = "port 0\ntls-port 6379\ntls-ca-cert-file /etc/redis/ca.pem\n"
    lines += "tls-cert-file /etc/redis/server.pem\ntls-key-file /etc/redis/server.key"
    whole = TlsSpec(*made)
    with bench.redis(lines):
        for tls, key in (
            (None, "redis.tls"),
            (TlsSpec(), "redis.tls.ca_file"),
            (TlsSpec(ca_file=whole.ca_file), "redis.tls.cert_file"),
            (replace(whole, server_name="another"), "redis.tls.server_name"),
            (replace(whole, ca_file=str(tmp_path / "nothing.pem")), "correct this path"),
        ):
            step = failed(bench.look({"tls": tls}))
            assert key in step.change, step
        steps = bench.look({"tls": whole})
        assert {steps[one].outcome for one in ("TLS", "INFO", "commands")} == {WORKS}
    with bench.redis():
        plain = bench.look({"tls": whole})["TLS"]
        assert (plain.outcome, plain.change[:18]) == (FAILS, "take redis.tls out")


def certificates(folder, address):
    """Files of an authority, of a server at this address, and of a client: what a TlsSpec takes."""

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    (folder / "names").write_text(f"subjectAltName=IP:{address}\n")
    for name in ("server", "client"):
        openssl("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", f"{name}.pem", "-days", "2", "-extfile", "names",
        )  # fmt: skip
    return [str(folder / name) for name in ("ca.pem", "client.pem", "client.key")]


def test_the_steps_to_a_shell(bench, tmp_path):
    empty, key = tmp_path / "nobody", tmp_path / "key"
    empty.touch()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for ssh, step, change in (
        ({"host": "nowhere.invalid"}, "name", "ssh.host"),
        ({"port": 2222}, "TCP", "ssh.port"),
        ({"known_hosts": str(empty)}, "host key", f"ssh-keyscan {bench.host.address} >> {empty}"),
        ({"identity_file": str(key)}, "login", "ssh.identity_file"),
        ({"sudo": True}, "sudo", "take ssh.sudo out"),
    ):
        steps = bench.look(ssh=ssh)
        before = list(steps)[: list(steps).index(step)]
        assert {steps[one].outcome for one in before} <= {WORKS}, steps[step]
        assert (steps[step].outcome, change in steps[step].change) == (FAILS, True), steps[step]
        assert steps["keepalived.conf"].outcome is NOT_TRIED


def test_rights_to_files_and_keepalived_in_a_container(bench):
    host = bench.host
    host.write("/etc/passwd", f"{host.read('/etc/passwd')}ops:x:1000:1000::/home/ops:/bin/sh\n")
    host.write("/etc/shadow", f"{host.read('/etc/shadow')}ops:*:19000:0:99999:7:::\n", 0o600)
    host.write("/home/ops/.ssh/authorized_keys", host.read("/root/.ssh/authorized_keys"))
    host.run("chown -R 1000:1000 /home/ops; chmod 600 /etc/keepalived/keepalived.conf", check=True)
    steps = bench.look(ssh={"user": "ops"})
    assert (steps["shell"].outcome, steps["sudo"].outcome) == (WORKS, NOTE)
    assert steps["keepalived.conf"].outcome is FAILS
    assert "setfacl -m u:ops:rX /etc/keepalived/keepalived.conf" in steps["keepalived.conf"].change
    host.run("chmod 644 /etc/keepalived/keepalived.conf", check=True)
    assert bench.look(ssh={"user": "ops"})["keepalived.conf"].outcome is WORKS

    # No systemd runs in the laboratory: a stand-in for journalctl repeats what it is asked for.
    host.write("/opt/sbin/journalctl", '#!/bin/sh\necho "stand-in: $*"\n', 0o755)
    host.run("mkdir -p /run/systemd/system", check=True)
    unit = {"system_log": "", "service": ServiceSpec(systemd="vrrp@1")}
    assert "vrrp@1" in bench.look(keepalived=unit)["keepalived log"].seen
    assert "-u vrrp@1 " in bench.state.node(A).system_log.value.lines[0]
    host.run("rm -r /run/systemd/system /opt/sbin/journalctl", check=True)

    host.run(CONTAINER, check=True)
    bench.lab.wait(lambda: host.running("keepalived"), 60)
    inside = bench.look()
    assert inside["keepalived.conf"].outcome is FAILS
    assert "container" in inside["keepalived"].seen
    followed = bench.look(keepalived={"config": "/srv/box/etc/keepalived/keepalived.conf"})
    assert {followed[one].outcome for one in ("keepalived.conf", "keepalived", "VRRP instance")} == {WORKS}


CONTAINER = """
set -e
mkdir -p /srv/box/usr /srv/box/proc /srv/box/run /srv/box/tmp /srv/box/etc
for link in bin sbin lib lib64; do [ ! -L /$link ] || cp -P /$link /srv/box; done
mount --bind /usr /srv/box/usr
mount --rbind /proc /srv/box/proc
cp /etc/passwd /etc/group /etc/ld.so.cache /srv/box/etc
mv /etc/keepalived /srv/box/etc
setsid chroot /srv/box /usr/sbin/keepalived -n -D -l >/tmp/keepalived.out 2>&1 </dev/null &
"""
"""keepalived on a root folder of its own, as a container gives it one. Its file is not where the host's would be."""


def test_the_command_on_a_pair_with_a_node_that_hangs(pair):
    lab = pair("healthy")
    lab.host(A).redis("CONFIG", "RESETSTAT")
    done = console(lab, "inventory", "check", "--connect", "--format", "json")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    (cluster,) = json.loads(done.stdout)["clusters"]
    steps = [step for one in cluster["subjects"] for step in one["steps"]]
    assert (len(steps) > 40, {step["outcome"] for step in steps}) == (True, {"works"})
    stats = lab.host(A).redis("INFO", "commandstats")
    sent = set(re.findall(r"cmdstat_(\S+?):", stats)) - {"ping", "config|resetstat", "replconf", "select", "psync"}
    assert sent == {"info", "config|get", "command|info", "acl|dryrun"}
    lab.fault("freeze", A)
    began = time.monotonic()
    done = console(lab, "inventory", "check", "--connect", "--cluster", "cache")
    assert time.monotonic() - began < 30
    lab.fault("thaw", A)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    b = lines[lines.index(f"{B}  {lab.host(B).address}") :]
    assert not [line for line in b if line.startswith("  ✗")]
    assert [line[:18] for line in lines if line.startswith("  ✗")] == ["  ✗ SSH handshake ", "  ✗ INFO          "]


def test_a_preview_of_a_replica_whose_master_is_away_says_why(bench):
    """MASTERDOWN: a replica without its master and without stale reads refuses every look at its keys."""
    bench.lab.host(B).service("redis-server", "start")
    with bench.redis():
        bench.host.redis("SET", "key", "value")
        bench.host.redis("SAVE")
    with bench.redis("replicaof 192.168.100.77 6379\nreplica-serve-stale-data no"):
        inspector = make_inspector(bench.cluster, {}, SystemClock())
        try:
            assert inspector.observe(fresh=True).node(A).redis.ok
            problem = inspector.compare(B, A).of_target.problem
        finally:
            inspector.close()
    assert "replica-serve-stale-data" in problem.text
