"""Keys that are only in a file on this machine: a run has exported them, and nobody has brought them back yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from console.core.quantities import counted
from console.core.runbooks.verbs import VERBS as ALL_VERBS
from console.core.runs.past.past_run import PastRun, Standing
from console.core.runs.records.exports import REPLACES, VERBS, Export, exports_in, put_back_command
from console.core.runs.records.recorded import Row, command_rows
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

    replaced: bool = False
    """They are former values that a replay has replaced: the node has the keys, with the values that were kept."""
    source_left_alone: bool = False
    """The run has not replaced the data of the node after it wrote the file: the node may have the keys still."""
    repeated: int = 0
    """So many of the keys stand in a newer file of the cluster as well."""

    @property
    def in_words(self) -> str:
        """`20 keys of redis-a are only in a file`."""
        keys, are = counted(self.keys, "key"), "is" if self.keys == 1 else "are"
        if self.replaced:
            return f"the former value{'' if self.keys == 1 else 's'} of {keys} of {self.node} {are} only in a file"
        if self.source_left_alone:
            return f"{keys} of {self.node} {are} in a file; that run has not replaced the data of {self.node}"
        return f"{keys} of {self.node} {are} only in a file"


def exported_line(kept: KeptKeys) -> str:
    """What an earlier run has found, beside a comparison by a sample: that may not have met these keys."""
    which = "it is not on the other node, or differs" if kept.keys == 1 else "they are not on the other node, or differ"
    return f"an earlier run has kept {counted(kept.keys, 'key')} of {kept.node}, as {which}: {kept.file}"


def counted_once(kept: Iterable[KeptKeys]) -> int:
    """How many keys are in these files. A key that was exported twice is counted once."""
    return sum(one.keys - one.repeated for one in kept)


def all_in_words(kept: Sequence[KeptKeys]) -> str:
    """One sentence about several files, `22 keys are only in files of runs`, or about a single one."""
    if len(kept) == 1:
        return kept[0].in_words
    total = counted_once(kept)
    only = "" if any(one.source_left_alone for one in kept) else "only "
    return f"{counted(total, 'key')} {'is' if total == 1 else 'are'} {only}in files of runs"


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
    keeps = {*VERBS, REPLACES}
    return any(entry.kind == "intent" and entry.data.get("verb") in keeps for entry in past.entries)


def _kept(past: PastRun) -> Iterable[KeptKeys]:
    rows = list(command_rows(past.entries, []))
    exports = list(exports_in(rows))
    for one in exports:
        if one.keys:
            command = put_back_command(past.run_id, one, several=len(exports) > 1)
            replaced = one.replaced is not None
            alone = not replaced and not any(_may_replace_data_of(one, row) for row in rows)
            yield KeptKeys(past.cluster, past.run_id, one.node, one.path, one.keys, command, replaced, alone)


def _may_replace_data_of(export: Export, row: Row) -> bool:
    """Whether a command after the export may have replaced the data that the keys came from."""
    verb = ALL_VERBS.get(str(row["verb"]))
    later = row["node"] == export.node and str(row["at"]) >= export.ended_at
    return later and row["answer"] != "not sent" and (verb is None or verb.wipes_data)


def _settled(past: PastRun) -> Iterable[tuple[str, str]]:
    """The run and the name of the file of which this run has brought everything back that it was told to."""
    order = order_of(past.opened)
    ended = past.standing is Standing.CLOSED and past.outcome is Outcome.DONE
    if order is not None and ended and not order.patterns and not order.backup:
        yield order.run, _name(order.file)


def _name(path: str) -> str:
    """A copy of the file has the same name elsewhere."""
    return path.rpartition("/")[2]
