"""Prints the problems of a document for the `check` commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from console.documents.errors import DocumentError

EXIT_WRONG = 1


def report_problems(error: DocumentError) -> int:
    """Prints every problem, one a line, on stderr. Returns the exit code."""
    for problem in error.problems:
        click.echo(problem, err=True)
    return EXIT_WRONG
