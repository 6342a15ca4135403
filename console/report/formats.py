"""A report in the form that was asked for, from the entries of a journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from console.core.runs.ending import NO_REPLAYS
from console.core.visible import json_text
from console.report.document import report_document
from console.report.render import html, markdown
from console.report.sections import blocks

if TYPE_CHECKING:
    from console.core.runs.records.journal import ChainCheck, Entry
    from console.core.runs.replays.file_fate import Fates

Form = Literal["md", "html", "json"]
FORMS: Mapping[Form, str] = {"md": "Markdown", "html": "one HTML file", "json": "JSON"}
"""The forms there are, and what each is called."""


def report_text(run_id: str, entries: Sequence[Entry], check: ChainCheck, form: Form, fates: Fates = NO_REPLAYS) -> str:
    """The whole report; `entries` are those that `check` found sound. `fates`: as `run_ending` takes it."""
    document = report_document(run_id, entries, check, fates)
    if form == "json":
        return json_text(document, 2) + "\n"
    if form == "html":
        return html(f"Run {run_id}", blocks(document))
    return markdown(blocks(document))
