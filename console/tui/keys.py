"""Every key of the console, in one place: screens bind them, the footer and the help show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """A key on a place. Several keys separated by commas do the same."""

    place: str
    """`app`, or the name of a screen or widget."""
    keys: str
    shown: str
    """How the key is written for people."""
    action: str
    label: str
    """One or two words for the footer; empty: only in the help."""
    help: str


PLACES: dict[str, str] = {
    "app": "Everywhere",
    "clusters": "List of clusters",
    "cluster": "A cluster",
    "runs": "Recorded runs",
    "record": "A recorded run",
    "runbooks": "Choosing a runbook",
    "arm": "Arming a run",
    "run": "A run",
    "question": "A question of a run",
    "dialog": "Small windows",
    "pane": "Moving in a part of the screen",
}

KEYS: tuple[Key, ...] = (
    Key("app", "question_mark,f1", "?", "help", "help", "this help"),
    Key("app", "ctrl+p", "^p", "command_palette", "", "command palette: every command by its name"),
    Key("app", "r", "r", "reconnect", "reconnect", "try the nodes that are away again, now"),
    Key("app", "t", "t", "next_theme", "", "next theme: dark, light, high contrast, the terminal's own colours"),
    Key("app", "q,ctrl+q,ctrl+c", "q", "quit", "quit", "quit; asks first while a run is armed"),
    Key("clusters", "enter", "Enter", "open", "open", "open the chosen cluster"),
    Key("clusters", "u", "u", "runs", "runs", "recorded runs of all clusters, and those under way"),
    Key("cluster", "b", "b", "runbooks", "runbooks", "choose a runbook: plan first, then arm it"),
    Key("cluster", "u", "u", "runs", "runs", "recorded runs of this cluster, and those under way"),
    Key("cluster", "f", "f", "follow", "", "follow the run of another operator that holds the cluster's lock"),
    Key("cluster", "1", "1", "pane(0)", "", "findings"),
    Key("cluster", "2", "2", "pane(1)", "", "timeline: the changes that were seen"),
    Key("cluster", "3", "3", "pane(2)", "", "history: lag and write rate"),
    Key("cluster", "4", "4", "pane(3)", "", "tails of the notify logs; of a set that Sentinels steer: the Sentinels"),
    Key("cluster", "5", "5", "pane(4)", "", "the read VIP and its directors, or Consul"),
    Key("cluster", "enter", "Enter", "detail", "details", "details of the chosen finding"),
    Key("cluster", "escape", "Esc", "back", "", "back to the list of clusters"),
    Key("runs", "enter", "Enter", "open", "open", "open the chosen run; one that is under way is followed"),
    Key("runs", "slash", "/", "filter", "filter", "type a filter: cluster, runbook, who, how it ended"),
    Key("runs", "c", "c", "scope", "this/all", "this cluster only, or all clusters"),
    Key("runs", "e", "e", "resume", "resume", "resume the chosen run, where it is not closed"),
    Key("runs", "p", "p", "report", "report", "write its report to a file"),
    Key("runs", "v", "v", "verify", "verify", "check its journal: does each entry fit the one before?"),
    Key("runs", "escape", "Esc", "back", "", "take the filter away; then back"),
    Key("record", "1", "1", "pane('steps')", "steps", "its steps: decisions, commands, answers, times"),
    Key("record", "2", "2", "pane('entries')", "entries", "every entry of its journal"),
    Key("record", "enter", "Enter", "detail", "", "the chosen entry, word for word"),
    Key("record", "f", "f", "follow", "follow", "stay at the newest entry of a run that is under way, or do not"),
    Key("record", "e", "e", "resume", "resume", "resume it, where it is not closed"),
    Key("record", "p", "p", "report", "report", "write its report to a file"),
    Key("record", "v", "v", "verify", "verify", "check its journal: does each entry fit the one before?"),
    Key("record", "escape", "Esc", "back", "back", "back"),
    Key("runbooks", "enter", "Enter", "choose", "choose", "take this runbook"),
    Key("runbooks", "escape", "Esc", "back", "back", "back to the cluster"),
    Key("arm", "enter", "Enter", "choose", "", "take this node for the role; press the button that has the focus"),
    Key("arm", "tab", "Tab", "app.focus_next", "next button", "next button or list; the safe one comes first"),
    Key("arm", "left", "←", "app.focus_previous", "", "button before"),
    Key("arm", "right", "→", "app.focus_next", "", "button after"),
    Key("arm", "escape", "Esc", "back", "back", "back, nothing is armed"),
    Key("run", "left_square_bracket", "[", "step(-1)", "", "details of the step before"),
    Key("run", "right_square_bracket", "]", "step(1)", "", "details of the step after"),
    Key("run", "f", "f", "follow", "follow", "follow the run again: details of the step under way"),
    Key("run", "s", "s", "stop_waiting", "stop waiting", "end the wait for a proof; you are asked what to do then"),
    Key("run", "pageup", "PgUp", "read(-1)", "", "read back, also while a button has the focus"),
    Key("run", "pagedown", "PgDn", "read(1)", "", "read on, also while a button has the focus"),
    Key("run", "escape", "Esc", "back", "back", "back to the cluster; the run goes on"),
    Key("question", "tab", "Tab", "app.focus_next", "next field", "next button or field; the safe one comes first"),
    Key("question", "left", "←", "app.focus_previous", "", "button before"),
    Key("question", "right", "→", "app.focus_next", "", "button after"),
    Key("question", "enter", "Enter", "press", "", "press the button that has the focus"),
    Key("dialog", "escape,enter", "Esc", "back", "close", "close, change nothing"),
    Key("pane", "up,k", "↑", "move(-1)", "", "up one line"),
    Key("pane", "down,j", "↓", "move(1)", "", "down one line"),
    Key("pane", "pageup", "PgUp", "page(-1)", "", "up one page"),
    Key("pane", "pagedown", "PgDn", "page(1)", "", "down one page"),
    Key("pane", "home,g", "Home", "edge(-1)", "", "to the first line"),
    Key("pane", "end,G", "End", "edge(1)", "", "to the last line"),
    Key("pane", "tab", "Tab", "app.focus_next", "", "next part of the screen"),
)

BOUND_BY_TEXTUAL = frozenset(
    {("arm", "tab"), ("question", "tab"), ("question", "enter"), ("pane", "tab"), ("app", "ctrl+p")}
)
"""Keys that the framework binds itself: listed for the help only."""


def keys_of(place: str) -> tuple[Key, ...]:
    """The keys of a place, in the order of the registry."""
    return tuple(key for key in KEYS if key.place == place)


def bindings_of(place: str) -> list[BindingType]:
    """The keys of a place as Textual binds them. Control keys go before any widget's own."""
    return list(_bindings(place))


def _bindings(place: str) -> Iterator[BindingType]:
    for key in keys_of(place):
        for one in key.keys.split(","):
            if (place, one) not in BOUND_BY_TEXTUAL:
                yield Binding(one, key.action, key.label, show=False, priority=one.startswith("ctrl+"))
