"""Compares the keys of a throw-away server with those of a node: all of them, or a sample where there are too many."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.core.command import DiskKeyExport
from console.core.numbers import version_of
from console.core.previews.key_comparison import lost_lines
from console.core.quantities import counted
from console.core.runs.records.exports import EXAMPLES, NOTHING, written_in_words
from console.transport.redis import key_sampler
from console.transport.redis.key_export import (
    MAX_KEYS,
    Side,
    TooManyError,
    export_found,
    key_counts,
    server_version,
)

LARGEST = 20_000_000
"""Bytes. To make a DUMP of a larger value would stop the server that serves for too long."""


def keep_disk_keys(disk: Side, other: Side, command: DiskKeyExport, tell: Callable[[str], None]) -> str:
    """Writes the file, if there is something to keep, and says what was found.

    Raises RemoteError, RefusedError, OSError.
    """
    try:
        tally, kept = export_found(disk, other, command.path, keep_empty=False, largest=LARGEST, tell=tell)
    except TooManyError:
        return _sampled(disk, other)
    if not kept and not tally.large:
        if not tally.looked_at:
            return f"{NOTHING}: {disk[0]} has no keys. That says nothing about writes that were in memory only"
        keys = "the one key" if tally.looked_at == 1 else f"all {counted(tally.looked_at, 'key')}"
        are = "is" if tally.looked_at == 1 else "are"
        return f"{NOTHING}: {keys} of {disk[0]} {are} on {other[0]} with the same value"
    if not kept:
        return f"no file was written: {tally.words(disk[0], other[0])}"
    said = f"{tally.words(disk[0], other[0])}{EXAMPLES}{', '.join(tally.named)}{_not_taken(disk, other)}"
    return said + written_in_words(kept, tally.lines.digest)


def _not_taken(disk: Side, other: Side) -> str:
    """That the values of the file cannot be given to the other server as they are. Empty: they can."""
    ours, theirs = server_version(*disk), server_version(*other)
    if version_of(ours)[:2] <= version_of(theirs)[:2]:
        return ""
    return f"; its values are as Redis {ours} writes them, and RESTORE of Redis {theirs} refuses them"


def _sampled(disk: Side, other: Side) -> str:
    """What a sample says. No file is written: it would be a part, and look like the whole."""
    keys = {side[0]: key_counts(*side) for side in (disk, other)}
    found = key_sampler.compare(other[0], disk[0], dict((disk, other)), keys, 1, time.time)
    said = "; ".join(lost_lines(found))
    return f"no file was written, there are more keys than are compared one by one ({MAX_KEYS:,}). A sample: {said}"
