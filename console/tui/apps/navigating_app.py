from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from textual import events
from textual.app import App
from textual.screen import Screen

from console.core.visible import LINES, visible
from console.tui.navigation import registry, routes
from console.tui.navigation.routes import P, Route


@runtime_checkable
class GuardsInput(Protocol):
    """A screen that refuses keys, pastes and clicks that came before it could be read."""

    def refuses_input(self, event: events.Event) -> bool:
        """Whether this event came too early."""


@runtime_checkable
class LeadsTyping(Protocol):
    """A screen that gives what is typed to its field."""

    async def acts_beside_field(self, key: events.Key) -> bool:
        """Whether this character is no text of the field on the screen, and was dealt with."""


_INPUT = (events.Key, events.Paste, events.MouseDown, events.MouseUp)


class NavigatingApp(App[int]):
    """Opens screens by their routes. It knows no screen's class."""

    mark: str = ""
    """A word in the header of every screen, where the cluster is not production."""
    named: str = ""
    """A name beside it, where there is room: what commands for another terminal need."""

    def notify(self, message: str, *, title: str = "", **options: Any) -> None:
        """A short message in a corner. Texts of servers are made visible, and none of them is markup."""
        super().notify(visible(message, LINES), title=visible(title), **{**options, "markup": False})

    async def on_event(self, event: events.Event) -> None:
        """Handles an event, unless it is one that the screen refuses. What is typed goes to the field of the screen."""
        if isinstance(event, _INPUT) and not event.is_forwarded and self.screen_stack:
            screen: Screen[Any] = self.screen
            if isinstance(screen, GuardsInput) and screen.refuses_input(event):
                event.stop()
                return
            key = event if isinstance(event, events.Key) else None
            if key is not None and isinstance(screen, LeadsTyping) and await screen.acts_beside_field(key):
                key.stop()
                return
        await super().on_event(event)

    def open_screen(self, route: Route[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Opens a screen; where it is on top already, it stays as it is."""
        if route.opens_on:
            while not self.shows(*route.opens_on, routes.CLUSTERS.name):
                self.pop_screen()
        if not self.shows(route.name):
            self.push_screen(registry.make_screen(route, *args, **kwargs))

    def shows(self, *names: str) -> bool:
        """Whether the topmost screen belongs to one of the routes with these names."""
        screen: Screen[Any] = self.screen
        return registry.is_screen_of(screen, *names)

    def shown_cluster(self) -> str:
        """The cluster of the topmost screen that names one; empty: it is about none in particular."""
        return next((str(one.cluster) for one in reversed(self.screen_stack) if hasattr(one, "cluster")), "")

    def action_help(self) -> None:
        """Opens the help, or closes it."""
        if self.shows(routes.HELP.name):
            self.pop_screen()
        else:
            self.open_screen(routes.HELP)
