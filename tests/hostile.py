"""Inputs of a kind that no program should send: recorded answers, changed at random, and texts of any bytes."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

NUMBERS = (
    "", "-", "+", "-1", "+7", "0", "00", "08", "9" * 20, "9" * 21, "9" * 400, "1" * 4_400, "1e999", "1.5", ".", ".5",
    "-.5", "1.", "inf", "nan", "NaN", "-Infinity", "0x10", "1_000", "²79", "٣٤", "7\uff19", "①", "\u0be7", " 5",
    "253402300800", "18446744073709551616",
)  # fmt: skip
"""Texts that stand where a number belongs."""
TOKENS = (
    "", "\n", "\r\n", "\r", "\t", "\0", "\v", "\f", "\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "\u202e", "\u200b", "\ufeff",
    "\u2028", "\x85", "\ud800", "\ufffd", "|", ":", "=", ",", "/", "@", "!", "#", "$", "${", "$(", "`", "(", ")",
    "{", "}", "[", "]", '"', "'", "\\", "~", "<", ">", "&", ";", "x", " ", "    ", "\t" * 40, "0.100.125/24", "+99:99",
    "%s", "null", "redis-cli -a ", "auth_pass ", "sleep ", "Jan 31 24:61:61 ", "0000-00-00 00:00:00 ",
)  # fmt: skip
_DIGITS = re.compile(r"[0-9]+")


def changed(text: str, chance: random.Random) -> str:
    """The text with one to four changes."""
    for _ in range(chance.randint(1, 4)):
        text = chance.choice(_CHANGES)(text, chance)
    return text[:100_000]


def changed_bytes(whole: Sequence[str], chance: random.Random) -> bytes:
    """One of the recorded answers with changes; sometimes bytes of any kind."""
    if not whole or chance.random() < 0.05:
        return chance.randbytes(chance.randint(0, 200))
    data = bytearray(changed(chance.choice(whole), chance).encode("utf-8", "surrogatepass"))
    if data and chance.random() < 0.2:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _number(text: str, chance: random.Random) -> str:
    found = list(_DIGITS.finditer(text))
    if not found:
        return text
    one = chance.choice(found)
    return text[: one.start()] + chance.choice(NUMBERS) + text[one.end() :]


def _token(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(TOKENS) + text[at + chance.choice((0, 0, 1, 8)) :]


def _word(text: str, chance: random.Random) -> str:
    words = re.split(r"(\s+)", text)
    words[chance.randrange(len(words))] = chance.choice(NUMBERS + TOKENS)
    return "".join(words)


def _line(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = chance.randrange(len(lines))
    lines[at : at + chance.randint(0, 2)] = [lines[chance.randrange(len(lines))]] * chance.choice((0, 1, 2, 50))
    return "".join(lines)


def _cut(text: str, chance: random.Random) -> str:
    begin = chance.randint(0, len(text)) if chance.random() < 0.5 else 0
    return text[begin : chance.randint(begin, len(text))]


def _long(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(TOKENS) * chance.choice((100, 1_000)) + text[at:]


_CHANGES = (_number, _number, _token, _token, _word, _line, _cut, _long)
