"""`run`: the guided run, on the screen or with plain prompts. Both need a terminal: answers cannot be piped in."""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import TYPE_CHECKING, TypeVar

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.output import say
from console.cli.runs.role_options import check_kind, chosen_roles, unbound_text
from console.cli.screen import open_screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from console.core.model import ClusterState
    from console.core.runbooks.document import Runbook
    from console.engine.ports import ArmedRun, ConsoleContext, RunStarter, Takeover

NOT_DONE = 1
Armed = TypeVar("Armed")


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


def check_terminal() -> None:
    """Raises CliError if stdin or stdout is not a terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CliError("a run needs a terminal: answers cannot be piped in; `plan` prints the commands anywhere")


def _run_plain(
    console_context: ConsoleContext, run_starter: RunStarter, runbook: Runbook, chosen: Mapping[str, str], cluster: str
) -> int:
    state = console_context.inspector(cluster).observe(fresh=True)
    roles = _roles(runbook, state, chosen)
    return run_to_end(_armed(run_starter, cluster, runbook, roles), console_context)


def run_to_end(armed: ArmedRun, console_context: ConsoleContext) -> int:
    """Runs an armed run to its end with plain prompts. Returns the exit code."""
    from console.cli.runs.plain_operator import PlainOperator
    from console.cli.runs.signals import stays_resumable
    from console.core.runs.state import Outcome

    with stays_resumable(armed) as on_change, _ctrl_c_ends_a_wait(armed):
        operator = PlainOperator(console_context.clock.now, on_change)
        operator.print_start(armed.state)
        ended = armed.execute(operator)
    operator.print_end(ended)
    return 0 if ended.outcome is Outcome.DONE else NOT_DONE


def _armed(run_starter: RunStarter, cluster: str, runbook: Runbook, roles: Mapping[str, str]) -> ArmedRun:
    return or_taken_over(lambda takeover: run_starter.arm(cluster, runbook, roles, takeover))


def or_taken_over(arm: Callable[[Takeover | None], Armed]) -> Armed:
    """Arms a run. If another run has the lock, it names that run and asks for the takeover sentence (H26)."""
    from console.cli.runs.plain_text import wrapped
    from console.cli.runs.terminal_input import ask
    from console.core.runs.lock import takeover_sentence
    from console.engine.ports import LockHeldError, Takeover

    try:
        return arm(None)
    except LockHeldError as held:
        if held.holder is None:
            raise
        say(wrapped(str(held)))
        sentence = takeover_sentence(held.holder)
        try:
            typed = ask(f'Type "{sentence}" to take over, anything else cancels: ')
        except (EOFError, KeyboardInterrupt):
            typed = ""
        if not typed:
            raise CliError("cancelled: nothing was taken over, and nothing was armed") from None
        return arm(Takeover(held.holder, typed))


@contextlib.contextmanager
def _ctrl_c_ends_a_wait(armed: ArmedRun) -> Iterator[None]:
    """Inside the block, Ctrl-C while a proof is awaited ends the waiting and leads to a question.

    A second Ctrl-C in the same step ends the run.
    """
    from console.core.runs.state import StepStatus

    asked_at: list[int | None] = []

    def stop(*_: object) -> None:
        run = armed.state
        waits = run.current is not None and run.steps[run.current].status is StepStatus.VERIFYING
        if not waits or run.current in asked_at:
            raise KeyboardInterrupt
        asked_at.append(run.current)
        armed.stop_waiting()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _roles(runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Role → node. Asks if the operator may choose. Raises CliError if no node can be chosen."""
    from console.cli.runs.plain_text import wrapped
    from console.cli.runs.terminal_input import ask
    from console.core.runbooks.binding import Unbound, bind_roles

    chosen = dict(chosen)
    while isinstance(roles := bind_roles(runbook, state, chosen), Unbound):
        if not roles.candidates or roles.role in chosen:
            raise CliError(unbound_text(roles))
        say(wrapped(unbound_text(roles)))
        name = ask(f"Which node is {roles.role}? [{'/'.join(roles.candidates)}] ")
        if name not in roles.candidates:
            raise CliError(f"no node was chosen for {roles.role}: the run was not started")
        chosen[roles.role] = name
    return roles


COMMANDS = (run,)
