"""Every key of the console: screens bind them, the footer and the help show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """A key in a place. Several keys, separated by commas, do the same."""

    place: str
    """`app`, or the name of a screen or widget."""
    keys: str
    shown: str
    """How the footer and the help write the key."""
    action: str
    label: str
    """One or two words for the footer; empty: the key is only in the help."""
    help: str

    @property
    def character(self) -> str:
        """What it types in a field; empty: nothing."""
        return self.shown if len(self.shown) == 1 and self.shown.isascii() else ""


PLACES: dict[str, str] = {
    "app": "Everywhere",
    "clusters": "The list of clusters",
    "cluster": "A cluster",
    "runs": "Recorded runs",
    "record": "A recorded run",
    "runbooks": "The list of runbooks",
    "arm": "Arming a run",
    "run": "A run",
    "question": "A question of a run",
    "dialog": "Small windows",
    "text": "Scrolling, whatever has the focus",
    "pane": "Moving in a pane",
}

KEPT_KEYS = "keys that are only in a file of a run: look at them, bring them back"
"""What the key means on each screen that has it."""
KEYS: tuple[Key, ...] = (
    Key("app", "question_mark,f1", "?", "help", "help", "this help"),
    Key("app", "ctrl+p", "^p", "command_palette", "", "command palette: search the commands by name"),
    Key("app", "r", "r", "reconnect", "reconnect", "reconnect now to the nodes that do not answer"),
    Key("app", "t", "t", "next_theme", "", "next theme: dark, light, high contrast, colours of the terminal"),
    Key("app", "q,ctrl+q,ctrl+c", "q", "quit", "quit", "quit; asks first while a run is armed"),
    Key(
        "clusters",
        "enter",
        "Enter",
        "open",
        "open",
        "open the chosen cluster; in the filter: keep the filter, and go back to the list",
    ),
    Key("clusters", "slash", "/", "filter", "filter", "filter as you type: name, node, address, health, finding, tag"),
    Key("clusters", "s", "s", "order", "sort", "sort: worst first, by name, most behind first, as in the inventory"),
    Key("clusters", "o", "o", "groups", "groups", "groups: by each kind of tag of the inventory, or none"),
    Key(
        "clusters",
        "x",
        "x",
        "kept_keys",
        "kept keys",
        "keys that are only in a file of a run: look at them, bring them back",
    ),
    Key("clusters", "u", "u", "runs", "runs", "recorded runs of all clusters, and runs under way"),
    Key("clusters", "escape", "Esc", "back", "", "remove the filter"),
    Key("cluster", "b", "b", "runbooks", "runbooks", "choose a runbook: see its plan, then arm it"),
    Key(
        "cluster",
        "x",
        "x",
        "kept_keys",
        "kept keys",
        "keys that are only in a file of a run: look at them, bring them back",
    ),
    Key("cluster", "u", "u", "runs", "runs", "recorded runs of this cluster, and runs under way"),
    Key("cluster", "f", "f", "follow", "", "follow the run of another operator that holds the lock of the cluster"),
    Key("cluster", "1", "1", "pane(0)", "", "findings"),
    Key("cluster", "2", "2", "pane(1)", "", "timeline: the changes since the console opened"),
    Key("cluster", "3", "3", "pane(2)", "", "history: lag and write rate"),
    Key("cluster", "4", "4", "pane(3)", "", "notify logs; on a cluster with Sentinels: the Sentinels"),
    Key("cluster", "5", "5", "pane(4)", "", "on a cluster with Sentinels: the read VIP and its directors, or Consul"),
    Key(
        "cluster",
        "enter",
        "Enter",
        "detail",
        "in full",
        "the chosen finding, or the panel that has the focus, in full",
    ),
    Key("cluster", "escape", "Esc", "back", "back", "back to the list of clusters"),
    Key("runs", "enter", "Enter", "open", "open", "open the chosen run; follow it while it is under way"),
    Key("runs", "escape", "Esc", "back", "back", "remove the filter; without a filter: back"),
    Key(
        "runs",
        "x",
        "x",
        "kept_keys",
        "kept keys",
        "keys that are only in a file of a run: look at them, bring them back",
    ),
    Key("runs", "slash", "/", "filter", "filter", "filter by cluster, runbook, operator or outcome"),
    Key("runs", "c", "c", "scope", "this/all", "this cluster only, or all clusters"),
    Key("runs", "e", "e", "resume", "resume", "resume the chosen run, if it is not closed"),
    Key("runs", "p", "p", "report", "report", "write its report to a file"),
    Key("runs", "v", "v", "verify", "verify", "check the hash chain of its journal"),
    Key(
        "record",
        "x",
        "x",
        "kept_keys",
        "kept keys",
        "keys that are only in a file of a run: look at them, bring them back",
    ),
    Key("record", "1", "1", "pane('steps')", "steps", "its steps with decisions, commands, answers and times"),
    Key("record", "2", "2", "pane('entries')", "entries", "the entries of its journal"),
    Key("record", "enter", "Enter", "detail", "", "the chosen entry in full"),
    Key("record", "f", "f", "follow", "follow", "scroll to each new entry of a run under way, or stop doing so"),
    Key("record", "e", "e", "resume", "resume", "resume it, if it is not closed"),
    Key("record", "p", "p", "report", "report", "write its report to a file"),
    Key("record", "v", "v", "verify", "verify", "check the hash chain of its journal"),
    Key("record", "escape", "Esc", "back", "back", "back"),
    Key("runbooks", "enter", "Enter", "choose", "choose", "choose this runbook"),
    Key("runbooks", "escape", "Esc", "back", "back", "back to the cluster"),
    Key("arm", "enter", "Enter", "choose", "", "choose this node for the role, or press the focused button"),
    Key("arm", "tab", "Tab", "app.focus_next", "next button", "next button or list; the safe button comes first"),
    Key("arm", "left", "←", "app.focus_previous", "", "previous button"),
    Key("arm", "right", "→", "app.focus_next", "", "next button"),
    Key("arm", "escape", "Esc", "back", "back", "back; nothing is armed"),
    Key(
        "run",
        "x",
        "x",
        "kept_keys",
        "kept keys",
        "keys that are only in a file of a run: look at them, bring them back",
    ),
    Key("run", "left_square_bracket", "[", "step(-1)", "other steps", "details of the previous step"),
    Key("run", "right_square_bracket", "]", "step(1)", "", "details of the next step"),
    Key("run", "f", "f", "follow", "follow", "follow the run again: details of the current step"),
    Key("run", "s", "s", "stop_waiting", "stop waiting", "stop waiting for a proof; the run then asks what to do"),
    Key("run", "y", "y", "yes", "yes", "yes to a step that only asks; in the list of steps: back to the question"),
    Key("run", "f2", "F2", "unfold('commands')", "", "the commands of a question in full, or folded again"),
    Key("run", "f3", "F3", "unfold('conditions')", "", "its conditions that hold"),
    Key("run", "f4", "F4", "unfold('loss')", "", "what the copy of the data costs"),
    Key("run", "f5", "F5", "unfold('evidence')", "", "what was observed, and why the step is there"),
    Key(
        "run",
        "escape",
        "Esc",
        "back",
        "back",
        "empties the typed field, shows the question again, or goes back to the cluster; the run goes on",
    ),
    Key("question", "tab", "Tab", "app.focus_next", "next answer", "next button or field; the safe button comes first"),
    Key("question", "left", "←", "app.focus_previous", "", "previous button"),
    Key("question", "right", "→", "app.focus_next", "", "next button"),
    Key("question", "enter", "Enter", "press", "", "press the focused button"),
    Key("dialog", "escape,enter,q", "Esc", "back", "close", "close, change nothing; q does the same"),
    Key("text", "up", "↑", "scroll_text('line', -1)", "", "the text up one line; in a list: the item above"),
    Key("text", "down", "↓", "scroll_text('line', 1)", "", "the text down one line; in a list: the item below"),
    Key("text", "pageup", "PgUp", "scroll_text('page', -1)", "", "the text up one page"),
    Key("text", "pagedown", "PgDn", "scroll_text('page', 1)", "", "the text down one page"),
    Key("text", "home", "Home", "scroll_text('edge', -1)", "", "to the beginning of the text"),
    Key("text", "end", "End", "scroll_text('edge', 1)", "", "to the end of the text"),
    Key("pane", "up,k", "↑", "move(-1)", "", "up one line"),
    Key("pane", "down,j", "↓", "move(1)", "", "down one line"),
    Key("pane", "pageup", "PgUp", "page(-1)", "", "up one page"),
    Key("pane", "pagedown", "PgDn", "page(1)", "", "down one page"),
    Key("pane", "home,g", "Home", "edge(-1)", "", "to the first line"),
    Key("pane", "end,G", "End", "edge(1)", "", "to the last line"),
    Key("pane", "tab", "Tab", "app.focus_next", "", "next pane"),
)

BOUND_BY_TEXTUAL = frozenset(
    {("arm", "tab"), ("question", "tab"), ("question", "enter"), ("pane", "tab"), ("app", "ctrl+p")}
)
"""Keys that Textual binds itself: they are listed for the help only."""


def keys_of(place: str) -> tuple[Key, ...]:
    """The keys of a place, in the order of `KEYS`."""
    return tuple(key for key in KEYS if key.place == place)


def bindings_of(place: str) -> list[BindingType]:
    """The keys of a place as Textual binds them. Control keys and scrolling take priority over keys of a widget."""
    return list(_bindings(place))


def _bindings(place: str) -> Iterator[BindingType]:
    for key in keys_of(place):
        for one in key.keys.split(","):
            if (place, one) not in BOUND_BY_TEXTUAL:
                priority = place == "text" or one.startswith("ctrl+")
                yield Binding(one, key.action, key.label, show=False, priority=priority)
