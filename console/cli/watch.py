"""`watch`: opens the screen."""

from __future__ import annotations

import sys

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.runs.replay_from_screen import keys_from_screen


@click.command("watch")
@click.argument("cluster", required=False)
@click.option("--read-only", is_flag=True, help="No run can be armed from this screen.")
@inventory_option
@click.pass_obj
def watch(context: CliContext, cluster: str | None, *, read_only: bool) -> int:
    """Open the screen, read-only until a run is armed."""
    if cluster is not None:
        context.cluster(cluster)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("the screen needs a terminal; `status` prints one observation anywhere")
    console_context = context.console_context((cluster,) if cluster else (), screen=True)
    run_starter = None if read_only else context.run_starter(console_context)
    return context.run_app(console_context, run_starter, cluster=cluster, bring_keys=keys_from_screen(context))


COMMANDS = (watch,)
