"""The list of recorded runs, one line each."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from console.tui.present.formatting import (
    BOLD,
    DIM,
    WARN,
    line,
    shortened,
)
from console.tui.present.runs.standing import Sign


def column_widths(rows: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Widths of the columns `cluster` and `runbook` for these rows."""
    cluster, runbook = [7], [7]
    for one, other in rows:
        cluster.append(len(one))
        runbook.append(len(other))
    return min(max(cluster), 14), min(max(runbook), 19)


def list_head(widths: tuple[int, int]) -> Content:
    """The names of the columns."""
    cluster, runbook = widths
    return line(("  " + _columns("began (UTC)", "status", "cluster", "runbook", (cluster, runbook)) + "operator", DIM))


def list_line(
    sign: Sign, began: str, names: tuple[str, str], operator: str, widths: tuple[int, int], note: str = ""
) -> Content:
    """One run of the list. `note`: what is still to be done about it, before the operator."""
    mark, word, style = sign
    cluster, runbook = (f"{shortened(name or '?', room):<{room}}" for name, room in zip(names, widths, strict=True))
    return line(
        f"{began:<12} ",
        (f"{mark} {word:<12} ", style),
        (f"{cluster} ", BOLD),
        f"{runbook} ",
        (f"! {note}  " if note else "", WARN),
        (operator or "?", DIM),
    )


def _columns(began: str, status: str, cluster: str, runbook: str, widths: tuple[int, int]) -> str:
    return f"{began:<12} {status:<14} {cluster:<{widths[0]}} {runbook:<{widths[1]}} "
