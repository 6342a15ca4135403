"""Keys that are only in a file on this machine: a run has exported them, and nobody has brought them back yet."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.core.quantities import counted
from console.core.runs.past.past_run import PastRun, Standing
from console.core.runs.past.replayed_files import Contents, KeptFile, cluster_of, fates_of_files
from console.core.runs.records.exports import (
    REPLACES,
    VERBS,
    exports_in,
    may_replace_data_of,
    put_back_command,
)
from console.core.runs.records.recorded import command_rows
from console.core.runs.replays.file_fate import UNTOUCHED, Fates, FileFate, FileName, name_of
from console.core.typed_commands import program_command


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
    """Keys that the other node lacked, or had with another value or time to live, and that no replay has settled."""
    command: str
    """The command line that shows them and brings them back."""

    replaced: bool = False
    """They are former values that a replay has replaced: the node has the keys, with the values that were kept."""
    source_left_alone: bool = False
    """The run has not replaced the data of the node after it wrote the file: the node may have the keys still."""
    repeated: int = 0
    """So many of the keys stand in a newer file of the cluster as well."""
    of: int = 0
    """Keys in the file, also those that replays have settled. 0: not known."""
    why: tuple[str, ...] = ()
    """Why the last replay has left them. Empty: none has looked at them."""
    settled: frozenset[int] = frozenset()
    """Lines of the file whose keys replays have settled."""
    nodes: tuple[tuple[str, str], ...] = ()
    """Names and addresses of the nodes of its run. Empty: an older journal does not have them."""
    inventory: str = ""
    """The path of the inventory of its run."""

    @property
    def reminds(self) -> bool:
        """Whether an operator should be reminded. Values that an operator has replaced by a typed sentence do not."""
        return not self.replaced

    @property
    def dismiss_command(self) -> str:
        """The command line that ends the reminder. The file stays."""
        return program_command(f"runs dismiss {self.run_id} --export {shlex.quote(self.file.rpartition('/')[2])}")

    @property
    def in_words(self) -> str:
        """`20 keys of redis-a are only in a file`, and why a replay has left them."""
        why = f" ({', '.join(self.why)})" if self.why else ""
        return f"{self._where}{why}"

    @property
    def _where(self) -> str:
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


def reminders(kept: Iterable[KeptKeys]) -> tuple[KeptKeys, ...]:
    """Those of which screens and `status` remind. The others are information: in lists, and in the dialog."""
    return tuple(one for one in kept if one.reminds)


def counted_once(kept: Iterable[KeptKeys]) -> int:
    """How many keys are in these files. A key that was exported twice is counted once."""
    return sum(one.keys - one.repeated for one in kept)


def kept_note(kept: Sequence[KeptKeys]) -> str:
    """For the line of a run in a list: `20 keys in a file`."""
    if reminding := reminders(kept):
        return f"{counted(counted_once(reminding), 'key')} in a file"
    return f"{counted(counted_once(kept), 'former value')} in a file" if kept else ""


def all_in_words(kept: Sequence[KeptKeys]) -> str:
    """One sentence about several files, `22 keys are only in files of runs`, or about a single one."""
    if len(kept) == 1:
        return kept[0].in_words
    total = counted_once(kept)
    only = "" if any(one.source_left_alone for one in kept) else "only "
    return f"{counted(total, 'key')} {'is' if total == 1 else 'are'} {only}in files of runs"


def kept_keys(
    runs: Iterable[PastRun], dismissed: Callable[[str], bool], contents: Contents = lambda _: {}
) -> tuple[KeptKeys, ...]:
    """What these runs have kept and nobody has brought back, the oldest first.

    `dismissed`: whether nothing more is to be said about the file at this path. `contents`: as `fates_of_files` has it.
    """
    known = tuple(runs)
    fates = kept_fates(known, contents)
    found = (kept for one in known if _may_have_kept(one) for kept in _kept(one, fates))
    return tuple(one for one in found if one.keys and not dismissed(one.file))


def kept_fates(runs: Iterable[PastRun], contents: Contents = lambda _: {}) -> dict[FileName, FileFate]:
    """What replays have made of the files that these runs have kept."""
    known = tuple(runs)
    files = [
        KeptFile(name_of(past.run_id, export.path), export.path, cluster_of(past), export.ended_at)
        for past in known
        if _may_have_kept(past)
        for export in exports_in(command_rows(past.entries, []))
    ]
    return fates_of_files(known, files, contents)


def _may_have_kept(past: PastRun) -> bool:
    """A run under way asks about its keys itself."""
    if past.standing is Standing.UNDER_WAY:
        return False
    keeps = {*VERBS, REPLACES}
    return any(entry.kind == "intent" and entry.data.get("verb") in keeps for entry in past.entries)


def _kept(past: PastRun, fates: Fates) -> Iterable[KeptKeys]:
    rows = list(command_rows(past.entries, []))
    exports = list(exports_in(rows))
    nodes = past.opened.get("nodes")
    where = tuple((str(name), str(at)) for name, at in nodes.items()) if isinstance(nodes, Mapping) else ()
    for one in exports:
        replaced = one.replaced is not None
        if not one.keys or (past.brings_keys and not replaced):
            continue  # keys of a backup, which still has them
        fate = fates.get(name_of(past.run_id, one.path), UNTOUCHED)
        command = put_back_command(past.run_id, one, several=len(exports) > 1)
        alone = not replaced and not any(may_replace_data_of(one, row) for row in rows)
        yield KeptKeys(
            past.cluster,
            past.run_id,
            one.node,
            one.path,
            fate.keys_left(one.keys),
            command,
            replaced,
            alone,
            of=one.keys,
            why=fate.why_left(one.keys),
            settled=fate.settled,
            nodes=where,
            inventory=past.inventory,
        )
