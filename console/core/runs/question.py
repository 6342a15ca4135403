"""What the operator is asked about a step, and what the operator answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from console.core.command import Planned
from console.core.model.verdict import Check
from console.core.runbooks.document import GateKind, Step
from console.core.runbooks.verbs import verb_of

if TYPE_CHECKING:  # it would load every rule, and lists of past runs need none of them
    from console.core.previews.loss_preview import LossPreview
    from console.core.runs.by_hand import HandWork


class QuestionKind(StrEnum):
    """What the operator is asked. The default answer of each question is the safe one."""

    CONFIRM = "confirm"
    TYPE_NAME = "type-name"
    BLOCKED = "blocked"
    """A precondition does not hold: look again, skip (where the step can be skipped) or abort. Nothing is forced. The
    only exception is a hazard with an override in `core.runbooks.hazards`: then `Question.sentence` must be typed."""
    TROUBLE = "trouble"
    """The step failed or its outcome is unknown: look again, retry where that is safe, or abort."""


class Choice(StrEnum):
    """What the operator can answer."""

    RUN = "run"
    SKIP = "skip"
    ABORT = "abort"
    LOOK_AGAIN = "look again"
    OVERRIDE = "override"
    """Accepts the loss that was shown, by the whole sentence. The step's own gate still follows."""


_IF_SKIPPED = "What this step does stays undone. The run goes on: no later step of it needs that."
"""It is so of every step that can be skipped (see `may_skip`). For a client that is not all: see `VerbSpec.skipped`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is shown to the operator, with all that the answer is based on."""

    kind: QuestionKind
    index: int
    """Of the step."""
    step: Step
    node: str
    gate: GateKind
    planned: tuple[Planned, ...]
    checks: tuple[Check, ...]
    evidence: tuple[str, ...]
    """The material facts about the nodes concerned, one a line."""
    preview: LossPreview | None
    differences: tuple[str, ...]
    """What changed since the last question, and closed the gate again. Empty at the first question."""
    refused: bool
    """The last answer was a yes, and was refused because of these differences: nothing was sent."""
    digest: str
    """Of the material facts shown. The decision carries it back."""
    observed_at: float
    choices: tuple[Choice, ...]
    """What can be chosen, the safe one first."""
    reason: str = ""
    """Why it is asked, for BLOCKED and TROUBLE."""
    sentence: str = ""
    """What must be typed, word for word, for OVERRIDE. Empty where nothing can be overridden."""
    by_hand: tuple[HandWork, ...] = ()
    """What a human must do before the answer. Empty: the console does all of it."""
    each_alone: tuple[str, ...] = ()
    """Where it is decided whose data stays: what each node has and the other lacks, by names, one a line."""
    remedies: tuple[str, ...] = ()
    """For TROUBLE: everything that can be done now, one a line. Each line begins with its keyword."""

    @property
    def if_skipped(self) -> str:
        """What follows if the step is skipped. Empty: it cannot be."""
        if Choice.SKIP not in self.choices:
            return ""
        return " ".join(self.step.if_skipped.split()) or verb_of(self.step.action).skipped or _IF_SKIPPED


@dataclass(frozen=True, slots=True)
class Decision:
    """What the operator answered to which question. The journal keeps it: its names are keys there."""

    choice: Choice
    digest: str
    typed: str = ""
    """The node's name, or the sentence of an override, as it was typed."""
