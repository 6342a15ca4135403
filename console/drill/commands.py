"""`drill …`: rehearsals on a laboratory that is made like the operator's own cluster."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.output import say
from console.core.drills.scenarios import SCENARIOS, scenarios_for
from console.core.quantities import counted

if TYPE_CHECKING:
    from console.core.drills.capture import Capture


@click.group()
def drill() -> None:
    """Rehearse failovers and repairs on your own cluster, rebuilt from its files on this machine.

    Production is only read, by `drill capture`. Everything else happens in namespaces on this machine, with the same
    addresses, names and files, and without a way out.
    """


@drill.command("capture")
@click.argument("cluster")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FOLDER",
              help="Where the capture goes. Default: ./CLUSTER-capture-DATE.")  # fmt: skip
@click.option("--replace", is_flag=True, help="A capture that stands there goes, when the new one is written.")
@inventory_option
@click.pass_obj
def capture_command(context: CliContext, cluster: str, *, output: Path | None, replace: bool) -> int:
    """Read what CLUSTER is made of into a folder of plain text. Read-only; no data is kept.

    Recognized secrets are replaced by stand-ins. Lines that may hold another one are listed: look at them before the
    folder leaves this machine. Exit code 0: everything was read; 1: something could not be read, and the list says
    what that means.
    """
    from console.documents.capture import require_free, write_capture

    name = context.cluster(cluster).name
    folder = output or Path(f"{name}-capture-{datetime.now(tz=UTC):%Y-%m-%d}")
    require_free(folder, replace=replace)
    made = _captured(context, cluster)
    write_capture(folder, made, replace=replace)
    say("\n".join(_told(made)))
    files = counted(sum(len(host.files) for host in made.machines), "file")
    say(f"captured into {folder.resolve()}: {files} of {counted(len(made.machines), 'host')}")
    return 1 if made.unread else 0


_MOST_TO_LOOK_AT = 12
"""Lines on the screen; capture.yaml has them all."""


def _told(capture: Capture) -> list[str]:
    lines = [f"note: {note}" for note in capture.notes]
    shown = capture.look_at[:_MOST_TO_LOOK_AT]
    lines += [f"look at {one} before this folder leaves the machine: it may hold a secret" for one in shown]
    if more := len(capture.look_at) - len(shown):
        lines.append(f"and {more} more: `look_at` in capture.yaml lists them all")
    lines += [f"GUESS: {one}" for one in capture.guesses]
    if capture.unread:
        lines.append("not read:")
        lines += [f"  {one.node}: {one.what}: {one.why}; {one.means}" for one in capture.unread]
    return lines


SCENARIO_NAMES = tuple(one.name for one in SCENARIOS)
_CHANCE = "random"


@drill.command("run")
@click.argument("what", metavar="CLUSTER|FOLDER")
@click.option("--scenario", metavar="SCENARIO", type=click.Choice([*SCENARIO_NAMES, _CHANCE]), default=_CHANCE,
              show_default=True,
              help=f"What breaks: {', '.join(SCENARIO_NAMES)}, or one of them at random.")  # fmt: skip
@click.option("--keys", type=click.IntRange(0, 1_000_000), help="Made-up keys. Default: as captured, 20,000 at most.")
@click.option("--delay", nargs=2, type=click.FloatRange(0, 3600), default=(5.0, 60.0), show_default=True,
              help="Seconds until the fault, at random between the two.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Begin without asking.")
@inventory_option
@click.pass_obj
def run_command(
    context: CliContext, what: str, *, scenario: str, keys: int | None, delay: tuple[float, float], yes: bool
) -> int:
    """Rebuild a cluster here, break it, let you repair it, and grade.

    It is rebuilt from its capture, and the console opens on it. With the name of a cluster, it is captured first. Exit
    code 0: protected again, and nothing lost.
    """
    from console.documents.capture import read_capture
    from console.drill.starting import begin_drill

    if delay[0] > delay[1]:
        raise CliError(f"--delay {delay[0]:g} {delay[1]:g}: the second number must not be below the first")
    require_cluster_or_capture(context, what)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("a drill opens a screen and needs a terminal; `drill check` needs none")
    folder = capture_folder(context, what)
    capture = read_capture(folder)
    possible = _possible(capture, () if scenario == _CHANCE else (scenario,))
    return begin_drill(folder, capture, random.SystemRandom().choice(possible), keys, delay, ask=not yes)


@drill.command("check")
@click.argument("what", metavar="CLUSTER|FOLDER")
@click.option("--scenario", "scenarios", metavar="SCENARIO", multiple=True, type=click.Choice(SCENARIO_NAMES),
              help=f"What breaks: {', '.join(SCENARIO_NAMES)}. May be repeated. Default: every one.")  # fmt: skip
@click.option("--runs", type=click.IntRange(1, 100), default=1, show_default=True,
              help="Walks of each scenario. From the second on, something else goes wrong meanwhile.")  # fmt: skip
@click.option("--keys", type=click.IntRange(0, 1_000_000), help="Made-up keys. Default: as captured, 20,000 at most.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the JSON there, too.")
@inventory_option
@click.pass_obj
def check_command(  # noqa: PLR0913 - options
    context: CliContext,
    what: str,
    *,
    scenarios: tuple[str, ...],
    runs: int,
    keys: int | None,
    form: str,
    output: Path | None,
) -> int:
    """Play every scenario, and let the runbooks repair it. Nobody has to watch.

    Each runbook that claims to repair a scenario is walked. Each walk is a cluster of its own, rebuilt from the
    capture. Exit code 0: each ended protected, and nothing was lost; 1: not so; 3: the cluster cannot be rebuilt.
    """
    from console.documents.capture import read_capture
    from console.drill.starting import begin_check

    require_cluster_or_capture(context, what)
    folder = capture_folder(context, what)
    capture = read_capture(folder)
    return begin_check(folder, capture, _possible(capture, scenarios), runs=runs, keys=keys, form=form, output=output)


def _possible(capture: Capture, wanted: tuple[str, ...]) -> list[str]:
    """The scenarios that are wanted, or all that make sense. Raises CliError for one that does not."""
    possible = [one.name for one in scenarios_for(capture)]
    if wrong := [one for one in wanted if one not in possible]:
        raise CliError(f"{wrong[0]} is no scenario of {capture.cluster}, which has {', '.join(possible)}")
    return [one for one in possible if not wanted or one in wanted]


@drill.command("list")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
def list_command(form: str) -> None:
    """List the drills of this machine with their grades. The oldest comes first.

    Drills that have no grade stand below: one runs now, or its console was closed.
    """
    from console.drill.grades import list_text
    from console.drill.records import load_all, without_grade

    say(list_text(load_all(), form, without_grade()))


@drill.command("report")
@click.argument("name", metavar="DRILL")
@click.option("--format", "form", type=click.Choice(["md", "html", "json"]), default="md", show_default=True)
def report_command(name: str, form: Literal["md", "html", "json"]) -> None:
    """Print the report of a drill. DRILL is its name, or the beginning of it."""
    from console.core.drills.grade import best
    from console.drill.grades import report_text
    from console.drill.records import load_all, named

    drills = load_all()
    made = named(drills, name)
    earlier = [one for one in drills if one.began_at < made.began_at]
    say(report_text(made, best(earlier, made), form))


def require_cluster_or_capture(context: CliContext, what: str) -> None:
    """Raises CliError unless this names a folder with a capture, or a cluster of the inventory."""
    from console.documents.capture import INDEX

    if (Path(what) / INDEX).exists():
        return
    if "/" in what or Path(what).is_dir():
        raise CliError(f"{what}: is no capture: it has no {INDEX}; `drill capture` makes one")
    context.cluster(what)


def capture_folder(context: CliContext, what: str) -> Path:
    """The folder of a capture: the one that is named, or a new one of this cluster."""
    from console.documents.capture import INDEX, write_capture
    from console.drill.records import drills_folder, new_folder

    if (Path(what) / INDEX).exists():
        return Path(what).resolve()
    made = _captured(context, what)
    folder = new_folder(drills_folder() / "captures", made.cluster)
    write_capture(folder, made)
    say("\n".join(_told(made)), err=True)
    return folder


def _captured(context: CliContext, cluster: str) -> Capture:
    from console.drill.capturing import capture_cluster

    spec = context.cluster(cluster)
    secrets = {name: secret.reveal() if secret else "" for name, secret in context.passwords(spec.name).items()}
    made = capture_cluster(spec, context.inspector(spec.name), secrets, lambda line: say(line, err=True))
    if not made.hosts:
        raise CliError(f"nothing of {spec.name} was captured: {made.unread[0].node}: {made.unread[0].why}")
    return made


COMMANDS: tuple[click.Command, ...] = (drill,)
