"""What an operator reads and types while kept keys are brought back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from console.core.keys.comparing import Fate
from console.core.model import NodeState
from console.core.quantities import counted, size, span

CLASSES: Mapping[Fate, str] = {
    Fate.MISSING: "missing on {node}",
    Fate.EXPIRY: "same value, another expiry",
    Fate.VALUE: "another value of the same type",
    Fate.TYPE: "another type",
    Fate.EQUAL: "equal, nothing is sent",
    Fate.EXPIRED: "expired since the export, not brought",
}
"""In the order in which they are shown."""
_TEXTS = {
    Fate.MISSING: "{keys} {are} not on {node}. Nothing is replaced: one that a client writes meanwhile stays.",
    Fate.EXPIRY: ("{keys} {have} the same value on {node}, with another expiry. That would be set to the kept one."),
    Fate.VALUE: (
        "{keys} {have} another value on {node}. The value on {node} would be REPLACED by the kept one. What is replaced"
        " is kept in a file of this run."
    ),
    Fate.TYPE: (
        "{keys} {are} of another type on {node}. The value on {node} would be REPLACED by the kept one. What is"
        " replaced is kept in a file of this run."
    ),
}
_SENTENCES = {
    Fate.EXPIRY: "I set the expiry of {keys} on {node}",
    Fate.VALUE: "I replace {keys} on {node}",
    Fate.TYPE: "I replace {keys} of another type on {node}",
}


class Ages(NamedTuple):
    """What is known of when the values of one class of conflicts were written."""

    exported: str
    """When the kept ones were exported, in words. Empty: not known."""
    newer: int
    """So many were written on the master after the export."""
    same: int
    """So many have not changed there since."""


def exported_in_words(at: float, now: float) -> str:
    """`at 2026-11-21 07:40:02 UTC, 32 min ago`. Epoch seconds; 0: not known."""
    if not at:
        return ""
    return f"at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC, {span(max(0.0, now - at))} ago"


def question_text(fate: Fate, count: int, node: str, ages: Ages | None = None) -> str:
    """What would be done with the keys of this class."""
    verbs = ("is", "has") if count == 1 else ("are", "have")
    text = _TEXTS[fate].format(keys=counted(count, "key"), node=node, are=verbs[0], have=verbs[1])
    return text if ages is None else f"{text} {_ages_in_words(ages, count, node)}"


def _ages_in_words(ages: Ages, count: int, node: str) -> str:
    """Which of both values is the newer one, as far as that is known."""
    kept = "value was" if count == 1 else "values were"
    exported = f"The kept {kept} exported {ages.exported}." if ages.exported else ""
    told = []
    if ages.newer:
        one = "The value" if count == 1 else f"{ages.newer:,} of those"
        was = "was" if count == 1 or ages.newer == 1 else "were"
        told.append(f"{one} on {node} {was} written after that: the kept value is the OLDER one there.")
    if ages.same:
        one = "The value" if count == 1 else f"{ages.same:,} of those"
        has = "has" if count == 1 or ages.same == 1 else "have"
        told.append(f"{one} on {node} {has} not changed since: which of both was written last is not known.")
    if unknown := count - ages.newer - ages.same:
        one = "The value" if count == 1 else f"{unknown:,} of those"
        may = (
            f"Whether {one.lower() if count == 1 else one} on {node} {'was' if count == 1 or unknown == 1 else 'were'}"
        )
        told.append(f"{may} written after that is not known.")
    return " ".join(filter(None, (exported, *told)))


def sentence_for(fate: Fate, count: int, node: str) -> str:
    """What must be typed, word for word. Empty: y is enough, as nothing is replaced."""
    return _SENTENCES[fate].format(keys=counted(count, "key"), node=node) if fate in _SENTENCES else ""


FILE_SENTENCE = "I bring keys of a file that is not whole"


def on_their_way_in_words(keys: int, missing: int, node: str) -> str:
    """What is known of keys whose answer was lost when the run was interrupted. `missing`: so many are not there."""
    text = f"{counted(keys, 'key')} {'was' if keys == 1 else 'were'} on the way when the run was interrupted."
    if not missing:
        return text
    return (
        f"{text} {missing:,} of them {'is' if missing == 1 else 'are'} not on {node}: not sent, or removed by a client"
        " since. They are asked for as missing."
    )


def room_warning(master: NodeState, bytes_to_bring: int) -> str:
    """What the master's memory limit would do with so many bytes more. Empty: nothing. A value takes more than that."""
    redis = master.redis.value
    if redis is None or not redis.maxmemory or redis.used_memory + bytes_to_bring <= redis.maxmemory:
        return ""
    return (
        f"{master.name} uses {size(redis.used_memory)} of maxmemory {size(redis.maxmemory)}, and {size(bytes_to_bring)}"
        " would come: it may refuse writes (OOM), or evict other keys by its maxmemory-policy"
    )


def end_message(why: str, brought: int, chosen: int, node: str, left: Mapping[str, int]) -> str:
    """How the run ended, in one or two sentences."""
    parts = [f"{why[:1].upper()}{why[1:]}."] if why else []
    if node and chosen:
        parts.append(f"{brought:,} of {counted(chosen, 'chosen key')} brought to {node} and verified.")
    if left:
        parts.append("Left: " + ", ".join(f"{count:,} {reason}" for reason, count in left.items()) + ".")
    return " ".join(parts)
