"""The backups that a run made or found: where they are, how they were verified, how to get them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.core.replication.backups import backups_mentioned, parse_answer
from console.core.runs.records.journal import Entry
from console.core.runs.records.recorded import told


def backups_in(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """The backups in the journal, in its order. Keys may be added, not renamed.

    The answer of the script tells most. Where that was lost, or a backup was there already, the conditions that saw it
    on the node do; what they did not see stays None.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    detail: dict[str, str] = {}
    for entry in entries:
        if entry.kind == "intent":
            planned = entry.data.get("planned") or {}
            detail[told(planned, "node")] = str(planned.get("detail") or "")
        elif entry.kind == "result":
            node, answer = told(entry.data, "node"), entry.data.get("answer") or {}
            if answer.get("kind") == "done" and (made := parse_answer(str(answer.get("text") or ""))):
                path, note = made
                found[node, path] = _row(node, path, note.size) | {
                    "sha256": note.sha256,
                    "keys": note.keys,
                    "checked": note.checked or None,
                    "how_to_restore": detail.get(node, "").splitlines(),
                }
        elif entry.kind in ("observed", "verified"):
            for one in backups_mentioned("\n".join(_evidence(entry))):
                row = found.setdefault((one.node, one.path), _row(one.node, one.path, one.size))
                row["sha256"] = row["sha256"] or one.sha256 or None
    return list(found.values())


def _row(node: str, path: str, size: int) -> dict[str, Any]:
    return {
        "node": node,
        "path": path,
        "size": size,
        "sha256": None,
        "keys": None,
        "checked": None,
        "how_to_restore": [],
    }


def _evidence(entry: Entry) -> list[str]:
    """What conditions that hold have seen: one that does not hold speaks of some other backup."""
    lists = [entry.data.get(key) or () for key in ("checks", "skip_if", "proofs")]
    return [str(one.get("evidence") or "") for checks in lists for one in checks if one.get("verdict") == "holds"]
