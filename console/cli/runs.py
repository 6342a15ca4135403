"""`runs`: the journals of runs on this machine, read and checked. Nothing is sent anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.cli.backup_text import backup_lines, backups_in
from console.cli.context import CliContext, CliError
from console.cli.entry_text import entry_text

if TYPE_CHECKING:
    from console.core.journal import ChainCheck, Entry

FILE = "journal.jsonl"
UNFINISHED = "not closed"


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
        about = _first(entries, "opened")
        state = _outcome(entries) if check.sound else f"journal broken at line {check.broken_line}"
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
@click.option("--format", "form", type=click.Choice(["md", "json"]), default="md", show_default=True)
@click.pass_obj
def report(context: CliContext, run: str | None, form: str) -> int:
    """Print what was done: who, when, which commands, which answers, which proofs; without RUN of the newest run."""
    path = _journal(context, run)
    entries, check = _read(path)
    if form == "json":
        click.echo(json.dumps(report_document(path.parent.name, entries, check), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(report_markdown(path.parent.name, entries, check)))
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


def _first(entries: Sequence[Entry], kind: str) -> dict[str, Any]:
    return next((dict(entry.data) for entry in entries if entry.kind == kind), {})


def _outcome(entries: Sequence[Entry]) -> str:
    return str(_first(entries, "closed").get("outcome", UNFINISHED))


# --- reporting --------------------------------------------------------------------------------------------------------


def report_document(run_id: str, entries: Sequence[Entry], check: ChainCheck) -> dict[str, Any]:
    """The report as JSON. Keys may be added, not renamed."""
    opened, closed = _first(entries, "opened"), _first(entries, "closed")
    return {
        "version": 1,
        "run": run_id,
        "outcome": _outcome(entries),
        "message": closed.get("message"),
        "opened": opened,
        "roles": _first(entries, "bound").get("roles", {}),
        "backups": backups_in(entries),
        "began": entries[0].at if entries else None,
        "ended": entries[-1].at if closed else None,
        "journal": {"entries": check.entries, "sound": check.sound, "closed": check.closed}
        | {"broken_line": check.broken_line, "reason": check.reason or None},
        "events": [
            {"at": entry.at, "kind": entry.kind, "text": entry_text(entry), "data": entry.data} for entry in entries
        ],
    }


def report_markdown(run_id: str, entries: Sequence[Entry], check: ChainCheck) -> Iterator[str]:
    """The report for reading: what the journal says and nothing that it does not."""
    opened, closed = _first(entries, "opened"), _first(entries, "closed")
    yield f"# Run {run_id}"
    yield ""
    yield f"- outcome: **{_outcome(entries)}**"
    yield f"- runbook: {opened.get('runbook')} ({opened.get('runbook_title')}), SHA-256 {opened.get('runbook_sha256')}"
    yield f"- cluster: {opened.get('cluster')}"
    roles = _first(entries, "bound").get("roles", {})
    yield f"- roles: {', '.join(f'{role} = {node}' for role, node in roles.items())}"
    yield f"- operator: {opened.get('operator')}, {opened.get('program')}"
    if entries:
        yield f"- from {entries[0].at} to {entries[-1].at}{'' if closed else ' (no end is recorded)'}"
    broken = f"broken at line {check.broken_line}: {check.reason}"
    yield f"- journal: {check.entries} entries, {'each fits the one before' if check.sound else broken}"
    if closed:
        yield from ("", str(closed.get("message", "")))
    yield from backup_lines(backups_in(entries), str(opened.get("cluster", "")))
    yield from ("", "## What happened", "", "| time (UTC) | entry | |", "| --- | --- | --- |")
    for entry in entries:
        text = entry_text(entry).replace("|", "\\|")
        yield f"| {entry.at} | {entry.kind} | {'<br>'.join(text.splitlines())} |"


COMMANDS = (runs,)
