"""An operator who gives up at every step of a runbook, one run after the other, and begins again each time.

Not where the state is that of the time before: at the first step, where nothing was sent, and after a step whose verb
affects no condition (an export, a proof, a step that is only confirmed). A backup is judged by conditions, and counts.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.plain import PlainRun, Prompt, run_plain

from console.core.runbooks.document import GateKind, Step
from console.core.runbooks.verbs import VERBS
from console.documents.runbooks.library import shipped_folder
from console.documents.runbooks.runbook import load_runbook
from console.lab.assembly.laboratory import Laboratory

NAMED = re.compile(r"What leads on from here: (.*?)\.(?: |$)")
PATIENT = 60.0
"""Seconds for which one looks again at a step that only a script which still sleeps keeps from being done."""
MOST_LEADS = 3
"""Runbooks that may be needed, one after the other, before the first one goes on."""


@dataclass
class GivenUp:
    """What was seen on the way."""

    asked: list[str] = field(default_factory=list)
    """The steps that asked, in the order of the first time."""
    at: list[str] = field(default_factory=list)
    """Those of them at which a run was given up."""
    named: dict[str, list[str]] = field(default_factory=dict)
    """Step → the runbooks that the last line of the run that was given up there names as leading on."""
    led: list[str] = field(default_factory=list)
    """Other runbooks that led on, because the first one refused to: `step: runbook`, where it had been given up."""
    runs: list[PlainRun] = field(default_factory=list)

    @property
    def last(self) -> PlainRun:
        return self.runs[-1]

    @property
    def gates(self) -> list[str]:
        """Names that were typed, in all runs."""
        return [name for run in self.runs for name in run.gates]


def asking(runbook: str) -> list[str]:
    """The steps of a shipped runbook at which a run can be given up.

    The others send nothing: giving up in their middle leaves what giving up at the next one that asks leaves.
    """
    return [step.id for step in _steps(runbook) if step.gate is not GateKind.NONE]


def _steps(runbook: str) -> Sequence[Step]:
    return load_runbook(shipped_folder() / f"{runbook}.yaml").steps


def _counting(runbook: str) -> frozenset[str]:
    """The steps of a shipped runbook that change what conditions are judged by."""
    return frozenset(step.id for step in _steps(runbook) if step.action and VERBS[step.action.verb].affects)


def give_up_everywhere(
    lab: Laboratory,
    runbook: str,
    *options: str,
    state: Path,
    override: str = "",
    leads: Mapping[str, Sequence[str]] | None = None,
    by_hand: Callable[[str], object] = lambda _: None,
    seen: GivenUp | None = None,
    until: str = "",
) -> GivenUp:
    """Begins the runbook again and again, until it is done. It is given up once at each step, the first time it asks.

    But not where nothing has changed since: see the top of this file. Whatever was asked before is answered with yes.
    Where a run goes no further than one before it, the runbooks that its last line names are run to their end, with the
    options that `leads` has for them, and then it is begun again. So a state without a way out ends this with a failed
    assertion.

    `by_hand` hears of each step that is about to be answered with yes. `seen`: goes on where an earlier call ended.
    `until`: ends where it was given up at this step.
    """
    seen = seen or GivenUp()
    counting = _counting(runbook)
    while True:
        before = len(seen.asked)
        run = run_plain(
            lab, runbook, *options, state=state, override=override, at=_OnceAtEach(seen, counting, by_hand).answer
        )
        seen.runs.append(run)
        if run.outcome == "done":
            return seen
        if len(seen.asked) == before:
            _lead_on(lab, seen, runbook, state, leads or {})
        else:
            assert run.outcome == "aborted", run.text
            seen.named[seen.asked[-1]] = named(run)
            if seen.asked[-1] == until:
                return seen


class _OnceAtEach:
    """The answers of one run: giving up where that was not done before and something has changed, once a run."""

    def __init__(self, seen: GivenUp, counting: frozenset[str], by_hand: Callable[[str], object]) -> None:
        self._seen, self._counting, self._by_hand = seen, counting, by_hand
        self._changed = self._given_up = False
        self._until = time.monotonic() + PATIENT

    def answer(self, prompt: Prompt) -> str:
        seen, step = self._seen, prompt.step
        if step not in seen.asked:
            seen.asked.append(step)
            if self._changed or prompt.kind == "stuck":
                seen.at.append(step)
                self._given_up = True
        if self._given_up:
            return "abort"
        if prompt.kind == "stuck" and "wait until it has ended" in " ".join(prompt.text.split()):
            time.sleep(0.2)
            return "look" if time.monotonic() < self._until else "abort"
        self._changed |= step in self._counting
        self._by_hand(step)
        return ""


def _lead_on(lab: Laboratory, seen: GivenUp, runbook: str, state: Path, leads: Mapping[str, Sequence[str]]) -> None:
    """What the last line names, in its order: the first that ends well."""
    given_up = seen.asked[-1] if seen.asked else ""
    led = [one for one in seen.led if one.startswith(f"{given_up}: ")]
    assert len(led) < MOST_LEADS, f"after {given_up} nothing leads on: {seen.last.text[-4000:]}"
    names = [name for name in named(seen.last) or seen.named.get(given_up, []) if name != runbook]
    for name in names:
        run = run_plain(lab, name, *leads.get(name, ()), state=state)
        if run.outcome == "done":
            seen.led.append(f"{given_up}: {name}")
            return
    raise AssertionError(f"after {given_up} nothing that is named leads on ({names}): {seen.last.text[-4000:]}")


def named(run: PlainRun) -> list[str]:
    """The runbooks that the end of a run names as leading on."""
    found = NAMED.search(" ".join(run.text.split()))
    return re.findall(r"run ([\w-]+)", found.group(1)) if found else []
