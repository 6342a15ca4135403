"""Lines of a captured redis.conf: what one says, and those that a rehearsal does not use."""

from __future__ import annotations

import re
from collections.abc import Iterator

LEFT_OUT = {"loadmodule": "modules are programs, which are not captured"}
"""Directives that a rehearsal comments out, each with its reason. Redis would not start with them."""
REPLACED = {
    "daemonize": "the rehearsal starts Redis by a script of its own",
    "supervised": "there is no systemd and no upstart",
    "pidfile": "the rehearsal's script keeps the process id elsewhere",
}
"""Directives whose value the rehearsal sets itself, each with its reason."""
_AS_IN_A_REHEARSAL = ["daemonize", "yes"]
_LINE = re.compile(r"^[ \t]*(?P<word>[A-Za-z-]+)[ \t]+\S.*$", re.MULTILINE)


def usable_text(text: str) -> str:
    """The text with the lines in a comment that are left out."""
    return _LINE.sub(lambda found: f"# {found[0]}" if found["word"].lower() in LEFT_OUT else found[0], text)


def unused_lines(text: str) -> Iterator[tuple[str, str]]:
    """Each line that is left out or replaced, and what is done with it."""
    for found in _LINE.finditer(text):
        word = found["word"].lower()
        if word in LEFT_OUT:
            yield found[0].strip(), f"is left out: {LEFT_OUT[word]}"
        elif word in REPLACED and found[0].lower().split() != _AS_IN_A_REHEARSAL:
            yield found[0].strip(), f"is replaced: {REPLACED[word]}"


def value_in(text: str, word: str) -> str:
    """The value of the last such line; empty: there is none."""
    found = re.findall(rf"^[ \t]*{word}[ \t]+[\"']?([^\s\"']+)", text, re.MULTILINE | re.IGNORECASE)
    return found[-1] if found else ""
