"""What keepalived makes of the values in its configuration: version 2.2.7, as its own dump shows it.

It refuses numbers outside their limits, takes defaults for them, rounds times, and derives priority and initial state
from each other. Each correction is a note, because the file does not say what holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from console.core.model.keepalived import OWNER
from console.core.numbers import decimal_number, whole_number

DEFAULT_PRIORITY = 100
MASTER, BACKUP = "MASTER", "BACKUP"
NEVER_FILLED_IN = "a template that was never filled in"

_SHORTEST, _LONGEST, _LONGEST_V3 = 0.01, 255.0, 40.95
_TEMPLATE = re.compile(r"\{\{.*|<.*>|@\w+@|%\w+%|__\w+__|[A-Z][A-Z_]*|[xX]{2,}(?:\.[xX]+)*")
_PREFIX = re.compile(r"\s*([+-]?[0-9]{1,9})")

Note = Callable[[str, str], None]
"""Takes a keyword and what is wrong with its value."""


class Completed(NamedTuple):
    """The values of an instance that depend on each other."""

    state: str
    priority: int
    version: int
    advert_interval: float
    auth_type: str


def complete(words: Mapping[str, str], addresses: tuple[str, ...], version: int, note: Note) -> Completed:
    """The values as keepalived has them. `words`: keyword → value of one instance. `version`: the global one."""
    state, priority = _state(words, note), _priority(words, note)
    if priority is None:
        priority = OWNER if state == MASTER else DEFAULT_PRIORITY
    state = state or (MASTER if priority == OWNER else BACKUP)
    version = _version(words, addresses, version, note)
    auth_type = words.get("auth_type", "") if version == 2 else ""  # noqa: PLR2004 - version 3 has no authentication
    if auth_type == "AH" and state == MASTER and priority != OWNER:
        note("auth_type", f"AH does not work with state {MASTER}: keepalived takes {BACKUP}")
        state = BACKUP
    return Completed(state, priority, version, _interval(words, version, note), auth_type)


def is_address(text: str) -> bool:
    """`10.0.0.1`, also with a prefix length."""
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True


def refused(value: str, expected: str) -> str:
    """Why a value is refused. A placeholder is called one."""
    what = NEVER_FILLED_IN if _TEMPLATE.fullmatch(value) else f"not {expected}"
    return f"{value} is {what}"


def script_number(text: str, default: int, *, least: int | None = None) -> int:
    """A number of a vrrp_script: the digits at its beginning, as keepalived reads it."""
    if not text:
        return default
    found = _PREFIX.match(text)
    number = int(found[1]) if found is not None else 0
    return number if least is None else max(least, number)


def _state(words: Mapping[str, str], note: Note) -> str:
    """Empty: the file names none."""
    state = words.get("state", "")
    if state in {"", MASTER, BACKUP}:
        return state
    note("state", f"{refused(state, f'{MASTER} or {BACKUP}')}: keepalived takes {BACKUP}")
    return BACKUP


def _priority(words: Mapping[str, str], note: Note) -> int | None:
    text = words.get("priority")
    if text is None:
        return None
    number = whole_number(text, 1, OWNER)
    if number is None:
        note("priority", f"{refused(text, f'a number from 1 to {OWNER}')}: keepalived takes {DEFAULT_PRIORITY}")
        return DEFAULT_PRIORITY
    return number


def _version(words: Mapping[str, str], addresses: tuple[str, ...], version: int, note: Note) -> int:
    text = words.get("version")
    if text in {"2", "3"}:
        return int(text)
    if text is not None:
        note("version", f"{text} is neither 2 nor 3")
    return 3 if addresses and ":" in addresses[0] else version


def _interval(words: Mapping[str, str], version: int, note: Note) -> float:
    text = words.get("advert_int")
    if text is None:
        return 1.0
    seconds = decimal_number(text, _SHORTEST, _LONGEST)
    if seconds is None:
        note("advert_int", f"{refused(text, f'a number from {_SHORTEST} to {_LONGEST:.0f}')}: keepalived takes 1")
        return 1.0
    whole, hundredths = max(1.0, float(int(seconds + 0.5))), min(_LONGEST_V3, int(seconds * 100 + 0.5) / 100)
    rounded = whole if version == 2 else hundredths  # noqa: PLR2004 - whole seconds there
    if rounded != seconds:
        note("advert_int", f"VRRP version {version} does not have {text}: keepalived takes {rounded:g}")
    return rounded
