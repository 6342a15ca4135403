"""A question on the screen: one page, the same keys at each, and no answer that was typed before it could be read."""

import itertools
import time
from dataclasses import replace

import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste
from tui_stage import PREVIEW, asked, question, seen, stage, stop_and_confirm, until

from console.core.command import Planned, ShellCommand
from console.core.model.verdict import Check, Verdict
from console.core.runs.question import Choice, Decision, QuestionKind
from console.tui.keys import KEYS
from console.tui.present.runs import question as present
from console.tui.present.runs.question import FOLD_KEYS, Fold, question_lines
from console.tui.screens import run as run_screen
from console.tui.widgets.input_guard import SECONDS, InputGuard
from console.tui.widgets.lines import LinesPane

GATES = (QuestionKind.CONFIRM, QuestionKind.TYPE_NAME)
SCRIPT = Planned(
    samples.B,
    ShellCommand("\n".join(f"line {number} of a long script" for number in range(60))),
    "Changes the priority on redis-b.",
    detail="--- keepalived.conf\n+++ keepalived.conf (new)\n@@ -17,5 +17,5 @@\n-    priority 139\n+    priority 137",
)
HELD = tuple(Check(Verdict.HOLDS, f"condition {number} holds", "as it was read") for number in range(24))
FAILS = Check(Verdict.FAILS, "redis-b does not hold the VIP", "192.168.100.123 on eth2", "stop its keepalived")


async def first_question(pilot, on):
    await seen(pilot, on)
    await pilot.press("b", "enter", "tab", "enter")
    return await asked(pilot, on)


def text_of(on, name):
    return on.app.screen.query_one(f"#{name}", LinesPane).text


# --- one page -------------------------------------------------------------------------------------------------------


def test_what_decides_comes_first_and_the_rest_is_folded():
    shown = question(planned=(SCRIPT,), checks=(*HELD, FAILS))
    texts = {
        folds: "\n".join(one.plain for one in question_lines(shown, (), frozenset(folds), 14, 78, 15))
        for count in range(len(Fold) + 1)
        for folds in itertools.combinations(Fold, count)
    }
    for folds, text in texts.items():
        order = ["Step 3 of 14 on redis-b", "Changes the priority on redis-b.", "priority 137", "Everything that only"]
        order += ["✗ redis-b does not hold the VIP", "24 conditions hold", *(FOLD_KEYS[one] for one in folds)]
        places = [text.index(one) for one in order[:6]]
        assert places == sorted(places)
        assert ("line 59 of a long script" in text) is (Fold.COMMANDS in folds)
        assert ("condition 23 holds" in text) is (Fold.CONDITIONS in folds)
        assert (shown.evidence[0] in text) is (Fold.EVIDENCE in folds)
    assert len(texts[()].splitlines()) <= 15, "it fits between the nodes and the answers of 80x24"


def test_each_fold_has_the_key_that_the_text_names():
    bound = {key.action: key.shown for key in KEYS if key.place == "run"}
    assert {f"unfold('{fold}')": FOLD_KEYS[fold] for fold in Fold}.items() <= bound.items()


async def test_a_gate_is_one_page_and_its_keys_unfold_the_rest():
    shown = question(planned=(SCRIPT,), checks=HELD)
    on = stage(samples.stale_master_back(), questions=[shown])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        step = on.app.screen.query_one("#step", LinesPane)
        assert not step.max_scroll_y
        assert "PgDn" not in text_of(on, "question-head")
        for fold in Fold:
            before = step.text
            await pilot.press(FOLD_KEYS[fold].lower())
            await pilot.pause()
            assert (step.text != before) is (fold is not Fold.LOSS), "this preview has no costs"
        assert step.max_scroll_y
        assert "PgDn" in text_of(on, "question-head")
        assert on.app.focused.id == "abort", "reading does not move the focus"


@pytest.mark.parametrize("before", [(), (Fold.COMMANDS,), (Fold.COMMANDS, Fold.CONDITIONS)], ids=len)
async def test_what_a_key_unfolds_is_in_view_and_folding_shows_the_question_again(before):
    shown = question(planned=(SCRIPT,), checks=HELD)
    on = stage(samples.stale_master_back(), questions=[shown])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        for fold in before:
            await pilot.press(FOLD_KEYS[fold].lower())
        await pilot.press(FOLD_KEYS[Fold.EVIDENCE].lower())
        await until(pilot, lambda: shown.evidence[0] in page_of(on))
        await pilot.press(FOLD_KEYS[Fold.EVIDENCE].lower())
        await until(pilot, lambda: page_of(on).startswith("Step 3 of"))
        assert on.app.focused.id == "abort", "reading does not move the focus"


async def test_a_question_is_drawn_at_its_whole_width_before_anything_is_laid_out(monkeypatch):
    """The list of steps leaves its place with the question: no text is drawn for the width beside the list."""
    title = "one two three four five six seven eight nine ten eleven"
    shown = question(step=replace(question().step, title=title))
    drawn = []
    on = stage(samples.stale_master_back(), questions=[shown])
    monkeypatch.setattr(
        run_screen, "question_lines", lambda *given: (drawn.append(given[4]), question_lines(*given))[1]
    )
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        assert set(drawn) == {on.app.screen.query_one("#step", LinesPane).room.width}


# --- nothing is sent unseen -----------------------------------------------------------------------------------------

LONG_LOSS = replace(PREVIEW, lines=tuple(f"db{number}: 1 key" for number in range(40)))
YES = {
    QuestionKind.CONFIRM: ((), "y"),
    QuestionKind.TYPE_NAME: (tuple("redis-b"), "enter"),
    QuestionKind.TROUBLE: (("tab",), "enter"),
    QuestionKind.BLOCKED: (tuple("yes"), "enter"),
}
"""For each kind that can send: the keys before the yes, and the key of the yes."""
ACCEPTS = {"choices": (Choice.ABORT, Choice.OVERRIDE), "sentence": "yes"}


def page_of(on):
    pane = on.app.screen.query_one("#step", LinesPane)
    return "\n".join(one.plain for one in pane.lines[pane.scroll_offset.y :][: pane.room.height])


@pytest.mark.parametrize("kind", QuestionKind)
async def test_no_yes_is_taken_while_another_step_is_looked_at(kind):
    """The question is shown, and nothing is sent."""
    more = ACCEPTS if kind is QuestionKind.BLOCKED else {}
    on = stage(samples.stale_master_back(), questions=[question(kind, **{"preview": LONG_LOSS, **more})])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        before, yes = YES[kind]
        await pilot.press(*before)
        on.app.screen.action_step(-1)  # its key is text where something is typed
        await pilot.pause()
        assert "SLAVEOF" not in page_of(on)
        await pilot.press(yes)
        await pilot.pause()
        assert not on.run_starter.run.decisions
        assert "Step 3 of 4 on redis-b" in page_of(on)
        assert "SLAVEOF" in page_of(on)
        assert (present.OUT_OF_VIEW[:30] in text_of(on, "question-head")) is (yes == "enter")
        for _ in range(20):  # a button that was just pressed takes no second key for a moment
            if not on.run_starter.run.decisions:
                await pilot.press(yes)
                await pilot.pause(0.1)
        assert on.run_starter.run.decisions


@pytest.mark.parametrize("kind", QuestionKind)
@pytest.mark.parametrize("away", [("pagedown",), ("end",), ("pagedown", "pageup", "end")], ids="-".join)
async def test_whoever_read_on_below_the_commands_is_not_asked_to_read_them_again(kind, away):
    more = ACCEPTS if kind is QuestionKind.BLOCKED else {}
    on = stage(samples.stale_master_back(), questions=[question(kind, **{"preview": LONG_LOSS, **more})])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        assert "SLAVEOF" in page_of(on)
        before, yes = YES[kind]
        await pilot.press(*before, *away)
        await pilot.pause()
        assert "SLAVEOF" not in page_of(on)
        await pilot.press(yes)
        await until(pilot, lambda: on.run_starter.run.decisions)


async def test_a_command_that_has_changed_since_it_was_in_view_is_shown_before_a_yes_counts(monkeypatch):
    """What is read is the words: a row that says something else now was not read, wherever it stands."""
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, preview=LONG_LOSS)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("end")
        await pilot.pause()
        other = replace(question(QuestionKind.CONFIRM, preview=LONG_LOSS), planned=(SCRIPT,))
        monkeypatch.setattr(run_screen, "question_lines", lambda _, *rest, lines=question_lines: lines(other, *rest))
        on.app.screen.paint()
        await pilot.press("y")
        await pilot.pause()
        assert not on.run_starter.run.decisions
        assert present.OUT_OF_VIEW in text_of(on, "question-head")
        assert SCRIPT.summary in page_of(on)


async def test_commands_of_several_pages_are_read_to_their_end_before_a_yes_counts():
    many = tuple(replace(SCRIPT, summary=f"Changes part {number}.", detail="") for number in range(40))
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 0, planned=many)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        read = set()
        for _ in range(9):
            read |= {one for one in range(40) if f"Changes part {one}." in page_of(on)}
            if len(read) == 40:
                break
            await pilot.press("y")
            await pilot.pause()
            assert not on.run_starter.run.decisions
            assert present.OUT_OF_VIEW in text_of(on, "question-head")
            first = min(set(range(40)) - read)
            assert f"Changes part {first}." in page_of(on), "it is shown from the first one on that was not in view"
        await pilot.press("y")
        await until(pilot, lambda: on.run_starter.run.decisions)


# --- each key has an effect, or a word says why not -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "keys", "told"),
    [
        (QuestionKind.CONFIRM, "n", "“n” is not taken. Yes is y; for another answer: Tab and Enter."),
        (QuestionKind.TYPE_NAME, "y", present.NOT_SO_FAR),
        (QuestionKind.TYPE_NAME, "z", present.NOT_SO_FAR),
        (QuestionKind.TYPE_NAME, ["r", "e", "x", "enter"], "“rex” is not the text. Yes takes: redis-b"),
        (QuestionKind.TYPE_NAME, ["tab", "enter"], "nothing is typed. Yes takes: redis-b"),
        (QuestionKind.TROUBLE, "y", "“y” is not taken. For another answer: Tab and Enter."),
    ],
)
async def test_a_key_that_answers_nothing_says_what_would(kind, keys, told):
    on = stage(samples.stale_master_back(), questions=[question(kind)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press(*keys)
        await pilot.pause()
        assert told in text_of(on, "question-head")
        assert not on.run_starter.run.decisions


# --- the same keys at each question -----------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), (Choice.SKIP,)])
async def test_yes_has_one_place_whatever_else_can_be_answered(more):
    choices = (Choice.LOOK_AGAIN, Choice.RUN, *more, Choice.ABORT)
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 0, choices=choices)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        assert on.app.focused.id == "abort"
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: on.run_starter.run.decisions)
        assert on.run_starter.run.decisions[0].choice is Choice.RUN


@pytest.mark.parametrize("kind", QuestionKind)
async def test_y_answers_only_a_step_that_asks_for_nothing_more(kind):
    choices = (Choice.LOOK_AGAIN, Choice.RUN, Choice.ABORT)
    on = stage(samples.stale_master_back(), questions=[question(kind, choices=choices)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        box = await first_question(pilot, on)
        assert ("y yes" in text_of(on, "footer")) is (kind is QuestionKind.CONFIRM)
        await pilot.press("y")
        if kind is QuestionKind.CONFIRM:
            await until(pilot, lambda: on.run_starter.run.decisions)
            assert on.run_starter.run.decisions[0].choice is Choice.RUN
        else:
            await pilot.pause()
            assert not on.run_starter.run.decisions
            assert box.question is on.app.armed_run.question


async def test_a_question_keeps_its_own_step_while_another_step_is_looked_at():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        for key in ("left_square_bracket", "left_square_bracket", "right_square_bracket"):
            await pilot.press(key)
            await pilot.pause()
            assert text_of(on, "question-head").startswith("Step 3: run it on redis-b?")
            assert not text_of(on, "step").startswith("Step 3")
            assert on.app.screen.query_one("#steps").size.width, "the list of steps is there to choose from"
        await pilot.press("escape")
        await pilot.pause()
        assert text_of(on, "step").startswith("Step 3 of 4 on redis-b")
        assert on.app.screen.question is not None, "one step back, and not two"


async def test_the_list_of_steps_is_drawn_whole_when_it_comes_back():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("left_square_bracket")
        await pilot.pause()
        rows = on.app.screen._compositor.render_strips()
        drawn = "\n".join("".join(segment.text for segment in strip) for strip in rows)
        assert all(one.step.id in drawn for one in on.app.run_state.steps), drawn


async def test_y_shows_the_question_first_while_another_step_is_looked_at():
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 1)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("left_square_bracket", "y")
        await pilot.pause()
        assert not on.run_starter.run.decisions
        assert text_of(on, "step").startswith("Step 2 of 4")
        await pilot.press("y")
        await until(pilot, lambda: on.run_starter.run.decisions)


async def test_the_field_looks_ready_before_it_has_the_focus():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        field = on.app.screen.query_one("#typed")
        assert str(on.app.screen.query_one("#typed-label").render()) == "Type the name redis-b:"
        assert field.placeholder == "█ just type"
        await pilot.press("r")
        assert field.has_focus
        assert field.value == "r"
        assert field.placeholder == ""


# --- nothing that was typed before is an answer -------------------------------------------------------------------


class Moments:
    """A clock that moves when told to."""

    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


@given(st.lists(st.floats(0, 2), max_size=30), st.floats(0, 5))
def test_a_key_counts_only_after_a_pause_since_the_question_was_shown(gaps, shown_after):
    moments = Moments()
    guard = InputGuard(moments)
    assert guard.refuses(Paste("redis-b")), "before the question is on the screen"
    moments.at += shown_after
    guard.begin()
    quiet, refused = 0.0, 1
    for gap in gaps:
        moments.at += gap
        quiet += gap
        early = guard.refuses(Key("y", "y"))
        if abs(quiet - SECONDS) > 0.05:  # the key itself is a moment old
            assert early is (quiet < SECONDS)
        quiet, refused = (0.0, refused + 1) if early else (quiet, refused)
        assert guard.refused == refused


@given(st.floats(0.1, 60))
def test_a_key_that_waited_in_the_queue_counts_by_when_it_was_pressed(waited):
    moments = Moments()
    guard = InputGuard(moments)
    guard.begin()
    moments.at += SECONDS + 0.05
    key = Key("enter", "\r")
    key.time = time.monotonic() - waited
    assert guard.refuses(key)


@pytest.mark.parametrize("kind", GATES)
async def test_what_was_typed_before_the_question_could_be_read_is_discarded_and_it_says_so(kind):
    on = stage(samples.stale_master_back(), questions=[question(kind)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        await pilot.press("b", "enter", "tab", "enter")
        await until(pilot, lambda: any(box.is_shown for box in on.app.screen.query("QuestionBox")))
        ahead = [*"redis-b", "enter", "y", "tab", "tab", "enter"]
        await pilot.press(*ahead)  # the clock stands still: no moment has passed since the question appeared
        on.app.post_message(Paste("redis-b\n"))
        await until(pilot, lambda: f"{len(ahead) + 1} keys were not taken" in text_of(on, "question-head"))
        assert not on.run_starter.run.decisions
        assert on.app.focused.id == "abort"
        assert [field.value for field in on.app.screen.query("#typed")] == ([""] if kind is GATES[1] else [])
        on.clock.steady += SECONDS * 1.1
        late = Key("enter", "\r")
        late.time = time.monotonic() - 5
        on.app.post_message(late)
        await until(pilot, lambda: f"{len(ahead) + 2} keys were not taken" in text_of(on, "question-head"))
        assert not on.run_starter.run.decisions
        on.clock.steady += SECONDS * 1.1
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.run_starter.run.decisions)
        assert on.run_starter.run.decisions[0].choice is Choice.ABORT


async def test_the_next_question_takes_no_key_of_the_one_before():
    questions = [question(QuestionKind.CONFIRM, 0), question(QuestionKind.CONFIRM, 1)]
    on = stage(samples.stale_master_back(), questions=questions)
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("y")
        await until(pilot, lambda: [box.question.index for box in on.app.screen.query("QuestionBox")] == [1])
        await until(pilot, lambda: on.app.screen.query_one("QuestionBox").is_shown)
        await pilot.press("y", "y", "y")
        await pilot.pause()
        assert len(on.run_starter.run.decisions) == 1
        await asked(pilot, on)
        await pilot.press("y")
        await until(pilot, lambda: len(on.run_starter.run.decisions) == 2)


async def test_a_question_that_appears_behind_another_screen_is_not_read_yet():
    first, second = question(QuestionKind.CONFIRM, 0), question(QuestionKind.CONFIRM, 1)
    on = stage(samples.stale_master_back(), questions=[first, second])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("question_mark")
        on.app.answer(first, Decision(Choice.RUN, first.digest))
        await until(pilot, lambda: on.app.armed_run and on.app.armed_run.question is second)
        await pilot.pause()
        on.clock.steady += 10
        await pilot.press("escape", "y")
        await pilot.pause()
        assert len(on.run_starter.run.decisions) == 1
        await asked(pilot, on)
        await pilot.press("y")
        await until(pilot, lambda: len(on.run_starter.run.decisions) == 2)
