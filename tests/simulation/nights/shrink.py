"""Makes a failing night small: the fewest faults, runs and delays with which the same rule still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from simulation.nights.night import Night, Result
from simulation.nights.plan import Plan

Fails = Callable[[Plan], Result | None]


def fails_by(rule: str) -> Fails:
    """Plays a plan. The result where this rule is broken, else None."""

    def play(plan: Plan) -> Result | None:
        result = Night(plan).play()
        return result if any(one.rule == rule for one in result.violations) else None

    return play


def shrunk(plan: Plan, rule: str) -> Result:
    """The smallest night that was found. The plan itself must break the rule."""
    play = fails_by(rule)
    best = play(plan)
    assert best is not None, f"seed {plan.seed} does not break the rule: {rule}"
    while True:
        smaller = next(filter(None, map(play, _smaller(best.plan))), None)
        if smaller is None:
            return best
        best = smaller


def _smaller(plan: Plan) -> Iterator[Plan]:
    for one in plan.faults:
        yield replace(plan, faults=tuple(other for other in plan.faults if other is not one))
    if plan.runs > 1:
        yield replace(plan, runs=plan.runs - 1)
    if plan.resumes:
        yield replace(plan, resumes=False)
    if plan.version != "7.0.15":
        yield replace(plan, version="7.0.15")
    for shorter in (1.0, 4.0):
        if plan.notify_sleep > shorter:
            yield replace(plan, notify_sleep=shorter)
        if plan.copy_seconds > shorter:
            yield replace(plan, copy_seconds=shorter)


def story(result: Result) -> str:
    """The night for a human: the plan, what happened and when, and what was broken."""
    plan = result.plan
    faults = [f"{one.kind} on {one.host}, run {one.run}, step {one.step}, {one.moment.value}" for one in plan.faults]
    head = [
        f"seed {plan.seed}: {plan.kind}, Redis {plan.version}, {plan.scenario}, {plan.runs} runs, {plan.temper}",
        f"  first runbook: {plan.runbook or 'as advised'}",
        *(f"  fault: {one}" for one in faults),
    ]
    begin = result.story[0][0] if result.story else 0.0
    lines = [f"{at - begin:9.1f} s  {line}" for at, line in result.story]
    return "\n".join((*head, *lines, *(f"BROKEN {one}" for one in result.violations)))
