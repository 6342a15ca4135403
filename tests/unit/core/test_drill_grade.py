"""The grade of a drill from what was measured, and the outcome of a walk."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.core.drills.grade import ClientCount, Happened, best, grade
from console.core.drills.scenarios import SCENARIOS, find_scenario
from console.core.drills.walks import FoundHere, RunbookWalk, Walk, WalkOutcome, all_found, all_passed
from console.core.kinds import all_kinds
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past.past_run import PastCommand, PastRun, PastStep, Standing
from console.core.runs.records.journal import ChainCheck, Entry
from console.core.runs.state import Outcome, StepStatus
from console.drill.grades import list_text, load, report_text, save, table_text
from console.lab.hosts.faults import KINDS, SERVICES

FAULT = 1_800_000_000.0
COUNT = ClientCount(acknowledged=500, refused=12, lost=0, longest_gap=7.5)


def run(outcome, *commands, status=StepStatus.DONE, note="", entries=()):
    """A past run with one step, whose commands were begun so many seconds after the fault."""
    sent = tuple(
        PastCommand(
            number, stamp(after), "redis-a", "SLAVEOF NO ONE", "promote", "d", answer=Answer(AnswerKind.DONE, "OK")
        )
        for number, after in enumerate(commands)
    )
    step = PastStep(1, "promote", status, note, commands=sent)
    return PastRun("r", "/r", Standing.CLOSED, ChainCheck(3), tuple(entries), {"runbook": "one-shot-rebuild"}, {},
                   (step,), outcome)  # fmt: skip


def stamp(after):
    return datetime.fromtimestamp(FAULT + after, UTC).isoformat().replace("+00:00", "Z")


def happened(**changes):
    seen = [(FAULT - 5, True), (FAULT + 0.2, True), (FAULT + 2, False), (FAULT + 40, False), (FAULT + 41, True)]
    base = Happened("d1", "cache", "freeze", "it stands still (redis-b)", FAULT, (FAULT - 1, FAULT + 4, FAULT + 9),
                    seen, COUNT, ("made up",))  # fmt: skip
    return dataclasses.replace(base, **changes)


def test_times_count_from_the_fault():
    made = grade(
        happened(), [run(Outcome.ABORTED, 8, status=StepStatus.STOPPED, note="left"), run(Outcome.DONE, 12, 15)]
    )
    assert (made.notice, made.right_action, made.protected) == (4, 12, 41)
    assert (made.keys, made.commands) == (2, 3)
    assert made.wrong_turns == ("one-shot-rebuild, promote: stopped: left",)
    assert made.runs == ("one-shot-rebuild: aborted", "one-shot-rebuild: done")
    assert made.passed


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([(FAULT + 1, True), (FAULT + 2, True)], 0.0),
        ([(FAULT + 1, True), (FAULT + 2, False)], None),
        ([(FAULT - 1, True)], None),
        ([(FAULT + 1, False), (FAULT + 3, True), (FAULT + 4, False), (FAULT + 9, True)], 9),
    ],
)
def test_protected_is_what_stays_so(seen, expected):
    assert grade(happened(protected=seen), []).protected == expected


def test_a_refused_answer_and_lost_writes_are_told(tmp_path):
    refused = Entry(1, stamp(3), "refused", {"differences": ["redis-b's role changed"]}, "", "")
    lost = grade(happened(clients=dataclasses.replace(COUNT, lost=3)), [run(Outcome.DONE, 5, entries=[refused])])
    assert not lost.passed
    assert lost.wrong_turns == ("one-shot-rebuild: an answer was refused: redis-b's role changed",)
    good = dataclasses.replace(grade(happened(), [run(Outcome.DONE, 5)]), drill="d0")
    assert best([lost, good], "cache", "freeze") is good
    assert best([lost], "other", "freeze") is None
    assert best([lost], "cache", "freeze", "sentinel-vip") is None, "another cluster of this name"
    text = table_text(lost, good)
    assert "3 of 500" in text
    assert "best earlier: d0, freeze" in text
    assert "3 acknowledged writes lost" in text
    for form in ("md", "html", "json"):
        assert "redis-b's role changed" in report_text(lost, good, form).replace("&#x27;", "'")
    save(tmp_path, lost)
    assert load(tmp_path) == lost
    lines = list_text([good, lost], "table").splitlines()
    assert [line[:4] for line in lines[1:3]] == ["* d0", "  d1"]
    assert all(len(line) <= 80 for line in [*lines, *text.splitlines()])
    assert load(tmp_path / "none") is None


def test_what_nobody_has_repaired_is_told_though_the_set_is_protected():
    one = grade(happened(left=("Redis on web-1 does not run.",)), [])
    assert one.passed
    text = table_text(one, None)
    assert "still found at the end:\n    Redis on web-1 does not run." in text
    assert "protected again by itself, and nothing lost" in text
    assert "Redis on web-1 does not run." in report_text(one, None, "md")


def walk(**changes):
    base = Walk("freeze", 1, "", (RunbookWalk("one-shot-rebuild", "done", "", ""),), protected=True, lost=0,
                acknowledged=9, seconds=3.0)  # fmt: skip
    return dataclasses.replace(base, **changes)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, WalkOutcome.PROTECTED),
        ({"runbooks": ()}, WalkOutcome.BY_ITSELF),
        ({"lost": 2}, WalkOutcome.LOST),
        ({"protected": False}, WalkOutcome.UNPROTECTED),
        ({"protected": False, "runbooks": ()}, WalkOutcome.NO_RUNBOOK),
        ({"protected": False, "runbooks": (RunbookWalk("x", "aborted", "s", "why"),)}, WalkOutcome.REFUSED),
        ({"protected": False, "runbooks": (RunbookWalk("x", "", "", "why"),)}, WalkOutcome.REFUSED),
        ({"protected": False, "runbooks": (RunbookWalk("x", "failed", "s", "why"),)}, WalkOutcome.STUCK),
        # Another replica stands by, so the next failure would be survived: what was to be repaired is not.
        ({"runbooks": (RunbookWalk("x", "aborted", "s", "why"),)}, WalkOutcome.REFUSED),
        (
            {"runbooks": (RunbookWalk("x", "failed", "s", "why"), RunbookWalk("y", "done", "", ""))},
            WalkOutcome.PROTECTED,
        ),
        ({"not_built": "it does not start"}, WalkOutcome.NOT_BUILT),
    ],
)
def test_the_outcome_of_a_walk_is_the_worst_that_happened(changes, outcome):
    one = walk(**changes)
    assert one.outcome is outcome
    assert all_passed([walk(), one]) == (outcome in (WalkOutcome.PROTECTED, WalkOutcome.BY_ITSELF))
    if outcome in (WalkOutcome.REFUSED, WalkOutcome.STUCK):
        assert "why" in one.why


def test_a_finding_is_told_once_and_by_its_first_sight():
    after = FoundHere("a", "warning", "after it", "s", "")
    before = FoundHere("a", "warning", "before the fault", "s", "")
    assert (
        all_found([walk(found=(after,)), walk(found=(before, FoundHere("b", "critical", "after it", "t", "")))])[0]
        is before
    )


def test_each_scenario_is_a_fault_that_the_laboratory_has_and_stands_on_its_page():
    page = " ".join((Path(__file__).parents[3] / "docs/drills.md").read_text().split())
    for one in SCENARIOS:
        assert find_scenario(one.name) is one
        assert one.fault in KINDS
        assert one.service in {"", *SERVICES}
        assert one.mended_by in {"", *KINDS}
        assert one.by_itself
        assert all(text in page for text in (f"`{one.name}`", one.text, *one.by_itself.values())), one.name
        assert set(one.by_itself) <= {kind.name for kind in all_kinds()}
