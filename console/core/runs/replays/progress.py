"""Which keys a run has sent so far, as its journal tells it. Keys are named by their lines in the file of kept keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from console.core.runs.answer import AnswerKind
from console.core.runs.records.exports import BRINGS
from console.core.runs.records.journal import Entry
from console.core.runs.records.line_numbers import lines_of


@dataclass(frozen=True, slots=True)
class SentLines:
    """Lines of the file whose keys were sent before."""

    brought: frozenset[int] = frozenset()
    """They were brought and verified."""
    unknown: frozenset[int] = frozenset()
    """They may have been sent: no answer is recorded."""
    were_missing: frozenset[int] = frozenset()
    """Those of the unknown ones whose keys were not on the master when they were confirmed."""


NOTHING_SENT = SentLines()


def sent_lines(entries: Iterable[Entry]) -> SentLines:
    """What was sent, from intents and results. An intent without a result may have arrived."""
    brought: set[int] = set()
    unknown: set[int] = set()
    were_missing: set[int] = set()
    waiting: set[int] = set()
    for entry in entries:
        if entry.kind == "intent":
            unknown |= waiting
            waiting = set(lines_of(str(entry.data.get("lines") or "")))
            if entry.data.get("verb") == BRINGS:
                were_missing |= waiting
            else:
                were_missing -= waiting
        elif entry.kind == "result" and waiting:
            kind = (entry.data.get("answer") or {}).get("kind")
            left = {number for one in entry.data.get("kept_back") or () for number in _lines(one)}
            if kind == AnswerKind.UNKNOWN.value:
                unknown |= waiting
            elif kind != AnswerKind.NOT_SENT.value:
                brought |= waiting - left
            waiting = set()
    unknown |= waiting
    unknown -= brought
    return SentLines(frozenset(brought), frozenset(unknown), frozenset(unknown & were_missing))


def _lines(one: object) -> Iterator[int]:
    yield from lines_of(str(one.get("lines") or "")) if isinstance(one, dict) else ()
