"""What several clusters of an inventory share, also in different files: a virtual IP, or a Redis.

Only `inventory check` says it. Each of the clusters can be observed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from console.core.inventory import ClusterSpec, Inventory
from console.documents.yaml_text import Document, Location

Place = tuple[str, str, int]
"""Jump hosts, address, port. The same private address beyond other jump hosts is another machine."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """One line: `FILE:LINE: KEY: text`."""

    text: str
    is_error: bool
    """A warning otherwise: it may be meant."""


@dataclass(frozen=True, slots=True)
class _Use:
    cluster: ClusterSpec
    document: Document
    location: Location
    name: str
    """Of the node. Empty: it is a virtual IP."""

    @property
    def where(self) -> str:
        return f"{self.document.path}:{self.document.line(self.location)}"


def overlaps(files: Sequence[tuple[Document, Inventory]]) -> tuple[Overlap, ...]:
    """Each virtual IP and each Redis that a cluster before has already, in the order of the files."""
    first: dict[Place, list[_Use]] = {}
    found = []
    for document, inventory in files:
        for index, cluster in enumerate(inventory.clusters):
            for place, use in _uses(document, index, cluster):
                others = [one for one in first.get(place, ()) if one.cluster is not cluster]
                found += [_overlap(place, use, other) for other in others if bool(other.name) == bool(use.name)]
                first.setdefault(place, []).append(use)
    return tuple(found)


def _uses(document: Document, index: int, cluster: ClusterSpec) -> Iterator[tuple[Place, _Use]]:
    node = cluster.nodes[0]
    for key, address in (("vip", cluster.vip), ("read_vip", cluster.read_vip)):
        if address:
            use = _Use(cluster, document, ("clusters", index, key), "")
            yield (node.ssh.jump, _normal(address), node.redis.port), use
    for number, node in enumerate(cluster.nodes):
        use = _Use(cluster, document, ("clusters", index, "nodes", number, "address"), node.name)
        yield (node.ssh.jump, _normal(node.address), node.redis.port), use


def _overlap(place: Place, use: _Use, other: _Use) -> Overlap:
    _, address, port = place
    if use.name:
        text = f"{address}:{port} is {other.name} of the cluster {other.cluster.name} too ({other.where})"
        return Overlap(_line(use, f"{text}: a run on one changes both"), is_error=False)
    text = f"{address}, port {port}, is a virtual IP of the cluster {other.cluster.name} too ({other.where})"
    if use.cluster.kind != other.cluster.kind:
        return Overlap(_line(use, f"{text}, which is of another kind: keep the one that runs"), is_error=False)
    said = "a virtual IP leads to one cluster, so one of them is wrong, or they are the same cluster: keep one"
    return Overlap(_line(use, f"{text}: {said}"), is_error=True)


def _line(use: _Use, text: str) -> str:
    return use.document.problem(use.location, text)


def _normal(address: str) -> str:
    """An address in one way of writing. A host name stays a host name."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address.lower().rstrip(".")
