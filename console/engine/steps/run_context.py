"""What every step of a run works with, and the exception that ends a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.state import Outcome, StepStatus
from console.engine.actions.request import CommandContext
from console.engine.ports import Actuator, Clock, Inspector
from console.engine.steps.name_watch import NameWatch
from console.engine.steps.run_guard import RunGuard


@dataclass(frozen=True, slots=True)
class RunContext:
    """The ports of a run, and what its commands are made from."""

    inspector: Inspector
    actuator: Actuator
    clock: Clock
    command_context: CommandContext
    guard: RunGuard
    """The run's lock on the nodes (H26)."""
    name_watch: NameWatch | None = None
    """Watches the name that clients resolve. None: clients use an address."""
    earlier_exports: Callable[[], tuple[KeptKeys, ...]] = tuple
    """Keys of these servers that earlier runs have kept in files, and nobody has brought back."""


class RunStoppedError(Exception):
    """The run ends at this step."""

    def __init__(self, outcome: Outcome, status: StepStatus, note: str, remedies: tuple[str, ...] = ()) -> None:
        """`status`: of the step. `remedies`: what can be done about it, one a line."""
        super().__init__(note)
        self.outcome, self.status, self.note, self.remedies = outcome, status, note, remedies
