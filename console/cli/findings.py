"""`findings`: prints what each finding code means, why it matters, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError

if TYPE_CHECKING:
    from console.core.diagnosis.row import Row

HEAD = """\
# Findings

<!-- Written by `redis-ha-console findings --format markdown`; a test compares them. -->

What `status` and the screen can say about a pair behind keepalived. A finding names its nodes, the figures it rests on
and the next action; the severity here is the usual one, and a finding says where it is another. What could not be read
is never taken for a state: no finding follows from silence alone. Within a severity, findings stand in this order.

"""


@click.command("findings")
@click.argument("code", required=False)
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to print them.")
@click.pass_obj
def findings(_: CliContext, code: str | None, form: str) -> None:
    """Explain the finding codes: all of them, or one."""
    from console.core.kinds.diagnose import all_rows
    from console.documents.suggestions import meant

    rows = {row.code: row for row in all_rows()}
    if code is not None and code not in rows:
        raise CliError(f"there is no finding {code}{meant(code, rows)}")
    chosen = [rows[code]] if code is not None else list(rows.values())
    click.echo(reference(chosen) if form == "markdown" else "\n".join(map(_as_text, chosen)), nl=False)


def reference(rows: list[Row]) -> str:
    """docs/findings.md."""
    table = ["| code | severity | what is true | why it matters | what to do |", "| --- | --- | --- | --- | --- |"]
    table += [f"| `{row.code}` | {row.severity.value} | {row.what} | {row.why} | {_cell(row)} |" for row in rows]
    return HEAD + "\n".join(table) + "\n"


def _cell(row: Row) -> str:
    replaced = f" Replaced on the same node by {', '.join(f'`{code}`' for code in row.said_by)}." if row.said_by else ""
    return f"{_sentence(row.then)}{replaced}"


def _as_text(row: Row) -> str:
    return f"{row.code} ({row.severity.value})\n  {row.what}\n  why:  {row.why}\n  next: {_sentence(row.then)}\n"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


COMMANDS = (findings,)
