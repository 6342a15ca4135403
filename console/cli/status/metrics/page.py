"""`metrics`: prints the table of metrics, as text or as docs/monitoring/metrics.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from console.cli.context import CliContext
from console.cli.output import say
from console.cli.status.metrics.family import Family
from console.cli.status.metrics.table import EXPORTER, SUBJECTS

HEAD = """\
# Metrics

<!-- Written by `redis-ha-console metrics --format markdown`; a test compares them. -->

What `status --format openmetrics` prints and `status --listen` serves. Names and labels are public: some may be added,
none is renamed. Sizes are bytes, times are seconds; a timestamp is in epoch seconds.

What could not be read has no sample, and is never 0: `redis_ha_read` says 0 for it, `redis_ha_ssh_up` and
`redis_ha_redis_up` say whether the sources answer. A flag is 1 or 0. A stateset has a sample for each state, 1 for the
present one, in the label of its own name; an info is always 1, and its labels are what it says.
"""
ONLY_SERVED = "Of the server of metrics (`status --listen` only)"


@click.command("metrics")
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text", help="How to print them.")
@click.pass_obj
def metrics(_: CliContext, form: str) -> None:
    """Explain the metrics of `status --format openmetrics` and `status --listen`."""
    say(as_page() if form == "markdown" else "\n".join(_text()), nl=form != "markdown")


def as_page() -> str:
    """docs/monitoring/metrics.md."""
    lines = [HEAD]
    for subject, families in _subjects():
        lines += [f"## {subject}", "", "| metric | labels | type | what it says |", "| --- | --- | --- | --- |"]
        lines += [_row(family) for family in families]
        lines.append("")
    return "\n".join(lines)


def _subjects() -> Iterator[tuple[str, Sequence[Family]]]:
    yield from SUBJECTS
    yield ONLY_SERVED, EXPORTER


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels) or "-"
    return f"| `{family.sample_name}` | {labels} | {_kind(family)} | {family.help} |"


def _kind(family: Family) -> str:
    return f"{family.kind}: {', '.join(family.states)}" if family.states else family.kind


def _text() -> Iterator[str]:
    for _, families in _subjects():
        for family in families:
            labels = f"{{{', '.join(family.labels)}}}" if family.labels else ""
            yield f"{family.sample_name}{labels} ({_kind(family)})"
            yield f"  {family.help}"


COMMANDS = (metrics,)
