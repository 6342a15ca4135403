from __future__ import annotations

import types
from collections.abc import Mapping

from textual.app import SuspendNotSupported
from textual.reactive import reactive

from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.replays.file_fate import Fates
from console.engine.ports import BringKeys, ConsoleContext
from console.engine.sessions.arming import who
from console.engine.sessions.whose_runs import kept_here
from console.tui.apps.observing_app import ObservingApp
from console.tui.threads.messages import KeptKeysListed

LOOK_AGAIN_AFTER = 30.0
"""Seconds between two looks for kept keys: another console may have brought them back."""


class KeepingApp(ObservingApp):
    """Knows which keys are only in files, and leaves the terminal to the command that brings them back."""

    kept_keys: reactive[Mapping[str, tuple[KeptKeys, ...]]] = reactive(
        types.MappingProxyType({}), init=False, repaint=False
    )
    """Cluster → its keys that are only in files, the oldest first. A cluster without any is not in it."""

    def __init__(self, console_context: ConsoleContext, *, interval: float = 1.0) -> None:
        super().__init__(console_context, interval=interval)
        self.bring_keys: BringKeys | None = None
        """Brings kept keys back on the terminal. None: this console cannot."""
        self.all_kept: tuple[KeptKeys, ...] = ()
        """Also those of clusters of other inventories."""
        self.fates: Fates = {}
        """What replays have made of the files of kept keys."""
        self.silenced: frozenset[str] = frozenset()
        """Files of which an operator of this console wanted no more said."""

    def on_mount(self) -> None:
        self.list_kept_keys()
        self.set_interval(LOOK_AGAIN_AFTER, self.list_kept_keys)

    @property
    def may_arm(self) -> bool:
        """Whether a run can be armed now."""
        return False

    def list_kept_keys(self) -> None:
        """Looks again for keys that are only in files."""
        if (archive := self.console_context.archive) is not None:
            self.file_tasks.start(
                "looking for kept keys", lambda: KeptKeysListed(archive.kept_keys(), archive.fates_of_files())
            )

    def on_kept_keys_listed(self, message: KeptKeysListed) -> None:
        found: dict[str, tuple[KeptKeys, ...]] = {}
        for one in kept_here(message.kept, self.console_context.inventory):
            found[one.cluster] = (*found.get(one.cluster, ()), one)
        self.all_kept, self.fates = message.kept, message.fates
        self.kept_keys = types.MappingProxyType(found)

    def kept_by_run(self, run_id: str) -> tuple[KeptKeys, ...]:
        """The keys of this run that are only in files."""
        return tuple(one for one in self.all_kept if one.run_id == run_id)

    def why_not_bring(self) -> str:
        """Why the keys cannot be brought back from the screen now. Empty: they can."""
        if self.bring_keys is None:
            return "This screen cannot do it: type the command in another terminal."
        return "" if self.may_arm else "A run is armed: end it first."

    def replay(self, kept: KeptKeys) -> None:
        """Leaves the terminal to the command until it has ended. Its questions are those of the plain mode."""
        if self.bring_keys is None or self.why_not_bring():
            self.notify(self.why_not_bring(), severity="warning")
            return
        try:
            with self.suspend():
                self.bring_keys(kept)
        except SuspendNotSupported:
            self.notify(f"This terminal cannot be left to it. Type in a shell: {kept.command}", timeout=30)
        self.list_kept_keys()
        self.list_past_runs()

    def dismiss_kept(self, kept: KeptKeys) -> None:
        """Says nothing more about this file. The file stays."""
        archive = self.console_context.archive
        if archive is None:
            return
        try:
            archive.dismiss(kept, str(who()["operator"]))
            self.silenced |= {kept.file}
        except OSError as error:
            self.notify(f"{kept.file}: {error.strerror or error}", severity="error")
        self.list_kept_keys()
