"""The journal's entries as text: how values are written, how hashes chain the entries, and how a chain is checked.

One entry is one line of canonical JSON: `seq` from 1, `at` in UTC, `kind`, `data`, `previous` (the hash of the entry
before, zeros in the first one) and `hash`, the SHA-256 of the canonical JSON of all the rest.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from console.core.command import MASK, ConsulCommand, RedisCommand, Secret, ShellCommand
from console.core.runs.records.entry_shape import misfit

FIRST = "0" * 64
"""The `previous` hash of the first entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a journal."""

    seq: int
    at: str
    """RFC 3339, UTC, milliseconds."""
    kind: str
    data: Mapping[str, Any]
    previous: str
    hash: str

    @property
    def line(self) -> str:
        return canonical(self._payload() | {"hash": self.hash}) + "\n"

    def _payload(self) -> dict[str, Any]:
        return {"seq": self.seq, "at": self.at, "kind": self.kind, "data": self.data, "previous": self.previous}

    @property
    def expected_hash(self) -> str:
        """What the hash must be, computed from everything else in the entry."""
        return hashlib.sha256(canonical(self._payload()).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """The result of checking a journal."""

    entries: int
    """Number of sound entries, from the first one on."""
    broken_line: int | None = None
    """Number of the first line that is not sound, from 1. None: all are sound."""
    reason: str = ""
    closed: bool = False
    """The last entry says that the run ended. Else entries may be missing at the end: a chain cannot tell."""
    unfinished: bool = False
    """The broken line is the last one and has no end of line. The console was cut off while it wrote it, and did
    nothing after it. `runs resume` sets it aside."""

    @property
    def sound(self) -> bool:
        return self.broken_line is None


def next_entry(previous: Entry | None, kind: str, data: Mapping[str, object], now: float) -> Entry:
    """The next entry, with every value plain and every secret masked."""
    plain_data: dict[str, Any] = plain(data)
    number, before = (previous.seq + 1, previous.hash) if previous else (1, FIRST)
    unsealed = Entry(number, timestamp(now), kind, plain_data, before, "")
    return Entry(number, unsealed.at, kind, plain_data, before, unsealed.expected_hash)


def timestamp(now: float) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def canonical(value: object) -> str:
    """JSON in the only allowed spelling, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The value as JSON. A Secret is masked by its type, wherever it is. A command is written as it is shown.

    A dataclass becomes its field names: renaming a field of a journaled value would rename a key on disk.
    """
    kind = type(value)
    if kind is str and value.isascii():  # most values are such: a run writes thousands of them
        return value
    return _WRITERS[kind](value)


class _Writers(dict[type, Callable[[Any], Any]]):
    """Type → how a value of it is written. It is found once for each type."""

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        found = next((writer for types, writer in _ROWS if issubclass(kind, types)), None)
        self[kind] = found or (_of_dataclass(kind) if is_dataclass(kind) else str)
        return self[kind]


_WRITERS = _Writers()


def _of_dataclass(kind: type) -> Callable[[Any], dict[str, Any]]:
    names = tuple(one.name for one in fields(kind))
    return lambda value: {name: plain(getattr(value, name)) for name in names}


def _of_bytes(value: bytes) -> dict[str, Any]:
    return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}


def _representable(value: str | float) -> str | float:
    """JSON has no NaN and no infinity, and a lone surrogate cannot be encoded and hashed."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if math.isfinite(value) else str(value)


def _command(command: ShellCommand | RedisCommand | ConsulCommand) -> dict[str, Any]:
    """What a resumed run needs to send it. It has neither a secret nor the bytes of standard input."""
    shown: dict[str, Any] = {"sent": command.render()}
    if isinstance(command, ShellCommand) and command.stdin is not None:
        shown["stdin"] = plain(command.stdin)
    if type(command) is ShellCommand:
        shown["timeout"] = command.timeout
    if type(command) is RedisCommand:
        if not any(isinstance(word, Secret) for word in command.words):
            shown["words"] = plain(command.words)
        if command.through_vip:
            shown["through_vip"] = True
    return shown


_ROWS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    # The first row that fits is taken: an Enum may be a text or a number, too.
    (Secret, lambda _: MASK),
    (Enum, lambda value: value.value),
    ((type(None), int), lambda value: value),
    ((str, float), _representable),
    (bytes, _of_bytes),
    ((ShellCommand, RedisCommand, ConsulCommand), _command),
    (Mapping, lambda value: {str(plain(key)): plain(one) for key, one in value.items()}),
    ((tuple, list, set, frozenset), lambda value: [plain(one) for one in value]),
)


def parse_entry(line: str) -> Entry:
    """One line of a journal. Raises ValueError that says what is wrong with it."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    names = {"seq": int, "at": str, "kind": str, "data": dict, "previous": str, "hash": str}
    if not isinstance(found, dict) or set(found) != set(names):
        raise ValueError(f"its keys are not {', '.join(names)}")
    for name, kind in names.items():
        if not isinstance(found[name], kind):
            raise ValueError(f"{name} is not of type {kind.__name__}")  # noqa: TRY004 (a broken line, not a wrong call)
    if problem := misfit(found["kind"], found["data"]):
        raise ValueError(problem)
    return Entry(**found)


def check_chain(lines: Iterable[str]) -> ChainCheck:
    """Recomputes every hash. Names the first line that was changed, removed, added or cut off."""
    last: Entry | None = None
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):  # lines are split at their ends: this is the last one
            return ChainCheck(number - 1, number, "it was cut off before its end of line", unfinished=True)
        try:
            entry = parse_entry(line)
        except ValueError as error:
            return ChainCheck(number - 1, number, str(error))
        if problem := _problem(entry, last, line):
            return ChainCheck(number - 1, number, problem)
        last = entry
    if last is None:
        return ChainCheck(0, 1, "the journal is empty")
    return ChainCheck(last.seq, closed=last.kind == "closed")


def _problem(entry: Entry, last: Entry | None, line: str) -> str:
    expected = last.seq + 1 if last else 1
    if entry.seq != expected:
        return f"entry {expected} is missing: this one says that it is number {entry.seq}"
    if entry.previous != (last.hash if last else FIRST):
        return "the entry before it is not the one that it was written after"
    if _has_its_hash(entry, line):
        return ""
    return "it was changed after it was written: its hash does not fit"


def _has_its_hash(entry: Entry, line: str) -> bool:
    try:
        return entry.hash == entry.expected_hash and line.rstrip("\n") == entry.line.rstrip("\n")
    except ValueError:  # a value that no journal can have: NaN, half of a pair of surrogates
        return False
