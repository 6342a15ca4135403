"""What an inspector asks beside the nodes: Sentinels, directors, Consul. First all are asked, then all collected."""

from __future__ import annotations

from typing import Protocol

from console.core.model import ClusterState


class WatcherInspector(Protocol):
    """One more thing to look at. It reads only, never blocks beyond its deadlines, and raises nothing."""

    @property
    def connect_timeout(self) -> float:
        """Seconds to wait for its connection when waiting was asked for."""

    def start_connecting(self, *, force: bool) -> None:
        """Starts to connect where that is needed; `force`: without waiting for the backoff to end."""

    def finish_connecting(self, deadline: float) -> bool:
        """Takes a connection that has been made, until `deadline` (monotonic). True: with its first answers."""

    def ask(self, *, full: bool, just_connected: bool) -> None:
        """Sends its questions, unless the last ones are still unanswered. `full`: also what changes rarely.

        `just_connected`: what `finish_connecting` said; answers that came with the connection are not asked for again.
        """

    def receive(self, deadline: float) -> None:
        """Takes the answers that come by `deadline` (monotonic); after that its readings say that it is silent."""

    def add_to(self, state: ClusterState) -> ClusterState:
        """The observation with what this eye has seen in its place."""

    def reset_backoff(self) -> None:
        """Forgets the backoff."""

    def close(self) -> None: ...
