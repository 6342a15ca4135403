"""Drills on real servers: a capture only reads, a rehearsal is the same cluster, and its scripts are contained."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from lab.test_inspection import FILES, monitored
from lab.test_lab_commands import _project_for_everyone, everyones_folder  # noqa: F401 - a fixture

from console.core.command import Secret
from console.core.drills.capture import CapturedProcess, CapturedUser, Part
from console.core.drills.scenarios import SCENARIOS
from console.core.drills.walks import AFTER, WalkOutcome
from console.documents.capture import read_capture, write_capture
from console.documents.inventories.inventory import load_inventory
from console.documents.inventories.passwords import resolve
from console.drill import checking
from console.drill.capturing import capture_cluster
from console.drill.check_text import check_text
from console.drill.checking import Checker, CheckRequest
from console.drill.rebuilt import rehearsal as rehearsal_module
from console.drill.rebuilt.building import rehearsal
from console.drill.starting import require_drillable
from console.drill.watching import Watcher, inspector_of
from console.transport.clock import SystemClock
from console.transport.inspector import make_inspector

pytestmark = pytest.mark.lab

CAPTURES = Path(__file__).parents[1] / "captures"
A, B = "redis-a", "redis-b"
PASSWORD = "correct-horse-battery"
QUICKER = re.compile(r"(down-after-milliseconds \w+ )\d+")
HOSTILE = """\
#!/bin/bash
# Tries to get out. Each line of the log is a name and whether it worked.
log=/data/redis/hostile.log
try() {
    name=$1 told=refused
    shift
    if "$@" >/dev/null 2>&1; then told=worked; fi
    echo "$name $told" >>$log
}
try mount mount -t tmpfs none /mnt
try remount mount -o remount,rw /etc/alternatives
try device mknod /tmp/disk b 254 0
try namespace unshare --user true
try clock date -s "$(date)"
try kernel sh -c 'cat /proc/sys/kernel/panic >/proc/sys/kernel/panic'
try network timeout 1 bash -c '</dev/tcp/1.1.1.1/53'
ip route add default dev eth2 2>/dev/null
try route timeout 1 bash -c '</dev/tcp/1.1.1.1/53'
try alternatives touch /etc/alternatives/evil
try machine sh -c 'ls @folder@ || touch @folder@/evil || touch /proc/1/root/@folder@/evil'
(while :; do :; done) &
loop=$!
try disk dd if=/dev/zero of=/tmp/big bs=1M count=200
rm -f /tmp/big
touch /usr/bin/evil-program
try memory sh -c 'head -c 1200000000 /dev/zero | tail -c 1100000000 >/dev/null'
echo "seen $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '[p]ytest')" >>$log
mkfifo /tmp/wait && exec 3<>/tmp/wait
bomb() { [ -e /tmp/stop ] || { bomb | bomb & }; }
bomb 2>/dev/null
read -t 2 -u 3
set -- /proc/[0-9]*
echo "bomb $#" >>$log
: >/tmp/stop
kill -9 @victim@ 2>/dev/null
(for number in $(seq 300); do sleep 6 & done) 2>/dev/null &
read -t 2 -u 3
set -- /proc/[0-9]*  # from here on nothing can be started
echo "processes $#" >>$log
kill $loop && echo "loop goes-on" >>$log
echo "end reached" >>$log
"""


def test_a_capture_only_reads_and_holds_no_secret(pair, tmp_path):
    lab = pair("healthy", password=PASSWORD)
    for host in lab.hosts.values():
        host.write("/etc/keepalived/scripts/more.sh", f"PASSWORD={PASSWORD}\nsay more\n", 0o755)
        host.write("/etc/keepalived/scripts/redis_stop.sh", "#!/bin/bash\n. /etc/keepalived/scripts/more.sh\n", 0o755)
        host.write("/etc/keepalived/conf.d/one.conf", "# nothing\n")
        conf = host.read("/etc/keepalived/keepalived.conf")
        host.write("/etc/keepalived/keepalived.conf", conf + "\ninclude conf.d/*.conf\n")
    before = {name: host.run(FILES).stdout for name, host in lab.hosts.items()}
    spec = load_inventory(lab.inventory).clusters[0]
    inspector = make_inspector(spec, dict.fromkeys((A, B), Secret(PASSWORD)), SystemClock())
    with monitored_with_password(lab.host(A)) as heard:
        made = capture_cluster(spec, inspector, dict.fromkeys((A, B), PASSWORD), lambda _: None)
        inspector.close()
    commands = {line.split('"')[1].upper() for line in heard if '"' in line and "[0 127.0.0.1" not in line}
    assert "INFO" in commands
    assert commands <= {"INFO", "CONFIG", "PING", "REPLCONF", "AUTH", "MONITOR"}, commands
    assert not [line for line in heard if '"CONFIG" "SET"' in line.upper()]
    for name, host in lab.hosts.items():
        assert host.run(FILES).stdout == before[name]
        assert host.read("/var/log/auth.log").count("Accepted publickey") == 1
    write_capture(tmp_path / "made", made)
    texts = [path.read_text() for path in (tmp_path / "made").rglob("*") if path.is_file()]
    assert not [text for text in texts if PASSWORD in text or "auth_pass 1111" in text]
    again = read_capture(tmp_path / "made")
    assert again == made
    assert again.unread == ()
    a = again.host(A)
    assert {file.part for file in a.files} >= {
        Part.KEEPALIVED,
        Part.INCLUDE,
        Part.SCRIPT,
        Part.CALLED,
        Part.READ,
        Part.REDIS,
    }
    assert a.file("/etc/redis/password").text == a.redis.password == again.host(B).redis.password
    assert a.interfaces[0].addresses == (f"{a.address}/24",)


@pytest.mark.parametrize(
    ("scenario", "options"), [("sentinel-secured", {}), ("consul-healthy", {"password": PASSWORD})]
)
def test_a_set_is_captured_with_its_watchers_and_holds_no_secret(pair, tmp_path, scenario, options):
    """Sentinels with TLS and passwords of their own on loopback; Consul with tokens."""
    lab = pair(scenario, **options)
    spec = load_inventory(lab.inventory).clusters[0]
    found = {one.name: resolve(one.source, one.owner, key=one.key) for one in spec.secrets if one.source}
    inspector = make_inspector(spec, {one.name: found.get(one.name) for one in spec.secrets}, SystemClock())
    secrets = {name: secret.reveal() for name, secret in found.items()}
    made = capture_cluster(spec, inspector, secrets, lambda _: None)
    inspector.close()
    write_capture(tmp_path / "made", made)
    texts = [path.read_text() for path in (tmp_path / "made").rglob("*") if path.is_file()]
    assert len(set(secrets.values())) >= 1
    assert not [text for text in texts for secret in secrets.values() if secret in text]
    again = read_capture(tmp_path / "made")
    assert (again, again.unread) == (made, ())
    require_drillable(again)
    assert [one.name for one in again.machines] == list(lab.hosts)
    for one, told in zip(again.sentinels, spec.sentinels, strict=True):
        assert (one.name, one.address, one.machine) == (told.name, told.address, told.host)
        assert again.machine(one.machine).file(one.config).part is Part.SENTINEL
        assert (one.tls, one.through_ssh, bool(one.password)) == (bool(told.tls), bool(told.tls), bool(told.tls))
        assert one.down_after == lab.options.down_after
    if again.consul is not None:
        assert (again.consul.machine, again.consul.token) == ("app01", True)
        assert again.machine("app01").parts(Part.CONSUL)


def monitored_with_password(host):
    """What this Redis executes meanwhile. The password is asked for on the host itself."""
    host.run(["redis-cli", "CONFIG", "SET", "requirepass", ""])
    return _Monitored(host)


class _Monitored:
    def __init__(self, host):
        self.host, self.inner = host, monitored(host.address)

    def __enter__(self):
        lines = self.inner.__enter__()
        self.host.run(["redis-cli", "CONFIG", "SET", "requirepass", PASSWORD])
        return lines

    def __exit__(self, *error):
        return self.inner.__exit__(*error)


def quick(name):
    """A captured cluster that fails over soon: its own times are those of its document."""
    capture = read_capture(CAPTURES / name)

    def sooner(machine):
        texts = (QUICKER.sub(r"\g<1>1500", one.text).replace('"5s"', '"1s"') for one in machine.files)
        texts = (text.replace("sleep 10\n", "sleep 1\n") for text in texts)
        files = (dataclasses.replace(one, text=text) for one, text in zip(machine.files, texts, strict=True))
        return dataclasses.replace(machine, files=tuple(files))

    sentinels = tuple(dataclasses.replace(one, down_after=1500) for one in capture.sentinels)
    return dataclasses.replace(capture, hosts=tuple(map(sooner, capture.hosts)), sentinels=sentinels)


def with_script(host, path, victim):
    """The host with the hostile script in the place of one of its own. It knows a process and a folder outside."""
    text = HOSTILE.replace("@victim@", str(victim)).replace("@folder@", str(CAPTURES))
    files = (dataclasses.replace(file, text=text) if file.path == path else file for file in host.files)
    return dataclasses.replace(host, files=tuple(files))


def with_redis_user(host):
    """The host whose Redis runs as a user of its own, with a line that only Redis 2.4 has."""
    conf = host.file(host.redis.config)
    older = dataclasses.replace(conf, text=f"{conf.text}vm-enabled no\n", owner="redis:redis")
    files = tuple(older if file is conf else file for file in host.files)
    user = CapturedUser("redis", 105, 107, "/data", "/bin/sh")
    server = CapturedProcess("redis-server", "/usr/bin/redis-server *:6379", "redis")
    return dataclasses.replace(host, files=files, users=(*host.users, user), processes=(server,))


def with_tls(host):
    """The host whose Redis has a TLS port beside its plain one, with an encrypted key. No certificate is captured."""
    conf = host.file(host.redis.config)
    lines = (
        "tls-port 6380\ntls-replication yes\ntls-cert-file /etc/redis/tls/redis.crt\n"
        "tls-key-file /etc/redis/tls/redis.key\ntls-key-file-pass stand009\ntls-ca-cert-dir /etc/redis/tls/known\n"
    )
    files = tuple(dataclasses.replace(one, text=conf.text + lines) if one is conf else one for one in host.files)
    redis = dataclasses.replace(host.redis, port=6380, tls=True, server_name="redis.example")
    return dataclasses.replace(host, files=files, redis=redis)


@pytest.fixture
def victim():
    """A process of this machine that no script of a rehearsal may end."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_a_rehearsal_is_the_same_cluster_and_its_scripts_are_contained(room, victim):
    capture = quick("one-shot")
    script = "/etc/keepalived/scripts/redis_backup.sh"
    hosts = (with_tls(with_script(capture.host(A), script, victim.pid)), with_tls(with_redis_user(capture.host(B))))
    with rehearsal(dataclasses.replace(capture, hosts=hosts), 500, lambda _: None) as running:
        a, b = running.lab.host(A), running.lab.host(B)
        running.lab.wait(lambda: "end reached" in a.read("/data/redis/hostile.log"), 60, "the hostile script ends")
        running.lab.wait(lambda: a.run("hostname").stdout, 60, "its processes have ended")
        assert a.run("hostname").stdout.strip() == capture.host(A).hostname
        shown = a.run("ip -o -4 addr show").stdout
        assert f"{capture.host(A).interfaces[0].name}    inet {capture.host(A).address}/24" in shown
        for file in hosts[1].files:
            if file.part in (Part.KEEPALIVED, Part.SCRIPT):
                assert b.run(["cat", file.path]).stdout == file.text
        told = dict(line.rsplit(" ", 1) for line in a.read("/data/redis/hostile.log").splitlines())
        tried = (
            "mount",
            "remount",
            "device",
            "namespace",
            "clock",
            "kernel",
            "network",
            "route",
            "alternatives",
            "machine",
            "disk",
            "memory",
        )
        assert {name: told[name] for name in tried} == dict.fromkeys(tried, "refused")
        assert max(int(told["processes"]), int(told["bomb"])) <= 200 + 10
        assert victim.poll() is None
        assert told["seen"] == "0"
        assert told["loop"] == "goes-on"
        assert not Path("/usr/bin/evil-program").exists()
        assert b.run("ls /usr/bin/evil-program").returncode != 0
        assert b.run("stat -c %U /proc/$(cat /run/drill/redis-6380.pid)").stdout.strip() == "redis"
        (dropped,) = running.dropped
        assert dropped.startswith(f"{B}: {capture.host(B).redis.config}: `vm-enabled no` is left out")
        # TLS works with the authority of the rehearsal: a client, and the replica.
        assert running.login().ask(capture.host(B).address, "INFO", "replication").count("state=online") == 1
        inspector = inspector_of(running.lab, capture)
        assert [one.redis.problem for one in inspector.observe(fresh=True).nodes] == [None, None]
        inspector.close()
        # The host still serves, and its owner on this machine is nobody's.
        assert a.run("redis-cli -p 6379 PING").stdout.strip() == "PONG"
        assert (a.root / "etc/keepalived").stat().st_uid == a.cage.first_id


@pytest.fixture
def hurried(monkeypatch):
    """A check that waits no longer than a cluster with short times needs."""
    monkeypatch.setattr(checking, "_FAULT_WITHIN", (0.5, 1.0))
    monkeypatch.setattr(checking, "_FAILOVER_BEGINS", 2.5)
    monkeypatch.setattr(rehearsal_module, "_QUIET", 0.5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("system", "runbook"),
    [("sentinel-vip", "sentinel-return-old-master"), ("sentinel-consul", "consul-return-old-master")],
)
def test_a_set_is_the_same_cluster_and_its_return_is_walked(room, tmp_path, hurried, system, runbook):
    """It fails over by itself, and the runbook that the findings name brings the old master back."""
    capture = quick(system)
    request = CheckRequest(str(CAPTURES / system), "", ["master-redis-dies"], 1, 300, [], "table", "", str(tmp_path))
    with rehearsal(capture, 300, lambda _: None) as running:
        for machine in capture.machines:
            host = running.lab.host(machine.name)
            assert host.run("hostname").stdout.strip() == machine.hostname
            shown = host.run("ip -o -4 addr show").stdout
            assert all(f"{card.name}    inet {one}" in shown for card in machine.interfaces for one in card.addresses)
            assert all(f"inet {one}" in shown for one in machine.loopback)
            scripts = [one for one in machine.files if one.part in (Part.SCRIPT, Part.KEEPALIVED, Part.CONSUL)]
            assert all(host.read(one.path) == one.text for one in scripts)
        assert running.dropped == []
        walk, named = Checker(capture, request, lambda _: None)._walk_in(running, SCENARIOS[0], 1, "")
    assert named == [runbook]
    assert (walk.outcome, walk.runbooks[0].runbook, walk.lost) == (WalkOutcome.PROTECTED, runbook, 0), walk
    assert walk.acknowledged > 50
    assert {one.code: one.when for one in walk.found}["redis-down"] == AFTER


def test_what_scripts_do_by_themselves_is_found_before_anything_breaks(room):
    """Seed 001: its check kills keepalived."""
    capture = read_capture(CAPTURES / "password")
    with rehearsal(capture, 100, lambda _: None) as running:
        watcher = Watcher(running.lab, capture)
        _, findings = watcher.look(fresh=True)
        watcher.stop()
    told = {one.code: one.evidence for one in findings}
    assert any("redis_monitor.sh" in line for line in told["script-fights-operator"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("system", "expected"),
    [
        # It survives one failure only.
        ("one-shot", (WalkOutcome.PROTECTED, "one-shot-rebuild", "failover-unprotected", "not so: redis-b")),
        # Its check restarts Redis from an old dump, and its fixed sleeps promote whatever is there.
        ("preempting", (WalkOutcome.LOST, "", "script-fights-operator", "redis_master.sh")),
    ],
)
def test_a_check_finds_what_the_documents_report(room, tmp_path, system, expected):
    outcome, runbook, found, evidence = expected
    request = CheckRequest(str(CAPTURES / system), "", ["master-redis-dies"], 1, 500, [], "table", "", str(tmp_path))
    capture = quick(system) if system == "one-shot" else read_capture(CAPTURES / system)
    walk, named = Checker(capture, request, lambda _: None)._walk(SCENARIOS[0], 1, "")
    assert set(named) >= {one.runbook for one in walk.runbooks[:1]}
    assert walk.acknowledged > 50
    assert outcome in (None, walk.outcome), walk
    assert not runbook or walk.runbooks[0].runbook == runbook
    told = {one.code: one.evidence for one in walk.found}
    assert evidence in told[found], told
    assert f"{found} (" in check_text([walk], ["made up"], "table")


def test_a_drill_says_so_on_its_screen_and_grades_at_its_end(tmp_path, room):
    write_capture(tmp_path / "capture", quick("one-shot"))
    words = ["-m", "console", "drill", "run", str(tmp_path / "capture"), "--scenario", "keepalived-dies",
             "--delay", "1", "1", "--keys", "300", "--yes"]  # fmt: skip
    environment = {
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
    }
    drill = pexpect.spawn(sys.executable, words, env=environment, encoding="utf-8", timeout=90, dimensions=(24, 80))
    drill.expect("What differs from production:")
    drill.expect("READ-ONLY")
    assert "DRILL" in drill.before[drill.before.rfind("redis-ha-console") :]
    drill.expect("keepalived.{0,40}no process|not running|keepalived-down|STOP")
    drill.send("q")
    drill.expect("The drill goes on")
    drill.send("\t\r")
    drill.expect("noticed")
    drill.expect("not passed: the cluster would not survive the next failure")
    drill.expect(pexpect.EOF)
    drill.wait()
    assert drill.exitstatus == 1
    (folder,) = [path for path in (tmp_path / "redis-ha-console/drills").iterdir() if path.name.startswith("drill-")]
    assert {path.name for path in folder.iterdir()} >= {
        "grade.json",
        "report.md",
        "report.html",
        "report.json",
        "keys.json",
    }


def test_a_rehearsal_without_root(everyones_folder):  # noqa: F811 - the fixture
    """As `nobody`: root of a host is then one of the subordinate ids, and not even the user's own."""
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        pytest.skip("this whole run is rootless already")
    python = _project_for_everyone(everyones_folder)
    shutil.copytree(CAPTURES / "one-shot", everyones_folder / "capture")
    (everyones_folder / "subids").write_text("nobody:100000:65536\n")
    (everyones_folder / "inside.py").write_text("""
import pathlib
from console.documents.capture import read_capture
from console.drill.rebuilt.building import rehearsal
from console.lab.hosts.namespaces import prepare_namespaces
prepare_namespaces()
with rehearsal(read_capture(pathlib.Path("capture")), 100, print) as running:
    host = running.lab.host("redis-a")
    print("map", *host.run("cat /proc/self/uid_map").stdout.split())
    print("mount", host.run("mount -t tmpfs none /mnt").returncode)
    print("pong", running.lab.host("redis-b").redis("PING"))
""")
    command = f"""
        cd {everyones_folder} && mount --bind subids /etc/subuid && mount --bind subids /etc/subgid &&
        exec setpriv --reuid 65534 --regid 65534 --clear-groups {python} -c '
import os, sys
from console.lab.hosts.namespaces import command_in_namespaces
from console.lab.options import LabError
try:
    command = command_in_namespaces([sys.executable, "inside.py"])
except LabError as error:
    sys.exit(f"refused: {{error}}")
os.execv(command[0], command)'
    """
    packages = Path(pexpect.__file__).parents[1]
    environment = os.environ | {"HOME": "/", "PYTHONPATH": f"{everyones_folder}:{packages}"}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command], env=environment, capture_output=True, text=True, check=False
    )
    if "refused: " in done.stderr:
        assert "this machine does not let users make namespaces" in done.stderr
        pytest.skip(f"rootless was refused, clearly: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert told["map"].split()[:2] == ["0", "1"]
    assert told["mount"] != "0"
    assert told["pong"] == "PONG"
