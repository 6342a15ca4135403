"""What kind of value stands under each name of a journal's entry.

A journal is a file that anyone can write, and its hashes prove only that its lines belong together. So an entry whose
values have other kinds than the console writes counts as a broken line, and readers can rely on the kinds. A name that
is not listed may have any value, and each value may be absent or null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.core.numbers import LAST_MOMENT, MOST


@dataclass(frozen=True, slots=True)
class Each:
    """A list."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Named:
    """A table with any names."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Plain:
    """A single value: a text, a number, a flag, or one of several of these."""

    what: str
    types: tuple[type, ...]
    most: float = float(MOST)

    def fits(self, value: object) -> bool:
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            return False
        return not isinstance(value, int | float) or abs(value) <= self.most


Shape = Each | Named | Plain | Mapping[str, "Shape"]

_TEXT = Plain("a text", (str,))
_WHOLE = Plain("a whole number", (int,))
_TIME = Plain("a time", (int, float), LAST_MOMENT)
_SINGLE = Plain("a single value", (str, int, float, bool))


def _texts(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, _TEXT)


_CHECKS = Each(_texts("statement", "verdict", "evidence", "hazard", "advice"))
_PLANNED: Shape = {
    **_texts("node", "summary", "detail", "expect"),
    "command": {"sent": _TEXT, "timeout": _TIME, "words": Each(_TEXT)},
}
_NODES = Named(dict.fromkeys(("redis", "keys", "offset", "keepalived", "priority", "holds_vip"), _SINGLE))
_FIGURES: Shape = {
    **_texts("vip", "vip_reaches", "serving", "protected"),
    "vip_holders": Each(_TEXT),
    "nodes": _NODES,
    "sentinels": Named(_TEXT),
    "consul": Named(_TEXT),
}
_PREVIEW: Shape = {
    **_texts("resync", "reason", "source", "target"),
    "lines": Each(_TEXT),
    "warnings": Each(_TEXT),
    "details": Each(_TEXT),
}
_HOLDER: Shape = _texts("operator", "run_id", "cluster", "runbook", "over")
_WAYS = Each({"way": _TEXT, "led": Each({"addresses": Each(_TEXT), "since": _TIME, "until": _TIME})})

_EVERY: Mapping[str, Shape] = {
    "step": _WHOLE,
    "figures": _FIGURES,
    "observed_at": _TIME,
    "digest": _TEXT,
    "checks": _CHECKS,
    "skip_if": _CHECKS,
    "done_if": _CHECKS,
    "proofs": _CHECKS,
    "differences": Each(_TEXT),
    "preview": _PREVIEW,
    "reason": _TEXT,
    "evidence": Each(_TEXT),
    "typed": _TEXT,
    "operator": _TEXT,
    "program": _TEXT,
    "node": _TEXT,
}
"""Of entries of every kind."""
_SHAPES: Mapping[str, Mapping[str, Shape]] = {
    "opened": {
        "steps": Each(_TEXT),
        "nodes": Named(_TEXT),
        **_texts("cluster", "kind", "runbook", "runbook_title", "runbook_sha256", "runbook_path"),
        **_texts("terminal", "terminal_from", "user", "host", "inventory", "vip"),
        "replays": {
            **_texts("cluster", "run", "node", "file", "backup"),
            "patterns": Each(_TEXT),
            "exported_at": _TIME,
            "slack": _TIME,
            "keys": _WHOLE,
        },
    },
    "compared": {"lines": Each(_TEXT)},
    "looked": {"lines": _WHOLE, "counts": Named(_WHOLE)},
    "bound": {"roles": Named(_TEXT), "server": _TEXT},
    "observed": {"planned": Each(_PLANNED), "facts": Named(_TEXT), "obstacle": _TEXT},
    "decided": {"decision": _texts("choice", "typed", "digest"), "asked": _TEXT},
    "lock": {"not_locked": Named(_TEXT), "lost": Each({"node": _TEXT, "why": _TEXT, "holder": _HOLDER})},
    "taken-over": {"holder": _HOLDER},
    "intent": {"planned": _PLANNED, "verb": _TEXT, "place": _WHOLE, "lines": _TEXT},
    "result": {
        "answer": {"kind": _TEXT, "text": _TEXT, "exit_status": _WHOLE},
        "kept_back": Each(_texts("why", "text", "lines")),
    },
    "step": {"id": _TEXT, "status": _TEXT, "note": _TEXT, "ways": Each(_TEXT)},
    "resumed": {
        **_texts("terminal", "terminal_from"),
        "cut": {"line": _WHOLE, "kept_in": _TEXT},
    },
    "believed": {"steps": Each({"kind": _TEXT, "why": _TEXT})},
    "closed": {
        "outcome": _TEXT,
        "message": _TEXT,
        "writes_held_back": {"node": _TEXT, "since": _TIME, "until": _TIME, "resumed_by": _TEXT},
        "left": Each({**_texts("code", "severity", "summary", "runbook", "advice"), "evidence": Each(_TEXT)}),
        "name": {"words": _TEXT, "ways": _WAYS},
        "keys": {
            **dict.fromkeys(("chosen", "brought"), _WHOLE),
            "left": Named(_WHOLE),
            "names": Named(Each(_TEXT)),
            "left_file": _TEXT,
        },
    },
}


def misfit(kind: str, data: Mapping[str, Any]) -> str:
    """What in the entry is of another kind than the console writes: `answer.text is not a text`. Empty: nothing."""
    return _misfit(data, {**_EVERY, **_SHAPES.get(kind, {})}, "its data")


def _misfit(value: Any, shape: Shape, name: str) -> str:
    if value is None:
        return ""
    match shape:
        case Plain():
            return "" if shape.fits(value) else f"{name} is not {shape.what}"
        case Each():
            if not isinstance(value, list):
                return f"{name} is not a list"
            parts = [(one, shape.of, f"an item of {name}") for one in value]
            if None in value:
                return f"an item of {name} is missing"
        case Named():
            if not isinstance(value, Mapping):
                return f"{name} is not a table"
            parts = [(one, shape.of, f"a value of {name}") for one in value.values()]
        case _:
            if not isinstance(value, Mapping):
                return f"{name} is not a table"
            parts = [(value[key], of, key) for key, of in shape.items() if key in value]
    return next((said for one in parts if (said := _misfit(*one))), "")
