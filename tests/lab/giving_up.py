"""An operator who gives up at every step of a runbook, one run after the other, and begins again each time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.plain import PlainRun, Prompt, run_plain

from console.core.runbooks.document import GateKind
from console.documents.runbook import load_runbook
from console.documents.runbook_library import shipped_folder
from console.lab.assembly.laboratory import Laboratory

NAMED = re.compile(r"What leads on from here: (.*?)\.(?: |$)")
MOST_LEADS = 3
"""Runbooks that may be needed, one after the other, before the first one goes on."""


@dataclass
class GivenUp:
    """What was seen on the way."""

    at: list[str] = field(default_factory=list)
    """The steps at which a run was given up, in that order."""
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
    book = load_runbook(shipped_folder() / f"{runbook}.yaml")
    return [step.id for step in book.steps if step.gate is not GateKind.NONE]


def steps_of(runbook: str) -> list[str]:
    """All steps of a shipped runbook, those that only look among them."""
    return [step.id for step in load_runbook(shipped_folder() / f"{runbook}.yaml").steps]


def give_up_everywhere(
    lab: Laboratory,
    runbook: str,
    *options: str,
    state: Path,
    override: str = "",
    leads: Mapping[str, Sequence[str]] | None = None,
    by_hand: Callable[[str], object] = lambda _: None,
    looking: bool = False,
    seen: GivenUp | None = None,
    until: str = "",
) -> GivenUp:
    """Begins the runbook again and again, until it is done. At each step it is given up once, the first time it asks.

    Whatever was given up before is answered with yes. Where a run goes no further than one before it, the runbooks that
    its last line names are run to their end, with the options that `leads` has for them, and then it is begun again. So
    a state without a way out ends this with a failed assertion.

    `by_hand` hears of each step that is about to be answered with yes. `looking`: it is given up at the steps too that
    only look, by Ctrl-C. `seen`: goes on where an earlier call ended. `until`: ends
    where it was given up at this step.
    """
    seen = seen or GivenUp()
    silent = frozenset(steps_of(runbook)) - frozenset(asking(runbook)) if looking else frozenset()
    while True:
        before = len(seen.at)
        once = _OnceAtEach(seen, silent, by_hand)
        leave = once.leaves if looking else None
        run = run_plain(lab, runbook, *options, state=state, override=override, at=once.answer, leave=leave)
        seen.runs.append(run)
        if run.outcome == "done":
            return seen
        if len(seen.at) == before:
            _lead_on(lab, seen, runbook, state, leads or {})
        else:
            assert run.outcome == "aborted", run.text
            seen.named[seen.at[-1]] = named(run)
            if seen.at[-1] == until:
                return seen


class _OnceAtEach:
    """The answers of one run: giving up where that was not done before, once a run."""

    def __init__(self, seen: GivenUp, silent: frozenset[str], by_hand: Callable[[str], object]) -> None:
        self._seen, self._silent, self._by_hand = seen, silent, by_hand
        self._before = len(seen.at)

    def answer(self, prompt: Prompt) -> str:
        at = self._seen.at
        given_up = len(at) > self._before
        if given_up and prompt.step != at[-1]:
            at.pop()  # Ctrl-C came when the look was over: another time
            given_up = False
        if not given_up:
            if prompt.step in at:
                self._by_hand(prompt.step)
                return ""
            at.append(prompt.step)
        return "abort"

    def leaves(self, step: str) -> bool:
        """Whether Ctrl-C is pressed at a step that was just announced."""
        now = step in self._silent and step not in self._seen.at and len(self._seen.at) == self._before
        if now:
            self._seen.at.append(step)
        return now


def _lead_on(lab: Laboratory, seen: GivenUp, runbook: str, state: Path, leads: Mapping[str, Sequence[str]]) -> None:
    """What the last line names, in its order: the first that ends well."""
    given_up = seen.at[-1] if seen.at else ""
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
