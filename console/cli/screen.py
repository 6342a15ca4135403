"""Opens the screen. Only what may run a runbook hands it a way to bring kept keys back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.cli.context import CliContext
    from console.engine.ports import ConsoleContext, RunStarter


def open_screen(context: CliContext, seen: ConsoleContext, run_starter: RunStarter | None, **begins_with: Any) -> int:
    """Returns the exit code after the operator has quit. `begins_with`: as `CliContext.run_app` takes it.

    It is not a part of the context: the context is also that of `status`, which loads nothing that can send.
    """
    from console.cli.runs.replay.from_screen import keys_from_screen

    bring_keys = keys_from_screen(context) if run_starter is not None and context.may_replay else None
    return context.run_app(seen, run_starter, bring_keys=bring_keys, **begins_with)
