"""What a run that brought keys back has left: for its end page and its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.core.quantities import counted
from console.core.runs.replays.batch import Left

LINES, ALL_GONE = "lines", "all_gone"
"""Where the entry `closed` has the lines of what was left, by why; and that nothing was there any more at the end."""
OLDER = "older"
"""Why a line was left whose key stands again further down in the file."""
_NOTHING_TO_DO = {Left.EQUAL.value}
_ADVICE = {
    Left.EXPIRED.value: "{they} would have expired by now",
    Left.NOT_CONFIRMED.value: "{they} {stay} as {they} {are} on the master, and in the file as {they} {were} kept",
    Left.APPEARED.value: "a client has written {them} since {they} {were} shown: look at both values again",
    Left.CHANGED.value: (
        "since {they} {were} shown a client has changed or removed {them}, or {they} {have} expired: look again"
    ),
    Left.CHANGED_SINCE.value: "this run brought {them}, and a client has changed or removed {them} since",
    Left.REFUSED.value: "the list says with which words",
    Left.NOT_VERIFIED.value: "{they} {were} sent, and the master holds something else now: look at both values",
    Left.NOT_REACHED.value: "the run ended before: the same command begins with {them}",
    Left.UNKNOWN.value: "{they} may have been brought: the same command looks first",
}
_WORDS = (
    {"they": "it", "them": "it", "stay": "stays", "are": "is", "were": "was", "have": "has"},
    {"they": "they", "them": "them", "stay": "stay", "are": "are", "were": "were", "have": "have"},
)


def keys_left(closed: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """The keys that the run has not brought: a sentence, and a line for each reason. None: there are none."""
    keys = closed.get("keys")
    if not isinstance(keys, Mapping) or not isinstance(left := keys.get("left"), Mapping):
        return None
    named = keys.get("names") or {}
    lines = []
    for why, count in left.items():
        if why in _NOTHING_TO_DO or not isinstance(count, int):
            continue
        names = [str(one) for one in named.get(why) or ()]
        more = ", …" if count > len(names) else ""
        advice = _ADVICE.get(why, "see the list").format(**_WORDS[count != 1])
        lines.append(f"{count:,} {why}: {', '.join(names)}{more} ({advice})")
    if not lines:
        return None
    total = sum(count for why, count in left.items() if why not in _NOTHING_TO_DO and isinstance(count, int))
    list_of = (f"The whole list: {keys['left_file']}",) if keys.get("left_file") else ()
    return f"{counted(total, 'key')} of the file {'was' if total == 1 else 'were'} not brought.", (*lines, *list_of)
