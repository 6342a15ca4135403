"""Begins a drill: says what differs from production, and makes the room in which the cluster is rebuilt."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import fill
from typing import NoReturn

from console.cli.context import CliError
from console.cli.output import read_line, say
from console.core.drills.capture import Capture
from console.core.drills.differences import LaboratoryFacts, called_programs, differences, missing_programs
from console.core.quantities import counted
from console.core.typed_commands import PROGRAM
from console.drill.checking import REQUEST_VARIABLE as CHECK_VARIABLE
from console.drill.checking import CheckRequest, check_request_text
from console.drill.inside import REQUEST_VARIABLE, Request, request_text
from console.drill.rebuilt import consul
from console.drill.rebuilt.building import KINDS
from console.drill.rebuilt.rehearsal import data_size, versions_for
from console.drill.records import drills_folder, new_drill, new_folder, write_begun
from console.lab.hosts.host import ENVIRONMENT
from console.lab.hosts.namespaces import program
from console.lab.options import LabError
from console.lab.servers.fetching import fetch_missing
from console.lab.servers.progress import Progress
from console.lab.servers.versions import CONSUL, INSTALLED_VERSION, consul_folder, redis_server
from console.lab.sessions.room import attend, room_command

_LINKED = ("redis-cli", "redis-server", "keepalived", "valkey-cli", "systemctl", "consul", "ipvsadm")
"""Programs that a rehearsal has under every path by which scripts call them."""


def begin_drill(
    folder: Path, capture: Capture, scenario: str, keys: int | None, delay: tuple[float, float], *, ask: bool
) -> NoReturn:
    """Does not return. `capture`: what was read of the folder."""
    require_drillable(capture)
    told = what_differs(capture, keys)
    record = new_drill()
    try:
        say(first_page(capture, told, record.name))
        if ask:
            read_line("Enter begins the drill, Ctrl-C leaves: ")
    except BaseException:
        record.rmdir()  # it has not begun
        raise
    write_begun(record, capture)
    command = [sys.executable, "-m", "console", "watch", capture.cluster]
    request = Request(
        str(folder), capture.digest, str(record), record.name, scenario, keys, delay, command, ask, list(told)
    )
    enter("console.drill.inside", REQUEST_VARIABLE, request_text(request))


def begin_check(  # noqa: PLR0913 - options of the command
    folder: Path,
    capture: Capture,
    scenarios: list[str],
    *,
    runs: int,
    keys: int | None,
    form: str,
    output: Path | None,
) -> NoReturn:
    """Does not return. `capture`: what was read of the folder."""
    require_drillable(capture)
    told = what_differs(capture, keys)
    state = new_folder(drills_folder() / "checks", capture.cluster)
    wanted = str(output.resolve()) if output else ""
    request = CheckRequest(
        str(folder), capture.digest, scenarios, runs, keys, list(told), form, wanted, str(state), list(capture.guesses)
    )
    enter("console.drill.checking", CHECK_VARIABLE, check_request_text(request))


def enter(module: str, variable: str, request: str) -> NoReturn:
    """Runs a module in a room of its own: everything that it starts dies with it. Raises CliError."""
    try:
        command = room_command(module)
    except LabError as error:
        raise CliError(str(error)) from None
    attend(command, variable, request)


def require_drillable(capture: Capture) -> None:
    """Raises CliError, with what is missing, for a capture that cannot be rehearsed."""
    if capture.kind not in KINDS:
        raise CliError(f"{capture.cluster} is of the kind {capture.kind}: there are {', '.join(KINDS)}")
    for one in (*(capture.hosts if capture.kind == "keepalived" else ()), *capture.directors):
        if one.file(one.keepalived_config) is None:
            raise CliError(f"{one.name}: {one.keepalived_config} was not captured: nothing would move the virtual IP")
    for one in capture.machines:
        if not one.interfaces:
            raise CliError(f"{one.name}: its addresses were not captured: no rehearsal is possible")
    if capture.kind != "keepalived" and not capture.sentinels:
        raise CliError(f"{capture.cluster}: no Sentinel was captured: nothing would fail over; capture it again")
    _require_consul(capture)
    if whole := [one for one in capture.unread if one.what == "the whole host"]:
        raise CliError(f"{whole[0].node} was not captured ({whole[0].why}): no rehearsal is possible")


def _require_consul(capture: Capture) -> None:
    """Raises CliError where the agent that clients ask would not be there."""
    if capture.kind != "sentinel-consul":
        return
    if capture.consul is None:
        raise CliError(f"{capture.cluster}: Consul was not captured: nothing would lead clients; capture it again")
    machine = capture.machine(capture.consul.machine) if capture.consul.machine else None
    if machine is None:
        raise CliError(f"{capture.consul.http} is no node of the cluster: only an agent on a node is captured")
    if not consul.has_agent(machine):
        raise CliError(f"{machine.name}: Consul did not run when it was captured: nothing would lead clients")
    if capture.consul.http.startswith("https:") or consul.speaks_tls(machine):
        raise CliError(f"{machine.name}: its Consul speaks TLS: no rehearsal so far")


def what_differs(capture: Capture, keys: int | None) -> tuple[str, ...]:
    """The differences, with what the laboratory does not have. Fetches the versions of Redis that are wanted."""
    size = data_size(capture, keys)
    versions = versions_for(capture)
    more = (CONSUL,) if capture.consul is not None else ()
    try:
        fetch_missing([*versions.values(), *more], Progress(sys.stderr))
        version = subprocess.run(
            [program("keepalived"), "--version"], capture_output=True, text=True, check=False
        ).stderr
    except LabError as error:
        raise CliError(str(error)) from None
    has = {name: _is_there(name, capture) for name in called_programs(capture)}
    words = version.split()
    sentinels = {one.name: _version_of_sentinel(versions[one.machine]) for one in capture.sentinels}
    facts = LaboratoryFacts(
        versions, words[1].lstrip("v") if len(words) > 1 else "?", size.keys, size.value_bytes, sentinels,
        _consul_version() if capture.consul is not None else "", consul.answers_dns(capture),
    )  # fmt: skip
    return (*missing_programs(capture, has), *differences(capture, facts))


def _version_of_sentinel(version: str) -> str:
    return INSTALLED_VERSION if redis_server(version).environment else version


def _consul_version() -> str:
    done = subprocess.run(
        [str(consul_folder() / "consul"), "version"], capture_output=True, text=True, check=False
    ).stdout  # fmt: skip
    return done.split("\n", 1)[0].removeprefix("Consul v") or "?"


def _is_there(name: str, capture: Capture) -> bool:
    if name.rpartition("/")[2] in _LINKED:
        return True
    if name.startswith("/"):
        return Path(name).exists() or any(host.file(name) is not None for host in capture.machines)
    return shutil.which(name, path=ENVIRONMENT["PATH"]) is not None


def first_page(capture: Capture, told: tuple[str, ...], name: str) -> str:
    """What a drill is, and what differs from production: read before it begins. `name`: of its laboratory."""
    scripts = sum(1 for host in capture.machines for _ in host.files)
    clients = f"virtual IP {capture.vip}" if capture.vip else f"name {capture.consul.service}" if capture.consul else ""
    head = [
        f"DRILL on {capture.cluster}: {', '.join(host.name for host in capture.machines)}, {clients}",
        f"The hosts are rebuilt here from {counted(scripts, 'file')}, with no way out. Production is not touched.",
        "Something will break at a moment that nobody knows. Repair it as you would in production, then quit with q.",
        "For commands on a host, another terminal, and never ssh: your production has the same addresses.",
    ]
    way_in = f"  {PROGRAM} lab enter --in {name} {capture.machines[0].name}"
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 120)) - 1
    guesses = (f"GUESS: {one}" for one in capture.guesses)
    differ = (*guesses, "What differs from production:", *(f"  - {one}" for one in told))
    lines = (*(fill(one, width) for one in head), way_in, "")
    lines += tuple(fill(one, width, subsequent_indent="    ") for one in differ)
    return "\n".join([*lines, ""])
