from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.events import Key
from textual.message import Message
from textual.widgets import Button, Input, Label

from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.visible import visible
from console.tui.keys import bindings_of
from console.tui.present.formatting import Lines, fitted
from console.tui.present.runs import question as present
from console.tui.widgets.buttons import MarkedButton
from console.tui.widgets.input_guard import InputGuard
from console.tui.widgets.lines import LinesPane
from console.tui.widgets.typed_field import TextRefused, TypedField

SENDING_CHOICES = (Choice.RUN, Choice.OVERRIDE)
"""Choices after which commands may be sent. They have a line of their own, and never the first focus."""


class QuestionBox(Vertical):
    """One question of a run. A safe choice has the focus. Only the age of its observation changes."""

    @dataclass
    class Answered(Message):
        """The operator has decided."""

        question: Question
        decision: Decision

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("question")

    def __init__(
        self,
        question: Question,
        now: Callable[[], float],
        more: Callable[[], bool],
        guard: InputGuard,
        brought_into_view: Callable[[], bool],
    ) -> None:
        """`brought_into_view`: whether step or command was not seen, and is shown now. Then no yes is taken."""
        super().__init__(classes=f"-{question.kind.value}")
        self.question = question
        self._now = now
        self._more = more
        self._guard = guard
        self._brought_into_view = brought_into_view
        self._refused = ""
        """Why the last key was not taken as an answer. Empty: it was, or none was pressed."""
        self._is_answered = False

    def compose(self) -> ComposeResult:
        yield LinesPane(self._draw_head, focusable=False, id="question-head")
        with Horizontal(id="answers"):
            for choice in self.ordered_choices:
                if choice not in SENDING_CHOICES and choice is not self._last_choice:
                    yield self._button(choice)
        if sending_choice := self.sending_choice:
            # On a line of its own it is not beside a safe choice, and a narrow screen does not cut it off.
            with Container(id="sending", classes="-sentence" if self.question.sentence else None):
                if self.required_text:
                    yield Label(visible(present.field_label(self.question)), markup=False, id="typed-label")
                    with Horizontal(id="field"):
                        yield TypedField(self.required_text, id="typed")
                yield self._button(sending_choice, disabled=bool(self.required_text))
                if self._last_choice is not None:
                    yield self._button(self._last_choice)

    def on_mount(self) -> None:
        self.query(Button).first().focus()

    @property
    def ordered_choices(self) -> tuple[Choice, ...]:
        """The order of the buttons. Safe ones come first: at a gate that is No. Yes has the same place at each gate."""
        gate = self.question.kind in {QuestionKind.CONFIRM, QuestionKind.TYPE_NAME}
        first = (Choice.ABORT,) if gate and Choice.ABORT in self.question.choices else ()
        sending = tuple(one for one in SENDING_CHOICES if one in self.question.choices)
        last = (self._last_choice,) if self._last_choice else ()
        others = tuple(one for one in self.question.choices if one not in {*first, *SENDING_CHOICES, *last})
        return (*first, *others, *sending, *last)

    @property
    def _last_choice(self) -> Choice | None:
        """The choice behind Yes: some steps have it, and there it must not move Yes to another place."""
        gate = self.question.kind in {QuestionKind.CONFIRM, QuestionKind.TYPE_NAME}
        return Choice.SKIP if gate and self.sending_choice and Choice.SKIP in self.question.choices else None

    @property
    def sending_choice(self) -> Choice | None:
        """The choice after which commands may be sent; there is at most one."""
        return next((one for one in SENDING_CHOICES if one in self.question.choices), None)

    @property
    def required_text(self) -> str:
        """The text that must be typed for that choice; empty: pressing is enough."""
        if self.sending_choice is Choice.OVERRIDE:
            return self.question.sentence
        return self.question.node if self.question.kind is QuestionKind.TYPE_NAME else ""

    @property
    def takes_yes(self) -> bool:
        """Whether the key `y` is a yes: the step only asks, and nothing has to be typed."""
        return self.question.kind is QuestionKind.CONFIRM and self.sending_choice is Choice.RUN

    @property
    def is_shown(self) -> bool:
        """Whether it has been drawn."""
        return self._guard.shown

    @property
    def takes_keys(self) -> bool:
        """Whether a key that is pressed now counts."""
        return self._guard.open

    @property
    def typed_field(self) -> TypedField | None:
        """The field to type into; None: nothing has to be typed."""
        return next(iter(self.query(TypedField)), None)

    def leave_field(self) -> bool:
        """Empties the field, and gives the focus back to the safe answer. Whether anything was typed there."""
        field = self.typed_field
        if field is None or not field.is_typed_into:
            return False
        field.clear()
        self.query(Button).first().focus()
        return True

    def ask_again(self) -> None:
        """The answer was not handed on: another one can be given."""
        self._is_answered = False

    def say_yes(self) -> None:
        """Answers yes where one key is enough for that; elsewhere it says that it is not."""
        if self.takes_yes:
            self._answer(Choice.RUN)
        else:
            self._refuse(present.no_key_here("y", takes_yes=False))

    def repaint(self) -> None:
        """Redraws the age of the observation, and what was refused."""
        for head in self.query("#question-head").results(LinesPane):  # none while the box is being made
            head.styles.height = 1 + bool(self._guard.refused) + bool(self._refused)
            head.repaint()

    def on_key(self, event: Key) -> None:
        """A letter that does nothing says so."""
        if event.character and event.is_printable and event.key not in self.screen.active_bindings:
            self._refuse(present.no_key_here(visible(event.character), takes_yes=self.takes_yes))

    def on_input_changed(self, event: Input.Changed) -> None:
        self._confirm.disabled = event.value != self.required_text
        self._refuse("" if self.required_text.startswith(event.value) else present.NOT_SO_FAR)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value != self.required_text:
            self._refuse(present.not_that_text(visible(event.value), self.required_text))
            self.post_message(TextRefused(self.required_text))
        elif self.sending_choice is not None:
            self._answer(self.sending_choice)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._answer(Choice[(event.button.name or "").replace("choice-", "")])

    @property
    def _confirm(self) -> Button:
        return self.query_one("#confirm", Button)

    def _answer(self, choice: Choice) -> None:
        if not self._guard.open:  # a key that was meant for what covered the question comes late, and by another way
            return
        typed = self.query_one("#typed", Input).value if self.query("#typed") else ""
        if choice in SENDING_CHOICES and typed != self.required_text:
            return
        if choice in SENDING_CHOICES and self._brought_into_view():
            self._refuse(present.OUT_OF_VIEW)
            return
        if not self._is_answered:
            self._is_answered = True
            self.post_message(self.Answered(self.question, Decision(choice, self.question.digest, typed)))

    def _refuse(self, why: str) -> None:
        """Says why a key was not taken. Empty: nothing of the kind is to be said any more."""
        self._refused = why
        self.repaint()

    def _button(self, choice: Choice, *, disabled: bool = False) -> Button:
        label = present.choice_label(choice, self.question)
        return MarkedButton(
            label,
            name=f"choice-{choice.name}",
            id="confirm" if choice in SENDING_CHOICES else choice.value.replace(" ", "-"),
            compact=True,
            disabled=disabled,
            classes="dangerous" if choice in SENDING_CHOICES else "safe",
        )

    def _draw_head(self, width: int, _: int) -> Lines:
        refused = self._guard.refused
        return (
            fitted(present.prompt(self.question, self._now(), width, more=self._more()), width),
            *((fitted(present.discarded_keys(refused), width),) if refused else ()),
            *((fitted(present.refused_answer(self._refused), width),) if self._refused else ()),
        )
