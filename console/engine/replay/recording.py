"""What a run that brings keys back has done so far, and the entries of its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.core.keys.comparing import CONFLICTS, Fate
from console.core.quantities import counted
from console.core.runs.records.exports import BRINGS, REPLACES, kept_in
from console.core.runs.records.line_numbers import lines_in_words
from console.core.runs.replays.batch import BatchAnswer, Left
from console.core.runs.replays.ending import OLDER
from console.core.runs.replays.order import STEPS
from console.engine.replay.look import Found, Looked

NAMED = 5
"""Keys of each reason that the journal names. The file of what was left has all of them."""


@dataclass(slots=True)
class Tally:
    """Keys by what came of them. A key is named by its line in the file of kept keys."""

    brought: int = 0
    left: dict[Left, dict[int, tuple[Found, str]]] = field(default_factory=dict)

    def leave(self, why: Left, found: Found, text: str = "") -> None:
        self.left.setdefault(why, {})[found.number] = found, text

    def take(self, batch: Sequence[Found], answer: BatchAnswer, *, lost: bool) -> None:
        """Adds what came of a batch. `lost`: no answer came, so nothing is known of what is not in `left`."""
        if not answer.left and not lost:
            self.brought += len(batch)
            return
        for place, found in enumerate(batch):
            if place in answer.left:
                self.leave(answer.left[place][0], found, answer.left[place][1])
            elif lost:
                self.leave(Left.UNKNOWN, found)
            else:
                self.brought += 1

    @property
    def failed(self) -> int:
        """Keys that were confirmed, and that are not there as they were kept."""
        return sum(len(self.left.get(one, ())) for one in (Left.REFUSED, Left.NOT_VERIFIED, Left.UNKNOWN))

    def counts(self) -> dict[str, int]:
        return {why.value: len(self.left[why]) for why in Left if self.left.get(why)}

    def lines(self, looked: Looked) -> dict[str, str]:
        """The lines of what was left, by why. They tell later what is only in the file still."""
        left = {why.value: set(self.left.get(why, ())) for why in Left} | {OLDER: looked.older_lines}
        left[Left.EQUAL.value] |= looked.brought_lines  # an earlier part of the run has brought them
        return {why: lines_in_words(sorted(numbers)) for why, numbers in left.items() if numbers}


def what_is_left(looked: Looked, tally: Tally, declined: frozenset[Fate]) -> None:
    """Adds what was never sent: equal and expired keys, and those of classes that were not confirmed or not reached."""
    reasons = {Fate.EQUAL: Left.EQUAL, Fate.EXPIRED: Left.EXPIRED}
    known = {number for rows in tally.left.values() for number in rows}
    for fate in (Fate.EQUAL, Fate.EXPIRED):
        for found in looked.found[fate]:
            tally.leave(reasons[fate], found)
    for fate in declined:
        for found in looked.found[fate]:
            if found.number not in known:
                tally.leave(Left.NOT_CONFIRMED, found, f"it differs in {fate.value}" if fate in CONFLICTS else "")
    for found in looked.changed_since:
        tally.leave(Left.CHANGED_SINCE, found)
    for why, found in looked.written_since:
        tally.leave(why, found, "it was on its way when the run was interrupted, and a client has written it")


def intent_entry(
    step: int, place: int, node: str, fate: Fate, batch: Sequence[Found], *, file: str
) -> Mapping[str, object]:
    """On disk before the batch is sent. `file`: where what is replaced is kept."""
    verb, how = (BRINGS, "RESTORE") if fate is Fate.MISSING else (REPLACES, "WATCH, MULTI, RESTORE … REPLACE")
    detail = "" if fate is Fate.MISSING else kept_in(file)
    if fate is Fate.EXPIRY:
        how = "WATCH, MULTI, PEXPIRE or PERSIST"
    lines = lines_in_words([one.number for one in batch])
    sent = f"{how} of {counted(len(batch), 'key')}, line {lines} of the file; or commands by their type"
    summary = f"{STEPS[fate]}: {counted(len(batch), 'key')}"
    planned = {"node": node, "summary": summary, "detail": detail, "expect": "", "command": {"sent": sent}}
    return {"step": step, "place": place, "verb": verb, "planned": planned, "lines": lines}


def result_entry(step: int, node: str, batch: Sequence[Found], answer: BatchAnswer) -> Mapping[str, object]:
    """On disk before anything else is sent. Every line of the batch that is not kept back was brought."""
    reasons = Counter((why, text) for why, text in answer.left.values())
    kept_back = [
        {
            "why": why,
            "text": text,
            "lines": lines_in_words([batch[at].number for at in sorted(answer.left) if answer.left[at] == (why, text)]),
        }
        for why, text in reasons
    ]
    return {"step": step, "node": node, "answer": answer.answer, "kept_back": kept_back}
