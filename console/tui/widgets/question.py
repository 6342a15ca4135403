"""The question of a run: the safe answer has the focus, the dangerous one is taken with intent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Button, Input

from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.tui.keys import bindings_of
from console.tui.present import run as present
from console.tui.present.words import Lines, fitted
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.lines import LinesPane

FORWARD = (Choice.RUN, Choice.OVERRIDE)
"""Answers that bring a step nearer to being sent: each on a line of its own, and never the one with the focus."""


class QuestionBox(Vertical):
    """One question, from asking to answer. It does not change while the cluster around it does, but for its age."""

    @dataclass
    class Answered(Message):
        """The operator decided."""

        question: Question
        decision: Decision

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("question")

    def __init__(self, question: Question, now: Callable[[], float], more: Callable[[], bool]) -> None:
        super().__init__(classes=f"-{question.kind.value}")
        self.question = question
        self._now = now
        self._more = more
        self._answered = False

    def compose(self) -> ComposeResult:
        yield LinesPane(self._draw_head, focusable=False, id="question-head")
        with Horizontal(id="answers"):
            for choice in self.ordered:
                if choice not in FORWARD:
                    yield self._button(choice)
        if forward := self.forward:
            # A line of its own: what sends is never beside what does not, and is never cut off on a narrow screen.
            with Horizontal(id="sending"):
                if self.wanted:
                    yield Input(placeholder=f"type {self.wanted}", compact=True, select_on_focus=False, id="typed")
                yield self._button(forward, disabled=bool(self.wanted))

    def on_mount(self) -> None:
        self.query(Button).first().focus()

    @property
    def ordered(self) -> tuple[Choice, ...]:
        """What is safe first: at a gate it is No; what sends something is always last."""
        gate = self.question.kind in {QuestionKind.CONFIRM, QuestionKind.TYPE_NAME}
        first = (Choice.ABORT,) if gate and Choice.ABORT in self.question.choices else ()
        others = tuple(one for one in self.question.choices if one not in {*first, *FORWARD})
        last = tuple(one for one in FORWARD if one in self.question.choices)
        return (*first, *others, *last)

    @property
    def forward(self) -> Choice | None:
        """The answer that brings the step nearer to being sent; there is never more than one."""
        return next((one for one in FORWARD if one in self.question.choices), None)

    @property
    def wanted(self) -> str:
        """What has to be typed for it, word for word; empty: it is only pressed."""
        if self.forward is Choice.OVERRIDE:
            return self.question.sentence
        return self.question.node if self.question.kind is QuestionKind.TYPE_NAME else ""

    def repaint(self) -> None:
        """The age of what is shown goes on."""
        self.query_one("#question-head", LinesPane).repaint()

    def on_key(self, event: Key) -> None:
        """A name that is typed at once goes into its field: keys may come faster than the focus moves."""
        if not self.query("#typed") or not event.character:
            return
        field = self.query_one("#typed", Input)
        if self.wanted.startswith(field.value + event.character):
            event.stop()
            event.prevent_default()
            self.screen.set_focus(field)
            field.insert_text_at_cursor(event.character)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._confirm.disabled = event.value != self.wanted

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value == self.wanted and self.forward is not None:
            self._answer(self.forward)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._answer(Choice[(event.button.name or "").replace("choice-", "")])

    @property
    def _confirm(self) -> Button:
        return self.query_one("#confirm", Button)

    def _answer(self, choice: Choice) -> None:
        typed = self.query_one("#typed", Input).value if self.query("#typed") else ""
        if choice in FORWARD and typed != self.wanted:
            return
        if not self._answered:
            self._answered = True
            self.post_message(self.Answered(self.question, Decision(choice, self.question.digest, typed)))

    def _button(self, choice: Choice, *, disabled: bool = False) -> Button:
        label = present.choice_label(choice, self.question.kind)
        return MarkedButton(
            label,
            name=f"choice-{choice.name}",
            id="confirm" if choice in FORWARD else choice.value.replace(" ", "-"),
            compact=True,
            disabled=disabled,
            classes="dangerous" if choice in FORWARD else "safe",
        )

    def _draw_head(self, width: int, _: int) -> Lines:
        return (
            fitted(present.prompt(self.question, more=self._more()), width),
            fitted(present.asked_age(self.question, self._now()), width),
        )
