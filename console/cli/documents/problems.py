"""Prints the problems of a document for the `check` commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.cli.output import say

if TYPE_CHECKING:
    from console.documents.errors import DocumentError

EXIT_WRONG = 1


def report_problems(error: DocumentError) -> int:
    """Prints every problem, one a line, on stderr. Returns the exit code."""
    for problem in error.problems:
        say(problem, err=True)
    return EXIT_WRONG
