"""Begins a drill: says what differs from production, and becomes the room in which the cluster is rebuilt."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill
from typing import NoReturn

from console.cli.context import CliError
from console.cli.output import read_line, say
from console.core.drills.capture import Capture
from console.core.drills.differences import LaboratoryFacts, called_programs, differences, missing_programs
from console.core.quantities import counted
from console.documents.capture import read_capture
from console.drill.checking import REQUEST_VARIABLE as CHECK_VARIABLE
from console.drill.checking import CheckRequest, check_request_text
from console.drill.grades import drills_folder
from console.drill.inside import REQUEST_VARIABLE, Request, request_text
from console.drill.rehearsal import data_size, nearest_version
from console.lab.hosts.host import ENVIRONMENT
from console.lab.hosts.namespaces import program
from console.lab.options import LabError
from console.lab.servers.fetching import fetch_missing
from console.lab.servers.progress import Progress
from console.lab.sessions.room import become, room_command

_LINKED = ("redis-cli", "redis-server", "keepalived", "valkey-cli", "systemctl")
"""Programs that a rehearsal has under every path by which scripts call them."""


def begin_drill(folder: Path, scenario: str, keys: int | None, delay: tuple[float, float], *, ask: bool) -> NoReturn:
    """Replaces this process by the drill."""
    capture = read_capture(folder)
    require_drillable(capture)
    told = what_differs(capture, keys)
    say(first_page(capture, told))
    if ask:
        read_line("Enter begins the drill, Ctrl-C leaves: ")
    name = f"{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}-{capture.cluster}"
    record = drills_folder() / name
    record.mkdir(parents=True, mode=0o700)
    command = [sys.executable, "-m", "console", "watch", capture.cluster]
    request = Request(str(folder), str(record), name, scenario, keys, delay, command, list(told))
    enter("console.drill.inside", REQUEST_VARIABLE, request_text(request))


def begin_check(
    folder: Path, scenarios: list[str], runs: int, keys: int | None, form: str, output: Path | None
) -> NoReturn:
    """Replaces this process by the check."""
    capture = read_capture(folder)
    require_drillable(capture)
    told = what_differs(capture, keys)
    state = drills_folder() / "checks" / f"{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}-{capture.cluster}"
    state.mkdir(parents=True, mode=0o700)
    wanted = str(output.resolve()) if output else ""
    request = CheckRequest(str(folder), scenarios, runs, keys, list(told), form, wanted, str(state))
    enter("console.drill.checking", CHECK_VARIABLE, check_request_text(request))


def enter(module: str, variable: str, request: str) -> NoReturn:
    """Becomes a module in a room of its own: everything that it starts dies with it. Raises CliError."""
    try:
        command = room_command(module)
    except LabError as error:
        raise CliError(str(error)) from None
    become(command, variable, request)


def require_drillable(capture: Capture) -> None:
    """Raises CliError, with what is missing, for a capture that cannot be rehearsed."""
    if capture.kind != "keepalived":
        raise CliError(
            f"{capture.cluster} is of the kind {capture.kind}: so far only pairs with keepalived are rehearsed"
        )
    for host in capture.hosts:
        if host.file(host.keepalived_config) is None:
            raise CliError(f"{host.name}: {host.keepalived_config} was not captured: nothing would move the virtual IP")
        if host.redis.tls:
            raise CliError(f"{host.name}: its Redis speaks TLS, and certificates are not captured: no rehearsal so far")
        if not host.interfaces:
            raise CliError(f"{host.name}: its addresses were not captured: no rehearsal is possible")
    if whole := [one for one in capture.unread if one.what == "the whole host"]:
        raise CliError(f"{whole[0].node} was not captured ({whole[0].why}): no rehearsal is possible")


def what_differs(capture: Capture, keys: int | None) -> tuple[str, ...]:
    """The differences, with what the laboratory does not have. Fetches the versions of Redis that are wanted."""
    size = data_size(capture, keys)
    versions = {host.name: nearest_version(host.redis.version) for host in capture.hosts}
    try:
        fetch_missing(versions.values(), Progress(sys.stderr))
        version = subprocess.run(
            [program("keepalived"), "--version"], capture_output=True, text=True, check=False
        ).stderr
    except LabError as error:
        raise CliError(str(error)) from None
    has = {name: _is_there(name, capture) for name in called_programs(capture)}
    words = version.split()
    facts = LaboratoryFacts(versions, words[1].lstrip("v") if len(words) > 1 else "?", size.keys, size.value_bytes)
    return (*missing_programs(capture, has), *differences(capture, facts))


def _is_there(name: str, capture: Capture) -> bool:
    if name.rpartition("/")[2] in _LINKED:
        return True
    if name.startswith("/"):
        return Path(name).exists() or all(host.file(name) is not None for host in capture.hosts)
    return shutil.which(name, path=ENVIRONMENT["PATH"]) is not None


def first_page(capture: Capture, told: tuple[str, ...]) -> str:
    """What a drill is, and what differs from production: read before it begins."""
    scripts = sum(1 for host in capture.hosts for _ in host.files)
    lines = [
        f"DRILL on {capture.cluster}: {', '.join(host.name for host in capture.hosts)}, virtual IP {capture.vip}",
        f"The hosts are rebuilt here from {counted(scripts, 'file')}, with no way out. Production is not touched.",
        "Something will break at a moment that nobody knows. Repair it as you would in production, then quit with q.",
        "",
        "What differs from production:",
        *(f"  - {one}" for one in told),
    ]
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 120)) - 1
    return "\n".join([*(fill(one, width, subsequent_indent="    ") for one in lines), ""])
