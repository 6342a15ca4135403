"""YAML text → plain values, with the line of each. Read from events, so that depth and aliases stay bounded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import yaml

from console.documents.document_file import bytes_of
from console.documents.errors import DocumentError

MAX_DEPTH = 40
MAX_VALUES = 100_000
"""Values in a document, each use of an alias counted with all that is in it: ends a "billion laughs" file."""

Key = str | int
Location = tuple[Key, ...]
"""Where a value stands: `("clusters", 0, "nodes", 1, "name")`."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read."""

    path: Path
    values: dict[str, Any]
    lines: dict[Location, int]
    """1-based line of each value's key, or of the value itself in a list."""
    digest: str
    """SHA-256 of the file's bytes, in hex."""
    broken: Mapping[int, str] = field(default_factory=dict)
    """Items of the list that is read item by item, and that are refused: place → `FILE:LINE: what is wrong`."""

    def line(self, location: Location) -> int:
        """The line of a value, or of the nearest one around it that has a line."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def problem(self, location: Location, text: str) -> str:
        """`FILE:LINE: KEY: text`."""
        key = dotted_key(location)
        return f"{self.path}:{self.line(location)}: {key + ': ' if key else ''}{text}"


def dotted_key(location: Location) -> str:
    """`clusters[0].nodes[1].name`."""
    text = ""
    for key in location:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def read_document(path: Path, *, apart: str = "") -> Document:
    """Reads and parses a file. Raises DocumentError with one line that names file and line.

    `apart`: key of a list whose items are read each by itself: one with a key that stands twice, a tag, an alias
    without an anchor or too many levels is refused alone. A file that is no YAML is refused as a whole.
    """
    return document_of(path, bytes_of(path), apart=apart)


def document_of(path: Path, data: bytes, *, apart: str = "") -> Document:
    """Parses what was read from a file. Raises DocumentError with one line that names file and line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"{path}:{line}: is not UTF-8 text; save it as UTF-8") from None
    return parse_document(path, text, sha256(data).hexdigest(), apart=apart)


def parse_document(path: Path, text: str, digest: str = "", *, apart: str = "") -> Document:
    """The values in YAML text. Raises DocumentError."""
    builder = _Builder(path, apart)
    try:
        values = builder.build(yaml.parse(text, Loader=_PARSER))
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark
        line = mark.line + 1 if mark else 1
        raise DocumentError(f"{path}:{line}: {_syntax(error, text, line)}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(f"{path}:{line}: has a character that cannot be printed; remove it") from None
    if values is None:
        raise DocumentError(f"{path}:1: is empty")
    if not isinstance(values, dict):
        raise DocumentError(f"{path}:1: must be a mapping of keys, as in the example; it is {_kind_of(values)}")
    return Document(path, values, builder.lines, digest, builder.broken)


def _syntax(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    """The parser's words, which never repeat the text itself: a password could stand there."""
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())] or "\t" in (error.problem or ""):
        return "is indented with a tab; use spaces"
    problem = (error.problem or "cannot be parsed").replace("did not find", "there is no")
    began: Any = error.context_mark
    where = f" ({error.context}, which began on line {began.line + 1})" if began and error.context else ""
    return f"is not YAML: {problem}{where}"


def _kind_of(value: object) -> str:
    return "a list" if isinstance(value, list) else "a single value"


@dataclass(slots=True)
class _Anchored:
    """What an anchor stands for, to be used again by an alias."""

    value: Any
    count: int
    """How many values it is worth."""


@dataclass(slots=True)
class _Builder:
    """Builds values from parser events. Raises DocumentError at the first thing that it refuses."""

    path: Path
    apart: str = ""
    lines: dict[Location, int] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    count: int = 0

    def build(self, events: Iterator[Any]) -> Any:
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse(event, "a second document begins here (---): write one document to a file")
            elif isinstance(event, yaml.NodeEvent):
                value = self.value(event, events, ())
        return value

    def refuse(self, event: Any, text: str) -> NoReturn:
        raise DocumentError(f"{self.path}:{_line(event)}: {text}")

    def value(self, event: Any, events: Iterator[Any], at: Location) -> Any:
        """The value that begins with this event, consuming the events that belong to it."""
        self.count += 1
        if self.count > MAX_VALUES:
            self.refuse(event, "the aliases in this file stand for too many values; write it without them")
        if len(at) > MAX_DEPTH:
            self.refuse(event, f"is nested deeper than {MAX_DEPTH} levels")
        self.lines.setdefault(at, _line(event))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        before = self.count
        if isinstance(event, yaml.ScalarEvent):
            value: Any = self.scalar(event)
        elif event.tag is not None:
            self.refuse(event, "has a tag (!…): tags are not used here")
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self.sequence(events, at)
        else:
            value = self.mapping(events, at)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, self.count - before + 1)
        return value

    def alias(self, event: Any) -> Any:
        known = self.anchors.get(event.anchor)
        if known is None:
            self.refuse(event, "has an alias (*…) without an anchor (&…) before it")
        self.count += known.count
        if self.count > MAX_VALUES:
            self.refuse(event, "the aliases in this file stand for too many values; write it without them")
        return known.value

    def scalar(self, event: Any) -> Any:
        if event.tag not in _TEXT_TAGS:
            self.refuse(event, "has a tag (!…): tags are not used here")
        return plain_scalar(event.value) if event.implicit[0] and event.tag is None else event.value

    def sequence(self, events: Iterator[Any], at: Location) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            place = (*at, len(items))
            items.append(
                self.apart_value(event, events, place) if at == (self.apart,) else self.value(event, events, place)
            )
        return items

    def apart_value(self, event: Any, events: Iterator[Any], at: Location) -> Any:
        """The same for an item that is refused alone. Then only its name is left of it."""
        before, whole = self.count, _whole(event, events)
        try:
            return self.value(event, iter(whole[1:]), at)
        except DocumentError as error:
            self.count = before
            line, _, text = str(error).removeprefix(f"{self.path}:").partition(": ")
            where = dotted_key(at)
            said = text if text.startswith(where) else f"{where}: {text}"
            self.broken[int(at[-1])] = f"{self.path}:{line}: {said}"
            return _name_of(whole)

    def mapping(self, events: Iterator[Any], at: Location) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Any] = []
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse(event, "a key must be a word")
            key = event.value
            place = (*at, key)
            if key in found:
                self.refuse(
                    event, f"{dotted_key(place)}: stands here twice, first on line {self.lines[place]}; keep one"
                )
            self.lines[place] = _line(event)
            value = self.value(next(events), events, place)
            if key == "<<":
                merged = self.merges(event, value)
            else:
                found[key] = value
        for one in merged:
            found = {**one, **found}
        return found

    def merges(self, event: Any, value: Any) -> list[Any]:
        """What `<<` brings in; earlier ones win over later ones, as YAML has it."""
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(one, dict) for one in sources):
            self.refuse(event, "<<: must be an alias of a mapping, or a list of them")
        return sources


def _whole(event: Any, events: Iterator[Any]) -> list[Any]:
    """All events of the value that begins with this one."""
    found, open_ones = [event], int(isinstance(event, yaml.CollectionStartEvent))
    while open_ones:
        found.append(next(events))
        open_ones += isinstance(found[-1], yaml.CollectionStartEvent) - isinstance(found[-1], yaml.CollectionEndEvent)
    return found


def _name_of(events: list[Any]) -> dict[str, Any]:
    """The first name among the keys of a mapping, so that it can be told which one it is."""
    depth = 0
    for key, value in pairwise(events):
        depth += isinstance(key, yaml.CollectionStartEvent) - isinstance(key, yaml.CollectionEndEvent)
        scalars = isinstance(key, yaml.ScalarEvent) and isinstance(value, yaml.ScalarEvent)
        if depth == 1 and scalars and key.value == "name":
            return {"name": value.value}
    return {}


def _line(event: Any) -> int:
    """1-based."""
    line: int = event.start_mark.line
    return line + 1


def plain_scalar(text: str) -> Any:
    """An unquoted scalar by YAML 1.2: `yes`, `on` and `12:30` are text, which 1.1 would surprise with."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= 20 else text  # noqa: PLR2004 - longer than any number of a document
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
