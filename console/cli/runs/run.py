"""`run`: the guided run, on the screen or with plain prompts. Both need a terminal: answers cannot be piped in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.output import say
from console.cli.runs.plain.terminal_input import check_terminal
from console.cli.runs.role_options import check_kind, chosen_roles, unbound_text
from console.cli.screen import open_screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.core.model import ClusterState
    from console.core.runbooks.document import Runbook
    from console.engine.ports import ArmedRun, ConsoleContext, RunStarter


@click.command("run")
@click.argument("runbook")
@click.argument("cluster")
@click.option("--plain", is_flag=True, help="Use plain prompts instead of the screen.")
@click.option("--bind", multiple=True, metavar="ROLE=NODE", help="Choose the node of a role. May be repeated.")
@inventory_option
@click.pass_obj
def run(context: CliContext, runbook: str, cluster: str, *, plain: bool, bind: tuple[str, ...]) -> int:
    """Walk through a runbook, one confirmed step at a time.

    Each step shows why it is there, its node, its conditions and the exact commands, and asks. Exit code 0: each
    step is done and proved, or was skipped. The last line says how the run ended.
    """
    check_terminal()
    book, spec = context.runbook(runbook), context.cluster(cluster)
    check_kind(book, spec)
    chosen = chosen_roles(bind, book, spec)
    console_context = context.console_context([spec.name], screen=not plain)
    if not plain:
        starter = context.run_starter(console_context)
        return open_screen(context, console_context, starter, cluster=spec.name, runbook=book.name, roles=chosen)
    return _run_plain(console_context, context.run_starter(console_context), book, chosen, spec.name)


def _run_plain(
    console_context: ConsoleContext, run_starter: RunStarter, runbook: Runbook, chosen: Mapping[str, str], cluster: str
) -> int:
    from console.cli.runs.plain.run import run_to_end

    state = console_context.inspector(cluster).observe(fresh=True)
    roles = _roles(runbook, state, chosen)
    return run_to_end(_armed(run_starter, cluster, runbook, roles), console_context)


def _armed(run_starter: RunStarter, cluster: str, runbook: Runbook, roles: Mapping[str, str]) -> ArmedRun:
    from console.cli.runs.taking_over import or_taken_over

    return or_taken_over(lambda takeover: run_starter.arm(cluster, runbook, roles, takeover))


def _roles(runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Role → node. Asks if the operator may choose. Raises CliError if no node can be chosen."""
    from console.cli.runs.plain.terminal_input import ask
    from console.cli.runs.plain.text import wrapped
    from console.core.runbooks.binding import Unbound, bind_roles
    from console.core.runbooks.candidates import judged

    chosen = dict(chosen)
    while isinstance(roles := bind_roles(runbook, state, chosen), Unbound):
        found = judged(runbook, state, roles, chosen)
        told = unbound_text(roles, found)
        if not roles.candidates or roles.role in chosen:
            raise CliError(told)
        say(wrapped(told))
        described = next(one.description for one in runbook.roles if one.name == roles.role)
        say(wrapped(f"The role {roles.role}: {described}"))
        name = ask(f"Which node has the role {roles.role}? [{'/'.join(one.name for one in found.of)}] ")
        if name not in roles.candidates:
            raise CliError(f"no node was chosen for {roles.role}: the run was not started")
        chosen[roles.role] = name
    return roles


COMMANDS = (run,)
