"""`drill …`: rehearsals on a laboratory that is made like the operator's own cluster."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.output import say

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
@inventory_option
@click.pass_obj
def capture_command(context: CliContext, cluster: str, output: Path | None) -> int:
    """Read what CLUSTER is made of into a folder of plain text. Read-only; no secret and no data is kept.

    Exit code 0: everything was read; 1: something could not be read, and the list says what that means.
    """
    from console.documents.capture import write_capture
    from console.drill.capturing import capture_cluster

    spec = context.cluster(cluster)
    secrets = {name: secret.reveal() if secret else "" for name, secret in context.passwords(spec.name).items()}
    folder = output or Path(f"{spec.name}-capture-{datetime.now(tz=UTC):%Y-%m-%d}")
    made = capture_cluster(spec, context.inspector(spec.name), secrets, lambda line: say(line, err=True))
    if not made.hosts:
        raise CliError(f"nothing of {spec.name} was captured: {made.unread[0].node}: {made.unread[0].why}")
    write_capture(folder, made)
    say("\n".join(_told(made)))
    say(f"captured into {folder}: {sum(len(host.files) for host in made.hosts)} files of {len(made.hosts)} hosts")
    return 1 if made.unread else 0


def _told(capture: Capture) -> list[str]:
    lines = [f"note: {note}" for note in capture.notes]
    if capture.unread:
        lines.append("not read:")
        lines += [f"  {one.node}: {one.what}: {one.why}; {one.means}" for one in capture.unread]
    return lines


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


COMMANDS: tuple[click.Command, ...] = (drill,)
