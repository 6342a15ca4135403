"""The paths that were right for the nodes of a cluster the last time, so that the first request asks for all at once.

They are a guess. Where the answers name other paths, what was read by the guess counts as not read, and the right paths
are asked for in a second request, as without a guess. Only names of files are kept, nothing of what is in them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from console.core.inventory import ClusterSpec
from console.documents.private_cache import write_cache
from console.transport.ssh.shells.request import Paths, RedisFiles


class RememberedPaths:
    """A file of one cluster on the operator's machine. One that cannot be read or written is passed over."""

    def __init__(self, folder: Path, cluster: ClusterSpec) -> None:
        who = [cluster.name, *((node.name, node.address) for node in cluster.nodes)]
        self._file = folder / f"{sha256(json.dumps(who).encode()).hexdigest()[:32]}.json"
        self._known: dict[str, Paths] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            self._known = {node: _paths(found) for node, found in json.loads(self._file.read_bytes()).items()}

    def of(self, node: str) -> Paths | None:
        """None: nothing is remembered of this node."""
        return self._known.get(node)

    def keep(self, found: Mapping[str, Paths]) -> None:
        """Remembers the paths of these nodes."""
        known = self._known | dict(found)
        if known == self._known:
            return
        self._known = known
        write_cache(self._file, {node: asdict(paths) for node, paths in known.items()})


def _paths(found: dict[str, Any]) -> Paths:
    """Raises TypeError or KeyError for anything else than what `keep` wrote."""
    paths = Paths(RedisFiles(**found["redis_files"]), tuple(found["scripts"]))
    if not all(isinstance(one, str) for one in (*asdict(paths.redis_files).values(), *paths.scripts)):
        raise TypeError("a path is no text")
    return paths
