"""`runbooks`: lists, prints and checks runbooks, and prints their schema."""

from __future__ import annotations

from pathlib import Path

import click

from console.cli.context import CliContext, inventory_option
from console.cli.documents.problems import report_problems
from console.cli.layout import folded, terminal_width
from console.cli.output import say, say_json
from console.core.quantities import counted


@click.group("runbooks")
def runbooks() -> None:
    """List, read and check runbooks."""


@runbooks.command("list")
@inventory_option
@click.pass_obj
def list_runbooks(context: CliContext) -> None:
    """List the shipped runbooks and the operator's own. Files that cannot be used are named, too."""
    library = context.library
    lines = [(one.name, one.title) for one in library.runbooks]
    lines += [(one.file_name, "cannot be used: `runbooks check` says why") for one in library.unusable]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        for line in folded(f"{name.ljust(width)}  {text}", terminal_width(), width + 2):
            say(line)


@runbooks.command("show")
@click.argument("name")
@inventory_option
@click.pass_obj
def show(context: CliContext, name: str) -> None:
    """Print a runbook with its roles and its steps. It says why each step is there."""
    from console.cli.documents.runbook_text import as_text

    say(as_text(context.runbook(name)), nl=False)


@runbooks.command("check")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, metavar="[FILE]...")
@inventory_option
@click.pass_obj
def check(context: CliContext, files: tuple[Path, ...]) -> int:
    """Print everything that is wrong with runbooks. One problem a line. Exit code 0: nothing is wrong.

    Without FILE it checks the shipped runbooks and the operator's own.
    """
    from console.documents.errors import DocumentError
    from console.documents.runbooks.library import check_runbooks

    worst = 0
    for path, found in check_runbooks(files, context.inventory_folder):
        if isinstance(found, DocumentError):
            worst = max(worst, report_problems(found))
        else:
            say(f"{path}: {found.name}, {counted(len(found.steps), 'step')}: nothing wrong")
    return worst


@runbooks.command("schema")
def schema() -> None:
    """Print the JSON Schema of runbooks, for editors."""
    from console.documents.runbooks.model import RunbookDocument

    say_json(RunbookDocument.model_json_schema())


@runbooks.command("vocabulary")
def vocabulary() -> None:
    """Print the format and the vocabulary of runbooks as Markdown."""
    from console.cli.documents.runbook_text import reference

    say(reference(), nl=False)


COMMANDS = (runbooks,)
