"""`watch`: opens the screen."""

from __future__ import annotations

import sys

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.screen import open_screen
from console.cli.status.selection import selected, tag_option


@click.command("watch")
@click.argument("cluster", required=False)
@click.option("--read-only", is_flag=True, help="No run can be armed from this screen.")
@tag_option
@inventory_option
@click.pass_obj
def watch(context: CliContext, /, cluster: str | None, *, tags: tuple[str, ...], read_only: bool) -> int:
    """Open the screen, read-only until a run is armed."""
    if cluster is not None:
        context.cluster(cluster)
    among = selected(context, (cluster,) if cluster else (), tags)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("the screen needs a terminal; `status` prints one observation anywhere")
    console_context = context.console_context((cluster,) if cluster else (), among=among, screen=True)
    return open_screen(
        context, console_context, None if read_only else context.run_starter(console_context), cluster=cluster
    )


COMMANDS = (watch,)
