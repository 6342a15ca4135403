"""No text states a value because of what was not read: "nobody", "none", "gone", "does not run" and the like."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import samples
from holes import REASON, STATES, holes
from tui_stage import spec_of, stage, until

from console.cli.status.as_json import ClusterStatus, as_json
from console.cli.status.as_table import as_table
from console.cli.status.metrics.exposition import as_openmetrics
from console.core.diagnosis.finding import Finding
from console.core.kinds import kind_of
from console.core.kinds.diagnose import diagnose, health
from console.core.model import ClusterState, ProblemKind
from console.core.previews.loss_preview import preview
from console.core.runbooks.document import Step
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.gate import evidence
from console.documents.runbooks.library import load_runbooks
from console.engine.steps.step_view import conditions
from console.tui.present.clusters import cards, fleet
from console.tui.present.clusters import cluster as present
from console.tui.present.clusters.kinds import presentation_of
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.state.fleet import row_of
from console.tui.widgets.lines import LinesPane

NEGATIVE = re.compile(
    r"\b(nobody|none|gone|(?<!connection )refused|nothing|not (registered|running|here|on it|there)|does not (run|hold)"
    r"|no (node|director|address|real server|service|process|instance|master|VIP)|(is|keepalived) stopped|lost|is down"
    r"|on no)\b|(?<!─)✗",
    re.IGNORECASE,
)
NOT_KNOWN = re.compile(r"not known|not read|never read|could not be read|cannot be read|no answer|\bmay\b|whether|\?")
ARITHMETIC = re.compile(r"\d+ < \d+ < \d+ \+ \d+ does not hold")
"""Of priorities that were read. Where less else can be judged, it is told where it was cut before."""
MARK = re.compile(r"^([✗!?]|(CRITICAL|WARNING|INFO) [a-z-]+:) ")
STEP = Step(id="look", title="Look", why="To see.", role="one")
CASES = [
    pytest.param(state, hole, id=f"{label}: {name}, {kind.value}")
    for label, make in STATES.items()
    for state in [make()]
    for kind in (ProblemKind.NOT_READ, ProblemKind.TIMEOUT)
    for name, hole in holes(state, kind)
]

WHOLE = {id(case.values[0]): case.values[0] for case in CASES}


def lines(state: ClusterState) -> Iterator[str]:
    """Every text that the console makes of an observation."""
    now, names = state.observed_at, [node.name for node in state.nodes]
    view = absorb(ClusterView(spec_of(state)), state, now)
    for width, height in ((80, 3), (400, 4)):
        yield from (one.plain for one in present.headline(view, width, height))
    yield fleet.about_lines(row_of(view), 400)[0].plain.removeprefix(f"{view.name}: ")
    yield from (one.plain for one in present.topology(state, 400))
    for node in state.nodes:
        yield from (f"{node.name} {row.label} {row.cells_at(now).plain}" for row in cards.rows(state, node, now))
    yield from (one.plain for one in cards.compact(state, now, 400))
    for pane in presentation_of(state.kind).panes:
        yield from (one.plain for one in pane.draw(state, now, 400))
    yield from as_table([status(state)], colour=False).splitlines()
    yield from evidence(state, {f"role{at}": name for at, name in enumerate(names)}, STEP)
    for source, target in ((names[0], names[1]), (names[1], names[0])):
        shown = preview(state, source, target)
        yield from (*shown.lines, *shown.warnings)
    for finding in diagnose(state, now):
        yield from told(finding)


def told(finding: Finding) -> Iterator[str]:
    yield from (finding.summary, finding.why, *finding.evidence, finding.next.advice or "")


def status(state: ClusterState) -> ClusterStatus:
    found = diagnose(state, state.observed_at)
    return ClusterStatus(state, found, health(state, found))


def claims(text: str) -> str:
    """The text without ages, columns and the badge of the virtual IP in front of a role."""
    text = ARITHMETIC.sub("", text)
    text = re.sub(r"\bVIP +(?=[✓!✗] MASTER)", "", text)
    return MARK.sub("", " ".join(re.sub(r"\d+ (s|min|h)\b( ago| old)?", "", text).split()))


def told_already(state: ClusterState) -> str:
    """All that is said of the whole state, also by rules whose findings better ones replace."""
    every = [text for rule in kind_of(state.kind).rules for one in rule.find(state) for text in told(one)]
    return "\n".join(map(claims, (*lines(replace(state, observed_at=state.observed_at + 1)), *every)))


BEFORE = {make().name + label: (make(), told_already(make())) for label, make in STATES.items()}


@pytest.mark.long
@pytest.mark.parametrize(("state", "hole"), CASES)
def test_what_is_not_read_is_said_to_be_not_known(state, hole):
    before = next(said for known, said in BEFORE.values() if known == state)
    for text in map(claims, lines(hole)):
        parts = [one for one in re.split(r"[│;.] ?|, ", text) if one and one not in before]
        wrong = [one for one in parts if NEGATIVE.search(one.replace(REASON, "")) and not NOT_KNOWN.search(text)]
        assert not wrong, f"{wrong} in {text!r}"


@pytest.mark.long
@pytest.mark.parametrize(("state", "hole"), CASES)
def test_in_json_it_is_null(state, hole):
    now = document(hole)
    known, holders = known_document(id(state))
    lost = holders - set(now["vip"]["holders"])
    assert lost <= set(now["vip"]["not_known_of"])
    for path, value in leaves(now):
        if value is not None and value != known.get(path) and path[0] not in {"findings", "health", "vip"}:
            assert path[-1] in {"observed_at", "ok"} or "error" in path[-1], (path, value)


def document(state: ClusterState) -> dict[str, Any]:
    cluster: dict[str, Any] = json.loads(as_json([status(state)], samples.NOW))["clusters"][0]
    return cluster


@cache
def known_document(number: int) -> tuple[dict[tuple[str, ...], object], set[str]]:
    """The leaves of a whole state, of which this is the id, and the holders of its virtual IP. Many holes share it."""
    was = document(WHOLE[number])
    return dict(leaves(was)), set(was["vip"]["holders"])


@cache
def known_metrics(number: int) -> frozenset[str]:
    return frozenset(as_openmetrics([status(WHOLE[number])]).splitlines())


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value in the document by its path."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in parts:
        yield from leaves(one, (*path, str(key)))
    if not isinstance(value, dict | list):
        yield path, value


@pytest.mark.long
@pytest.mark.parametrize(("state", "hole"), CASES)
def test_as_a_metric_it_is_missing(state, hole):
    was, now = known_metrics(id(state)), as_openmetrics([status(hole)]).splitlines()
    about_reading = ("_up{", "_read{", "_health{", "_finding{", "_findings{", "_observed_timestamp")
    assert not [
        line for line in now if line not in was and line[0] != "#" and not any(name in line for name in about_reading)
    ]


async def test_before_the_first_answer_nothing_is_said_to_be_found():
    on = stage(samples.healthy_pair())
    on.inspector.open.clear()
    async with on.app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: on.app.screen.query("#findings"))
        on.app.screen.paint()
        text = "\n".join(pane.text for pane in on.app.screen.query(LinesPane))
        assert "CONNECTING" in text
        assert "Not known yet: no node has answered." in text
        assert not re.search(r"Nothing was found|findings \(|nothing to do|HEALTHY", text)
        on.inspector.close()


RUNBOOKS = load_runbooks(None).runbooks


def planned(state: ClusterState) -> Iterator[str]:
    """The texts of every condition of every runbook for this kind, with the roles bound both ways round."""
    names = [node.name for node in state.nodes]
    for runbook in RUNBOOKS:
        if runbook.kind == state.kind and len(runbook.roles) <= len(names):
            for order in (names, names[::-1]):
                roles = dict(zip([one.name for one in runbook.roles], order, strict=False))
                for step in runbook.steps:
                    for one in (*conditions(step, runbook.require), *step.verify, *step.skip_if):
                        check = evaluate(one, state, roles)
                        yield f"{check.evidence} | {check.advice}"


@pytest.mark.long
@pytest.mark.parametrize("label", STATES)
def test_no_condition_has_evidence_that_was_not_read(label):
    state = STATES[label]()
    before = "\n".join(map(claims, planned(state)))
    wrong = set()
    for name, hole in holes(state, ProblemKind.TIMEOUT):
        for text in map(claims, planned(hole)):
            parts = [one for one in re.split(r"[│|;.] ?|, ", text) if one.strip() and one.strip() not in before]
            if not NOT_KNOWN.search(text):
                wrong |= {(name, one) for one in parts if NEGATIVE.search(one.replace(REASON, ""))}
    assert not wrong
