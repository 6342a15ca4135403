"""Builds a laboratory in a scenario, finds a running one, and runs commands in it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from console.core.drills.entries import Entered, Work
from console.lab.assembly.assemble import assemble
from console.lab.assembly.laboratory import DRILL, Laboratory, lab_environment
from console.lab.hosts.host import Host
from console.lab.options import LabError, LabOptions
from console.lab.scenarios import catalogue
from console.lab.scenarios.scenario import Scenario

PROGRAM = "redis-ha-console"
_HOST_AND_TEXT = 2
_ENTRIES = "entered"
"""The file with the moments at which somebody entered, and what that did: a line of JSON each."""


@contextmanager
def laboratory(
    scenario: str, options: LabOptions | None = None, report: Callable[[str], None] | None = None
) -> Iterator[Laboratory]:
    """A laboratory in this scenario, gone when the block ends. `report` gets the progress, line by line.

    The process must be in namespaces of its own (`console.lab.hosts.namespaces`). Raises LabError.
    """
    wanted = catalogue.find_scenario(scenario)
    report = report or (lambda _: None)
    lab = assemble(wanted.system, options or LabOptions(), report, scenario)
    try:
        _build(lab, wanted, report)
        yield lab
    finally:
        lab.close()


def _build(lab: Laboratory, scenario: Scenario, report: Callable[[str], None]) -> None:
    """Raises LabError, whatever went wrong: one line, and the log where a server is concerned."""
    try:
        scenario.build(lab, report)
        for host in lab.hosts.values():
            scenario.system.after_build(host, lab.options)
        lab.save()
    except subprocess.CalledProcessError as error:
        words = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd))
        raise LabError(f"{words} failed: exit code {error.returncode}", lab.logs()) from error
    except OSError as error:
        raise LabError(f"the scenario cannot be built: {error}", lab.logs()) from error


def attach(state_file: str) -> Laboratory:
    """The laboratory that this process runs inside, from its state file. Raises LabError where it is gone."""
    path = Path(state_file)
    state = _known(path)
    hosts = {
        name: Host(name=name, address=known["address"], root=Path(known["root"]), password=state["password"],
                   servers=known["servers"], pid=known["pid"], lasting=True)
        for name, known in state["hosts"].items()
    }  # fmt: skip
    if state["scenario"] == DRILL:
        raise LabError("a drill breaks by itself, at a moment that nobody knows: this is for laboratories")
    system = catalogue.find_scenario(state["scenario"]).system
    return Laboratory(path.parent, hosts, LabOptions(password=state["password"]), system, state["scenario"])


def environment_in(state_file: str) -> dict[str, str]:
    """What a command needs to find the laboratory or drill of this state file. Raises LabError where it is gone."""
    path = Path(state_file)
    also: dict[str, str] = _known(path).get("also", {})
    return lab_environment(path.parent) | also


def command_in(state_file: str, words: list[str]) -> list[str]:
    """The command that these words mean in the laboratory: after the name of a host, one that runs on that host.

    Several words arrive there as they are; one word alone is a text for the host's shell. Raises LabError where it is
    gone.
    """
    path = Path(state_file)
    if words and words[0] in hosts_in(state_file):
        there = [] if len(words) == 1 else ["--", words[1] if len(words) == _HOST_AND_TEXT else shlex.join(words[1:])]
        return ["ssh", "-F", str(path.parent / "ssh_config"), words[0], *there]
    return words


def hosts_in(state_file: str) -> tuple[str, ...]:
    """The names of the laboratory's hosts. Raises LabError where it is gone."""
    return tuple(_known(Path(state_file))["hosts"])


def _known(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{path}: no laboratory is running there ({error})") from None
    return known


def note_entry(state_file: str, entered: Entered) -> None:
    """Notes that somebody has entered: a drill says so in its grade. Noted again when it has ended."""
    with suppress(OSError), Path(state_file).with_name(_ENTRIES).open("a", encoding="ascii") as file:
        file.write(json.dumps({"at": entered.at, "work": entered.work.value}) + "\n")


def entries_in(folder: Path) -> tuple[Entered, ...]:
    """When somebody entered the laboratory of this folder, and what that did as far as it was noted last."""
    try:
        lines = [json.loads(line) for line in (folder / _ENTRIES).read_text(encoding="ascii").splitlines()]
        found = {float(one["at"]): Work(one["work"]) for one in lines}
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(Entered(at, work) for at, work in found.items())


def path_with_program() -> str:
    """$PATH, with this program's folder in front where it is not on it: commands that the screens tell work then."""
    path, own = os.environ.get("PATH", os.defpath), Path(sys.executable).parent
    missing = shutil.which(PROGRAM) is None and (own / PROGRAM).exists()
    return f"{own}{os.pathsep}{path}" if missing else path


def program_in_words() -> str:
    """How this program is called in a terminal of the operator's, as it stands."""
    return PROGRAM if shutil.which(PROGRAM) else f"{sys.executable} -m console"


def run_inside(environment: Mapping[str, str], command: list[str]) -> int:
    """Runs a command of the operator's in the laboratory of this environment and returns its exit code."""
    environment = os.environ | environment | {"PATH": path_with_program()}
    try:
        code = subprocess.call(command, env=environment)
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: no such program\n")
        return 127
    except PermissionError:
        sys.stderr.write(f"{command[0]}: cannot be run\n")
        return 126
    return code if code >= 0 else 128 - code
