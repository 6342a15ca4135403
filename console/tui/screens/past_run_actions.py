"""What can be done with a recorded run, wherever it is shown: resume it, report it, verify it."""

from __future__ import annotations

from console.core.runs.past_run import PastRun
from console.tui.screens.base import ConsoleScreen
from console.tui.screens.run_dialogs import ChainDialog, ReportDialog


class PastRunsScreen(ConsoleScreen):
    """Base of the screens on which a recorded run is chosen or shown."""

    @property
    def past(self) -> PastRun | None:
        """The run that the keys are about; None: there is none, or its journal is not on this machine."""
        return None

    def action_resume(self) -> None:
        past = self.past
        if past is None:
            self._say_nothing_to_do()
        elif not past.resumable:
            self.app.notify(f"{past.run_id} cannot be resumed: {past.verdict}.", markup=False)
        else:
            self.console_app.open_resuming(past)

    def action_report(self) -> None:
        past = self.past
        if past is None:
            self._say_nothing_to_do()
        else:
            self.app.push_screen(ReportDialog(past))

    def action_verify(self) -> None:
        past = self.past
        if past is None:
            self._say_nothing_to_do()
        else:
            app = self.console_app
            app.read_run(past.run_id)  # from the disk, whatever the list has kept of it
            self.app.push_screen(ChainDialog(lambda: (app.past_runs or {}).get(past.run_id, past)))

    def _say_nothing_to_do(self) -> None:
        self.app.notify("There is no journal of it on this machine.", markup=False)
