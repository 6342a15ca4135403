"""A row of the table of metrics: a family, and how its samples are read from an observation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from console.cli.status.as_json import ClusterStatus
from console.core.inventory import UnusableCluster
from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, NodeState, Reading

PREFIX = "redis_ha"
Value = float | str | None
"""A number, or the present state of a stateset, or the text of nothing (None): then there is no sample."""
Sample = tuple[tuple[str, ...], Value]
"""The values of the labels in their order, and the value."""
Samples = Iterable[Sample]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. Every sample of it has these labels."""

    name: str
    """Without prefix, and for an info without `_info`."""
    help: str
    labels: tuple[str, ...]
    of: Callable[[ClusterStatus], Samples]
    """The samples of one cluster."""
    unit: str = ""
    """The last word of the name, where it is a unit."""
    states: tuple[str, ...] = ()
    """All states of a stateset; empty: it is none."""
    is_info: bool = False
    of_unusable: Callable[[UnusableCluster], Samples] = lambda _: ()
    """The samples of a cluster that was not observed."""

    @property
    def full_name(self) -> str:
        """The name in the TYPE line."""
        return f"{PREFIX}_{self.name}"

    @property
    def sample_name(self) -> str:
        """The name of its samples, which queries use."""
        return f"{self.full_name}_info" if self.is_info else self.full_name

    @property
    def kind(self) -> str:
        return "info" if self.is_info else "stateset" if self.states else "gauge"


CLUSTER = ("cluster",)
NODE = ("cluster", "node")
REPLICA = (*NODE, "replica")


def flag(known: bool | None) -> Value:
    """1 or 0; None stays None."""
    return None if known is None else int(known)


def rounded(number: float | None) -> Value:
    """Seconds, to a thousandth."""
    return None if number is None else round(number, 3)


def not_negative(number: float | None) -> Value:
    """The number; None where a server writes -1 for "there is none"."""
    return None if number is None or number < 0 else number


def of_cluster(value: Callable[[ClusterState], Value]) -> Callable[[ClusterStatus], Samples]:
    """One sample of each cluster."""
    return lambda seen: [((seen.state.name,), value(seen.state))]


def of_nodes(value: Callable[[NodeState], Value]) -> Callable[[ClusterStatus], Samples]:
    """One sample of each node."""
    return lambda seen: [((seen.state.name, node.name), value(node)) for node in seen.state.nodes]


def of_reading(name: str, value: Callable[[Any], Value]) -> Callable[[ClusterStatus], Samples]:
    """One sample of each node whose reading of this name has a value."""

    def samples(node: NodeState) -> Value:
        reading: Reading[Any] = getattr(node, name)
        return None if reading.value is None else value(reading.value)

    return of_nodes(samples)


def each_of_reading(
    name: str, parts: Callable[[Any], Iterable[tuple[Sequence[str], Value]]]
) -> Callable[[ClusterStatus], Samples]:
    """Some samples of each node whose reading has a value: further labels and a value each."""

    def samples(seen: ClusterStatus) -> Iterator[Sample]:
        for node in seen.state.nodes:
            reading: Reading[Any] = getattr(node, name)
            if reading.value is not None:
                yield from (((seen.state.name, node.name, *more), value) for more, value in parts(reading.value))

    return samples
