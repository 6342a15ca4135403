"""An inventory of which a part is wrong: the other clusters can be used all the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from console.core.inventory import Inventory, UnusableCluster
from console.documents.inventories.inventory import inventory_of, problems_of
from console.documents.inventories.model import is_tag
from console.documents.yaml_text import Document, Location

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def usable_inventory_of(document: Document, elsewhere: frozenset[str] = frozenset()) -> Inventory:
    """The clusters that can be used, which may be none, and what is wrong with the others.

    `elsewhere`: addresses of nodes in other files. Raises DocumentError if something is wrong outside of the clusters.
    """
    clusters = document.values.get("clusters")
    if not isinstance(clusters, list):
        return inventory_of(document, elsewhere)
    wrong = _same_names(clusters) | {index: [(("clusters", index), "")] for index in document.broken}
    while True:
        left = [index for index in range(len(clusters)) if index not in wrong]
        some = [clusters[index] for index in left]
        part = replace(document, values={**document.values, "clusters": some}, broken={})
        others = elsewhere | _addresses(clusters[index] for index in wrong)
        problems = problems_of(part, others)
        outside = [location for location, _ in problems if not _in_a_cluster(location)]
        if not left and wrong and all(location[:1] == ("clusters",) for location in outside):
            return Inventory(str(document.path), (), _unusable(document, clusters, wrong))
        if outside:
            return inventory_of(part if document.broken else document, elsewhere)
        if not problems:
            return replace(inventory_of(part, others), unusable=_unusable(document, clusters, wrong))
        for location, text in problems:
            _, index, *rest = location
            at = left[int(index)]
            wrong.setdefault(at, []).append((("clusters", at, *rest), text))


def addresses_of(document: Document) -> frozenset[str]:
    """The addresses of all nodes of a document, which may be wrong."""
    clusters = document.values.get("clusters")
    return _addresses(clusters) if isinstance(clusters, list) else frozenset()


def cluster_lines(document: Document) -> Iterator[tuple[str, int]]:
    """Name and line of each cluster of a document, which may be wrong. One without a name is left out."""
    clusters = document.values.get("clusters")
    for index, one in enumerate(clusters if isinstance(clusters, list) else ()):
        if isinstance(one, dict) and isinstance(name := one.get("name"), str):
            yield name, document.line(("clusters", index, "name"))


def _in_a_cluster(location: Location) -> bool:
    return len(location) > 1 and location[0] == "clusters"


def _same_names(clusters: list[Any]) -> dict[int, list[tuple[Location, str]]]:
    """Every cluster whose name another one has: it is not known which of them a call means."""
    names = [cluster.get("name") if isinstance(cluster, dict) else None for cluster in clusters]
    count = Counter(name for name in names if isinstance(name, str))
    return {
        index: [(("clusters", index, "name"), f"there is another cluster {name}; names are typed at gates")]
        for index, name in enumerate(names)
        if isinstance(name, str) and count[name] > 1
    }


def _addresses(clusters: Iterable[Any]) -> frozenset[str]:
    """The addresses of nodes as they stand in the document, which was not checked."""
    nodes = [cluster.get("nodes") for cluster in clusters if isinstance(cluster, dict)]
    each = [node for some in nodes if isinstance(some, list) for node in some if isinstance(node, dict)]
    return frozenset(address for node in each if isinstance(address := node.get("address"), str))


def _unusable(
    document: Document, clusters: list[Any], wrong: dict[int, list[tuple[Location, str]]]
) -> tuple[UnusableCluster, ...]:
    found = []
    for index, problems in sorted(wrong.items()):
        name = clusters[index].get("name") if isinstance(clusters[index], dict) else None
        shown = name if isinstance(name, str) and _NAME.fullmatch(name) else f"clusters[{index}]"
        ordered = sorted(problems, key=lambda one: document.line(one[0]))
        refused = document.broken.get(index)
        lines = (refused,) if refused else tuple(document.problem(location, text) for location, text in ordered)
        found.append(UnusableCluster(shown, lines, _tags(document, clusters[index])))
    return tuple(found)


def _tags(document: Document, cluster: Any) -> tuple[str, ...] | None:
    """The tags as they stand in the document, whose defaults were checked. None: they are not known."""
    if not isinstance(cluster, dict):
        return None
    given = cluster.get("tags", [])
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, str) and is_tag(one) for one in given):
        return None
    common = (document.values.get("defaults") or {}).get("tags") or ()
    return tuple(dict.fromkeys((*common, *given)))
