"""The commands of the laboratory as they are called at a terminal, also by a user who is not root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from console.lab.commands import DEFAULT_SCENARIO, FAULTS, SERVICES
from console.lab.hosts import faults
from console.lab.hosts.namespaces import command_in_namespaces
from console.lab.hosts.network import BRIDGE
from console.lab.options import LabOptions
from console.lab.scenarios import catalogue
from console.lab.sessions.inside import REQUEST_VARIABLE

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
INSIDE = [sys.executable, "-m", "console.lab.sessions.inside"]


def request(scenario, *command, **options):
    asked = {"scenario": scenario, "options": asdict(LabOptions.quick(**options)), "command": command, "quiet": True}
    return {**os.environ, REQUEST_VARIABLE: json.dumps(asked)}


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
        lab.wait(lambda: not lab.host(A).running("sshd"), 60, "sshd is gone")
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
