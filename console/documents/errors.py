"""What is wrong with a document, in one line that says where and what to do."""

from __future__ import annotations


class DocumentError(Exception):
    """An inventory, a runbook or a password source that cannot be used. Its text is one line and holds no secret."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems
        """Everything that was found wrong, in the order of the document; a line each."""

    def __str__(self) -> str:
        return self.problems[0]
