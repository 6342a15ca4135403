"""Programs that run another command: sudo, timeout, env, xargs. What is left of their words is that command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from console.core.runbooks.shell.words import Word

_DURATION = re.compile(r"[0-9]+(\.[0-9]+)?[smh]?")
LATER = "it acts later than the conditions are judged"


@dataclass(frozen=True, slots=True)
class Inner:
    """The command that is run."""

    words: tuple[Word, ...]
    unclear: str = ""
    """What of the wrapper's own words is not understood. Empty: nothing."""


def _with_options(
    plain: frozenset[str] = frozenset(), valued: frozenset[str] = frozenset(), *, leading: int = 0, unclear: str = ""
) -> Callable[[Sequence[Word]], Inner]:
    """`plain`, `valued`: options without and with a value. `leading`: durations before the command.

    `unclear`: what is never understood of this program.
    """

    def read(words: Sequence[Word]) -> Inner:
        at, wrong = 0, unclear
        while at < len(words) and words[at].text.startswith("-"):
            option = words[at].text
            at += 2 if option in valued else 1
            if option == "--":
                break
            if option not in plain | valued and not any(option.startswith(f"{one}=") for one in valued):
                wrong = wrong or f"the option {option}"
        wrong = wrong or ("" if all(word.literal for word in words[:at]) else "its options")
        for word in words[at : at + leading]:
            if not (word.literal and _DURATION.fullmatch(word.text)):
                wrong = wrong or f"the word {word.text}"
        return Inner(tuple(words[at + leading :]), wrong)

    return read


WRAPPERS: Mapping[str, Callable[[Sequence[Word]], Inner]] = {
    "sudo": _with_options(frozenset({"-n", "-E", "-H"}), frozenset({"-u", "-g"})),
    "timeout": _with_options(
        frozenset({"--preserve-status", "--foreground"}), frozenset({"-k", "-s", "--signal", "--kill-after"}), leading=1
    ),
    "env": _with_options(frozenset({"-i"}), frozenset({"-u"})),
    "nice": _with_options(valued=frozenset({"-n"})),
    "ionice": _with_options(valued=frozenset({"-c", "-n"})),
    "command": _with_options(),
    "exec": _with_options(),
    "time": _with_options(frozenset({"-p"})),
    "nohup": _with_options(unclear=LATER),
    "setsid": _with_options(unclear=LATER),
    "xargs": _with_options(valued=frozenset({"-n", "-I", "-P"}), unclear="the words that it adds"),
}
"""Name → what it leaves of its words. Assignments after `env` are read as those before a command."""
