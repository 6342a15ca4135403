"""What a run has seen of a node after a moment: a step that sent nothing may not be the last word about its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from console.core.quantities import counted
from console.core.runs.records.journal import Entry

_FOLLOWS = ("replica of ", "slave of ")
_UP = "link up"


def became_of_data(entries: Sequence[Entry], at: str, node: str) -> str:
    """What later looks of the run tell of the data that a node had at this time. Empty: it was not seen as a replica.

    `at`: RFC 3339, UTC. A node that followed with its link up before has the data of its master already.
    """
    seen = [(entry, facts) for entry in entries if (facts := _facts(entry, node)) is not None]
    before = [facts for entry, facts in seen if entry.at <= at]
    if before and _follows(before[-1]) and _UP in _redis(before[-1]):
        return ""
    following = [(entry, facts) for entry, facts in seen if entry.at > at and _follows(facts)]
    for entry, facts in following:
        if _UP in _redis(facts):
            return (
                f"Later in this run {node} was seen as a {_redis(facts)} (at {entry.at}{_keys(facts)}): it had the data"
                " of its master then. Data of its own that was not kept is gone, unless the resync was a partial one."
            )
    if following:
        entry, facts = following[-1]
        return (
            f"Later in this run {node} was seen as a {_redis(facts)} (at {entry.at}): whether its data was replaced is"
            " not known."
        )
    return ""


def _facts(entry: Entry, node: str) -> Mapping[str, Any] | None:
    figures = entry.data.get("figures")
    nodes = figures.get("nodes") if isinstance(figures, Mapping) else None
    facts = nodes.get(node) if isinstance(nodes, Mapping) else None
    return facts if isinstance(facts, Mapping) else None


def _redis(facts: Mapping[str, Any]) -> str:
    return str(facts.get("redis") or "")


def _follows(facts: Mapping[str, Any]) -> bool:
    return _redis(facts).startswith(_FOLLOWS)


def _keys(facts: Mapping[str, Any]) -> str:
    keys = facts.get("keys")
    return f", {counted(keys, 'key')}" if isinstance(keys, int) else ""
