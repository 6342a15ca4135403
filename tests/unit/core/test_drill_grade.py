"""The grade of a drill from what was measured, and the outcome of a walk."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli.context import CliError
from console.core.drills.entries import Entered, Work, work_of
from console.core.drills.grade import ClientCount, Happened, KeptFile, best, grade
from console.core.drills.scenarios import SCENARIOS, find_scenario
from console.core.drills.walks import FoundHere, RunbookWalk, Walk, WalkOutcome, all_found, all_passed
from console.core.kinds import all_kinds
from console.core.kinds.diagnose import all_rules
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past.past_run import PastCommand, PastRun, PastStep, Standing
from console.core.runs.records.journal import ChainCheck, Entry
from console.core.runs.state import Outcome, StepStatus
from console.documents.capture import read_capture
from console.drill.grades import list_text, report_text, table_text
from console.drill.records import load, load_all, named, new_drill, save, without_grade, write_begun
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


def changed(*moments):
    return tuple(Entered(at, Work.CHANGED) for at in moments)


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
    assert best([lost, good], lost) is good
    assert best([lost], dataclasses.replace(good, cluster="other")) is None
    for another in ({"kind": "sentinel-vip"}, {"identity": "10.0.0.9 1a2b3c"}):
        assert best([lost], dataclasses.replace(good, **another)) is None, "another cluster of this name"
    text = table_text(lost, good)
    assert "3 of 500" in text
    assert "best earlier: d0, freeze" in text
    assert "3 acknowledged writes lost" in text
    for form in ("md", "html", "json"):
        assert "redis-b's role changed" in report_text(lost, good, form).replace("&#x27;", "'")
    save(tmp_path, lost)
    assert load(tmp_path) == lost
    lines = list_text([good, lost], "table").splitlines()
    assert [line[:4] for line in lines[2:4]] == ["* d0", "  d1"]
    assert [line[2:].split()[2] for line in lines[2:4]] == ["passed", "not"]
    assert all(len(line) <= 80 for line in [*lines, *text.splitlines()])
    assert load(tmp_path / "none") is None


def test_what_nobody_has_repaired_is_told_though_the_set_is_protected():
    one = grade(happened(left=("Redis on web-1 is slow.",), left_codes=("slow",)), [run(Outcome.DONE, 12)])
    assert one.passed
    text = table_text(one, None)
    assert "still found at the end:\n    Redis on web-1 is slow." in text
    assert "protected again, and nothing lost" in text
    assert "Redis on web-1 is slow." in report_text(one, None, "md")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
@pytest.mark.parametrize("acted", ["nothing", "by hand", "a run"])
def test_who_has_not_done_what_was_asked_does_not_pass_though_the_cluster_is_protected(scenario, acted):
    """Sets, and faults that leave the cluster serving, are protected again by themselves."""
    runs = [run(Outcome.DONE, 12)] if acted == "a run" else []
    more = {"entered": changed(FAULT + 20)} if acted == "by hand" else {}
    seen = happened(scenario=scenario.name, protected=[(FAULT + 1, True)], **more)
    for code in (*scenario.ends, "of-something-else"):
        one = grade(dataclasses.replace(seen, left=("It is so still.",), left_codes=(code,)), runs)
        assert one.passed == (acted != "nothing" and code not in scenario.ends), code
        told = " ".join(table_text(one, None).split())
        assert one.passed or f"nobody has done what was asked: {scenario.asks}" in told
    assert grade(seen, runs).passed, "nothing is left"


def test_a_repair_by_hand_counts_and_is_called_so():
    one = grade(happened(entered=changed(FAULT - 9, FAULT + 20, FAULT + 30)), [])
    assert (one.right_action, one.protected, one.by_hand, one.passed) == (20, 41, 2, True)
    text = table_text(one, None)
    assert "changed by hand               2 times" in text
    assert "protected again by hand, and nothing lost" in text
    assert grade(happened(entered=changed(FAULT + 20), protected=[(FAULT + 1, False)]), []).right_action is None
    both = grade(happened(entered=changed(FAULT + 20)), [run(Outcome.DONE, 30)])
    assert "protected again, partly by hand, and nothing lost" in table_text(both, None)


HOSTS = ("redis-a", "redis-b")


@pytest.mark.parametrize("words", [
    ["redis-cli", "--scan"], ["redis-cli", "-h", "10.0.0.1", "--bigkeys"], ["redis-cli", "INFO"], ["df", "-h", "/data"],
    ["redis-ha-console", "inventory", "check"], ["tail -n 50 /var/log/redis.log"], ["ip", "-br", "address"],
    ["service", "redis-server", "status"], ["journalctl", "-u", "redis"], ["ps aux; df"], ["consul", "members"],
])  # fmt: skip
@pytest.mark.parametrize("code", [None, 0, 1])
@pytest.mark.parametrize("host", [[], ["redis-b"]])
def test_who_only_looks_has_done_nothing_by_hand(words, code, host):
    assert work_of([*host, *words], HOSTS, code) is Work.LOOKED


@pytest.mark.parametrize("words", [
    ["service", "redis-server", "start"], ["systemctl", "start", "consul"], ["redis-cli SLAVEOF NO ONE"],
    ["redis-cli", "BGSAVE"], ["rm", "/data/fill"], ["service", "redis-sentinel", "start"],
])  # fmt: skip
def test_a_command_that_changes_something_counts_when_it_has_ended_well(words):
    assert work_of(["redis-b", *words], HOSTS, 0) is Work.CHANGED
    for code in (None, 1, 255):
        assert work_of(["redis-b", *words], HOSTS, code) is Work.UNKNOWN


@pytest.mark.parametrize(
    "words", [[], ["bash"], ["sh", "-c", "/opt/x"], ["vi", "/etc/x"], ["redis-cli"], ["df; /opt/x"]]
)
def test_of_a_shell_it_is_not_known(words):
    assert work_of(["redis-b", *words], HOSTS, 0) is Work.UNKNOWN


def test_looks_make_nobody_a_repairer_and_a_shell_is_told_as_not_known():
    entered = (Entered(FAULT + 3, Work.LOOKED), Entered(FAULT + 20, Work.LOOKED))
    looked = grade(happened(entered=entered), [run(Outcome.DONE, 12)])
    assert (looked.notice, looked.right_action, looked.by_hand, looked.looked) == (3, 12, 0, 2)
    assert "hand" not in table_text(looked, None)
    shell = grade(happened(entered=(Entered(FAULT + 20, Work.UNKNOWN),)), [])
    assert (shell.right_action, shell.by_hand) == (None, 0)
    text = " ".join(table_text(shell, None).split())
    assert "protected again, and nothing lost; entered at 20 s: whether by hand is not known" in text
    assert "by itself" not in text


def test_a_key_that_only_leaves_is_no_sign_that_something_was_noticed():
    one = grade(happened(key_presses=(FAULT + 3, FAULT + 7), leaving=(FAULT + 3,)), [])
    assert (one.notice, one.keys) == (7, 2)
    assert grade(happened(key_presses=(FAULT + 3,), leaving=(FAULT + 3,)), []).notice is None


def test_lost_writes_are_named_with_the_file_that_has_them_and_the_command():
    names = tuple(f"drill:write:{number}" for number in range(7))
    kept = KeptFile("RUN-1", "/state/runs/RUN-1/keys.jsonl", "redis-ha-console runs replay RUN-1", frozenset(names[2:]))
    lost = happened(clients=dataclasses.replace(COUNT, lost=7), lost_keys=names, kept=(kept,))
    one = grade(lost, [run(Outcome.DONE, 5)])
    for told in (table_text(one, None), report_text(one, None, "html")):
        text = " ".join(told.split())
        for part in (
            *names[:5],
            "and 2 more",
            "5 of them are in /state/runs/RUN-1/keys.jsonl",
            kept.command,
            "ext time",
        ):
            assert part in text
    assert "bring back what a run has kept" in one.next_time[0]
    assert grade(happened(), [run(Outcome.DONE, 5)]).next_time == ()


def test_what_was_late_or_left_is_said_for_the_next_time():
    late = grade(happened(key_presses=(FAULT + 200,)), [run(Outcome.DONE, 290)])
    assert "it was noticed after 200 s" in late.next_time[0]
    assert "90 s between the first key and the first right command" in late.next_time[1]
    left = happened(
        protected=[(FAULT + 1, False)], left=("It is down.",), left_codes=("x",), advised=("one-shot-rebuild",)
    )
    assert "what was left names a runbook: one-shot-rebuild" in grade(left, []).next_time


def test_only_drills_of_the_same_scenario_are_compared():
    one = grade(happened(), [])
    assert best([dataclasses.replace(one, scenario="disk-full")], one) is None


def test_how_the_console_ended_is_told():
    one = grade(happened(console_ended="the console was killed (SIGKILL): graded as it was then", key_presses=()), [])
    for form in (table_text(one, None), report_text(one, None, "html")):
        assert "the console was killed (SIGKILL)" in form
    assert "key presses                   not known" in table_text(one, None)


def test_a_drill_that_ended_without_a_grade_is_listed_and_one_that_runs_too(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    capture = read_capture(Path(__file__).parents[2] / "captures/one-shot")
    runs, ended, graded = new_drill(), new_drill(), new_drill()
    for folder in (runs, ended, graded):
        write_begun(folder, capture)
        assert (folder.stat().st_mode & 0o777, (folder / "begun.json").stat().st_mode & 0o777) == (0o700, 0o600)
    begun = json.loads((ended / "begun.json").read_text())
    (ended / "begun.json").write_text(json.dumps(begun | {"started": "1"}))
    save(graded, dataclasses.replace(grade(happened(), []), drill=graded.name))
    found = {one.drill: one.runs_still for one in without_grade()}
    assert found == {runs.name: True, ended.name: False}
    text = list_text(load_all(), "table", without_grade())
    assert re.search(rf"{ended.name} .*cache: ended without a grade \(its console was closed\)", text)
    assert re.search(rf"{runs.name} .*cache: it runs now", text)
    assert "ended without a grade" in list_text([], "table", without_grade())
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_drill_is_found_by_the_beginning_of_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    drills = [dataclasses.replace(grade(happened(), []), drill=name)
              for name in ("drill-4c50", "drill-4d00", "20261129T150652Z-cache")]  # fmt: skip
    assert named(drills, "drill-4c").drill == "drill-4c50"
    assert named(drills, "20261129T150652Z").drill == "20261129T150652Z-cache"
    for name, told in (("drill-4", "may be drill-4c50, drill-4d00"), ("x", "there is no drill x")):
        with pytest.raises(CliError, match=told):
            named(drills, name)


def test_a_typed_text_that_was_refused_is_a_wrong_turn():
    plain = Entry(1, stamp(3), "decided", {"asked": "type-name", "reason":
                  "cancelled, the name that was typed is not redis-b: nothing was sent"}, "", "")  # fmt: skip
    replay = Entry(2, stamp(4), "decided", {"asked": "type-sentence", "reason": "keys",
                   "decision": {"choice": "skip", "typed": "yes"}}, "", "")  # fmt: skip
    screen = ((FAULT - 5, "redis-a"), (FAULT + 6, "redis-b"))
    one = grade(happened(refused_texts=screen), [run(Outcome.DONE, 5, entries=[plain, replay])])
    assert [turn.partition(": ")[2] for turn in one.wrong_turns] == [
        "a typed text was refused: the name that was typed is not redis-b: nothing was sent",
        "a typed text was refused: it is not the sentence",
        "asked was redis-b",
    ]


def test_clusters_of_one_name_stand_apart_in_the_list():
    one = dataclasses.replace(grade(happened(), []), kind="keepalived", identity="10.0.0.9 1a2b3c")
    other = dataclasses.replace(one, drill="d2", identity="10.0.0.9 ffffff", protected=99.0)
    lines = list_text([one, other], "table").splitlines()
    assert [line for line in lines if line.startswith("CLUSTER")] == [
        "CLUSTER cache (keepalived, 10.0.0.9 1a2b3c)", "CLUSTER cache (keepalived, 10.0.0.9 ffffff)"
    ]  # fmt: skip
    assert [line[:4] for line in lines if line[2:3] == "d"] == ["* d1", "* d2"], "each is the best of its own cluster"


def test_a_later_capture_of_the_same_machines_is_the_same_cluster():
    kinds = {}
    for folder in sorted((Path(__file__).parents[2] / "captures").iterdir()):
        one = read_capture(folder)
        kinds[one.identity] = folder.name
        assert dataclasses.replace(one, captured_at=1.0, unread=(), notes=()).identity == one.identity
        moved = dataclasses.replace(one.hosts[0], address="10.9.9.9")
        assert dataclasses.replace(one, hosts=(moved, *one.hosts[1:])).identity != one.identity
    assert len(kinds) == 5, "all of them are called cache"


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
        assert set(one.ends) <= {row.code for row in all_rules()}
        assert all(text in page for text in (f"`{one.name}`", one.text, one.asks, *one.by_itself.values())), one.name
        assert set(one.by_itself) <= {kind.name for kind in all_kinds()}
