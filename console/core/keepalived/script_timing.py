"""The timing of a shell script: its sleeps, conditions and variables, read as text.

Every branch counts as taken, so a time is the latest possible one. After a sleep in a loop, or a sleep whose length is
known only when the script runs, all times are unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from console.core.numbers import decimal_number

_LENGTH = re.compile(r"([0-9.]+)([smhd]?)")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_OPENS, _CLOSES = frozenset({"if", "case"}), frozenset({"fi", "esac"})
_PASSED_OVER = frozenset({"then", "else", "elif", "while", "until", "for", "{", "}", "!", "time", "sudo", "command"})
_ASSIGNED = re.compile(r"(?:(?:local|export|readonly|declare)\s+)?(\w+)=(\"[^\"`]*\"|'[^']*'|[^\s;`]*)")
_USED = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_SLEEP = re.compile(r"\bsleep\b")
_NEXT = re.compile(r"&&|[;|\n]")
"""What ends a command."""
_PATTERN = re.compile(r"\s*\(?[^\s()]+\)\s")
"""`MASTER) …` in a `case`."""
_LONGEST = 200
"""Characters of a word, or of a variable's value, that is followed."""
_DEPTH = 5
"""How many times a variable that refers to another variable is resolved."""


def sleep_seconds(words: Sequence[str]) -> float | None:
    """The arguments of a sleep in seconds: `10`, `0.5`, `2m`. Several are added up. None: not known."""
    found = [_LENGTH.fullmatch(word) for word in words]
    if not found:
        return None
    total = 0.0
    for one in found:
        length = decimal_number(one[1]) if one is not None else None
        if one is None or length is None:
            return None
        total += length * _UNITS[one[2]]
    return total


class ScriptTiming:
    """Follows a script line by line, and adds up the seconds that it has slept."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        """The sleeps so far, in seconds."""
        self.known = True
        """False: a sleep had an unknown length, or was in a loop."""
        self.conditional = False
        """Whether the last line is inside a condition."""
        self._depth = 0
        self._loops = 0
        self._values: dict[str, str | None] = {}

    @property
    def passed(self) -> float | None:
        """Seconds of sleep up to and including the last line; None: not known."""
        return sum(self.pauses) if self.known else None

    def take(self, line: str, commands: Iterable[Sequence[str]]) -> None:
        """Takes the next line, with its simple commands as words without quotes."""
        self.conditional = self._depth > 0
        behind = any(_in_background(one) for one in _NEXT.split(line))
        pattern = _PATTERN.match(line) if self._depth > 0 else None
        for place, words in enumerate(commands):
            command = self._structure(list(words[1:] if place == 0 and pattern is not None else words))
            self.conditional |= self._depth > 0
            if command and command[0].rpartition("/")[2] == "sleep" and not behind:
                self._sleep(command[1:])
        self._assign(line)

    def resolve(self, word: str) -> str:
        """The word with the script's variables replaced, if they are set only once. `$1` stays `$1`."""
        for _ in range(_DEPTH):
            put = _USED.sub(self._value, word) if len(word) <= _LONGEST else word
            if put == word:
                break
            word = put
        return word

    def _value(self, used: re.Match[str]) -> str:
        name = used[1] or used[2]
        value = self._values.get(name)
        return f"${name}" if value is None else value

    def _structure(self, words: list[str]) -> list[str]:
        """Counts conditions and loops, and returns the words of the command itself."""
        for place, first in enumerate(words):
            if first in _OPENS:
                self._depth += 1
                if first == "case":
                    return []
            elif first in _CLOSES:
                self._depth -= 1
            elif first == "do":
                self._loops += 1
            elif first == "done":
                self._loops -= 1
            elif first not in _PASSED_OVER:
                return words[place:]
        return []

    def _sleep(self, arguments: Sequence[str]) -> None:
        seconds = sleep_seconds([self.resolve(one) for one in arguments])
        if seconds is None or self._loops > 0:
            self.known = False
        else:
            self.pauses.append(seconds)

    def _assign(self, line: str) -> None:
        """`NAME=value` at the start of a line. A variable that is set twice, or by a command, stays unknown."""
        found = _ASSIGNED.match(line.strip())
        if found is None:
            return
        name, value = found[1], found[2].strip("\"'")
        unclear = "$(" in found[2] or "`" in line or name in self._values
        unclear |= f"${name}" in value or len(value) > _LONGEST
        self._values[name] = None if unclear else value


def _in_background(command: str) -> bool:
    """Whether the command is a sleep that the script does not wait for: `sleep 5 &`."""
    sleep = _SLEEP.search(command)
    return sleep is not None and "&" in command[sleep.end() :]
