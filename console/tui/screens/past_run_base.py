"""The keys for a recorded run: resume it, report it, verify its journal."""

from __future__ import annotations

from console.core.runs.past.kept_keys import KeptKeys, reminders
from console.core.runs.past.past_run import PastRun
from console.tui.keys import Key
from console.tui.navigation import routes
from console.tui.present.formatting import Lines
from console.tui.present.runs.kept_keys import information, kept_lines
from console.tui.screens.base import ShowsKeptKeys


class PastRunActions(ShowsKeptKeys):
    """Base of the screens on which a recorded run is chosen or shown."""

    @property
    def past(self) -> PastRun | None:
        """The run that the keys act on; None: there is none, or its journal is not on this machine."""
        return None

    @property
    def kept(self) -> tuple[KeptKeys, ...]:
        """The keys that this run has kept and that are only in files."""
        past = self.past
        return self.console_app.kept_by_run(past.run_id) if past is not None else ()

    def _draw_kept(self, width: int, _: int) -> Lines:
        return kept_lines(reminders(self.kept), width) or information(self.kept, width)

    def footer_keys(self) -> tuple[Key, ...]:
        """The keys that can do something with this run."""
        past = self.past
        useless = set() if past else {"resume", "report", "verify"}
        if past is None or not past.resumable or not self.console_app.may_arm:
            useless.add("resume")
        return tuple(one for one in super().footer_keys() if one.action not in useless)

    def action_resume(self) -> None:
        past = self.past
        if past is None:
            self._notify_no_journal()
        elif not past.resumable:
            self.app.notify(f"{past.run_id} cannot be resumed: {past.verdict}.")
        else:
            self.console_app.open_screen(routes.RESUME, past)

    def action_report(self) -> None:
        past = self.past
        if past is None:
            self._notify_no_journal()
        else:
            self.console_app.open_screen(routes.REPORT, past)

    def action_verify(self) -> None:
        past = self.past
        if past is None:
            self._notify_no_journal()
        else:
            app = self.console_app
            app.read_past_run(past.run_id)  # read from the disk again, not from the list
            app.open_screen(routes.JOURNAL_CHECK, lambda: (app.past_runs or {}).get(past.run_id, past))

    def _notify_no_journal(self) -> None:
        self.app.notify("The journal of this run is not on this machine.")
