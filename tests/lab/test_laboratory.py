"""The laboratory itself: its scenarios are what they say, its faults do what they say, nothing gets out or stays."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from lab.writer import Writer

from console.lab.hosts.namespaces import LABORATORY_FOLDER, OF_THE_MACHINE, require_isolated_network
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabError
from console.lab.scenarios import keepalived_pair as scenarios
from console.lab.scenarios import replication

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"


def keepalived_states(lab):
    lines = {name: host.read("/var/log/keepalived.log").splitlines() for name, host in lab.hosts.items()}
    return {
        name: [line.split("Entering ")[1].split()[0] for line in log if "Entering " in line][-1:]
        for name, log in lines.items()
    }


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
            lab.wait(lambda: lab.vip_holders() == [A], 60, "the VIP moves")
            lab.wait(lambda: scenarios.role(lab, lab.host(A)) == "master", 60, "redis-a is promoted")
            writer.wait_for(50, 10)
        assert lab.host(B).running("keepalived")
        # Asynchronous replication: the last ones before the kill may not have left it.
        assert writer.lost() < 20

    def test_killed_keepalived_leaves_the_vip_behind_and_a_stopped_one_takes_it_along(self, pair):
        lab = pair("healthy")
        lab.fault("kill", B, "keepalived")
        lab.wait(lambda: sorted(lab.vip_holders()) == [A, B], 60, "both hold the VIP")
        lab.fault("start", B, "keepalived")
        lab.wait(lambda: lab.vip_holders() == [B], 60, "the higher priority has it back")
        lab.fault("stop", B, "keepalived")
        lab.wait(lambda: lab.vip_holders() == [A], 60, "the VIP moves")

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
        lab.wait(lambda: lab.host(A).has_address(lab.vip), 60, "redis-a takes the VIP")
        lab.fault("thaw", B)
        lab.wait(lambda: lab.vip_holders() == [B], 60, "redis-b takes it back")

    def test_cut_host_loses_its_carrier_and_isolated_one_does_not(self, pair):
        lab = pair("fresh")
        b = lab.host(B)
        for kind, carrier in (("cut", "NO-CARRIER"), ("isolate", "LOWER_UP")):
            lab.fault(kind, B)
            with pytest.raises(OSError, match=r"timed out|No route|unreachable"):
                socket.create_connection((b.address, 22), timeout=0.3)
            assert carrier in b.run("ip link show eth2").stdout
            lab.fault("heal", B)
            lab.wait(lambda: not socket.create_connection((b.address, 22), timeout=0.3).close(), 60, "sshd answers")

    def test_power_cut_keeps_the_disk(self, pair):
        lab = pair("healthy")
        b = lab.host(B)
        before = b.run("cat /proc/1/stat").stdout
        b.redis("SAVE")
        lab.fault("kill", B)
        lab.wait(lambda: lab.vip_holders() == [A], 60, "the VIP moves")
        with pytest.raises(LabError, match="redis-b is switched off"):
            b.run("true")
        lab.fault("start", B)
        assert b.run("cat /proc/1/stat").stdout != before
        b.service("redis-server", "start")
        lab.wait(lambda: b.redis("DBSIZE") == str(lab.options.keys + 1), 60, "its data is loaded")

    def test_sshd(self, pair):
        lab = pair("fresh")
        lab.fault("stop", A, "sshd")
        lab.wait(lambda: not lab.host(A).running("sshd"), 60, "sshd is gone")
        lab.fault("start", A, "sshd")
        lab.wait(lambda: lab.host(A).running("sshd"), 60, "sshd runs")

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
    def test_senseless_ones_are_refused(self, odd, words, said):
        with pytest.raises(LabError, match=said):
            odd.lab.fault(*words)


def capabilities(status):
    bounding = int(re.search(r"^CapBnd:\s*([0-9a-f]+)$", status, re.MULTILINE)[1], 16)
    return {number for number in range(64) if bounding >> number & 1}


class TestRoom:
    def test_no_packet_can_leave_and_the_machine_keeps_its_clock(self, pair):
        lab = pair("fresh")
        operator = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout.splitlines()
        assert [line.split()[:3] for line in operator] == [["192.168.100.0/24", "dev", BRIDGE]]
        for host in lab.hosts.values():
            routes = host.run(["ip", "route"]).stdout.splitlines()
            assert [line.split()[:3] for line in routes] == [["192.168.100.0/24", "dev", "eth2"]]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, pytest.raises(OSError, match="unreachable"):
            out.connect(("192.0.2.1", 53))
        assert "cannot set date" in lab.hosts[A].run('date -s "$(date)"').stderr
        assert not set(OF_THE_MACHINE.values()) & capabilities(lab.hosts[A].run("cat /proc/self/status").stdout)

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
