"""`inventory check --connect`: tries every node and watcher step by step. It only reads."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from console.cli.background import in_background
from console.cli.context import CliContext
from console.cli.output import say_over, say_painted

if TYPE_CHECKING:
    from console.cli.documents.access_text import Tried
    from console.core.access.trial import RedisTrial
    from console.core.model import ClusterState

EXIT_WORKS, EXIT_FAILS = 0, 1
_SHOWN_AFTER = 1.0
"""Seconds after which the progress is shown."""
_TICK = 0.2


def connect(context: CliContext, clusters: Sequence[str], form: str) -> int:
    """Tries these clusters, or all of them side by side, and prints the result. Returns the exit code."""
    names, unusable = context.divide(clusters)
    trying = {name: _start(context, name) for name in names}
    _wait(trying)
    from console.cli.documents.access_text import Tried, as_json, as_text
    from console.core.access.examine import examine

    tried = []
    for name, future in trying.items():
        spec = context.cluster(name)
        tried.append(Tried(name, spec.kind, examine(spec, *future.result())))
    if form == "json":
        say_painted(as_json(tried, unusable, context.clock.now()), nl=False)
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        say_painted(as_text(tried, unusable, colour=colour, encoding=sys.stdout.encoding or "ascii"), nl=False)
    context.may_exit_at_once = True
    return EXIT_FAILS if unusable or any(_fails(one) for one in tried) else EXIT_WORKS


def _fails(tried: Tried) -> bool:
    from console.core.access.step import Outcome

    return bool(tried.having(Outcome.FAILS))


def _start(context: CliContext, name: str) -> Future[tuple[ClusterState, Mapping[str, RedisTrial]]]:
    inspector = context.inspector(name)
    return in_background(lambda: (inspector.observe(fresh=True), inspector.try_redis()), f"try-{name}")


def _wait(trying: Mapping[str, Future[tuple[ClusterState, Mapping[str, RedisTrial]]]]) -> None:
    """Waits for all of them. On a terminal it shows what is still awaited, on stderr."""
    began, shown = time.monotonic(), False
    while left := [name for name, future in trying.items() if not future.done()]:
        passed = time.monotonic() - began
        if passed >= _SHOWN_AFTER and sys.stderr.isatty():
            say_over(f"trying {', '.join(left)} … {passed:.0f} s", 80, err=True)
            shown = True
        threading.Event().wait(_TICK)
    if shown:
        say_over("", err=True)
