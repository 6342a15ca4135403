"""The log that the notify scripts write: the states that keepalived called them for, and when."""

from __future__ import annotations

import re

from console.core.keepalived.masking import mask
from console.core.model import LogTail, Transition, VrrpState
from console.probes.keepalived.log_times import line_time

NAME = "notify-log"
SCRIPT = """
if [ -n "$state_log" ]; then
  if [ "$tier" = full ] || [ "$state_log_is" != "$state_log_was" ]; then
    state_log_was=$state_log_is
    if [ -r "$state_log" ]; then mark notify-log ok; tail -c 65536 "$state_log" | tail -n 60
    elif [ -e "$state_log" ]; then mark notify-log denied; printf '%s\\n' "$state_log"
    else mark notify-log missing; printf '%s\\n' "$state_log"; fi
  fi
fi
"""

SOURCE = "notify log"
_STATE = r"(MASTER|BACKUP|FAULT|STOP)"
_BRACKETS = re.compile(rf"\[\s*+{_STATE}\s*+\]", re.IGNORECASE)
_ARGUMENTS = re.compile(rf"\b(?:INSTANCE|GROUP)\s+\"?\S+\"?\s+{_STATE}\b")
_WORDS = re.compile(rf"\b(?:change[ds]? to|becom\w+|being|enter\w*|now in|state[ :=]++)\s*+{_STATE}\b", re.IGNORECASE)
_PROCESS = re.compile(r"\|(\d+)\|")


def parse(text: str, path: str, now: float, utc_offset: int = 0) -> LogTail:
    """A script writes several lines a transition: those of one state and one process are one transition."""
    lines = tuple(line for line in mask(text).splitlines() if line.strip())
    found: list[Transition] = []
    last: tuple[VrrpState, str] | None = None
    for place, line in enumerate(lines):
        state = _state(line)
        if state is None:
            continue
        # A script that prints its state on one line and the date on the next is one transition too.
        at = line_time(line, now, utc_offset)
        if at is None and place + 1 < len(lines) and _state(lines[place + 1]) is None:
            at = line_time(lines[place + 1], now, utc_offset)
        process = _PROCESS.search(line)
        key = (state, process.group(1) if process else "")
        if key != last:
            found.append(Transition(state, at, SOURCE, line))
        last = key
    return LogTail(path=path, lines=lines, transitions=tuple(found))


def _state(line: str) -> VrrpState | None:
    for form in (_BRACKETS, _ARGUMENTS, _WORDS):
        if found := form.search(line):
            return VrrpState(found.group(1).upper())
    return None
