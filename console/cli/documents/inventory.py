"""`inventory`: checks an inventory, prints its schema, or writes a first one from what a node says."""

from __future__ import annotations

from pathlib import Path

import click

from console.cli.context import CliContext, inventory_option
from console.cli.documents.inventory_init import init
from console.cli.documents.problems import report_problems
from console.cli.output import say, say_json


@click.group("inventory")
def inventory() -> None:
    """Check inventories, or write a first one."""


@inventory.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@inventory_option
@click.pass_obj
def check(context: CliContext, file: Path | None) -> int:
    """Print everything that is wrong with an inventory, one problem a line. Exit code 0: nothing is wrong."""
    from console.core.quantities import counted
    from console.documents.errors import DocumentError
    from console.documents.inventory import load_inventory

    path = file or context.inventory_path
    try:
        found = load_inventory(path)
    except DocumentError as error:
        return report_problems(error)
    nodes = sum(len(cluster.nodes) for cluster in found.clusters)
    names = ", ".join(cluster.name for cluster in found.clusters)
    say(f"{path}: {counted(len(found.clusters), 'cluster')} ({names}), {counted(nodes, 'node')}: nothing wrong")
    return 0


@inventory.command("schema")
def schema() -> None:
    """Print the JSON Schema of inventories, for editors."""
    from console.documents.inventory_model import InventoryDocument

    say_json(InventoryDocument.model_json_schema())


inventory.add_command(init)
COMMANDS = (inventory,)
