"""`lab …` and `demo`: the laboratory from the command line."""

from __future__ import annotations

import difflib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

DEFAULT_SCENARIO = "failed-over"
FAULTS = ("kill", "stop", "start", "freeze", "thaw", "cut", "isolate", "slow", "fill", "clock", "password", "rekey",
          "heal")  # fmt: skip
SERVICES = ("redis", "keepalived", "sshd", "sentinel", "consul")

_of_which = click.option(
    "--in", "laboratory", metavar="LABORATORY",
    help="Which laboratory, where several are running: the name that its command printed.",
)  # fmt: skip

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option("--redis", "redis", default="7.0", show_default=True,
                 help="Version of Redis: 6.0, 6.2, 7.0 or 8.0. It is fetched if it is missing."),
    click.option("--keys", default=5000, show_default=True, type=click.IntRange(0), help="Keys in the data set."),
    click.option("--password", is_flag=True, help="Give both Redis a password."),
    click.option("--vrrp-version", default="2", show_default=True, type=click.Choice(["2", "3"]),
                 help="Version of the protocol that keepalived speaks."),
    click.option("--advert-interval", default=1.0, show_default=True, type=float,
                 help="Seconds between two adverts. VRRPv2 has whole seconds, VRRPv3 also less than 1."),
    click.option("--notify-sleep", default=10.0, show_default=True, type=float,
                 help="Seconds that a new master's notify script waits before SLAVEOF NO ONE."),
    click.option("--weight", default=-10, show_default=True, type=int,
                 help="Weight of the check script. A negative one lowers the priority while the check fails."),
    click.option("--priorities", nargs=2, default=(138, 139), show_default=True, type=int,
                 help="VRRP priorities of redis-a and redis-b."),
    click.option("--fast", is_flag=True, help="VRRPv3, short adverts and sleeps, as in the tests."),
    click.option("--quiet", is_flag=True, help="No progress on stderr."),
)  # fmt: skip


def _lab_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _scenario(_: click.Context, __: click.Parameter, name: str) -> str:
    """One of the registry's, which is imported only when a laboratory is asked for."""
    from console.lab.scenarios import catalogue

    if name not in catalogue.SCENARIOS:
        near = difflib.get_close_matches(name, catalogue.SCENARIOS, n=3)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise click.BadParameter(f"there is no scenario {name}; {meant}`lab scenarios` lists them.")
    return name


@click.group()
def lab() -> None:
    """Run a laboratory of real servers on this machine.

    Hosts made of Linux namespaces, with sshd, redis-server, keepalived, Sentinels and Consul, on a network without a
    way out. Everything is gone when the command ends.
    """


@lab.command("scenarios")
def list_scenarios() -> None:
    """List the systems and the states that they can be built in."""
    from console.lab.scenarios import catalogue

    longest = max(map(len, catalogue.SCENARIOS))
    for name, scenario in catalogue.SCENARIOS.items():
        click.echo(f"{name:{longest}}  {scenario.text}{' (default)' if name == DEFAULT_SCENARIO else ''}")


@lab.command("run", context_settings={"ignore_unknown_options": False})
@click.argument("scenario", callback=_scenario)
@_lab_options
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_command(scenario: str, command: tuple[str, ...], **options: Any) -> None:
    """Build SCENARIO and run COMMAND in it. The exit code is that of COMMAND.

    COMMAND finds the laboratory's inventory in $REDIS_HA_INVENTORY. Put -- before the command.

    Example: lab run healthy -- redis-ha-console status
    """
    _enter(scenario, command, options)


@lab.command("shell")
@click.argument("scenario", callback=_scenario, default=DEFAULT_SCENARIO)
@_lab_options
def shell_command(scenario: str, **options: Any) -> None:
    """Build SCENARIO and open a shell in it. The shell is that of the operator's machine."""
    _enter(scenario, [os.environ.get("SHELL", "/bin/sh")], options)


@lab.command("enter")
@_of_which
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def enter_command(command: tuple[str, ...], laboratory: str | None) -> None:
    """Open a shell in the running laboratory, or run COMMAND there.

    It is for another terminal. Commands that a screen of the demo prints work in it. Put -- before a command with
    options of its own. Where COMMAND begins with the name of a host, the rest runs on that host: several words arrive
    there as they are, one word alone is a text for the host's shell.

    Example: lab enter redis-a -- ip address
    """
    from console.core.drills.entries import Entered, work_of
    from console.lab.assembly.laboratory import STATE_VARIABLE
    from console.lab.options import LabError
    from console.lab.sessions.build import command_in, environment_in, hosts_in, note_entry, run_inside

    state = os.environ.get(STATE_VARIABLE)
    try:
        if state is None or not _is_meant(state, laboratory):
            _repeat_inside(["lab", "enter", "--", *command], laboratory)
        if not command:
            click.echo("a host's shell: redis-ha-console lab enter HOST; a command there: lab enter HOST -- COMMAND",
                       err=True)  # fmt: skip
        words = command_in(state, [*(command or (os.environ.get("SHELL", "/bin/sh"),))])
        began, hosts = time.time(), hosts_in(state)
        note_entry(state, Entered(began, work_of(command, hosts, None)))
        with suppress(OSError):
            os.chdir(os.environ.get("PWD", "/"))  # entering has left the operator's folder
        code = run_inside(environment_in(state), words)
        note_entry(state, Entered(began, work_of(command, hosts, code)))
        sys.exit(code)
    except LabError as error:
        _fail(str(error))


@lab.command("fault")
@_of_which
@click.argument("kind", metavar="FAULT", type=click.Choice(FAULTS))
@click.argument("host")
@click.argument("service", metavar="[SERVICE]", type=click.Choice(SERVICES), required=False)
def fault_command(kind: str, host: str, service: str | None, laboratory: str | None) -> None:
    """Break something on a host of the laboratory, or mend it.

    HOST is the name of one host, as `status` prints it. The command works from inside the laboratory and from
    another terminal.

    \b
    Of SERVICE, one of redis, keepalived, sshd, sentinel and consul:
      kill      end it at once; without a service, cut the host's power
      stop      end it as its init script does
      start     start it; without a service, give the host its power back
      freeze    halt its processes as they are; without a service, all of HOST
      thaw      let them go on
    \b
    Of the host. `lab fault heal HOST` undoes each:
      cut       pull its network cable
      isolate   keep the link up, drop every packet
      slow      256 kbit/s each way; what piles up is dropped
      fill      fill its /data
      clock     its `date` runs an hour ahead
    \b
    Of what it is known by. `heal HOST redis` and `heal HOST sshd` undo them:
      password  its running Redis asks for another password
      rekey     its sshd has another host key
    """  # noqa: D301 - click wants the character, not a backslash and a letter
    from console.lab.assembly.laboratory import STATE_VARIABLE
    from console.lab.options import LabError
    from console.lab.sessions.build import attach

    state = os.environ.get(STATE_VARIABLE)
    try:
        if state is None or not _is_meant(state, laboratory):
            _repeat_inside(["lab", "fault", kind, host, *([service] if service else [])], laboratory)
        attach(state).fault(kind, host, service)
    except LabError as error:
        _fail(str(error))


@click.command()
@click.argument("scenario", callback=_scenario, default=DEFAULT_SCENARIO)
@_lab_options
def demo(scenario: str, **options: Any) -> None:
    """Build a laboratory in SCENARIO and open the console on it.

    The journals of its runs stay with those of your other runs; everything else is gone when you quit. The header has
    the name of the laboratory, for `lab fault --in` and `lab enter --in`. Where the console is killed, a shell in the
    laboratory takes its place: `redis-ha-console runs resume` goes on there.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        _fail("the demo opens a screen and needs a terminal; scripts use `redis-ha-console lab run`")
    _enter(scenario, [sys.executable, "-m", "console", "watch", "cache"], options, outlives_a_kill=True)


def _enter(scenario: str, command: Sequence[str], chosen: dict[str, Any], *, outlives_a_kill: bool = False) -> NoReturn:
    """Becomes the laboratory: this process is replaced, and everything that it starts dies with it.

    `outlives_a_kill`: where the command is killed, a shell takes its place.
    """
    from console.lab.assembly.laboratory import STATE_VARIABLE
    from console.lab.hosts.namespaces import LABORATORY_FOLDER
    from console.lab.options import LabError
    from console.lab.sessions import room
    from console.lab.sessions.inside import REQUEST_VARIABLE

    if STATE_VARIABLE in os.environ and LABORATORY_FOLDER.is_dir():
        _fail("this is a laboratory already: leave it first")
    request = {"scenario": scenario, "options": _options(chosen), "command": list(command), "quiet": chosen["quiet"],
               "outlives_a_kill": outlives_a_kill}  # fmt: skip
    try:
        command_of_room = room.room_command("console.lab.sessions.inside")
        _fetch_servers(scenario, request["options"], quiet=chosen["quiet"])
    except LabError as error:
        _fail(str(error))
    room.become(command_of_room, REQUEST_VARIABLE, json.dumps(request))


def _fetch_servers(scenario: str, options: dict[str, Any], *, quiet: bool) -> None:
    """Fetches what the scenario runs, where it is missing. The laboratory itself has no network to fetch it from."""
    from console.lab.options import LabOptions
    from console.lab.scenarios import catalogue
    from console.lab.servers.fetching import fetch_missing
    from console.lab.servers.progress import Progress

    system = catalogue.find_scenario(scenario).system
    fetch_missing(system.all_servers(LabOptions(**options)), Progress(None if quiet else sys.stderr))


def _options(chosen: dict[str, Any]) -> dict[str, Any]:
    """As `LabOptions` takes them, for JSON. `--fast` changes what was not asked for otherwise."""
    fast = {"vrrp_version": 3, "advert_interval": 0.2, "check_interval": 1, "notify_sleep": 1, "sync_delay": 0,
            "down_after": 2000, "failover_timeout": 10000}  # fmt: skip
    made = {key: value for key, value in chosen.items() if key not in ("fast", "quiet")}
    made["password"] = secrets.token_urlsafe(12) if chosen["password"] else ""
    made["vrrp_version"] = int(made["vrrp_version"])
    if chosen["fast"]:
        context = click.get_current_context()
        given = click.core.ParameterSource.DEFAULT
        made |= {key: value for key, value in fast.items() if context.get_parameter_source(key) in (given, None)}
    if made["vrrp_version"] == 2 and made["advert_interval"] < 1:  # noqa: PLR2004 - the protocol's number
        raise click.BadParameter("VRRPv2 has whole seconds: use --vrrp-version 3", param_hint="--advert-interval")
    return made


def _repeat_inside(words: list[str], laboratory: str | None) -> NoReturn:
    """Runs this command again inside the laboratory of this name, or inside the only one on this machine."""
    from console.lab.assembly.laboratory import STATE_VARIABLE
    from console.lab.hosts.namespaces import program, without_the_machine

    state, pid = _chosen(list(_running_laboratories(STATE_VARIABLE).values()), laboratory)
    user = ["-U"] if os.geteuid() != 0 else []
    enter = [program("nsenter"), "-t", str(pid), *user, "-m", "-n", "-p", "--", *without_the_machine()]
    os.environ[STATE_VARIABLE] = state
    os.execv(enter[0], [*enter, sys.executable, "-m", "console", *words])  # noqa: S606 - no shell is wanted


def _is_meant(state: str, laboratory: str | None) -> bool:
    return laboratory in {None, Path(state).parent.name}


def _chosen(running: Sequence[tuple[str, int]], laboratory: str | None) -> tuple[str, int]:
    """State file and process of the laboratory of this name, or of the only one. Raises LabError."""
    from console.lab.options import LabError

    if not running:
        raise LabError("no laboratory is running: start one with `redis-ha-console lab shell` or `demo`")
    found = [one for one in running if _is_meant(one[0], laboratory)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(Path(state).parent.name for state, _ in running))
    if laboratory is not None:
        raise LabError(f"no laboratory {laboratory} is running; there is {names}")
    raise LabError(f"{len(found)} laboratories are running: say --in with the one you mean: {names}")


def _running_laboratories(variable: str) -> dict[str, tuple[str, int]]:
    """Network namespace → state file and a process that lives in it, for each laboratory of this user."""
    found: dict[str, tuple[str, int]] = {}
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            network = str((process / "ns/net").readlink())
        except OSError:
            continue
        for entry in environment:
            name, _, value = entry.partition(b"=")
            if name == variable.encode():
                found.setdefault(network, (value.decode(), int(process.name)))
    return found


def _fail(text: str) -> NoReturn:
    from console.lab.sessions.room import EXIT_NO_LABORATORY

    click.echo(text, err=True)
    sys.exit(EXIT_NO_LABORATORY)


COMMANDS: tuple[click.Command, ...] = (lab, demo)
