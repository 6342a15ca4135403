"""The header and the footer of every screen, and the text for a terminal that is too small."""

from __future__ import annotations

from textual.content import Content

from console.tui.keys import Key
from console.tui.present.formatting import BAD, BOLD, DIM, NOTE, Lines, Part, fitted, line, seconds_text
from console.tui.state.cluster_view import ClusterView

NAME = "redis-ha-console"
MIN_WIDTH, MIN_HEIGHT = 60, 18


def header(place: str, badge: tuple[str, str], age: str, width: int, *, mark: str = "", named: str = "") -> Lines:
    """The place, the age of the observation, and READ-ONLY or ARMED.

    `mark`: what is said first of all. `named`: a name beside it, where there is room for it.
    """
    whole, short = line((f" {NAME}", BOLD), f" > {place}" if place else ""), line((f" {place}", BOLD))
    for left, told, beside in (
        (whole, age, f"{mark} {named}".strip()),
        (short, age, f"{mark} {named}".strip()),
        (short, age.removeprefix("observed "), f"{mark} {named}".strip()),
        (whole, age, mark),
        (short, age, mark),
        (short, age.replace("observed ", "seen "), mark),
    ):
        right = _right(told, badge, beside)
        room = max(0, width - right.cell_length - 1)
        if left.cell_length <= room:
            break
    return (line(fitted(left, room), " ", right),)


def _right(age: str, badge: tuple[str, str], mark: str) -> Content:
    marked: tuple[Part, ...] = ((f" {mark} ", f"reverse {BOLD} {NOTE}"), " ") if mark else ()
    return line((f"{age}  ", DIM), *marked, badge)


def observed_when(view: ClusterView, now: float) -> str:
    """The age of the observation, and of what is shown of a source that does not answer; empty before the first."""
    age = view.age(now)
    if age is None:
        return ""
    if view.state is not None and view.state.nothing_read:
        return f"asked {seconds_text(age)} ago, no answer"
    old = [f"{name} {seconds_text(max(0.0, now - at))} old" for name, at in view.old.items()]
    return ", ".join(
        [*old[:1], *([f"{len(old) - 1} more"] if len(old) > 1 else []), f"observed {seconds_text(age)} ago"]
    )


def read_only_badge() -> tuple[str, str]:
    """The console cannot change anything now."""
    return (" READ-ONLY ", "reverse")


def armed_badge(*, waiting: bool) -> tuple[str, str]:
    """The armed run can change something; `waiting`: it waits for an answer."""
    return (" ARMED, asks you " if waiting else " ARMED ", f"reverse {BOLD} {BAD}")


def footer(keys: tuple[Key, ...], width: int) -> Lines:
    """The most important keys of the place, each whole or not at all. The help has all of them.

    Quit and help are always there; then the keys of the place come, in their order.
    """
    labelled = [key for key in keys if key.label]
    kept, room = set[Key](), width
    for key in sorted(labelled, key=_importance):
        if (taken := len(key.shown) + len(key.label) + 3) <= room:
            kept.add(key)
            room -= taken
    parts: list[Part] = []
    for key in (one for one in labelled if one in kept):
        parts += [(f" {key.shown}", f"{BOLD} {NOTE}"), (f" {key.label} ", "")]
    return (fitted(line(*parts), width),)


def _importance(key: Key) -> int:
    if key.place != "app":
        return 2
    return {"quit": 0, "help": 1}.get(key.action, 3)


def too_small(width: int, height: int) -> Lines:
    """Which size is needed, in lines short enough for a small terminal."""
    return tuple(
        fitted(one, width)
        for one in (
            line(("This terminal is too small.", BOLD)),
            line(f"It has {width} x {height}. Needed:"),
            line(f"{MIN_WIDTH} x {MIN_HEIGHT} or more."),
            line("Make it larger: nothing stopped."),
        )
    )
