"""What an operator reads and types while kept keys are brought back."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.keys.comparing import Fate
from console.core.model import NodeState
from console.core.quantities import counted, size

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
    Fate.EXPIRY: "{keys} {have} the same value on {node}, with another expiry. It would be set to the kept one.",
    Fate.VALUE: "{keys} {have} another value on {node}. It would be REPLACED by the kept one, and kept in a file.",
    Fate.TYPE: "{keys} {are} of another type on {node}. It would be REPLACED by the kept one, and kept in a file.",
}
_SENTENCES = {
    Fate.EXPIRY: "I set the expiry of {keys} on {node}",
    Fate.VALUE: "I replace {keys} on {node}",
    Fate.TYPE: "I replace {keys} of another type on {node}",
}


def question_text(fate: Fate, count: int, node: str, newer: int = 0) -> str:
    """What would be done with the keys of this class. `newer`: so many were written on the node after the export."""
    verbs = ("is", "has") if count == 1 else ("are", "have")
    text = _TEXTS[fate].format(keys=counted(count, "key"), node=node, are=verbs[0], have=verbs[1])
    if not newer:
        return text
    whose = "It was" if count == 1 else f"{newer:,} of them {'was' if newer == 1 else 'were'}"
    return f"{text} {whose} written on {node} after the export: the kept value is the older one there."


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
