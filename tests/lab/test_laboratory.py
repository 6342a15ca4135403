"""The laboratory itself: its scenarios are what they say, its faults do what they say, nothing gets out or stays."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from lab.writer import Writer

from console.lab.commands import DEFAULT_SCENARIO, FAULTS, SERVICES
from console.lab.hosts import faults
from console.lab.hosts.namespaces import LABORATORY_FOLDER, command_in_namespaces, require_isolated_network
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabError, LabOptions
from console.lab.scenarios import catalogue, replication
from console.lab.scenarios import keepalived_pair as scenarios
from console.lab.sessions.inside import REQUEST_VARIABLE

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
INSIDE = [sys.executable, "-m", "console.lab.sessions.inside"]


def keepalived_states(lab):
    lines = {name: host.read("/var/log/keepalived.log").splitlines() for name, host in lab.hosts.items()}
    return {
        name: [line.split("Entering ")[1].split()[0] for line in log if "Entering " in line][-1:]
        for name, log in lines.items()
    }


def request(scenario, *command, **options):
    asked = {"scenario": scenario, "options": asdict(LabOptions.quick(**options)), "command": command, "quiet": True}
    return {**os.environ, REQUEST_VARIABLE: json.dumps(asked)}


class TestScenarios:
    def test_healthy(self, pair):
        lab = pair("healthy")
        a, b = lab.host(A), lab.host(B)
        assert lab.vip_holders() == [B]
        assert scenarios.role(lab, b) == "master"
        assert scenarios.in_sync(lab, a, b)
        assert keepalived_states(lab) == {A: ["BACKUP"], B: ["MASTER"]}
        assert a.redis("DBSIZE") == b.redis("DBSIZE") == str(lab.options.keys + 1)

    def test_failed_over(self, pair):
        lab = pair("failed-over")
        a, b = lab.host(A), lab.host(B)
        assert lab.vip_holders() == [A]
        assert scenarios.role(lab, a) == "master"
        assert not b.running("redis-server")
        assert b.running("keepalived")
        assert keepalived_states(lab) == {A: ["MASTER"], B: ["BACKUP"]}
        assert not a.running("redis_master.sh")

    def test_fresh(self, pair):
        lab = pair("fresh")
        for host in lab.hosts.values():
            assert host.running("sshd")
            assert not host.running("redis-server")
            assert not host.running("keepalived")
            assert not list((host.root / "data/redis").iterdir())
        assert lab.vip_holders() == []

    def test_stale_master_back_holds_less_than_was_acknowledged(self, pair):
        lab = pair("stale-master-back")
        a, b = lab.host(A), lab.host(B)
        assert scenarios.role(lab, a) == scenarios.role(lab, b) == "master"
        assert lab.vip_holders() == [A]
        assert not b.running("keepalived")
        assert int(b.redis("GET", replication.COUNTER)) < int(a.redis("GET", replication.COUNTER))

    def test_split_brain_has_two_histories(self, pair):
        lab = pair("split-brain")
        a, b = lab.host(A), lab.host(B)
        assert scenarios.role(lab, a) == scenarios.role(lab, b) == "master"
        assert lab.vip_holders() == [B]
        assert a.redis("EXISTS", "written:on:redis-a:1", "written:on:redis-b:1") == "1"
        assert b.redis("EXISTS", "written:on:redis-a:1", "written:on:redis-b:1") == "1"
        assert a.redis("EXISTS", "written:on:redis-a:1") == b.redis("EXISTS", "written:on:redis-b:1") == "1"

    def test_hosts_are_told_apart(self, pair):
        lab = pair("fresh")
        for name, host in lab.hosts.items():
            assert host.run(["hostname"]).stdout == f"{name}\n"
        boots = {host.run("cat /proc/sys/kernel/random/boot_id").stdout for host in lab.hosts.values()}
        assert len(boots) == 2

    def test_an_unknown_one_is_named_with_those_that_exist(self, pair):
        with pytest.raises(LabError, match="no scenario asleep: there are healthy, failed-over"):
            pair("asleep")


class TestVersions:
    @pytest.mark.parametrize("version", ["6.2", "7.0", "8.0"])
    def test_redis(self, pair, version):
        lab = pair("healthy", redis=version)
        assert f"redis_version:{version}." in lab.host(A).redis("INFO", "server")
        assert lab.host(A).running("redis-server")

    def test_one_host_may_have_another(self, pair):
        lab = pair("fresh", redis="7.0", redis_of={A: "6.2"})
        for host in lab.hosts.values():
            host.service("redis-server", "start")
        assert "redis_version:6.2." in lab.host(A).redis("INFO", "server")
        assert "redis_version:7.0." in lab.host(B).redis("INFO", "server")

    def test_documented_keepalived_options_with_a_password(self, pair):
        lab = pair("healthy", vrrp_version=2, advert_interval=1, check_interval=2, notify_sleep=0, password="s3cret")
        assert "auth_pass 1111" in lab.host(A).read("/etc/keepalived/keepalived.conf")
        assert lab.host(A).redis("PING") == "PONG"
        assert "NOAUTH" in lab.host(A).run("unset REDISCLI_AUTH; redis-cli PING").stdout
        assert "s3cret" not in lab.inventory.read_text()


class TestFaults:
    def test_killed_master_is_survived_and_its_writers_go_on(self, pair):
        lab = pair("healthy")
        with Writer(lab.vip) as writer:
            writer.wait_for(50, 10)
            lab.fault("kill", B, "redis")
            lab.wait(lambda: lab.vip_holders() == [A], 15, "the VIP moves")
            lab.wait(lambda: scenarios.role(lab, lab.host(A)) == "master", 15, "redis-a is promoted")
            writer.wait_for(50, 10)
        assert lab.host(B).running("keepalived")
        # Asynchronous replication: the last ones before the kill may not have left it.
        assert writer.lost() < 20

    def test_killed_keepalived_leaves_the_vip_behind_and_a_stopped_one_takes_it_along(self, pair):
        lab = pair("healthy")
        lab.fault("kill", B, "keepalived")
        lab.wait(lambda: sorted(lab.vip_holders()) == [A, B], 10, "both hold the VIP")
        lab.fault("start", B, "keepalived")
        lab.wait(lambda: lab.vip_holders() == [B], 10, "the higher priority has it back")
        lab.fault("stop", B, "keepalived")
        lab.wait(lambda: lab.vip_holders() == [A], 10, "the VIP moves")

    def test_frozen_redis_takes_connections_and_does_not_answer(self, pair):
        lab = pair("healthy")
        lab.fault("freeze", A, "redis")
        with socket.create_connection((lab.host(A).address, 6379), timeout=1) as line:
            line.settimeout(0.5)
            line.sendall(b"PING\r\n")
            with pytest.raises(TimeoutError):
                line.recv(10)
            lab.fault("thaw", A, "redis")
            assert line.recv(10) == b"+PONG\r\n"

    def test_frozen_host_answers_nothing_and_comes_back(self, pair):
        lab = pair("healthy")
        lab.fault("freeze", B)
        lab.wait(lambda: lab.host(A).has_address(lab.vip), 10, "redis-a takes the VIP")
        lab.fault("thaw", B)
        lab.wait(lambda: lab.vip_holders() == [B], 10, "redis-b takes it back")

    def test_cut_host_loses_its_carrier_and_isolated_one_does_not(self, pair):
        lab = pair("fresh")
        b = lab.host(B)
        for kind, carrier in (("cut", "NO-CARRIER"), ("isolate", "LOWER_UP")):
            lab.fault(kind, B)
            with pytest.raises(OSError, match=r"timed out|No route|unreachable"):
                socket.create_connection((b.address, 22), timeout=0.3)
            assert carrier in b.run("ip link show eth2").stdout
            lab.fault("heal", B)
            lab.wait(lambda: not socket.create_connection((b.address, 22), timeout=0.3).close(), 5, "sshd answers")

    def test_power_cut_keeps_the_disk(self, pair):
        lab = pair("healthy")
        b = lab.host(B)
        before = b.run("cat /proc/1/stat").stdout
        b.redis("SAVE")
        lab.fault("kill", B)
        lab.wait(lambda: lab.vip_holders() == [A], 10, "the VIP moves")
        with pytest.raises(LabError, match="redis-b is switched off"):
            b.run("true")
        lab.fault("start", B)
        assert b.run("cat /proc/1/stat").stdout != before
        b.service("redis-server", "start")
        lab.wait(lambda: b.redis("DBSIZE") == str(lab.options.keys + 1), 5, "its data is loaded")

    def test_sshd(self, pair):
        lab = pair("fresh")
        lab.fault("stop", A, "sshd")
        lab.wait(lambda: not lab.host(A).running("sshd"), 5, "sshd is gone")
        lab.fault("start", A, "sshd")
        lab.wait(lambda: lab.host(A).running("sshd"), 5, "sshd runs")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("melt", A, None), "no fault melt"),
            (("kill", "redis-c", None), "no host redis-c: there are redis-a, redis-b"),
            (("kill", A, "cron"), "no service cron"),
            (("kill", A, "redis"), "redis does not run on redis-a"),
            (("stop", A, None), "stop needs a service"),
            (("start", A, None), "redis-a is on"),
            (("cut", A, "redis"), "cut is for a whole host"),
            (("slow", A, "redis"), "slow is for a whole host"),
            (("password", A, None), "password is for redis"),
            (("heal", A, "keepalived"), "nothing of keepalived lasts"),
        ],
    )
    def test_senseless_ones_are_refused(self, fresh_pair, words, said):
        with pytest.raises(LabError, match=said):
            fresh_pair.fault(*words)


@pytest.fixture
def fresh_pair(pair):
    return pair("fresh")


class TestRoom:
    def test_no_packet_can_leave(self, pair):
        lab = pair("fresh")
        operator = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout.splitlines()
        assert [line.split()[:3] for line in operator] == [["192.168.100.0/24", "dev", BRIDGE]]
        for host in lab.hosts.values():
            routes = host.run(["ip", "route"]).stdout.splitlines()
            assert [line.split()[:3] for line in routes] == [["192.168.100.0/24", "dev", "eth2"]]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, pytest.raises(OSError, match="unreachable"):
            out.connect(("192.0.2.1", 53))

    def test_a_network_that_leads_somewhere_is_refused(self, pair):
        pair("fresh")  # its bridge is a route
        with pytest.raises(LabError, match="leads somewhere"):
            require_isolated_network()

    def test_taking_it_down_is_quick_and_leaves_nothing(self, pair):
        lab = pair("healthy")
        inits = [host.pid for host in lab.hosts.values()]
        began = time.monotonic()
        lab.close()
        assert time.monotonic() - began < 1
        assert not any(Path(f"/proc/{pid}").exists() for pid in inits)
        assert not list(LABORATORY_FOLDER.iterdir())
        assert str(LABORATORY_FOLDER) not in Path("/proc/self/mounts").read_text()
        assert not Path(f"/sys/class/net/{BRIDGE}").exists()
        assert [name for _, name in socket.if_nameindex() if name in (A, B, BRIDGE)] == []

    def test_the_files_of_a_host_are_its_own(self, pair):
        lab = pair("fresh")
        a, b = lab.host(A), lab.host(B)
        folders = "/tmp /run /root /data /var/log /etc/keepalived /etc/redis /etc/init.d"
        a.run(f"for folder in {folders}; do : >$folder/mark; done", check=True)
        assert b.run("ls /tmp/mark /run/mark /root/mark /data/mark /var/log/mark /etc/*/mark").stdout == ""
        assert not Path("/run/mark").exists()
        assert not Path("/tmp/mark").exists()
        assert a.run(": >/usr/bin/mark").returncode != 0
        assert not any(Path("/usr/bin").glob("mark"))


class TestCommands:
    def console(self, *words, **settings):
        command = [sys.executable, "-m", "console", *words]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **settings
        )

    def test_scenarios_are_listed(self):
        done = self.console("lab", "scenarios")
        assert done.returncode == 0
        assert {line.split()[0] for line in done.stdout.splitlines()} == set(catalogue.SCENARIOS)
        assert DEFAULT_SCENARIO in catalogue.SCENARIOS

    def test_faults_of_the_command_line_are_those_of_the_laboratory(self):
        assert set(FAULTS) == set(faults.KINDS)
        assert set(SERVICES) == set(faults.SERVICES)

    def test_run_builds_and_gives_the_exit_code(self):
        done = self.console("lab", "run", "fresh", "--quiet", "--password", "--", "sh", "-c", "echo inside; exit 5")
        assert (done.returncode, done.stdout, done.stderr) == (5, "inside\n", "")

    def test_fault_inside_finds_its_laboratory(self, pair):
        lab = pair("fresh")
        environment = os.environ | lab.environment
        done = self.console("lab", "fault", "stop", A, "sshd", env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        lab.wait(lambda: not lab.host(A).running("sshd"), 5, "sshd is gone")
        assert self.console("lab", "fault", "kill", B, env=environment).returncode == 0
        assert self.console("lab", "fault", "start", B, env=environment).returncode == 0
        done = self.console("lab", "fault", "kill", A, "redis", env=environment)
        assert (done.returncode, done.stderr) == (3, "redis does not run on redis-a\n")
        lab.close()
        assert not Path(f"/sys/class/net/{BRIDGE}").exists()

    def test_demo_without_a_terminal_says_so(self):
        done = self.console("demo")
        assert done.returncode == 3
        assert "needs a terminal" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_an_impossible_option_is_refused_before_anything_is_built(self):
        done = self.console("lab", "run", "fresh", "--advert-interval", "0.5", "--", "true")
        assert done.returncode == 2
        assert "VRRPv2 has whole seconds" in done.stderr

    def test_missing_program_is_named_with_its_package(self, tmp_path):
        script = (
            "import sys; from console.lab.hosts import namespaces as n; n._SBIN = '/nowhere';"
            "from console.lab.options import LabError\n"
            "try: n.command_in_namespaces(['true'])\nexcept LabError as e: print(e)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
        )
        assert "the program unshare is missing: install the package util-linux" in done.stdout


class TestOuterRoom:
    """What `lab run` does: the command in namespaces that end with it."""

    def test_command_finds_the_inventory_and_gives_its_exit_code(self):
        script = 'grep -q 192.168.100.123 "$REDIS_HA_INVENTORY" && echo found && exit 7'
        done = subprocess.run(
            command_in_namespaces(INSIDE),
            env=request("fresh", "sh", "-c", script),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (7, "found\n"), done.stderr

    def test_killed_outright_it_leaves_nothing(self):
        env = request("healthy", "sh", "-c", "echo built; sleep 1000")
        before = set(Path("/tmp").iterdir()) | set(Path("/dev/shm").iterdir())
        room = subprocess.Popen(command_in_namespaces(INSIDE), env=env, stdout=subprocess.PIPE, text=True)
        try:
            assert room.stdout.readline() == "built\n"
        finally:
            children = Path(f"/proc/{room.pid}/task/{room.pid}/children").read_text().split()
            room.kill()
            room.wait()
        end = time.monotonic() + 5
        while any(map(_alive, children)) and time.monotonic() < end:
            time.sleep(0.02)
        assert children
        assert not any(map(_alive, children))
        left = (set(Path("/tmp").iterdir()) | set(Path("/dev/shm").iterdir())) - before
        assert not [path for path in left if "lab" in path.name or "pair" in path.name]

    def test_without_root(self, everyones_folder):
        """As `nobody`, with subordinate ids that only this test's mounts know."""
        if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
            pytest.skip("this whole run is rootless already")
        python = _project_for_everyone(everyones_folder)
        ids = everyones_folder / "subids"
        ids.write_text("nobody:100000:65536\n")
        command = f"""
            mount --bind {ids} /etc/subuid && mount --bind {ids} /etc/subgid && cd {everyones_folder} &&
            exec setpriv --reuid 65534 --regid 65534 --clear-groups {python} -c '
import os, sys
from console.lab.hosts.namespaces import command_in_namespaces
from console.lab.options import LabError
try:
    command = command_in_namespaces([sys.executable, "-m", "console.lab.sessions.inside"])
except LabError as error:
    sys.exit(f"refused: {{error}}")
os.execv(command[0], command)'
        """
        look = 'id -u; cat /proc/self/uid_map; ssh -F "${REDIS_HA_INVENTORY%/*}/ssh_config" redis-a redis-cli ROLE'
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", command], env=request("failed-over", "sh", "-c", look) | {"HOME": "/"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "refused: " in done.stderr:
            assert "this machine does not let users make namespaces" in done.stderr
            pytest.skip(f"rootless was refused, clearly: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == "0"
        assert "65534" in done.stdout.splitlines()[1]
        assert "master" in done.stdout


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def everyones_folder():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _project_for_everyone(folder):
    """The project may lie where only its owner may look, and so may its Python."""
    project = Path(__file__).parents[2]
    shutil.copytree(project / "console", folder / "console", ignore=shutil.ignore_patterns("__pycache__"))
    as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    for python in ("/usr/bin/python3", sys.executable):
        if Path(python).exists() and subprocess.run([*as_nobody, python, *new_enough], check=False).returncode == 0:
            return python
    return pytest.skip("no Python 3.11 that an unprivileged user may run")
