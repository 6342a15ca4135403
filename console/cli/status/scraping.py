"""The observation that scrapes share: at most one in an interval, whoever asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.cli.background import in_background
from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.exposition import as_openmetrics
from console.cli.status.metrics.table import OBSERVATION_AGE, OBSERVATION_DURATION
from console.core.inventory import ClusterSpec, UnusableCluster
from console.engine.ports import Inspector

if TYPE_CHECKING:
    from console.core.runs.past.kept_keys import KeptKeys


class SharedObservation:
    """Observes all clusters when somebody asks and the last observation is old. May be used by many threads."""

    def __init__(
        self,
        clusters: Sequence[tuple[ClusterSpec, Inspector]],
        unusable: Sequence[UnusableCluster],
        interval: float,
        monotonic: Callable[[], float] = time.monotonic,
        kept_keys: Callable[[], tuple[KeptKeys, ...]] = lambda: (),
    ) -> None:
        """`kept_keys`: of all clusters, those that are only in a file now."""
        self._clusters = clusters
        self._unusable = unusable
        self._interval = interval
        self._monotonic = monotonic
        self._kept_keys = kept_keys
        self._one_at_a_time = threading.Lock()
        self._seen: tuple[list[ClusterStatus], list[UnusableCluster]] | None = None
        self._began = self._took = 0.0

    def exposition(self) -> str:
        """The metrics, of an observation that began no longer than the interval ago. Others who ask wait for it too."""
        with self._one_at_a_time:
            if self._seen is None or self._monotonic() - self._began >= self._interval:
                self._observe()
            assert self._seen is not None
            (statuses, left), began, took = self._seen, self._began, self._took
        age = max(0.0, self._monotonic() - began - took)
        extra = {OBSERVATION_AGE: round(age, 3), OBSERVATION_DURATION: round(took, 3)}
        return as_openmetrics(statuses, [*self._unusable, *left], extra)

    def _observe(self) -> None:
        """Observes all clusters side by side. One whose observation fails is served as one that cannot be used."""
        began = self._monotonic()
        fresh = self._seen is None
        looking = [
            (spec, in_background(partial(inspector.observe, fresh=fresh), f"scrape-{spec.name}"))
            for spec, inspector in self._clusters
        ]
        statuses, left, all_kept = [], [], self._kept_keys()
        for spec, future in looking:
            try:
                kept = tuple(one for one in all_kept if one.cluster == spec.name)
                statuses.append(ClusterStatus.of(future.result(), spec.tags, kept))
            except Exception as error:  # noqa: BLE001 - the other clusters are served all the same
                left.append(UnusableCluster(spec.name, (f"{type(error).__name__}: {error}",), spec.tags))
        self._seen, self._began, self._took = (statuses, left), began, self._monotonic() - began
