from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Event
from textual.widget import Widget

from console.core.model.verdict import Check
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.progress import can_stop_waiting
from console.core.runs.question import Choice, Question
from console.core.runs.replays.file_fate import UNTOUCHED, name_of
from console.core.runs.state import RunState
from console.engine.steps.step_view import conditions
from console.tui.keys import Key, bindings_of, keys_of
from console.tui.navigation import routes
from console.tui.navigation.registry import register
from console.tui.navigation.routes import QuitQuestion
from console.tui.present.clusters import cards
from console.tui.present.formatting import Lines
from console.tui.present.runs import run as present
from console.tui.present.runs.ending import Kept, ending
from console.tui.present.runs.question import Fold, question_lines, rows_of_folds, rows_to_read
from console.tui.present.runs.sections import newest_known
from console.tui.screens.base import ShowsKeptKeys
from console.tui.widgets.input_guard import InputGuard
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.question import QuestionBox
from console.tui.widgets.rows_read import RowsRead

_STOP = QuitQuestion(
    title="Stop the run here? This stays so:",
    lines=("If you stop, nothing more is sent, and this run cannot be gone on with.",),
    leave="Stop the run",
    stay="Back to the question",
)


class RunScreen(ShowsKeptKeys):
    """A run: the nodes above, its steps at the left, the current step or the question at the right."""

    PLACE = "run"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("run")
    AUTO_FOCUS = None

    def __init__(self, cluster: str) -> None:
        super().__init__()
        self._cluster = cluster
        self._guard: InputGuard | None = None
        """Refuses what was typed before the open question could be read."""
        self._unfolded: frozenset[Fold] = frozenset()
        self._chosen: int | None = None
        """The step that the operator chose to see; None: the current one."""
        self._assessments_shown = False
        """The operator has answered a question below the assessments of a resumed run."""
        self._rows_read = RowsRead()
        """Of the open question."""
        self._to_read = 0
        """How many of its first rows say the step, its node and what is sent."""
        self._had_kept: tuple[KeptKeys, ...] = ()
        """The run that has ended had keys that were only in files."""

    @property
    def cluster(self) -> str:
        return self._cluster

    def breadcrumb(self) -> str:
        run = self.run_state
        return f"{self._cluster} > {run.runbook.name}" if run else self._cluster

    @property
    def run_state(self) -> RunState | None:
        return self.console_app.run_state

    @property
    def question(self) -> Question | None:
        """The open question."""
        run = self.console_app.armed_run
        return run.question if run else None

    @property
    def kept(self) -> tuple[KeptKeys, ...]:
        """The keys that this run has left in files."""
        run = self.run_state
        return self.console_app.kept_by_run(run.run_id) if run is not None and present.is_over(run) else ()

    def _fate_of_kept(self) -> Kept:
        if self.kept:
            self._had_kept = self.kept
            return Kept.ONLY_THERE
        if not self._had_kept:
            return Kept.NONE
        app = self.console_app
        fates = ((app.fates.get(name_of(one.run_id, one.file), UNTOUCHED), one) for one in self._had_kept)
        if all(fate.keys_left(one.of) == 0 for fate, one in fates):
            return Kept.BROUGHT_BACK
        return Kept.SILENCED if all(one.file in app.silenced for one in self._had_kept) else Kept.GONE

    def body(self) -> Iterable[Widget]:
        nodes = LinesPane(self._draw_nodes, focusable=False, id="nodes")
        nodes.styles.height = len(self.console_app.views[self._cluster].spec.nodes)
        yield nodes
        yield LinesPane(self._draw_title, focusable=False, id="title")
        with Horizontal(id="run"):
            yield LinesPane(self._draw_steps, focusable=False, id="steps")
            with Vertical(id="right"):
                yield LinesPane(self._draw_step, focusable=False, id="step")

    @property
    def text_pane(self) -> LinesPane:
        return self.query_one("#step", LinesPane)

    def on_mount(self) -> None:
        self.watch(self.text_pane, "scroll_y", self._scrolled, init=False)
        self.watch(self.app, "armed_run", self._changed)
        self.watch(self.app, "run_state", self._run_changed, init=False)

    def action_step(self, move: int) -> None:
        run = self.run_state
        if run is not None:
            self._chosen = max(0, min(len(run.steps) - 1, self._selected(run) + move))
            self._arrange()
            self._scroll_to_top()

    def action_follow(self) -> None:
        self._chosen = None
        self._arrange()
        self._scroll_to_top()

    def footer_keys(self) -> tuple[Key, ...]:
        """The keys that do something now."""
        useless = {"stop_waiting", "yes", "follow"}
        if self._chosen is None and any(box.takes_yes for box in self.query(QuestionBox)):
            useless.discard("yes")
        if self.run_state is not None and can_stop_waiting(self.run_state):
            useless.discard("stop_waiting")
        if self._chosen is not None:
            useless.discard("follow")
        asking = keys_of("question") if self.question is not None else ()
        keys = (*asking, *(one for one in super().footer_keys() if one.action not in useless))
        field = next((box.typed_field for box in self.query(QuestionBox)), None)
        if field is None:
            return keys
        escape = "empty the field" if field.is_typed_into else "back"
        return tuple(
            replace(one, label=escape) if one.keys == "escape" else one
            for one in keys
            if not one.character or not field.takes(one.character, has_a_key=True)
        )

    def on_descendant_focus(self) -> None:
        self.paint()

    def action_back(self) -> None:
        """One step back at a time: from the typed field, to the open question, to the cluster."""
        if any(box.leave_field() for box in self.query(QuestionBox)):
            self.paint()
        elif self.question is not None and self._chosen is not None:
            self.action_follow()
        else:
            super().action_back()

    def action_stop_waiting(self) -> None:
        if self.run_state is not None and can_stop_waiting(self.run_state):
            self.console_app.stop_waiting()

    def action_yes(self) -> None:
        """Answers yes to the question that is read; while another step is looked at, it shows the question instead."""
        if self._chosen is not None:
            self.action_follow()
            return
        for box in self.query(QuestionBox):
            box.say_yes()

    def action_unfold(self, part: str) -> None:
        """Unfolds a part of the question and scrolls to it, or folds it again and shows the question from its top."""
        fold = Fold(part)
        self._unfolded ^= {fold}
        self.paint()
        self.call_after_refresh(self._scroll_to_fold, fold)

    def _scroll_to_fold(self, fold: Fold) -> None:
        run, question, pane = self.run_state, self.question, self.text_pane
        if run is None or question is None or self._chosen is not None:
            return
        if fold not in self._unfolded:
            self._scroll_to_top()
            return
        live, (width, height) = self._live(run, question.index), pane.room
        rows = rows_of_folds(question, live, self._unfolded, len(run.steps), width, height).get(fold, range(0))
        before = len(present.just_kept(run, question.index, width))
        first, end = before + rows.start, before + rows.stop
        if rows and not pane.scroll_offset.y <= first < end <= pane.scroll_offset.y + height:
            pane.scroll_to(
                y=first if end - first >= height else max(0, end - height), animate=False, force=True, immediate=True
            )
            self.paint()

    def refuses_input(self, event: Event) -> bool:
        """Keys, pastes and clicks from before the open question could be read."""
        refused = self._guard is not None and self._guard.refuses(event)
        if refused:
            self.paint()
        else:
            self._note_rows_in_view(self.text_pane.scroll_offset.y)
        return refused

    def _run_changed(self, before: RunState | None, after: RunState | None) -> None:
        """Redraws. The end of a run is shown from its top, wherever the text before it was scrolled to."""
        if before is None:
            self._had_kept = ()
            self._show_whole_names()
        if after is not None and present.is_over(after) and (before is None or not present.is_over(before)):
            self._chosen = None
            self._scroll_to_top()
        else:
            self.paint()

    async def _changed(self) -> None:
        """Shows a new question and removes an answered one. An open question stays as it is."""
        boxes = list(self.query(QuestionBox))
        if any(box.question is self.question for box in boxes):
            return
        for box in boxes:
            await box.remove()
        self._guard = None
        if self.question is not None:
            self._chosen, self._unfolded, self._rows_read = None, frozenset(), RowsRead()
            self._arrange()  # the question is drawn at its whole width from the first time on
            self._guard = InputGuard(self.console_app.console_context.clock.monotonic)
            box = QuestionBox(self.question, self.console_app.now, self._more_below, self._guard, self._bring_into_view)
            await self.query_one("#right").mount(box)
            self._begin_to_ask()
        self._arrange()
        self._scroll_to_top()

    def on_screen_resume(self) -> None:
        """What covered the question is closed. Keys that were meant for that are no answer and no text."""
        super().on_screen_resume()
        if self._guard is not None and self._guard.shown:
            self._guard.begin()
        self._begin_to_ask()

    def _begin_to_ask(self) -> None:
        """From the next drawing of the screen on, the open question can be read. Not while something covers it."""
        if self._guard is not None and not self._guard.shown and self.app.screen is self:
            self.call_after_refresh(self._guard.begin)

    def _show_whole_names(self) -> None:
        """The list of steps is as wide as its longest name."""
        if self.run_state is not None:
            self.query_one("#steps").styles.min_width = present.steps_width(self.run_state) + 1  # 1: its border

    @property
    def _is_whole_page(self) -> bool:
        """Whether the text takes the place of the list of steps on a narrow screen."""
        over = self.run_state is not None and present.is_over(self.run_state)
        return self._chosen is None and (over or self.question is not None)

    def _arrange(self) -> None:
        """On a narrow screen a question and the end take the place of the list of steps, until a step is looked at."""
        self._show_whole_names()
        self.set_class(self._is_whole_page, "-whole-page")
        self.call_after_refresh(self.paint)

    def _more_below(self) -> bool:
        step = self.query_one("#step", LinesPane)
        return step.scroll_offset.y < step.max_scroll_y

    def _scrolled(self, before: float, _: float) -> None:
        """What was in view until now was there to be read."""
        self._note_rows_in_view(round(before))

    def _note_rows_in_view(self, top: int) -> None:
        """Notes the rows that the pane shows from this one on; none before the question is on the screen."""
        asks = self._guard is not None and self._guard.shown and self.app.screen is self
        if asks and self._chosen is None:
            self._rows_read.note(self.text_pane.lines, top, self.text_pane.room.height)

    def _bring_into_view(self) -> bool:
        """Whether the step, its node or a command was not in view so far. Then it shows it.

        What was in view since the question is on the screen counts, wherever the text is now: whoever reads on below
        has read it. A row whose words have changed meanwhile was not in view. While another step is looked at, the
        question is shown first.
        """
        if self._chosen is not None:
            self.action_follow()
            return True
        pane = self.text_pane
        unread = self._rows_read.first_unread(pane.lines, self._to_read)
        if unread is None:
            return False
        pane.scroll_to(y=unread if unread >= pane.room.height else 0, animate=False, force=True, immediate=True)
        self.paint()
        return True

    def on_question_box_answered(self, event: QuestionBox.Answered) -> None:
        """Hands the answer on. Whether to stop is asked once more where the run leaves something half done."""
        event.stop()
        left = self.console_app.left_by_run() if event.decision.choice is Choice.ABORT else ()
        if not left:
            self._answer(event)
            return
        for box in self.query(QuestionBox):
            box.ask_again()
        asked = replace(_STOP, lines=(*left, *_STOP.lines))
        self.console_app.open_screen(routes.QUIT, lambda: self._answer(event), asked)

    def _answer(self, event: QuestionBox.Answered) -> None:
        self._assessments_shown = True
        self.console_app.answer(event.question, event.decision)

    def paint(self) -> None:
        if not self._on_top:
            return
        super().paint()
        for box in self.query(QuestionBox):
            box.repaint()
        steps = self.query_one("#steps", LinesPane)
        if self.run_state is not None and not steps.has_focus:
            steps.scroll_to(y=max(0, self._selected(self.run_state) - steps.size.height // 2), animate=False)

    def _scroll_to_top(self) -> None:
        self.query_one("#step", LinesPane).scroll_to(y=0, animate=False, force=True, immediate=True)
        self.paint()

    def _selected(self, run: RunState) -> int:
        if self._chosen is not None:
            return self._chosen
        if self.question is not None:
            return self.question.index
        return run.current if run.current is not None else 0 if not present.is_over(run) else len(run.steps) - 1

    def _draw_nodes(self, width: int, _: int) -> Lines:
        state = self.console_app.views[self._cluster].state
        return cards.compact(state, self.console_app.now(), width) if state else ()

    def _draw_title(self, width: int, _: int) -> Lines:
        run = self.run_state
        return (
            (present.title(run, width, self.console_app.now()),) if run else present.starting(self.console_app.stopping)
        )

    def _draw_steps(self, width: int, _: int) -> Lines:
        run = self.run_state
        return present.step_list(run, self._selected(run), width) if run else ()

    def _draw_step(self, width: int, height: int) -> Lines:
        run, width = self.run_state, self._width_to_be(width)
        if run is None:
            return ()
        assessed = () if self._assessments_shown or not run.assessments else present.assessment_lines(run, width)
        at, question = self._selected(run), self.question
        if question is not None and question.index == at and self._chosen is None:
            live, steps = self._live(run, at), len(run.steps)
            kept = present.just_kept(run, at, width)
            self._to_read = len(kept) + rows_to_read(question, live, steps, width, height)
            return (*kept, *question_lines(question, live, self._unfolded, steps, width, height), *assessed)
        if assessed and self._chosen is None and not present.is_over(run):
            return assessed
        if present.is_over(run) and self._chosen is None:
            return ending(run, width, self._fate_of_kept())
        asks = present.other_step_asks(question.index + 1, width) if question is not None else ()
        return (
            *asks,
            *present.just_kept(run, at, width),
            *present.step_detail(run, at, self._live(run, at), self.console_app.now(), width),
        )

    def _width_to_be(self, width: int) -> int:
        """The width that the text is about to have: the list of steps may have left its place a moment ago."""
        if not (self._is_whole_page and self.has_class("-narrow")):
            return width
        pane = self.text_pane
        return max(width, self.size.width - (pane.outer_size.width - pane.room.width))

    def _live(self, run: RunState, at: int) -> tuple[Check, ...]:
        """The step's preconditions, evaluated on the newest observation; none after the step has ended."""
        state, step = self.console_app.views[self._cluster].state, run.steps[at]
        if state is None or (step.started_at is not None and step.ended_at is not None):
            return ()
        wanted = conditions(step.step, run.runbook.require if at == 0 else ())
        return newest_known(step.checks, tuple(evaluate(one, state, run.roles) for one in wanted))


register(routes.RUN, RunScreen)
