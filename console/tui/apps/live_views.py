"""The views of all clusters, made by the threads that observe: the rules never run on the thread of the screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from textual.message import Message

from console.core.inventory import ClusterSpec
from console.core.model import ClusterState
from console.tui.state.cluster_view import ClusterView, absorb
from console.tui.threads.messages import ViewsChanged


class LiveViews:
    """One thread at a time judges an observation, so that the screen waits for one thread at most.

    Changes are collected until the screen takes them. It gets a message for those that it shows at once.
    """

    def __init__(
        self,
        clusters: Iterable[ClusterSpec],
        now: Callable[[], float],
        post: Callable[[Message], object],
        shown_at_once: Callable[[str], bool],
    ) -> None:
        self._now = now
        self._post = post
        self._shown_at_once = shown_at_once
        self._is_told = False
        """Whether a message is on its way."""
        self._views = {one.name: ClusterView(one) for one in clusters}
        self._judging = threading.Lock()
        self._collecting = threading.Lock()
        self._changed: dict[str, ClusterView] = {}

    def observed(self, state: ClusterState) -> None:
        """An observation is complete. Any thread may call it."""
        with self._judging:
            if (view := self._views.get(state.name)) is None:
                return
            try:
                after = absorb(view, state, self._now())
            except Exception as error:  # noqa: BLE001  the operator must see every error, and the screen must go on
                after = replace(view, trouble=f"{type(error).__name__}: {error}")
            self._put(after)

    def failed(self, cluster: str, reason: str) -> None:
        """An observation failed as a whole."""
        with self._judging:
            self._put(replace(self._views[cluster], trouble=reason))

    def take(self) -> Mapping[str, ClusterView]:
        """The views that have changed since the last call."""
        with self._collecting:
            changed, self._changed, self._is_told = self._changed, {}, False
        return changed

    def _put(self, view: ClusterView) -> None:
        self._views[view.name] = view
        with self._collecting:
            self._changed[view.name] = view
            tell = not self._is_told and self._shown_at_once(view.name)
            self._is_told |= tell
        if tell:
            self._post(ViewsChanged())
