"""`plan`: prints what a runbook would send now. It has no actuator, so it cannot change anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from console.cli.context import CliContext, CliError, inventory_option
from console.cli.output import say, say_json
from console.cli.runs.role_options import check_kind, chosen_roles, unbound_text

if TYPE_CHECKING:
    from console.core.model import ClusterState
    from console.core.runbooks.binding import Unbound
    from console.core.runbooks.candidates import Candidates
    from console.core.runbooks.document import Runbook
    from console.engine.plan import PlannedCheck, RunPlan, StepPlan

COULD_START, BLOCKED = 0, 1


class WrongCallError(CliError):
    """The call or a document is wrong, so nothing was evaluated. The exit code is neither 0 nor 1."""

    exit_code = 3


@click.command("plan")
@click.argument("runbook")
@click.argument("cluster")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--bind", multiple=True, metavar="ROLE=NODE", help="Choose the node of a role. May be repeated.")
@click.option("--scripts", is_flag=True, help="Print each script in full. As text a long one is one line otherwise.")
@inventory_option
@click.pass_obj
def plan(context: CliContext, runbook: str, cluster: str, form: str, bind: tuple[str, ...], *, scripts: bool) -> int:
    """Show what a runbook would send now; change nothing.

    Exit code 0: the run could start. 1: something blocks it. 3: the call or a document is wrong.
    """
    from console.documents.errors import DocumentError

    try:
        return _plan(context, runbook, cluster, form, bind, scripts=scripts)
    except (CliError, DocumentError) as error:
        raise WrongCallError(str(error)) from None


def _plan(
    context: CliContext, runbook_name: str, cluster_name: str, form: str, bind: tuple[str, ...], *, scripts: bool
) -> int:
    from console.core.runbooks.binding import Unbound, bind_roles
    from console.core.runbooks.candidates import judged
    from console.engine.actions.commands import CommandContext
    from console.engine.plan import make_plan, measure_plan
    from console.engine.sessions.arming import stamp

    runbook, cluster = context.runbook(runbook_name), context.cluster(cluster_name)
    check_kind(runbook, cluster)
    chosen = chosen_roles(bind, runbook, cluster)
    console_context = context.console_context([cluster.name])
    inspector = console_context.inspector(cluster.name)
    state = inspector.observe(fresh=True)
    roles = bind_roles(runbook, state, chosen)
    if isinstance(roles, Unbound):
        _print_unbound(roles, judged(runbook, state, roles, chosen), state, runbook, form)
        return BLOCKED
    work = CommandContext(cluster, roles, "RUN-ID", stamp(state.observed_at))
    made = measure_plan(make_plan(runbook, state, work), state, inspector, cluster, console_context.clock)
    if form == "json":
        say_json(plan_document(made))
    else:
        say("\n".join(plan_text(made, scripts=scripts)))
    return COULD_START if made.could_start else BLOCKED


def _print_unbound(unbound: Unbound, found: Candidates, state: ClusterState, runbook: Runbook, form: str) -> None:
    """Every step, too: none of them can be judged before the node of the role is known."""
    why = f"cannot be judged yet: no node is {unbound.role}"
    if form == "text":
        for number, step in enumerate(runbook.steps, start=1):
            say(f"== {number}/{len(runbook.steps)} {step.id}: {step.title}\n  {why}")
        say(f"\nblocked: {unbound_text(unbound, found)}")
        return
    from console.core.runs.records.journal import plain, timestamp

    document = {
        "version": 1,
        "runbook": runbook.name,
        "cluster": state.name,
        "observed_at": timestamp(state.observed_at),
        "could_start": False,
        "unbound": plain(unbound) | {"reasons": [one.words for one in unbound.reasons]},
        "steps": [
            {"number": number, "id": step.id, "title": step.title, "node": None, "prospect": why}
            for number, step in enumerate(runbook.steps, start=1)
        ],
    }
    say_json(document)


def plan_document(made: RunPlan) -> dict[str, Any]:
    """The plan as JSON. Keys may be added, not renamed."""
    from console.core.runs.records.journal import plain, timestamp
    from console.engine.plan import NOT_PROVED

    return {
        "version": 1,
        "runbook": made.runbook.name,
        "cluster": made.cluster,
        "roles": dict(made.roles),
        "observed_at": timestamp(made.observed_at),
        "could_start": made.could_start,
        "runs": list(made.runs),
        "role_choice": made.role_choice or None,
        "steps": [
            {
                "number": one.number,
                "id": one.step.id,
                "title": one.step.title,
                "node": one.node,
                "gate": one.gate.value,
                "prospect": one.prospect.value,
                "depends_on": one.depends_on,
                "checks": [{**plain(check.check), "after_step": check.after} for check in one.checks],
                "commands": [
                    {"node": planned.node, "channel": planned.channel, "text": planned.render()}
                    | {"summary": planned.summary, "detail": planned.detail}
                    for planned in one.planned
                ],
                "by_hand": plain(one.by_hand),
                "obstacle": one.obstacle or None,
                "preview": plain(one.preview),
                "verify": [check.statement for check in one.proofs],
                "within_seconds": one.step.within,
            }
            for one in made.steps
        ],
        "not_proved": list(NOT_PROVED),
    }


def plan_text(made: RunPlan, *, scripts: bool = True) -> Iterator[str]:
    """The plan as text. `scripts`: a script is printed in full, and not told in one line."""
    from console.cli.runs.plain.text import wrapped
    from console.engine.plan import NOT_PROVED, Prospect

    if made.nothing_to_do:
        yield "nothing to do: protected" if made.protected else "nothing to do"
    yield f"plan {made.runbook.name} on {made.cluster}: {made.runbook.title}"
    for role in made.runbook.roles:
        yield wrapped(f"{role.name} = {made.roles.get(role.name, '?')}: {role.description}", "  ", "      ")
    if made.role_choice:
        yield wrapped(f"NO  {made.role_choice}", "  ", "      ")
    if made.nothing_to_do and len({one.checks for one in made.steps}) == 1:
        yield ""
        yield from (f"== {one.number}/{len(made.steps)} {one.step.id}: {one.step.title}" for one in made.steps)
        yield wrapped("Each of them is skipped, as this is so already:")
        yield from map(_check_text, made.steps[0].checks)
    else:
        for one in made.steps:
            yield ""
            yield from _step_text(one, len(made.steps), scripts=scripts)
        yield ""
        for line in NOT_PROVED:
            yield wrapped(line)
    blocked = [str(one.number) for one in made.steps if one.prospect is Prospect.BLOCKED]
    yield ""
    if made.runs:
        yield wrapped(f"plan: blocked by another run: {'; '.join(made.runs)}")
        return
    if blocked:
        yield f"plan: blocked at step {', '.join(blocked)}"
    else:
        yield "plan: nothing to do, and nothing would be sent" if made.nothing_to_do else "plan: could start"


def _step_text(one: StepPlan, total: int, *, scripts: bool) -> Iterator[str]:
    from console.cli.runs.plain.text import by_hand_lines, folded_text, planned_text, preview_lines, wrapped
    from console.core.runbooks.document import GateKind
    from console.engine.plan import Prospect

    yield f"== {one.number}/{total} {one.step.id}: {one.step.title}"
    yield f"  {_prospect_text(one)}; on {one.node}"
    for check in one.checks:
        yield _check_text(check)
    if one.proofs and one.prospect is not Prospect.SKIPPED:
        wanted = "; ".join(check.statement for check in one.proofs)
        yield wrapped(f"then, within {one.step.within:g} s: {wanted}", "  ", "      ")
    if one.obstacle:
        mark = "NO" if one.depends_on is None else f"..  after step {one.depends_on}, now:"
        yield wrapped(f"{mark}  {one.obstacle}", "  ", "      ")
    yield from by_hand_lines(one.by_hand)
    if one.preview:
        yield from preview_lines(one.preview)
    for planned in one.planned:
        yield planned_text(planned) if scripts else folded_text(planned)
    if one.planned and one.gate is GateKind.TYPE_NAME:
        yield f'  asks for the name "{one.node}" to be typed'


def _prospect_text(one: StepPlan) -> str:
    if one.depends_on is None:
        return one.prospect.value
    return f"cannot be judged yet: depends on step {one.depends_on}"


def _check_text(planned: PlannedCheck) -> str:
    from console.cli.runs.plain.text import check_text, wrapped

    if planned.after is None:
        return check_text(planned.check)
    return wrapped(f"..  after step {planned.after}: {planned.check.statement}", "  ", "      ")


COMMANDS = (plan,)
