"""What is wrong with a document, in one line that says where and what to do."""

from __future__ import annotations


class DocumentError(Exception):
    """An inventory, a runbook or a password source that cannot be used. Its text is one line and holds no secret."""
