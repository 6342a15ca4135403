"""Keys that are only in a file on this machine: a run has exported them, and nobody has brought them back yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from console.core.quantities import counted
from console.core.runs.past.past_run import PastRun, Standing
from console.core.runs.records.exports import VERBS, exports_in, put_back_command
from console.core.runs.records.recorded import command_rows
from console.core.runs.replays.order import order_of
from console.core.runs.state import Outcome


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """The keys of one file that a run has left, and how they are brought back."""

    cluster: str
    run_id: str
    node: str
    """The node that held them."""
    file: str
    """On this machine."""
    keys: int
    """Keys that the other node lacked, or had with another value or time to live."""
    command: str
    """The command line that shows them and brings them back."""

    @property
    def in_words(self) -> str:
        """`20 keys of redis-a are only in a file`."""
        return f"{counted(self.keys, 'key')} of {self.node} {'is' if self.keys == 1 else 'are'} only in a file"


def kept_keys(runs: Iterable[PastRun], dismissed: Callable[[str], bool]) -> tuple[KeptKeys, ...]:
    """What these runs have kept and nobody has brought back, the oldest first.

    A replay of the whole file that has ended as done settles it: its operator has decided about each class of keys.
    `dismissed`: whether nothing more is to be said about the file at this path.
    """
    known = tuple(runs)
    settled = settled_files(known)
    found = (kept for one in known if _may_have_kept(one) for kept in _kept(one))
    return tuple(one for one in found if (one.run_id, _name(one.file)) not in settled and not dismissed(one.file))


def settled_files(runs: Iterable[PastRun]) -> frozenset[tuple[str, str]]:
    """The run and the name of each file of which everything was brought back that its operator wanted."""
    return frozenset(file for one in runs for file in _settled(one))


def were_brought_back(kept: KeptKeys, runs: Iterable[PastRun]) -> bool:
    """Whether a replay has settled this file."""
    return (kept.run_id, _name(kept.file)) in settled_files(runs)


def _may_have_kept(past: PastRun) -> bool:
    """A run under way asks about its keys itself."""
    if past.standing is Standing.UNDER_WAY:
        return False
    return any(entry.kind == "intent" and entry.data.get("verb") in VERBS for entry in past.entries)


def _kept(past: PastRun) -> Iterable[KeptKeys]:
    exports = list(exports_in(command_rows(past.entries, [])))
    for one in exports:
        if one.keys:
            command = put_back_command(past.run_id, one, several=len(exports) > 1)
            yield KeptKeys(past.cluster, past.run_id, one.node, one.path, one.keys, command)


def _settled(past: PastRun) -> Iterable[tuple[str, str]]:
    """The run and the name of the file of which this run has brought everything back that it was told to."""
    order = order_of(past.opened)
    ended = past.standing is Standing.CLOSED and past.outcome is Outcome.DONE
    if order is not None and ended and not order.patterns and not order.backup:
        yield order.run, _name(order.file)


def _name(path: str) -> str:
    """A copy of the file has the same name elsewhere."""
    return path.rpartition("/")[2]
