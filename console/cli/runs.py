"""`runs`: the journals of runs on this machine, read and checked. Nothing is sent anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError
from console.report.document import first_of, outcome_of
from console.report.entry_text import entry_text
from console.report.forms import FORMS, Form, report_text

if TYPE_CHECKING:
    from console.core.journal import ChainCheck, Entry

FILE = "journal.jsonl"


@click.group("runs")
def runs() -> None:
    """List, read, verify and report recorded runs."""


@runs.command("list")
@click.pass_obj
def list_runs(context: CliContext) -> int:
    """List the runs, newest last."""
    folder = context.runs_folder
    found = sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))
    for run_id in found:
        entries, check = _read(folder / run_id / FILE)
        about = first_of(entries, "opened")
        state = outcome_of(entries) if check.sound else f"journal broken at line {check.broken_line}"
        click.echo(f"{run_id}  {state}  {about.get('operator', '?')}")
    if not found:
        click.echo(f"no run is recorded in {folder}", err=True)
    return 0


@runs.command("show")
@click.argument("run", required=False)
@click.pass_obj
def show(context: CliContext, run: str | None) -> int:
    """Print the entries of a run, one a line; without RUN of the newest."""
    entries, check = _read(_journal(context, run))
    for entry in entries:
        click.echo(f"{entry.seq:>4}  {entry.at}  {entry.kind:<9} {entry_text(entry)}")
    return _say_broken(check)


@runs.command("verify")
@click.argument("run", required=False)
@click.pass_obj
def verify(context: CliContext, run: str | None) -> int:
    """Recompute the hash chain and name the first line that does not fit. Exit code 1: it is broken.

    Without RUN the newest run is verified.
    """
    path = _journal(context, run)
    _, check = _read(path)
    if check.sound:
        end = "closed" if check.closed else "not closed: the run is under way, or it died, or the end was cut off"
        click.echo(f"{path}: {check.entries} entries, each fits the one before; {end}")
    return _say_broken(check, str(path))


@runs.command("report")
@click.argument("run", required=False)
@click.option("--format", "form", type=click.Choice(list(FORMS)), default="md", show_default=True)
@click.pass_obj
def report(context: CliContext, run: str | None, form: Form) -> int:
    """Print what was done, for an incident review: Markdown, one HTML file, or JSON; without RUN of the newest run.

    Who did what and when, what each gate showed and what was decided, commands and answers, the pair before and after,
    what was lost, and where backups are. Only the journal is read.
    """
    path = _journal(context, run)
    entries, check = _read(path)
    click.echo(report_text(path.parent.name, entries, check, form), nl=False)
    return _say_broken(check)


# --- reading ----------------------------------------------------------------------------------------------------------


def _journal(context: CliContext, run: str | None) -> Path:
    """The journal of the run of this id, or of the only run whose id begins or ends so; None: the newest.

    Raises CliError.
    """
    folder = context.runs_folder
    names = sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))
    if run is None:
        if not names:
            raise CliError(f"no run is recorded in {folder}")
        run = names[-1]
    matching = [run] if run in names else [name for name in names if name.startswith(run) or name.endswith(run)]
    if len(matching) == 1:
        return folder / matching[0] / FILE
    if matching:
        raise CliError(f"{run} may be any of {', '.join(matching)}: write more of it")
    raise CliError(f"there is no run {run} in {folder}: `runs list` names them")


def _read(path: Path) -> tuple[tuple[Entry, ...], ChainCheck]:
    """The sound entries, and where soundness ends."""
    from console.core.journal import check_chain, parse_entry

    try:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines(keepends=True)
    except OSError as error:
        raise CliError(f"{path}: {error.strerror}") from None
    check = check_chain(lines)
    return tuple(parse_entry(line) for line in lines[: check.entries]), check


def _say_broken(check: ChainCheck, path: str = "the journal") -> int:
    if check.sound:
        return 0
    click.echo(f"{path}: line {check.broken_line}: {check.reason}; nothing from there on can be relied on", err=True)
    return 1


COMMANDS = (runs,)
