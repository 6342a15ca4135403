"""`inventory`: checks an inventory, prints its schema, or writes a first one from what a node says."""

from __future__ import annotations

from pathlib import Path

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.documents.inventory_init import init
from console.cli.documents.problems import report_problems
from console.cli.output import say, say_json


@click.group("inventory")
def inventory() -> None:
    """Check inventories, or write a first one."""


@inventory.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--connect",
    is_flag=True,
    help="Try each node and watcher: what works, what does not, and what to change. It only reads.",
)
@click.option(
    "-c",
    "--cluster",
    "clusters",
    multiple=True,
    metavar="CLUSTER",
    help="With --connect: only this one. May be repeated.",
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="With --connect: the output format.",
)
@inventory_option
@click.pass_obj
def check(context: CliContext, /, file: Path | None, clusters: tuple[str, ...], form: str, *, connect: bool) -> int:
    """Print everything that is wrong with an inventory. One problem a line. All its files are checked.

    Two clusters with the same virtual IP and port are wrong. A Redis that two clusters have is a warning.

    With --connect each node is tried, step by step: name, SSH, shell, sudo, files, keepalived, virtual IP, Redis and
    its commands. A line with ✗ fails, and the line below it says what to change. A line with ! works, but look at it.
    What depends on a failed step is not tried.

    Exit code 0: no error. 1: something is wrong with the inventory, or a step failed. 2: a wrong call.
    """
    from console.core.quantities import counted
    from console.documents.errors import DocumentError
    from console.documents.inventories.files import check_files

    if not connect and (clusters or form != "text"):
        raise CliError("--cluster and --format are for --connect")
    path = file or context.inventory_path
    warnings: list[str] = []
    try:
        files = check_files(path, warnings.append)
    except DocumentError as error:
        _report_warnings(warnings)
        return report_problems(error)
    _report_warnings(warnings)
    if connect:
        from console.cli.documents.inventory_connect import connect as try_clusters

        context.choose_inventory(path)
        return try_clusters(context, clusters, form)
    for found in files:
        nodes = sum(len(cluster.nodes) for cluster in found.clusters)
        names = ", ".join(cluster.name for cluster in found.clusters)
        said = f"{counted(len(found.clusters), 'cluster')} ({names})"
        say(f"{found.path}: {said}, {counted(nodes, 'node')}: {'no error' if warnings else 'nothing wrong'}")
    return 0


def _report_warnings(warnings: list[str]) -> None:
    for one in warnings:
        say(f"warning: {one}", err=True)


@inventory.command("schema")
def schema() -> None:
    """Print the JSON Schema of inventories, for editors."""
    from console.documents.inventories.model import InventoryDocument

    say_json(InventoryDocument.model_json_schema())


inventory.add_command(init)
COMMANDS = (inventory,)
