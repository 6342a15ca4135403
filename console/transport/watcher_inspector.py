"""What every inspector of a watcher can do. A watcher is a Sentinel, an LVS director or Consul.

In each poll all watchers are asked first, and then all answers are received.
"""

from __future__ import annotations

from typing import Protocol

from console.core.model import ClusterState


class WatcherInspector(Protocol):
    """Inspects one watcher. It only reads, never blocks beyond its deadlines, and raises nothing."""

    by_steps: bool
    """Whether its connection is made in steps, each of which is waited for: it decides by itself when to give up."""

    def start_connecting(self, *, force: bool) -> None:
        """Starts to connect if there is no connection. `force`: does not wait for the backoff to end."""

    def finish_connecting(self, deadline: float) -> bool:
        """Waits for the new connection until `deadline` (monotonic). True: it is there, with its first answers."""

    def ask(self, *, full: bool, just_connected: bool) -> None:
        """Sends the questions, unless the last ones are still unanswered. `full`: also asks for what changes rarely.

        `just_connected`: what `finish_connecting` returned. The first answers came with the connection then.
        """

    def receive(self, deadline: float) -> None:
        """Receives the answers by `deadline` (monotonic). After it the readings say that there is no answer."""

    def add_to(self, state: ClusterState) -> ClusterState:
        """The observation with the readings of this watcher added."""

    def reset_backoff(self) -> None:
        """Lets the next attempt to connect begin at once."""

    def close(self) -> None: ...
