"""The options of `status`, and which of them contradict each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from console.cli.context import CliError
from console.cli.status.selection import WORST_FIRST, tag_option
from console.core.lazy_dataclass import dataclass

DEFAULT_WATCH_INTERVAL, DEFAULT_LISTEN_INTERVAL = 2.0, 15.0
"""Seconds between two observations, where --interval is not given."""
DEFAULT_TIMEOUT = 15.0
"""Seconds. A busy machine needs them for an SSH login."""
LONGEST_INTERVAL = 3600.0

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """What is wanted of the clusters that were named. The fields are click's parameters."""

    form: str
    tags: tuple[str, ...]
    only: str | None
    verbose: bool
    watching: bool
    listen: str | None
    interval: float | None
    timeout: float | None

    def check(self) -> None:
        """Raises CliError, in one line, if the options contradict each other."""
        endless = "--watch" if self.watching else "--listen"
        if self.watching and self.listen is not None:
            raise CliError("--watch and --listen exclude each other: start two")
        if self.watching or self.listen is not None:
            if self.form != "table":
                raise CliError(f"{endless} has a format of its own: leave --format out")
            if self.only is not None or self.verbose:
                raise CliError(
                    f"{endless} tells everything of the clusters it looks at: leave --only and --verbose out; name the"
                    " clusters, or select them with --tag"
                )
            if self.timeout is not None:
                raise CliError(f"{endless} looks again by itself: leave --timeout out")
        elif self.interval is not None:
            raise CliError("--interval is for --watch and --listen")
        if self.only is not None and self.form == "openmetrics":
            raise CliError("--only is for the table and JSON: a monitoring system needs the series of every cluster")


_OPTIONS = (
    click.option(
        "-f",
        "--format",
        "form",
        type=click.Choice(("table", "json", "openmetrics")),
        default="table",
        show_default=True,
        help="The output format.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1, max=3600),
        metavar="SECONDS",
        help=f"A node is given up when it has got no further for so long (default {DEFAULT_TIMEOUT:g}).",
    ),
    tag_option,
    click.option(
        "--only",
        type=click.Choice(WORST_FIRST),
        help="Print only clusters of this health and worse. The worst is critical, then unknown, warning, healthy."
        " An unknown cluster with a critical finding counts as critical here.",
    ),
    click.option("-v", "--verbose", is_flag=True, help="All details of each cluster, also where there are many."),
    click.option("--watch", "watching", is_flag=True, help="Go on observing, and print each change as a line."),
    click.option(
        "--listen",
        metavar="ADDRESS:PORT",
        help="Go on observing, and serve OpenMetrics at http://ADDRESS:PORT/metrics. PORT alone: on 127.0.0.1.",
    ),
    click.option(
        "--interval",
        type=click.FloatRange(0.5, LONGEST_INTERVAL),
        metavar="SECONDS",
        help="Between two observations: of --watch"
        f" (default {DEFAULT_WATCH_INTERVAL:g}), at least of --listen (default {DEFAULT_LISTEN_INTERVAL:g}).",
    ),
)


def status_options(command: Command) -> Command:
    """Adds the options of `status` to a command."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command
