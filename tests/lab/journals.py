"""What must hold of the journals of any runs, whatever happened to them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from console.core.runs.records.journal import check_chain


def journals(folder: Path) -> dict[Path, list[dict[str, Any]]]:
    """Every journal below the folder."""
    return {
        path: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(folder.rglob("journal.jsonl"))
    }


PROOF = "redis-ha-console:proof:"
"""How the key of the proof by writing begins."""


def sent_twice(journal: list[dict[str, Any]]) -> list[str]:
    """Commands that left more than once, though the first may have been carried out.

    The proof by writing may: only its answer proves it, so the operator has it sent again.
    """
    entries = [one for one in journal if one["kind"] in ("intent", "result")]
    sent: Counter[str] = Counter()
    for intent, result in zip(entries[::2], [*entries[1::2], None], strict=False):
        answer = result["data"]["answer"]["kind"] if result else "unknown"
        if answer not in ("not sent", "failed"):
            sent[json.dumps(intent["data"]["planned"], sort_keys=True)] += 1
    return [command for command, times in sent.items() if times > 1 and PROOF not in command]


def broken_chains(folder: Path) -> list[str]:
    """Journals whose chain does not hold, or that were not closed."""
    said = []
    for path in sorted(folder.rglob("journal.jsonl")):
        found = check_chain(path.read_text(encoding="utf-8").splitlines(keepends=True))
        if not found.sound or not found.closed:
            said.append(f"{path.parent.name}: {found}")
    return said
