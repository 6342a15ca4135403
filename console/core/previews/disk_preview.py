"""What a node whose Redis is down would lose: the data on its disk, by its copy that was counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.core.model import ClusterState, NodeState
from console.core.model.facts import age_at, proved_down
from console.core.quantities import counted, span
from console.core.replication.disk_data import UnreadDataError, disk_data, kept_copy


@dataclass(frozen=True, slots=True)
class DiskFinding:
    """What a run has found on the disk of a node while its Redis was down, and what it could not find out."""

    node: str
    words: str
    """What was found, or why it is not known."""
    known: bool = True
    lost: bool = False
    """The other node lacks keys of it, or has them otherwise."""

    @property
    def line(self) -> str:
        return f"disk of {self.node}{'' if self.known else ', what only it holds is not known'}: {self.words}"


def disk_lines(state: ClusterState, node: NodeState, *, compared: bool = False) -> list[str]:
    """What its Redis would load, how old that is, and how many keys its copy has. Empty: its Redis is not down.

    `compared`: a run has compared it already, and tells what it has found.
    """
    if not proved_down(node):
        return []
    try:
        found = disk_data(node)
    except UnreadDataError as error:
        return [f"{node.name}: {error}"]
    if not found:
        return [f"{node.name}: no dump and no append-only file on its disk"]
    copies = node.backups.value or ()
    lines = []
    for one in found:
        copy = kept_copy(one, copies)
        keys = "no copy of it yet" if copy is None else "the keys of its copy were not counted"
        if copy is not None and copy.keys is not None:
            keys = f"its copy has {counted(copy.keys, 'key')}"
        age = span(age_at(node, state.observed_at, one.modified))
        lines.append(f"{node.name}: {one.in_words} on disk, written {age} ago; {keys}")
    if not compared:
        lines.append(f"{node.name}: which of its keys are on no other node is known once a run has compared them")
    return lines


def disk_warnings(source: NodeState, node: NodeState) -> Iterator[str]:
    """That the copy of what is on its disk has more keys than the source."""
    redis = source.redis.value
    if redis is None or not proved_down(node):
        return
    try:
        found = disk_data(node)
    except UnreadDataError:
        return
    counts = [
        (copy.path, copy.keys - (copy.expires or 0))
        for one in found
        if (copy := kept_copy(one, node.backups.value or ())) is not None and copy.keys is not None
    ]
    for path, lasting in counts:
        if lasting > redis.total_keys:
            more = counted(lasting - redis.total_keys, "key")
            yield (
                f"the disk of {node.name} holds at least {more} that {source.name} does not have: they stay in {path}"
            )
