"""Which class shows which route. Each module of `console/tui/screens` registers its own screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.screen import Screen

from console.tui.navigation.routes import P, Route

_SCREENS: dict[str, Callable[..., Screen[Any]]] = {}


def register(route: Route[P], screen: Callable[P, Screen[Any]]) -> None:
    """Makes this class the screen of this route; its constructor takes the arguments of the route."""
    _SCREENS[route.name] = screen


def make_screen(route: Route[P], *args: P.args, **kwargs: P.kwargs) -> Screen[Any]:
    """A new screen for this route."""
    return _SCREENS[route.name](*args, **kwargs)


def is_screen_of(screen: Screen[Any], *names: str) -> bool:
    """Whether this screen belongs to one of the routes with these names."""
    return type(screen) in {_SCREENS.get(name) for name in names}
