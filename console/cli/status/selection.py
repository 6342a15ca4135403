"""Which clusters a command looks at (`--tag`), and which of them `status` prints (`--only`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import click

from console.cli.context import CliContext, CliError

WORST_FIRST = ("critical", "unknown", "warning", "healthy")
"""The values of health. What is unknown may be critical, so it stands before a warning."""

Command = TypeVar("Command", bound=Callable[..., object])


def tag_option(command: Command) -> Command:
    """Adds `--tag TAG` to a command."""
    return click.option(
        "-t",
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="Only clusters that the inventory gives this tag. Repeated: those that have all of the tags.",
    )(command)


def selected(context: CliContext, names: tuple[str, ...], tags: tuple[str, ...]) -> tuple[str, ...]:
    """The clusters with all of these tags, of those named or of all. No tags: the names; no names: empty, which is all.

    A cluster that cannot be used is among them unless it is known not to have the tags. Raises CliError if there is
    no cluster to look at.
    """
    if not tags:
        return names
    inventory = context.inventory
    known: dict[str, tuple[str, ...] | None] = {one.name: one.tags for one in inventory.clusters}
    known |= {one.name: one.tags for one in inventory.unusable}
    for name in names:
        if name not in known:
            context.cluster(name)  # says that there is none
    chosen = [name for name in names or known if (has := known[name]) is None or set(tags) <= set(has)]
    if all(known[name] is None for name in chosen):
        raise CliError(_nothing_has(tags, [one for one in known.values() if one], of_named=bool(names)))
    return tuple(chosen)


def _nothing_has(tags: tuple[str, ...], given: Iterable[tuple[str, ...]], *, of_named: bool) -> str:
    from console.documents.suggestions import suggestion

    every = sorted({tag for one in given for tag in one})
    which = "none of the named clusters has" if of_named else "no cluster has"
    missing = next((tag for tag in tags if tag not in every), None)
    if missing is not None:
        return f"{which} the tag {missing}{suggestion(missing, every) if every else ': the inventory has no tags'}"
    return f"{which} {'all of the tags' if len(tags) > 1 else 'the tag'} {', '.join(tags)}"


def is_shown(health: str, only: str | None) -> bool:
    """Whether `--only` lets this health (`ClusterStatus.ranked`) through: that one and what is worse."""
    return only is None or WORST_FIRST.index(health) <= WORST_FIRST.index(only)
