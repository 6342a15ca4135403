"""`runbooks`: lists, prints and checks runbooks, and prints their schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.documents.problems import report_problems
from console.cli.output import say, say_json

if TYPE_CHECKING:
    from console.core.runbooks.document import Runbook


@click.group("runbooks")
def runbooks() -> None:
    """List, read and check runbooks."""


@runbooks.command("list")
@inventory_option
@click.pass_obj
def list_runbooks(context: CliContext) -> None:
    """List the shipped runbooks and the operator's own."""
    found = _load_all(context)
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        say(f"{one.name.ljust(width)}  {one.title}")


@runbooks.command("show")
@click.argument("name")
@inventory_option
@click.pass_obj
def show(context: CliContext, name: str) -> None:
    """Print a runbook: its roles, its steps, and why each step is there."""
    from console.cli.documents.runbook_text import as_text
    from console.documents.suggestions import suggestion

    found = {one.name: one for one in _load_all(context)}
    if name not in found:
        raise CliError(f"there is no runbook {name}{suggestion(name, found)}")
    say(as_text(found[name]), nl=False)


@runbooks.command("check")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, metavar="[FILE]...")
@inventory_option
@click.pass_obj
def check(context: CliContext, files: tuple[Path, ...]) -> int:
    """Print everything that is wrong with runbooks, one problem a line. Exit code 0: nothing is wrong.

    Without FILE it checks the shipped runbooks and the operator's own.
    """
    from console.documents.errors import DocumentError
    from console.documents.runbook import load_runbook
    from console.documents.runbook_library import runbook_files

    worst = 0
    for path in files or tuple(runbook_files(_inventory_folder(context))):
        try:
            found = load_runbook(path)
        except DocumentError as error:
            worst = max(worst, report_problems(error))
        else:
            say(f"{path}: {found.name}, {len(found.steps)} steps: nothing wrong")
    return worst


@runbooks.command("schema")
def schema() -> None:
    """Print the JSON Schema of runbooks, for editors."""
    from console.documents.runbook_model import RunbookDocument

    say_json(RunbookDocument.model_json_schema())


@runbooks.command("vocabulary")
def vocabulary() -> None:
    """Print the format and the vocabulary of runbooks as Markdown."""
    from console.cli.documents.runbook_text import reference

    say(reference(), nl=False)


def _load_all(context: CliContext) -> tuple[Runbook, ...]:
    from console.documents.runbook_library import load_runbooks

    return load_runbooks(_inventory_folder(context))


def _inventory_folder(context: CliContext) -> Path | None:
    """The folder of the inventory. None: there is no inventory, and only the shipped runbooks are used."""
    try:
        return context.inventory_path.parent
    except CliError:
        return None


COMMANDS = (runbooks,)
