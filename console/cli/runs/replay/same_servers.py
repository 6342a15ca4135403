"""`runs replay` brings keys only to the servers of the run that kept them, and never to others of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.cli.context import CliContext, CliError

if TYPE_CHECKING:
    from console.core.runs.past.past_run import PastRun


def require_same_servers(context: CliContext, past: PastRun) -> None:
    """Raises CliError if the run was on other servers than the inventory has now, or in a laboratory that is gone.

    Another pair may have the same name, and the same addresses: each laboratory has. Keys of one would be foreign to
    the other.
    """
    from console.engine.sessions.resumption import moved

    if context.archive is not None and context.archive.laboratory_is_gone(past):
        raise CliError(
            f"{past.run_id} ran in a laboratory that is gone: the nodes of {past.cluster} now are other servers, and"
            " its keys do not belong there; `runs keys FILE` prints them"
        )
    if changed := moved(past, context.cluster(past.cluster), may_grow=True):
        raise CliError(
            f"{past.run_id} ran on other servers than {past.cluster} has in the inventory now: {changed}; use the"
            f" inventory that it ran with ({past.opened.get('inventory') or 'not recorded'}). If the keys belong here"
            " all the same, `runs keys FILE` prints them for `redis-cli --pipe`, which replaces no key"
        )
