"""The keys that a run leaves at its end, and why: as a file in its folder, and as the first names for its journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.core.keys.exported import readable
from console.core.runs.records.journal import Entry
from console.core.runs.replays.batch import Left
from console.core.runs.replays.order import STEPS
from console.core.runs.replays.progress import sent_lines
from console.engine.replay.kept_file import KeptFile, batches
from console.engine.replay.look import Looked
from console.engine.replay.ports import KeyFiles
from console.engine.replay.recording import NAMED, Tally

LEFT = "left.jsonl"


def leave_the_rest(looked: Looked, tally: Tally, entries: Iterable[Entry]) -> None:
    """Adds the keys that were confirmed or not yet asked for, and that the run did not reach, or whose answer is lost.

    `entries`: the journal at the end. It tells what was sent.
    """
    if tally.brought == sum(len(looked.found[fate]) for fate in STEPS):
        return
    told = list(entries)
    bound = max((place for place, entry in enumerate(told) if entry.kind == "bound"), default=0)
    sent = sent_lines(told[bound:])  # what another server got before that is not on this one
    known = {number for rows in tally.left.values() for number in rows}
    for fate in STEPS:
        for found in looked.found[fate]:
            if found.number not in known and found.number not in sent.brought:
                tally.leave(Left.UNKNOWN if found.number in sent.unknown else Left.NOT_REACHED, found)


def write_left(tally: Tally, kept: KeptFile, files: KeyFiles, folder: str) -> dict[str, object]:
    """Writes the list. Returns its path and the first names of each reason. Raises OSError, ValueError."""
    names: dict[str, list[str]] = {}
    path = f"{folder}/{LEFT}"
    if not tally.left:
        return {"left_file": None, "names": names}
    files.write(path, _rows(tally, kept, names))
    return {"left_file": path, "names": names}


def _rows(tally: Tally, kept: KeptFile, names: dict[str, list[str]]) -> Iterator[dict[str, object]]:
    for why, left in tally.left.items():
        first = names.setdefault(why.value, [])
        for batch in batches([found for found, _ in left.values()]):
            for found, one in zip(batch, kept.keys(batch), strict=True):
                key, text = readable(one.key), left[found.number][1]
                if len(first) < NAMED:
                    first.append(key)
                yield {"line": found.number, "db": found.db, "key": key, "why": why.value, "text": text}
