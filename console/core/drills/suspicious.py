"""Lines of a captured text that may still hold a secret: a human looks at them before the folder leaves the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.drills.stand_ins import STAND_IN

_WORD = re.compile(
    r"(?:(?<![A-Za-z])|_)(?:pass(?:word|wd|phrase|code)?s?|\w*pass|pw|pwd|secrets?|tokens?|api[-_]?keys?|key|auth\w*|"
    r"bearer|credentials?|webhook)(?![A-Za-z])[\"']?(?P<sign>[ \t]*(?:=|:|->|\bis\b|\bwas\b)[ \t]*|[ \t]+)"
    r"[\"']?(?P<value>[^\s\"';|&)`,<>]+)",
    re.IGNORECASE,
)
"""A word that names a secret, and what follows it."""
_NO_VALUE = re.compile(
    r"[$/{(\[<%*\\-].*|[=!]?=|.{1,2}|[\d.:]+|[\w-]+\.(?:conf|log|ya?ml|json|pid|sh|txt|md)|bearer|basic|digest|"
    r"(?:no|yes|on|off|none|default|nopass|true|false|required|optional|is|was|in|for|of|the|file|and|or|to|with)\.?",
    re.IGNORECASE,
)
"""Variables, paths, options, numbers and small words: what stands after such a word and is none."""
_REPLACED = "\0"
"""Where a stand-in stood: it is neither a value nor a word."""
_BEFORE_ONE = re.compile(rf"[\"']?\s+[\"']?{_REPLACED}")
_PLAIN = re.compile(r"[A-Za-z]+(?:[-_][A-Za-z]+)*[.:!?]?")
_LONG = re.compile(r"[A-Za-z0-9+_=~-]{16,}")
_TURNS = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_FEWEST_TURNS = 3
"""Changes between letters and digits in a word that looks like made by chance. `redis-6379-data` has two."""
_HARMLESS = (
    ("keepalived: the kind of authentication, and no secret", re.compile(r"^\s*auth_type\s+\w+\s*$", re.IGNORECASE)),
    ("Sentinel: names of servers that it has made itself", re.compile(
        r"^\s*sentinel\s+(?:myid|known-(?:sentinel|replica|slave)|\w+-epoch)\s", re.IGNORECASE)),
    ("Redis: settings that have such a word in their name", re.compile(
        r"^\s*(?:tls-auth-clients|tls-(?:client-)?key-file|acllog\S*|key-load-delay|hash-max\S*|notify-keyspace\S*)\s",
        re.IGNORECASE)),
    ("ACL: a digest, made anew from the stand-in", re.compile(r"^\s*user\s+\S+\s", re.IGNORECASE)),
)  # fmt: skip
"""Lines that look like it and are not: a reason each."""


def suspicious_lines(text: str) -> Iterator[int]:
    """The numbers of the lines, from 1, that may hold a secret. `text`: with stand-ins for those that are known."""
    for number, line in enumerate(text.splitlines(), 1):
        if _may_hold_one(STAND_IN.sub(_REPLACED, line)):
            yield number


def _may_hold_one(line: str) -> bool:
    if any(place.search(line) for _, place in _HARMLESS):
        return False
    prose = line.lstrip().startswith(("#", "//", ";"))
    return any(_is_value(found, prose=prose) for found in _WORD.finditer(line)) or any(
        len(_TURNS.findall(word)) >= _FEWEST_TURNS for word in _LONG.findall(line)
    )


def _is_value(found: re.Match[str], *, prose: bool) -> bool:
    value = found["value"]
    if _NO_VALUE.fullmatch(value) or value.startswith(_REPLACED) or _BEFORE_ONE.match(found.string, found.end()):
        return False  # of `AUTH USER PASSWORD` the last word is the secret
    return not prose or found["sign"].strip() in ("=", ":", "->") or not _PLAIN.fullmatch(value)
