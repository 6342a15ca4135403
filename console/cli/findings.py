"""`findings`: prints what each finding code means, why it matters, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError
from console.cli.output import say

if TYPE_CHECKING:
    from console.core.diagnosis.rule import FindingRule

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
    from console.core.kinds.diagnose import all_rules
    from console.documents.suggestions import suggestion

    rows = {row.code: row for row in all_rules()}
    if code is not None and code not in rows:
        raise CliError(f"there is no finding {code}{suggestion(code, rows)}")
    chosen = [rows[code]] if code is not None else list(rows.values())
    say(reference(chosen) if form == "markdown" else "\n".join(map(_as_text, chosen)), nl=False)


def reference(rows: list[FindingRule]) -> str:
    """docs/findings.md."""
    table = ["| code | severity | what is true | why it matters | what to do |", "| --- | --- | --- | --- | --- |"]
    table += [f"| `{row.code}` | {row.severity.value} | {row.meaning} | {row.why} | {_cell(row)} |" for row in rows]
    return HEAD + "\n".join(table) + "\n"


def _cell(row: FindingRule) -> str:
    replaced = (
        f" Replaced on the same node by {', '.join(f'`{code}`' for code in row.superseded_by)}."
        if row.superseded_by
        else ""
    )
    return f"{_sentence(row.remedy)}{replaced}"


def _as_text(row: FindingRule) -> str:
    return f"{row.code} ({row.severity.value})\n  {row.meaning}\n  why:  {row.why}\n  next: {_sentence(row.remedy)}\n"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


COMMANDS = (findings,)
