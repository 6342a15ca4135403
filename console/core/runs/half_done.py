"""What a run has stopped or paused and not started again: it stays so where the run is stopped now."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from console.core.kinds import kind_of
from console.core.kinds.kind import Kind
from console.core.runbooks.verb import VerbSpec
from console.core.runbooks.verbs import VERBS
from console.core.runs.state import RunState, StepState, StepStatus

_PAUSE = "pause-writes"
_PAIR = "keepalived"
_DECIDES_FIRST = "resolve-dual-master decides first whose data stays, and begins from what it finds"
ENDED_BY: Mapping[str, str] = {
    _PAUSE: "resume-writes",
    "stop-redis": "start-redis",
    "stop-keepalived": "start-keepalived",
    "drain-readers": "serve-readers",
    "hold-service": "release-service",
}
"""Verb after which a node lacks something that clients or the next failure need → the verb that gives it back.

Of that one `VerbSpec.skipped` says what goes on without it. Other verbs leave a node as it can stay.
"""


def half_done(run: RunState, masters: Sequence[str] = ()) -> tuple[str, ...]:
    """A sentence for each, with what takes it back. Empty: the run can be stopped, and leaves nothing of the kind.

    `masters`: the nodes that are masters now, as far as that is known.
    """
    kind, found = kind_of(run.runbook.kind), []
    split = len(masters) > 1
    if split and any(map(_was_sent, run.steps)):
        found.append(f"{' and '.join(masters)} are masters at once: each takes writes for itself.")
    for index, one in enumerate(run.steps):
        verb, end = _verb(one), ENDED_BY.get(_verb(one))
        if end is None or not _was_sent(one) or _is_ended(run, index, end):
            continue
        perhaps = "" if one.status is StepStatus.DONE else "Perhaps, as its step is not proved. "
        undo = _DECIDES_FIRST if split and kind_of(_PAIR) is kind else undo_in_words(VERBS[verb], kind)
        found.append(f"{one.node}: {perhaps}{VERBS[end].skipped} To end that: {undo}.")
    return tuple(found)


def writes_paused_since(run: RunState) -> float | None:
    """Epoch seconds since which this run has paused writes, or may have. None: it has not, or they are resumed."""
    for index, one in enumerate(run.steps):
        if _verb(one) == _PAUSE and _was_sent(one) and not _is_ended(run, index, ENDED_BY[_PAUSE]):
            return one.ended_at if one.ended_at is not None else one.since
    return None


def undo_in_words(verb: VerbSpec, kind: Kind) -> str:
    """How to take a step back. A runbook for another kind of cluster is replaced by what this kind has for it."""
    text = verb.undo
    for name, instead in kind.runbook_replacements.items():
        whole_name = rf"(?<![\w-]){name}(?![\w-])"
        if re.search(whole_name, text):
            if instead.runbook is None:
                return instead.advice or ""
            text = re.sub(whole_name, instead.runbook, text)
    return text


def _verb(one: StepState) -> str:
    return one.step.action.verb if one.step.action is not None else ""


def _was_sent(one: StepState) -> bool:
    """Whether this run has sent it, or may have. What a run has found so and skipped is not its work."""
    return one.status is StepStatus.DONE or (bool(one.output) and one.status is not StepStatus.SKIPPED)


def _is_ended(run: RunState, index: int, end: str) -> bool:
    later = (one for one in run.steps[index + 1 :] if one.node == run.steps[index].node and _verb(one) == end)
    return any(one.status in (StepStatus.DONE, StepStatus.SKIPPED) for one in later)
