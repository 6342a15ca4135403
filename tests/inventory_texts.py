"""The one line that a wrong inventory gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.documents.errors import DocumentError
from console.documents.inventories.inventory import inventory_of
from console.documents.yaml_text import parse_document

NO_LITERAL = 'a password must not stand in the file: use {env: NAME}, {file: PATH}, {command: "…"} or {prompt: true}'


def refusal(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        inventory_of(parse_document(Path("inventory.yaml"), text))
    assert "\n" not in str(caught.value)
    return str(caught.value)
