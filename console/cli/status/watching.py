"""`status --watch`: prints what changes in the clusters, a line each, for a pane of a terminal or a pipe."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.cli.context import CliContext
from console.cli.output import reader_has_gone, say
from console.cli.status.kept import SUBJECT, KeptTeller
from console.cli.status.selection import WORST_FIRST
from console.cli.status.until_signal import until_a_signal

if TYPE_CHECKING:
    from console.core.changes.watching import Watched
    from console.core.inventory import UnusableCluster
    from console.core.model import ClusterState
    from console.engine.ports import Inspector

_TICK = 0.5
"""Seconds after which it is noticed that nobody reads the output any more."""
_FIRST_ROUND = 2.0
"""Seconds in which the clusters may come to the first lines, which have the worst first. Who is later comes later."""
_CLUSTER = "cluster"
"""The subject of what is about the cluster as a whole."""
Seen = tuple[str, "ClusterState | Exception"]
"""A cluster's name, and its observation or why there is none."""


def watch_changes(
    context: CliContext, names: Sequence[str], unusable: Sequence[UnusableCluster], interval: float
) -> int:
    """Observes until a signal ends it, or until nobody reads the output any more. Returns the exit code."""
    seen: queue.SimpleQueue[Seen] = queue.SimpleQueue()
    over = threading.Event()
    try:
        with until_a_signal():
            for one in unusable:
                _print(context.clock.now(), one.name, _CLUSTER, f"cannot be used: {one.problems[0]}")
            for name in names:
                arguments = (context.inspector(name), seen, interval, over)
                threading.Thread(target=_observe, args=arguments, name=f"watch-{name}", daemon=True).start()
            context.wait_for_connection_libraries()
            _tell(context, seen, len(names))
    finally:
        over.set()
    context.may_exit_at_once = True
    return 0


def _observe(inspector: Inspector, seen: queue.SimpleQueue[Seen], interval: float, over: threading.Event) -> None:
    """Observes one cluster until it is over, in a thread of its own: one that hangs delays no other one."""
    import time

    fresh = True
    while not over.is_set():
        due = time.monotonic() + interval
        try:
            seen.put((inspector.cluster, inspector.observe(fresh=fresh)))
        except Exception as error:  # noqa: BLE001 - it is told, and the other clusters are observed all the same
            seen.put((inspector.cluster, error))
        fresh = False
        over.wait(max(0.0, due - time.monotonic()))


def _tell(context: CliContext, seen: queue.SimpleQueue[Seen], clusters: int) -> None:
    """Prints what comes, for ever. The first lines of the clusters come together, the worst cluster first."""
    from console.core.changes.own_clock import OwnClock

    teller, own_clock = _Teller(context), OwnClock()
    _tell_first(teller, seen, clusters)
    while not reader_has_gone():
        if news := own_clock.news(context.clock.set_by()):
            _print(context.clock.now(), "-", "console", news)
        try:
            name, found = seen.get(timeout=_TICK)
        except queue.Empty:
            continue
        for at, subject, text in teller.lines(name, found):
            _print(at, name, subject, text)


def _tell_first(teller: _Teller, seen: queue.SimpleQueue[Seen], clusters: int) -> None:
    import time

    lines: dict[str, list[tuple[float, str, str]]] = {}
    until = time.monotonic() + _FIRST_ROUND
    while len(lines) < clusters and (left := until - time.monotonic()) > 0 and not reader_has_gone():
        try:
            name, found = seen.get(timeout=min(left, _TICK))
        except queue.Empty:
            continue
        lines.setdefault(name, []).extend(teller.lines(name, found))
    for name in sorted(lines, key=teller.rank):
        for at, subject, text in lines[name]:
            _print(at, name, subject, text)


class _Teller:
    """What was told of each cluster."""

    def __init__(self, context: CliContext) -> None:
        self._context = context
        self._shown: dict[str, ClusterState] = {}
        self._watched: dict[str, Watched] = {}
        self._trouble: dict[str, str] = {}
        self._kept = KeptTeller(context.kept_keys)

    def rank(self, name: str) -> int:
        """0 is the worst, as in `status`. A cluster that could not be observed is unknown."""
        watched = self._watched.get(name)
        if watched is None:
            return WORST_FIRST.index("unknown")
        from console.core.diagnosis.finding import ranked_as

        return WORST_FIRST.index(ranked_as(watched.health, tuple(one.finding for one in watched.open.values())))

    def lines(self, name: str, found: ClusterState | Exception) -> Iterator[tuple[float, str, str]]:
        """Time, subject and text of each line."""
        if isinstance(found, Exception):
            trouble = f"could not be observed: {type(found).__name__}: {found}"
            if self._trouble.get(name) != trouble:
                self._trouble[name] = trouble
                yield self._context.clock.now(), _CLUSTER, trouble
            return
        if self._trouble.pop(name, ""):
            yield found.observed_at, _CLUSTER, "observed again"
        from console.core.changes.watching import watch
        from console.core.kinds.diagnose import diagnose, health, told_instead
        from console.core.model.carried import carried

        shown = self._shown[name] = carried(self._shown.get(name), found)
        findings = diagnose(shown, shown.observed_at)
        self._watched[name], events = watch(
            self._watched.get(name),
            shown,
            findings,
            health(shown, findings),
            lambda ended: told_instead(ended, shown, findings),
        )
        yield from ((one.at, one.subject, one.text) for one in events)
        yield from ((found.observed_at, SUBJECT, text) for text in self._kept.lines(name, found.observed_at))


def _print(at: float, cluster: str, subject: str, text: str) -> None:
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    say(" ".join(f"{when} {cluster} {subject}: {text}".splitlines()))
