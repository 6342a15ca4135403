"""What `check` prints of a document that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from console.documents.errors import DocumentError

EXIT_WRONG = 1


def report_problems(error: DocumentError) -> int:
    """Every problem, a line each on stderr; the exit code."""
    for problem in error.problems:
        click.echo(problem, err=True)
    return EXIT_WRONG
