"""A run through the screen: the gate cannot be passed by accident, the question stays, the runner is never cut off."""

import itertools
import threading
from dataclasses import replace

import pytest
import samples
from textual.events import Key
from tui_stage import PREVIEW, REBUILD, asked, asked_again, question, run_state, seen, stage, stop_and_confirm, until

from console.core.model.verdict import Check, Verdict
from console.core.runs.question import Choice, QuestionKind
from console.core.runs.state import AssessmentKind, Outcome, StepAssessment
from console.tui.navigation import routes
from console.tui.present.runs.sections import newest_known
from console.tui.screens.arm import ArmScreen
from console.tui.screens.cluster import ClusterScreen
from console.tui.screens.dialogs.quit import QuitDialog
from console.tui.screens.run import RunScreen
from console.tui.screens.runbooks import RunbooksScreen
from console.tui.threads.messages import ClusterObserved
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.question import QuestionBox


def text_of(app, name):
    return app.screen.query_one(f"#{name}", LinesPane).text


async def armed(pilot, on):
    """By keyboard from the cluster to the first question."""
    await seen(pilot, on)
    await pilot.press("b")
    assert isinstance(on.app.screen, RunbooksScreen)
    await pilot.press("enter")
    assert isinstance(on.app.screen, ArmScreen)
    await pilot.pause()
    assert on.app.focused.id == "back"
    await pilot.press("tab", "enter")
    await asked(pilot, on)
    await pilot.pause()


async def test_a_gate_has_its_focus_on_no_and_enter_stops_the_run_after_one_more_question():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert on.app.focused.id == "abort"
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.app.armed_run is None)
        assert [one.choice for one in on.run_starter.run.decisions] == [Choice.ABORT]
        await pilot.pause()
        assert "ABORTED" in text_of(on.app, "title")
        assert "READ-ONLY" in text_of(on.app, "header")


async def test_a_gate_cannot_be_passed_with_the_wrong_name():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        confirm = on.app.screen.query_one("#confirm")
        await pilot.press("tab")
        assert on.app.focused.id == "typed"
        for wrong in ("redis-a", "redis-", "REDIS-B", "redis-b "):
            on.app.focused.value = wrong
            await pilot.pause()
            assert confirm.disabled
            await pilot.press("enter")
            confirm.press()
            await pilot.pause()
            assert on.run_starter.run.decisions == []
        assert on.app.armed_run.question is not None


async def test_a_name_that_is_typed_before_the_focus_has_moved_is_not_lost():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert on.app.focused.id == "abort"
        for letter in "redis-b":
            on.app.post_message(Key("minus" if letter == "-" else letter, letter))
        await until(pilot, lambda: on.app.screen.query_one("#typed").value == "redis-b")
        assert on.app.focused.id == "typed"
        assert on.inspector.reconnected == 0, "letters of the name are text here, not keys"


async def test_four_answers_fit_on_a_narrow_screen_and_the_focus_has_a_sign():
    choices = (Choice.LOOK_AGAIN, Choice.RUN, Choice.SKIP, Choice.ABORT)
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 0, choices=choices)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        buttons = list(on.app.screen.query("QuestionBox Button"))
        assert [one.id for one in buttons] == ["abort", "look-again", "confirm", "skip"]
        assert all(one.region.right <= 80 for one in buttons)
        assert all(on.app.screen.region.contains_region(one.region) for one in buttons)
        assert [str(one.render()).startswith("▸") for one in buttons] == [True, False, False, False]


async def test_the_right_name_passes_it_with_the_digest_of_what_was_shown():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("tab", *"redis-b")
        assert on.inspector.reconnected == 0, "letters are text here, not keys"
        assert not on.app.screen.query_one("#confirm").disabled
        await pilot.press("tab")
        assert on.app.focused.id == "confirm"
        await pilot.press("enter")
        await until(pilot, lambda: on.app.armed_run is None)
        (decision,) = on.run_starter.run.decisions
        assert (decision.choice, decision.typed, decision.digest) == (Choice.RUN, "redis-b", question().digest)
        assert on.app.run_state.outcome is Outcome.DONE
        assert "runs report 20261121-074000-cache" in text_of(on.app, "step")


async def test_a_confirmation_is_answered_no_by_default():
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 0), question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert str(on.app.focused.label) == "No, stop the run"
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(on.run_starter.run.decisions) == 1)
        await until(pilot, lambda: on.app.screen.query("#typed"))
        assert on.run_starter.run.decisions[0].choice is Choice.RUN
        await asked(pilot, on)
        assert on.app.focused.id == "abort", "the next question begins at its safe answer too"
        await pilot.press("enter")


async def test_what_sends_something_is_never_the_first_button_nor_next_to_it_by_accident():
    choices = (Choice.LOOK_AGAIN, Choice.RUN, Choice.ABORT)
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 0, choices=choices)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert [one.id for one in on.app.screen.query("#answers Button")] == ["abort", "look-again"]
        assert [one.id for one in on.app.screen.query("#sending Button")] == ["confirm"]
        assert on.app.focused.id == "abort"
        await pilot.press("enter")
        await until(pilot, lambda: on.app.armed_run is None)


async def test_blocked_and_trouble_give_their_reason_and_the_safe_choice_first():
    blocked = question(
        QuestionKind.BLOCKED,
        reason="redis-a does not hold the VIP",
        choices=(Choice.LOOK_AGAIN, Choice.SKIP, Choice.ABORT),
    )
    trouble = question(
        QuestionKind.TROUBLE,
        reason="the answer was lost: it may have been carried out",
        choices=(Choice.LOOK_AGAIN, Choice.ABORT),
        remedies=(
            "look again: nothing is sent",
            "take it back: SLAVEOF NO ONE on redis-b",
            "stop here: redis-b stays stale",
        ),
    )
    on = stage(samples.stale_master_back(), questions=[blocked, trouble])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert "redis-a does not hold the VIP" in text_of(on.app, "step")
        assert on.app.focused.id == "look-again"
        await pilot.press("enter")
        await until(pilot, lambda: "the answer was lost" in text_of(on.app, "step"))
        await asked(pilot, on)
        assert "Do now  · look again: nothing is sent\n        · take it back: SLAVEOF" in text_of(on.app, "step")
        assert [str(one.label) for one in on.app.screen.query("#answers Button")] == ["Look again", "Stop here"]
        await pilot.press("tab")
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.app.armed_run is None)


@pytest.mark.parametrize("kind", [QuestionKind.CONFIRM, QuestionKind.TYPE_NAME])
async def test_a_resumed_run_shows_its_question_on_the_first_page_and_below_it_what_it_assumes_and_why(kind):
    long_reason = "keepalived is stopped on redis-b (no process); " * 9
    assessments = (
        StepAssessment(0, AssessmentKind.OBSERVED, long_reason),
        StepAssessment(1, AssessmentKind.UNKNOWN, "no answer is recorded", "redis-b> systemctl start redis-server"),
        StepAssessment(2, AssessmentKind.OPEN, "not begun"),
    )
    on = stage(samples.stale_master_back(), questions=[question(kind)])
    on.run_starter.run.state = run_state(0, resumed=True, assessments=assessments)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        on.app.run_state = run_state(2, resumed=True, assessments=assessments)
        await pilot.pause()
        pane = on.app.screen.query_one("#step", LinesPane)
        page = "\n".join(one.plain for one in pane.lines[: pane.room.height])
        assert "Step 3 of 4 on redis-b: Make the returning node a replica" in page
        assert "Sends   redis-b, Redis: SLAVEOF 192.168.100.201 6379" in page
        assert "PgDn: more" in text_of(on.app, "question-head")
        text = " ".join(pane.text.split())
        assert "1 keepalived-off, done by observation: keepalived is stopped on redis-b (no process)" in text
        assert "2 start-redis, UNKNOWN: no answer is recorded redis-b> systemctl start redis-server" in text
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert "State when the run was resumed" in text_of(on.app, "step")
        await pilot.press("escape")
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.app.armed_run is None)


async def test_a_loss_is_taken_by_the_whole_sentence_only():
    sentence = "I accept that redis-b loses what redis-a does not have"
    blocked = question(
        QuestionKind.BLOCKED,
        choices=(Choice.LOOK_AGAIN, Choice.OVERRIDE, Choice.ABORT),
        sentence=sentence,
        preview=PREVIEW,
    )
    on = stage(samples.stale_master_back(), questions=[blocked])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert on.app.focused.id == "look-again", "what is safe has the focus"
        assert str(on.app.screen.query_one("#typed-label").render()) == f"Type: {sentence}"
        assert on.app.screen.query_one("#typed").size.width > len(sentence), (
            "the whole sentence is seen while it is typed"
        )
        assert "Is that accepted?" in text_of(on.app, "question-head"), "and not: it cannot run"
        assert [one.id for one in on.app.screen.query("#sending Button")] == ["confirm"]
        confirm, field = on.app.screen.query_one("#confirm"), on.app.screen.query_one("#typed")
        for wrong in ("redis-b", sentence.lower(), sentence[:-1]):
            field.value = wrong
            await pilot.pause()
            assert confirm.disabled
        field.value = sentence[:-5]
        field.cursor_position = len(field.value)
        await pilot.press(*("space" if one == " " else one for one in sentence[-5:]))
        await until(pilot, lambda: not confirm.disabled)
        await pilot.press("enter")
        await until(pilot, lambda: on.app.armed_run is None)
        (decision,) = on.run_starter.run.decisions
        assert (decision.choice, decision.typed) == (Choice.OVERRIDE, sentence)


async def test_the_question_stays_while_the_cluster_changes_around_it():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        box = on.app.screen.query_one(QuestionBox)
        await pilot.press("tab", *"redis")
        for second in range(1, 6):
            on.clock.at = samples.NOW + second
            on.app.post(ClusterObserved(samples.failed_over_pair(on.clock.at)))
            await pilot.pause()
        on.app.screen.paint()
        await pilot.pause()
        assert on.app.screen.query_one(QuestionBox) is box
        assert on.app.focused.id == "typed"
        assert on.app.focused.value == "redis"
        assert " 5 s " in text_of(on.app, "question-head"), "the age of the question goes on"
        assert "connection refused" in text_of(on.app, "nodes"), "the nodes above it stay alive"


async def test_preconditions_are_looked_at_live_while_the_question_is_open():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 60)) as pilot:
        await armed(pilot, on)
        before = text_of(on.app, "step")
        on.app.post(ClusterObserved(samples.healthy_pair(samples.NOW + 1)))
        await pilot.pause()
        await pilot.pause()
        assert "Redis on redis-a is a master" not in before, "what holds is folded"
        assert "Not so  ✗ Redis on redis-a is a master" in text_of(on.app, "step")


async def test_after_a_refusal_the_differences_come_first():
    again = question(refused=True, differences=("redis-a: the VIP was here, is gone",), digest="another")
    on = stage(samples.stale_master_back(), questions=[question(), again])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("tab", *"redis-b", "enter")
        await until(pilot, lambda: "this has changed since it was shown" in text_of(on.app, "step"))
        await asked(pilot, on)
        assert on.app.focused.id == "abort"
        assert on.app.screen.query_one("#typed").value == "", "the name is typed again"
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.app.armed_run is None)


async def test_everything_of_a_gate_can_be_read_by_keyboard_on_a_small_terminal():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("f2", "f3", "f5")
        await pilot.pause()
        step = on.app.screen.query_one("#step", LinesPane)
        await pilot.press("home")  # what a key unfolds is in view, and this is above it
        await pilot.pause()
        assert "PgDn: more" in text_of(on.app, "question-head")
        read = set()
        for _ in range(10):
            top = step.scroll_offset.y
            read |= {one.plain for one in step.lines[top : top + step.size.height]}
            await pilot.press("pagedown")
            await pilot.pause()
        assert {one.plain for one in step.lines} == read
        assert PREVIEW.warnings[0] in "\n".join(read)
        assert on.app.focused.id == "abort", "reading does not move the focus"


async def test_the_run_goes_on_while_the_operator_looks_at_the_cluster():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("escape")
        while not isinstance(on.app.screen, ClusterScreen):
            await pilot.press("escape")
        await pilot.pause()
        assert "ARMED, asks you" in text_of(on.app, "header")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(on.app.screen, RunScreen) and on.app.screen.query(QuestionBox))
        assert on.app.focused.id == "abort"


async def test_details_of_other_steps_and_back_to_the_run():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert "redis-b: Starting redis: OK" in text_of(on.app, "step")
        await pilot.press("escape")
        await pilot.pause()
        assert "Sends   redis-b, Redis: SLAVEOF" in text_of(on.app, "step")


async def test_quitting_while_armed_asks_and_staying_is_the_default():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("q")
        assert isinstance(on.app.screen, QuitDialog)
        await pilot.press("enter")
        assert isinstance(on.app.screen, RunScreen)
        await asked_again(pilot, on)
        await pilot.press("q", "tab", "enter")
        await until(pilot, lambda: not on.app.is_running)
    assert [one.choice for one in on.run_starter.run.decisions] == [Choice.ABORT]


async def test_the_wait_for_a_proof_can_be_ended():
    sending = threading.Event()
    on = stage(samples.stale_master_back(), questions=[question()], sending=sending)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        assert "stop waiting" not in text_of(on.app, "footer"), "it is the run that waits, for an answer"
        assert "waits for your answer" in text_of(on.app, "title")
        await pilot.press("s", "escape")
        assert on.run_starter.run.waits_ended == 0
        await pilot.press(*"redis-b", "enter")
        await until(pilot, lambda: on.app.run_state.current == 3)
        await pilot.pause()
        assert "waits for the proof" in text_of(on.app, "title")
        assert "stop waiting" in text_of(on.app, "footer")
        await pilot.press("s")
        assert on.run_starter.run.waits_ended == 1
        sending.set()
        await until(pilot, lambda: on.app.armed_run is None)


async def test_quitting_waits_for_what_is_being_sent():
    sending = threading.Event()
    on = stage(samples.stale_master_back(), questions=[question()], sending=sending)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await armed(pilot, on)
        await pilot.press("tab", *"redis-b", "enter")
        await until(pilot, lambda: on.app.run_state.current == 3)
        await pilot.press("q", "tab", "enter")
        for _ in range(10):
            await pilot.pause(0.02)
        assert on.app.is_running
        assert on.app.armed_run is not None
        sending.set()
        await until(pilot, lambda: not on.app.is_running)
    assert on.app.run_state.outcome is Outcome.DONE


async def test_a_runner_that_breaks_its_promise_does_not_take_the_screen_with_it():
    on = stage(samples.stale_master_back(), questions=[question()])
    on.run_starter.run.execute = lambda operator: 1 / 0
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter", "tab", "enter")
        await until(pilot, lambda: on.app.armed_run is None)
        assert any("ZeroDivisionError" in one.message for one in on.app._notifications)


async def test_where_the_roles_do_not_fit_the_right_choice_is_one_key_away():
    on = stage(samples.stale_master_back(), questions=[question()])
    survivor, returning = REBUILD.roles
    chooses = replace(REBUILD, roles=(replace(survivor, operator_may_choose=True), returning))
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        on.app.open_screen(routes.ARM, "cache", chooses, {"survivor": samples.B})
        await until(pilot, lambda: isinstance(on.app.screen, ArmScreen))
        await until(pilot, lambda: "The roles do not fit." in text_of(on.app, "arming"))
        assert on.app.focused.id == "candidates"
        await pilot.press("enter")
        await until(pilot, lambda: "The roles do not fit." not in text_of(on.app, "arming"))
        assert f"survivor   {samples.A}" in text_of(on.app, "arming")
        assert not on.app.screen.query_one("#candidates").display


def test_what_only_the_look_of_the_run_has_read_is_not_unknown_beside_its_question():
    def check(verdict, evidence):
        return Check(verdict, "there is room", evidence)

    asked = (check(Verdict.HOLDS, "run"), check(Verdict.FAILS, "run"), check(Verdict.UNKNOWN, "run"))
    for live in itertools.product(Verdict, repeat=3):
        shown = newest_known(asked, tuple(check(one, "live") for one in live))
        for was, now, told in zip(asked, live, shown, strict=True):
            kept = now is Verdict.UNKNOWN and was.verdict is not Verdict.UNKNOWN
            assert (told.verdict, told.evidence) == ((was.verdict, "run") if kept else (now, "live"))
    unread = (check(Verdict.UNKNOWN, "live"),)
    assert newest_known((), unread) == unread
