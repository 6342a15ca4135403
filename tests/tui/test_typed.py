"""What is typed at a question is its text, letter for letter: no wrong text ever becomes the right one."""

import string

import pytest
import samples
from textual.events import Key as KeyPress
from thorough import first_is_quick
from tui_stage import asked, asked_again, question, seen, stage, stop_and_confirm, until

from console.core.model import RunLock
from console.core.runs.lock import takeover_sentence
from console.core.runs.question import Choice, QuestionKind
from console.tui.keys import KEYS, keys_of
from console.tui.navigation import routes
from console.tui.present.runs import question as present
from console.tui.widgets.lines import LinesPane

SENTENCE = "I accept that redis-a loses what only it has"
HOT = sorted({key.character for key in KEYS if key.character})
"""Every character that is a key of something on some screen."""
LEAVE_THE_QUESTION = set("q?[]")
"""Before anything is typed, these open a dialog or another step. No answer is taken there."""
SENTENCES = {"choices": (Choice.LOOK_AGAIN, Choice.OVERRIDE, Choice.ABORT), "sentence": SENTENCE}
QUESTIONS = {
    "redis-b": question(),
    "qa-redis": question(node="qa-redis"),
    SENTENCE: question(QuestionKind.BLOCKED, **SENTENCES),
}
"""Text that is asked for → the question."""


def wrong_texts(right):
    """The text with a letter more, a letter less, or another one, at the places where most is at stake."""
    places = (0, 1, len(right) - 1)
    letters = "rtxyfqsi1 "
    more = [f"{right[:at]}{letter}{right[at:]}" for at in (*places, len(right)) for letter in letters]
    other = [f"{right[:at]}{letter}{right[at + 1 :]}" for at in places for letter in letters]
    less = [f"{right[:at]}{right[at + 1 :]}" for at in places]
    spread = [letter.join(["", *right]) for letter in "xyr"]
    signs = [f"{one}{other}{right}" for one in "q?[" for other in ("", "q", "[", "x")]
    texts = sorted({*more, *other, *less, *spread, right.swapcase(), right[::-1], *signs} - {right})
    return sorted(texts, key=lambda text: leaves(text, right))


def leaves(text, right):
    """Whether its first key is no text, and leads away from the question."""
    return text[0] in LEAVE_THE_QUESTION and not right.startswith(text[0])


async def first_question(pilot, on):
    await seen(pilot, on)
    await pilot.press("b", "enter", "tab", "enter")
    return await asked(pilot, on)


async def type_fast(pilot, on, text):
    """As a terminal hands it over: the next key is there before the first one was dealt with."""
    names = {"?": "question_mark", "[": "left_square_bracket", "]": "right_square_bracket", " ": "space", "/": "slash"}
    for one in text:
        on.app.post_message(KeyPress(names.get(one, one), one))
    await pilot.pause()


def takes_keys(on):
    on.clock.steady += 10
    return on.app.screen.query_one("QuestionBox").takes_keys


async def back_to_question(pilot, on):
    """Closes what covers it, and empties the field."""
    if not on.app.shows(routes.RUN.name):
        await pilot.press("escape")
        await asked_again(pilot, on)
    await pilot.pause(0.01)
    on.clock.steady += 10
    if field(on).is_typed_into:
        await pilot.press("escape")
        await until(pilot, lambda: not field(on).is_typed_into)
    if on.app.screen._chosen is not None:
        await pilot.press("escape")
        await until(pilot, lambda: on.app.screen._chosen is None)
    assert on.app.focused.id in {"abort", "look-again"}


def head(on):
    return on.app.screen.query_one("#question-head", LinesPane).text


def field(on):
    return on.app.screen.query_one("#typed")


@pytest.mark.parametrize("right", first_is_quick(QUESTIONS))
async def test_no_wrong_text_becomes_the_right_one(right):
    on = stage(samples.stale_master_back(), questions=[QUESTIONS[right]])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        theme = on.app.theme
        for text in wrong_texts(right):
            await type_fast(pilot, on, text)
            if not leaves(text, right):
                await until(pilot, lambda text=text: field(on).value == text)
                assert on.app.focused is field(on)
                assert on.app.theme == theme
                assert not on.inspector.reconnected, "no letter of it was a key"
            on.app.post_message(KeyPress("enter", "\r"))
            await pilot.pause()
            assert not on.run_starter.run.decisions, text
            await back_to_question(pilot, on)
        await until(pilot, lambda: takes_keys(on))
        await type_fast(pilot, on, right)
        await until(pilot, lambda: field(on).value == right)
        await pilot.press("enter")
        await until(pilot, lambda: on.run_starter.run.decisions)
        assert on.run_starter.run.decisions[0].typed == right


async def test_a_wrong_node_is_named_whole_in_the_refusal():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await type_fast(pilot, on, "redis-a")
        await until(pilot, lambda: present.NOT_SO_FAR in head(on))
        await pilot.press("enter")
        await until(pilot, lambda: "“redis-a” is not the text. Yes takes: redis-b" in head(on))
        assert not on.run_starter.run.decisions


@pytest.mark.parametrize("away", ["nothing", "left_square_bracket", "tab"])
async def test_letters_go_to_the_field_whatever_has_the_focus(away):
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press(away) if away != "nothing" else on.app.screen.set_focus(None)
        await type_fast(pilot, on, "fsxytr12 i")
        await until(pilot, lambda: field(on).value == "fsxytr12 i")
        await pilot.press("tab", "q", "?")
        await until(pilot, lambda: field(on).value == "fsxytr12 iq?")
        assert on.app.focused is field(on), "from the first letter on no key leaves it but Tab, Enter and Esc"


async def test_escape_goes_one_step_back_at_a_time():
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("left_square_bracket", "r", "e")
        await pilot.pause()
        assert "Esc empty the field" in on.app.screen.query_one("#footer", LinesPane).text
        await pilot.press("escape")
        await pilot.pause()
        assert field(on).value == ""
        assert on.app.focused.id == "abort"
        assert on.app.screen._chosen is not None
        await pilot.press("escape")
        await pilot.pause()
        assert on.app.screen._chosen is None
        await pilot.press("escape")
        await until(pilot, lambda: on.app.shows(routes.CLUSTER.name))
        assert not on.run_starter.run.decisions


@pytest.mark.parametrize("typed", ["", "r"])
async def test_the_footer_shows_no_key_that_is_text(typed):
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=(160, 24)) as pilot:
        await first_question(pilot, on)
        await type_fast(pilot, on, typed)
        await until(pilot, lambda: field(on).value == typed)
        for key in on.app.screen.footer_keys():
            before = field(on).value
            if key.character:
                assert not typed
                assert key.character not in set(string.ascii_letters + string.digits) - {"q"}
                await type_fast(pilot, on, key.character)
                await back_to_question(pilot, on)
                assert field(on).value == before


@pytest.mark.parametrize("kind", [one for one in QuestionKind if one is not QuestionKind.TYPE_NAME])
async def test_where_nothing_is_typed_the_keys_keep_their_meaning(kind):
    on = stage(samples.stale_master_back(), questions=[question(kind)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        theme = on.app.theme
        await pilot.press("t", "r")
        await pilot.pause()
        assert on.app.theme != theme
        assert on.inspector.reconnected == 1


@pytest.mark.parametrize("wrong", ["xI", "i", "qI", "yI", "I end  "])
async def test_the_sentence_of_a_takeover_is_typed_in_the_same_way(wrong):
    """The field says `just type`, too. Esc arms nothing."""
    on = stage(samples.stale_master_back(), questions=[question()])
    holder = RunLock("20261121-030000-cache", "cache", "one-shot-rebuild", "ann@laptop", samples.NOW - 60)
    taken = []
    async with on.app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, on)
        sentence = takeover_sentence(holder)
        on.app.open_screen(routes.LOCK_HELD, holder, taken.append)
        await until(pilot, lambda: on.app.shows(routes.LOCK_HELD.name))
        await pilot.pause()
        text = wrong + sentence[1:]
        await type_fast(pilot, on, text)
        if wrong.startswith("q"):
            await until(pilot, lambda: not on.app.shows(routes.LOCK_HELD.name))
        else:
            await until(pilot, lambda: field(on).value == text)
            assert on.app.screen.query_one("#take").disabled
            await pilot.press(*["backspace"] * len(text))
            await type_fast(pilot, on, sentence)
            await until(pilot, lambda: not on.app.screen.query_one("#take").disabled)
        assert not taken


# --- stopping ------------------------------------------------------------------------------------------------------


async def test_a_run_that_leaves_something_stopped_says_so_and_asks_once_more():
    """The step before this one has stopped keepalived of redis-b, and nothing has started it again."""
    on = stage(samples.stale_master_back(), questions=[question(), question(QuestionKind.CONFIRM, 1)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        for key in ("enter", "escape", "q"):
            await pilot.press("enter")
            await until(pilot, lambda: on.app.shows(routes.QUIT.name))
            told = " ".join(pane.text for pane in on.app.screen.query(LinesPane))
            assert "redis-b: keepalived stays stopped on that node" in " ".join(told.split())
            assert "nothing more is sent" in " ".join(told.split())
            assert on.app.focused.id == "stay"
            await pilot.press(key)
            await asked_again(pilot, on)
            assert not on.run_starter.run.decisions, f"{key} changes nothing, and the question stays"
        await stop_and_confirm(pilot, on)
        await until(pilot, lambda: on.run_starter.run.decisions)
        assert on.run_starter.run.decisions[0].choice is Choice.ABORT


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (160, 50)])
async def test_q_says_the_same_and_all_of_it_is_in_view(size):
    on = stage(samples.stale_master_back(), questions=[question()])
    async with on.app.run_test(size=size) as pilot:
        await first_question(pilot, on)
        await pilot.press("q")
        await until(pilot, lambda: on.app.shows(routes.QUIT.name))
        await pilot.pause()
        pane = on.app.screen.query_one(LinesPane)
        assert "keepalived stays stopped on that node" in " ".join(pane.text.split())
        assert not pane.max_scroll_y
        assert len(pane.lines) <= pane.room.height


async def test_a_run_that_leaves_nothing_stopped_stops_at_once():
    on = stage(samples.stale_master_back(), questions=[question(QuestionKind.CONFIRM, 0)])
    async with on.app.run_test(size=(80, 24)) as pilot:
        await first_question(pilot, on)
        await pilot.press("enter")
        await until(pilot, lambda: on.run_starter.run.decisions)
        assert on.run_starter.run.decisions[0].choice is Choice.ABORT


def test_each_key_of_a_run_says_whether_it_types_something():
    assert {one.character for one in keys_of("run")} >= {"[", "]", "f", "s", "y", "x"}
    assert not any(one.character for one in (*keys_of("question"), *keys_of("text")))
