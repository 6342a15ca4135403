"""Resumes a run whose console ended before the run did: whether that is possible, and the state it begins with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from console.core.inventory import ClusterSpec
from console.core.runbooks.document import Runbook
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past.past_run import PastCommand, PastRun
from console.core.runs.state import RunState, StepStatus, new_run
from console.engine.actions.write_pause import PAUSES
from console.engine.ports import ArmingError, ConsoleContext
from console.engine.steps.attempt import NO_ANSWER

NEW_RUN = "begin a new run instead: it starts from what it finds"


def addresses(spec: ClusterSpec) -> dict[str, str]:
    """Node → address and port of its Redis. They must be the same when a run is resumed."""
    return {node.name: f"{node.address}:{node.redis.port}" for node in spec.nodes}


def require_unchanged(past: PastRun, console_context: ConsoleContext) -> tuple[ClusterSpec, Runbook]:
    """The cluster and the runbook of the run. Raises ArmingError if either changed since, and says what."""
    try:
        spec = console_context.inventory.cluster(past.cluster)
    except KeyError:
        raise ArmingError(
            f"{past.run_id} ran on {past.cluster}, which {console_context.inventory.path} does not have: name the"
            f" inventory that it was begun with ({past.opened.get('inventory')})"
        ) from None
    if past.brings_keys:
        raise ArmingError(f"{past.run_id} brings kept keys back: `runs replay {past.run_id}` goes on with it")
    runbook = next((one for one in console_context.runbooks if one.name == past.runbook), None)
    if runbook is None:
        raise ArmingError(f"{past.run_id} ran {past.runbook}, which is not there any more: {NEW_RUN}")
    if runbook.digest != past.digest:
        raise ArmingError(f"{runbook.name} was changed since {past.run_id} began: {_changed(past, runbook)}; {NEW_RUN}")
    if changed := moved(past, spec):
        raise ArmingError(
            f"the inventory was changed since {past.run_id} began: {changed}; if these are the same servers,"
            f" {NEW_RUN}, else correct {console_context.inventory.path}"
        )
    return spec, runbook


def _changed(past: PastRun, runbook: Runbook) -> str:
    was, now = [step.id for step in past.steps], [step.id for step in runbook.steps]
    if was == now:
        sums = f"SHA-256 {past.digest[:12]} then, {runbook.digest[:12]} now"
        return f"its steps have the same names, its text is another ({sums})"
    gone = [f"{one} is gone" for one in was if one not in now]
    new = [f"{one} is new" for one in now if one not in was]
    return ", ".join(gone + new) or "its steps stand in another order"


def moved(past: PastRun, spec: ClusterSpec, *, may_grow: bool = False) -> str:
    """The addresses that changed, in words. Older journals do not have them: then only names are compared.

    `may_grow`: nodes that came since are no change.
    """
    was = {str(name): str(address) for name, address in (past.opened.get("nodes") or {}).items()}
    now = addresses(spec)
    lines = [
        f"{name} was {address}, is {now.get(name, 'not in it')} now"
        for name, address in was.items()
        if now.get(name) != address
    ]
    lines += [f"{name} is new" for name in now if was and not may_grow and name not in was]
    lines += [f"{node}, which is {role}, is not in it" for role, node in past.roles.items() if node not in now]
    vip = past.opened.get("vip")
    if vip is not None and vip != spec.vip:
        lines.append(f"the virtual IP was {vip}, is {spec.vip} now")
    return ", ".join(dict.fromkeys(lines))


def unknown_result(past: PastRun, command: PastCommand) -> dict[str, object]:
    """The journal's result for an intent whose own result was never recorded."""
    step = next(step for step in past.steps if command in step.commands)
    answer = Answer(AnswerKind.UNKNOWN, NO_ANSWER)
    return {"step": step.number, "node": command.node, "answer": answer, "of_entry": command.seq, "on_resume": True}


def pause_begun(past: PastRun, runbook: Runbook) -> tuple[str, float, str | None] | None:
    """Node, time and who served then, if the run paused writes and no later step saw them accepted again."""
    begun: tuple[str, float, str | None] | None = None
    for was, step in zip(past.steps, runbook.steps, strict=True):
        for command in was.commands:
            if command.verb == PAUSES and command.may_have_arrived and begun is None:
                at = datetime.fromisoformat(command.at).timestamp()
                begun = (command.node, at, _serving_before(past, command.seq))
        if was.status is StepStatus.DONE and any(one.predicate == "writes-accepted" for one in step.verify):
            begun = None
    return begun


def _serving_before(past: PastRun, seq: int) -> str | None:
    """The node that clients reached by the last observation before this entry."""
    seen = [entry.data["figures"] for entry in past.entries if entry.seq < seq and entry.data.get("figures")]
    serving = seen[-1].get("serving", seen[-1].get("vip_reaches")) if seen else None
    return str(serving) if serving else None


def resumed_run(past: PastRun, runbook: Runbook, journal: str) -> RunState:
    """The run before its first look. No step counts as done, but what was sent is known."""
    run = new_run(past.run_id, past.cluster, runbook, past.roles, journal=journal)
    steps = tuple(
        replace(step, output=tuple(f"{one.node}> {one.sent}" for one in was.commands if one.may_have_arrived))
        for step, was in zip(run.steps, past.steps, strict=True)
    )
    return replace(run, steps=steps, resumed=True)
