"""A run whose console died is gone on with, wherever it died: nothing is sent twice, nothing is believed unseen."""

from __future__ import annotations

import os
import random
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import samples
from dying import Room, insist
from fakes import CLUSTER, B, agree, choose, node_spec
from walks import WALKS, walk
from world import World

from console.core.inventory import Inventory
from console.core.model import VrrpState
from console.core.runbooks.document import Action, GateKind
from console.core.runbooks.verbs import VERBS
from console.core.runs.answer import Answer, AnswerKind
from console.core.runs.past.past_run import PastCommand, Standing
from console.core.runs.past.since_then import CLOSE, LEAVES_PROTECTED, later_changes, since_then
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import AssessmentKind, Outcome, StepStatus
from console.engine.ports import ArmingError
from console.report.formats import report_text
from console.transport.journals.archive import FolderArchive
from console.transport.journals.journal_file import reopen_journal


@pytest.fixture(autouse=True)
def _no_waiting_for_disks(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path / "runs")


BY_ITS_ANSWER = ("redis-ha-console:proof", "CLIENT ", "SCAN, DUMP", "arping")
"""What only its answer proves: the operator may send it again, and did."""


def what(room):
    """Everything that was sent, each once, without the names of runs."""
    names = {room.run_id: "RUN", str(room.folder): "RUNS"}
    return {
        re.sub("|".join(names), lambda found: names[found[0]], text.splitlines()[0]) for text in room.actuator.texts
    }


def at_moment(folder, moment, *, nth=1, room=None):
    """A room in which the console died at this moment of a rebuild."""
    whole = Room(folder / "whole")
    whole.run()
    found = [at for at, name in enumerate(whole.moments.names) if name == moment]
    room = room or Room(folder / "runs")
    assert room.run(found[nth - 1]) is None
    return room


# --- every moment ---------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("name", WALKS)
def test_a_console_that_dies_at_any_moment_of_a_shipped_runbook(tmp_path, name):
    whole = walk(tmp_path / "whole", name)
    ended = whole.run()
    assert ended.outcome is Outcome.DONE, ended.message
    names = whole.moments.names
    for at in range(names.index("after bound"), len(names) - 1):
        moment = names[at]
        if name != "one-shot-rebuild" and moment.startswith("before ") and names[at - 1].startswith("after "):
            continue  # nothing happened in between, and one runbook shows it
        room = walk(tmp_path / f"{at}", name)
        assert room.run(at) is None, moment
        ended = room.resume()
        assert ended.outcome is Outcome.DONE, (moment, ended.message)
        twice = {text for text in room.actuator.texts if room.actuator.texts.count(text) > 1}
        assert all(any(word in text for word in BY_ITS_ANSWER) for text in twice), (moment, twice)
        assert what(room) == what(whole), moment
        past = room.past()
        assert (past.standing, past.outcome, past.unanswered) == (Standing.CLOSED, Outcome.DONE, ())
        marked = [entry for entry in past.entries if entry.data.get("on_resume")]
        lost = moment.startswith(("after intent", "before sending", "after sending", "before result"))
        assert len(marked) == lost, moment


@pytest.mark.long
def test_consoles_that_die_again_and_again(tmp_path):
    """Two, three or more deaths at random moments of one run: the last console still ends it."""
    dice = random.Random(27)
    for number in range(20):
        room = Room(tmp_path / f"{number}")
        ended = room.run(dice.randrange(6, 120))
        deaths = 1
        while ended is None and room.past().standing is not Standing.CLOSED:
            deaths += 1
            ended = room.resume(dice.randrange(6, 120) if deaths < 5 else None)
        assert room.past().outcome is Outcome.DONE, (number, room.past().message)
        twice = {text for text in room.actuator.texts if room.actuator.texts.count(text) > 1}
        assert all("redis-ha-console:proof" in text for text in twice), (number, twice)


# --- what is believed -----------------------------------------------------------------------------------------------


def test_what_is_believed_is_said_with_its_reasons_before_anything_is_asked(tmp_path):
    room = at_moment(tmp_path, "after sending SLAVEOF 192.168.100.201 6379")
    ended = room.resume(answer=choose(Choice.ABORT))
    assessed = {ended.steps[one.index].step.id: one for one in ended.assessments}
    assert assessed["stop-keepalived"].kind is AssessmentKind.OBSERVED
    assert "keepalived is stopped on redis-b" in assessed["stop-keepalived"].why
    assert assessed["start-survivor"].kind is AssessmentKind.OBSERVED, "it was skipped, and is so now"
    assert assessed["replicate"].kind is AssessmentKind.UNKNOWN
    assert assessed["replicate"].command == "redis-b> SLAVEOF 192.168.100.201 6379"
    assert assessed["final-proof"].kind is AssessmentKind.OPEN
    assert next(run for run in room.operator.told if run.assessments).current is None
    assert [entry.kind for entry in room.past().entries].count("believed") == 1


def test_what_was_carried_out_is_decided_by_looking_and_not_sent_again(tmp_path):
    room = at_moment(tmp_path, "after sending SLAVEOF 192.168.100.201 6379")
    ended = room.resume()
    assert ended.outcome is Outcome.DONE, ended.message
    assert not room.operator.asked("replicate"), "looking could tell: nobody is asked"
    assert "proved by looking" in room.past().steps[8].note
    assert sum("SLAVEOF" in text for text in room.actuator.texts) == 1


def test_what_was_not_carried_out_is_asked_and_sent_only_through_its_whole_gate(tmp_path):
    room = at_moment(tmp_path, "before sending SLAVEOF 192.168.100.201 6379")
    ended = room.resume()
    assert ended.outcome is Outcome.DONE, ended.message
    trouble, gate = room.operator.asked("replicate")
    assert (trouble.kind, gate.kind) == (QuestionKind.TROUBLE, QuestionKind.TYPE_NAME)
    assert "no answer" in trouble.reason or "answer was" in trouble.reason
    assert [one.partition(":")[0] for one in trouble.remedies] == ["look again", "retry", "take it back", "stop here"]


def test_who_does_not_want_it_sent_again_ends_the_run_as_unknown(tmp_path):
    room = at_moment(tmp_path, "before sending SLAVEOF 192.168.100.201 6379")
    ended = room.resume(answer=agree)
    assert ended.outcome is Outcome.UNKNOWN
    assert room.past().steps[8].status is StepStatus.UNKNOWN
    assert not any("SLAVEOF" in text for text in room.actuator.texts)


def test_a_node_that_lost_what_was_done_begins_again_where_that_is(tmp_path):
    """It was rebooted: its Redis is down again and its keepalived came up with it."""
    room = at_moment(tmp_path, "after verified 9", room=Room(tmp_path / "runs", World(samples.failed_over_pair())))
    back = samples.with_keepalived(room.pair.state, B, running=True, state=VrrpState.BACKUP)
    down = samples.failed_over_pair().node(B)
    room.pair.state = samples.with_node(back, B, redis=down.redis, processes=down.processes)
    ended = room.resume()
    assessed = {ended.steps[one.index].step.id: one for one in ended.assessments}
    assert assessed["stop-keepalived"].kind is AssessmentKind.OPEN
    assert "and now not so: " in assessed["start-returning"].why
    assert ended.outcome is Outcome.DONE, ended.message
    sent = [text.splitlines()[0] for text in room.actuator.texts]
    assert sent.count("redis-b> systemctl stop keepalived") == 2
    assert sent.count("redis-b> systemctl start redis-server") == 2
    assert sent.count("redis-b> SLAVEOF 192.168.100.201 6379") == 2


def test_what_a_later_step_has_overtaken_is_not_undone(tmp_path):
    """keepalived was stopped in the beginning and is started in the end: nobody stops it again."""
    room = at_moment(tmp_path, "after sending systemctl start keepalived")
    ended = room.resume()
    assessed = {ended.steps[one.index].step.id: one.kind for one in ended.assessments}
    assert assessed["stop-keepalived"] is AssessmentKind.JOURNAL
    assert ended.outcome is Outcome.DONE
    assert sum("stop keepalived" in text for text in room.actuator.texts) == 1


def test_a_pause_of_the_console_that_died_is_still_counted(tmp_path):
    whole = walk(tmp_path / "whole", "planned-switchover")
    whole.run()
    for step, counted in ((3, True), (6, False)):
        room = walk(tmp_path / f"{step}", "planned-switchover")
        assert room.run(whole.moments.names.index(f"after step {step}")) is None
        room.clock.time += 12
        ended = room.resume(answer=choose(Choice.ABORT))
        assert ("Writes have been paused on redis-b for 12" in ended.message) is counted, ended.message


def test_what_the_operator_decided_by_hand_is_not_asked_again(tmp_path):
    whole = walk(tmp_path / "whole", "resolve-dual-master")
    whole.run()
    room = walk(tmp_path / "runs", "resolve-dual-master")
    room.run(whole.moments.names.index("after step 3"))
    ended = room.resume()
    assert ended.assessments[1].kind is AssessmentKind.OBSERVED
    assert not room.operator.asked("decide")


def test_a_step_that_the_operator_passed_over_stays_passed_over(tmp_path):
    book = walk(tmp_path / "any", "one-shot-rebuild").runbook
    step = replace(
        book.steps[0], id="extra", skip_if=(), verify=(), require=(), action=Action("manual", {"instruction": "x"})
    )
    room = Room(tmp_path / "runs", runbook=replace(book, steps=(replace(step, gate=GateKind.CONFIRM), *book.steps)))
    room.run(26, answer=lambda question: (choose(Choice.SKIP) if question.step.id == "extra" else insist)(question))
    ended = room.resume()
    assert ended.assessments[0].kind is AssessmentKind.SKIPPED
    assert ended.steps[0].status is StepStatus.SKIPPED
    assert ended.outcome is Outcome.DONE


def test_a_runbooks_own_text_is_never_sent_again(tmp_path):
    book = walk(tmp_path / "any", "one-shot-rebuild").runbook
    step = replace(
        book.steps[0], id="extra", skip_if=(), verify=(), require=(), action=Action("shell", {"script": "echo 1"})
    )
    done = {"echo 1": [Answer(AnswerKind.DONE, "1", 0)]}
    for moment, kinds, outcome in (
        ("before sending echo 1", [QuestionKind.TROUBLE], Outcome.UNKNOWN),
        ("after sending echo 1", [QuestionKind.TROUBLE], Outcome.UNKNOWN),
        ("after result 1", [], Outcome.DONE),
    ):
        room = Room(tmp_path / moment, runbook=replace(book, steps=(step, *book.steps)), table=done)
        whole = Room(tmp_path / f"whole {moment}", runbook=room.runbook, table=done)
        whole.run()
        assert room.run(whole.moments.names.index(moment)) is None
        ended = room.resume()
        assert [one.kind for one in room.operator.asked("extra")] == kinds
        assert ended.outcome is outcome, moment
        assert sum("echo 1" in text for text in room.actuator.texts) <= 1


def test_the_report_tells_of_both_consoles_and_calls_nothing_unknown_that_was_decided(tmp_path):
    room = at_moment(tmp_path, "after sending SLAVEOF 192.168.100.201 6379")
    before = room.past()
    told = report_text(room.run_id, before.entries, before.chain, "md")
    assert "runs resume" in told
    assert "its outcome is not known: Makes redis-b follow redis-a" in told
    room.resume()
    past = room.past()
    told = report_text(room.run_id, past.entries, past.chain, "md")
    assert "- outcome: done" in told
    assert "its outcome is not known" not in told
    assert "proved by looking" in told
    assert "resumed" in told
    assert "9 UNKNOWN: sent, or may have been" in told


# --- what has happened since ----------------------------------------------------------------------------------------

CHANGES = tuple(name for name, verb in VERBS.items() if verb.mutating)


def one_step(room, verb):
    """A step with this verb."""
    return replace(room.runbook.steps[0], action=Action(verb))


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    """A console that died at the first question of a rebuild: the pair was not protected then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        return at_moment(tmp_path_factory.mktemp("dead"), "after observed 1")


def test_every_verb_either_leaves_a_protected_cluster_as_it_is_or_is_not_offered_there(dead):
    assert set(LEAVES_PROTECTED) <= set(VERBS)
    since = since_then(dead.past(), dead.runbook, samples.healthy_pair(), dead.roles)
    assert since.was_unprotected
    for verb in CHANGES:
        said = since.objection(one_step(dead, verb), samples.healthy_pair())
        assert bool(said) is (verb not in LEAVES_PROTECTED), verb
        assert not since.objection(one_step(dead, verb), samples.failed_over_pair()), "not protected: nothing is said"
        if said:
            assert "would take that apart" in said
            assert CLOSE in said


def test_a_run_whose_cluster_is_protected_meanwhile_sends_nothing_and_says_so_first(tmp_path):
    room = at_moment(tmp_path, "after observed 1")
    room.pair.state = samples.healthy_pair()
    sent = len(room.actuator.texts)
    ended = room.resume()
    assert ended.outcome is Outcome.ABORTED
    assert len(room.actuator.texts) == sent
    asked = room.operator.asked("stop-keepalived")
    assert [one.kind for one in asked] == [QuestionKind.BLOCKED]
    assert Choice.RUN not in asked[0].choices
    assert asked[0].reason.startswith(("what this run is for is so already", "the cluster is protected now"))


def test_a_run_that_has_protected_the_pair_itself_goes_on(tmp_path):
    """Its console died right after the last command that was needed for that."""
    room = at_moment(tmp_path, "after sending systemctl start keepalived")
    assert room.resume().outcome is Outcome.DONE


def test_a_later_run_on_the_same_servers_ends_an_old_one(dead):
    past = dead.past()
    later = replace(past, run_id="later", steps=(replace(past.steps[0], commands=(sent_at(past, 60),)),))
    said = later_changes(past, [past, later])
    assert "a later run has changed cache since: one-shot-rebuild" in said
    assert "(later)" in said
    elsewhere = {**past.opened, "nodes": {"redis-a": "10.0.0.1:6379"}}
    for other in (
        replace(later, opened={**past.opened, "cluster": "another"}),
        replace(later, opened=elsewhere),
        replace(later, steps=(replace(past.steps[0], commands=(sent_at(past, -60),)),)),
        replace(later, steps=(replace(past.steps[0], commands=(sent_at(past, 60, verb="export-differences"),)),)),
        replace(later, steps=()),
    ):
        assert not later_changes(past, [other])
    since = since_then(past, dead.runbook, samples.failed_over_pair(), dead.roles, [later])
    for verb in CHANGES:
        assert since.objection(one_step(dead, verb), samples.failed_over_pair()).startswith("a later run has changed")


def sent_at(past, seconds, verb="stop-keepalived"):
    at = datetime.fromisoformat(past.entries[-1].at) + timedelta(seconds=seconds)
    return PastCommand(1, at.isoformat(), "redis-b", "systemctl stop keepalived", verb, "")


def test_other_servers_under_the_same_names_are_told_apart(dead):
    state = samples.failed_over_pair()
    answers = [node for node in state.nodes if node.redis.ok]
    assert answers
    now = state
    for node in answers:
        other = replace(node.redis, value=replace(node.redis.value, run_id="f" * 40))
        now = samples.with_node(now, node.name, redis=other)
    since = since_then(dead.past(), dead.runbook, now, dead.roles)
    assert since.over.startswith("no Redis that this run knew still runs")
    assert any("was started anew" in one for one in since.differences)
    same = since_then(dead.past(), dead.runbook, state, dead.roles)
    assert (same.over, same.differences) == ("", ())
    host = next(node for node in state.nodes if node.ssh.ok)
    moved = replace(host.ssh, value=replace(host.ssh.value, hostname="elsewhere"))
    told = since_then(dead.past(), dead.runbook, samples.with_node(state, host.name, ssh=moved), dead.roles)
    assert told.over.startswith(f"these are not the servers of this run: {host.name}: host")
    booted = replace(host.ssh, value=replace(host.ssh.value, boot_id="other"))
    told = since_then(dead.past(), dead.runbook, samples.with_node(state, host.name, ssh=booted), dead.roles)
    assert told.differences == (f"{host.name}: its host was started anew since then",)


# --- what is refused ------------------------------------------------------------------------------------------------


def refusal(room, words):
    before = room.journal.read_bytes()
    with pytest.raises(ArmingError, match=words) as refused:
        room.resume()
    assert "\n" not in str(refused.value)
    assert room.journal.read_bytes() == before, "nothing was written"


def test_a_closed_run_is_over(room):
    room.run()
    refusal(room, "is closed: done; begin a new run")


def test_a_run_that_another_console_has_under_way(tmp_path):
    room = at_moment(tmp_path, "after step 1")
    archive = FolderArchive(room.folder)
    assert archive.read(room.run_id).standing is Standing.DIED
    journal, *_ = reopen_journal(room.folder, room.run_id, room.clock.now)
    assert archive.read(room.run_id).standing is Standing.UNDER_WAY
    refusal(room, "is under way: another console writes its journal")
    journal.close()
    assert [one.standing for one in archive.summaries()] == [Standing.DIED]


def test_a_broken_chain_says_which_line(tmp_path):
    room = at_moment(tmp_path, "after step 2")
    lines = room.journal.read_text().splitlines(keepends=True)
    room.journal.write_text("".join([*lines[:4], lines[4].replace("redis-b", "redis-x"), *lines[5:]]))
    refusal(room, "broken at line 5: it was changed after it was written")


def test_a_runbook_that_was_changed_since(tmp_path):
    room = at_moment(tmp_path, "after step 2")
    changed = replace(room.runbook, digest="0" * 64)
    room.console_context = replace(room.console_context, runbooks=(changed,))
    refusal(room, "was changed since .*its text is another .*begin a new run instead")
    room.console_context = replace(room.console_context, runbooks=(replace(changed, steps=changed.steps[1:]),))
    refusal(room, "stop-keepalived is gone")
    room.console_context = replace(room.console_context, runbooks=())
    refusal(room, "is not there any more")


def test_nodes_that_have_other_addresses_now(tmp_path):
    room = at_moment(tmp_path, "after step 2")
    moved = replace(CLUSTER, nodes=(CLUSTER.nodes[0], node_spec(B, address="192.168.100.209")))
    room.console_context = replace(room.console_context, inventory=Inventory("inventory.yaml", (moved,)))
    refusal(room, "redis-b was 192.168.100.202:6379, is 192.168.100.209:6379 now")
    room.console_context = replace(room.console_context, inventory=Inventory("inventory.yaml", ()))
    refusal(room, "ran on cache, which inventory.yaml does not have")


def test_a_run_that_died_before_it_had_roles(room):
    assert room.run(1) is None
    refusal(room, "died before its roles were bound: nothing was sent")


# --- half a line ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [1, 0.5, 0.999])
def test_half_a_line_at_the_end_is_set_aside_and_the_chain_goes_on(tmp_path, kept):
    room = at_moment(tmp_path, "after result 9")
    lines = room.journal.read_bytes().splitlines(keepends=True)
    half = lines[-1][: max(1, int(len(lines[-1]) * kept))] if kept != 1 else lines[-1][:-1]
    room.journal.write_bytes(b"".join([*lines[:-1], half]))
    past = room.past()
    assert (past.standing, past.chain.broken_line, past.chain.unfinished) == (Standing.DIED, len(lines), True)
    assert past.steps[8].status is StepStatus.UNKNOWN, "the answer was in that line"
    ended = room.resume()
    assert ended.outcome is Outcome.DONE, ended.message
    past = room.past()
    assert past.chain.sound
    (cut,) = [one["cut"] for one in past.resumed]
    assert (cut["line"], cut["bytes"]) == (len(lines), len(half))
    assert (room.journal.parent / cut["kept_in"]).read_bytes() == half
    assert sum("SLAVEOF" in text for text in room.actuator.texts) == 1


def test_a_line_that_is_cut_anywhere_else_is_a_broken_chain(tmp_path):
    room = at_moment(tmp_path, "after step 2")
    lines = room.journal.read_bytes().splitlines(keepends=True)
    room.journal.write_bytes(b"".join([*lines[:3], lines[3][:40] + b"\n", *lines[4:]]))
    refusal(room, "broken at line 4")
