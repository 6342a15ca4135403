"""The first and the last line of every screen, and what stands on a terminal that is too small."""

from __future__ import annotations

from console.tui.keys import Key
from console.tui.present.formatting import BAD, BOLD, DIM, NOTE, Lines, Part, fitted, line

NAME = "redis-ha-console"
LEAST_WIDTH, LEAST_HEIGHT = 60, 18


def header(place: str, badge: tuple[str, str], age: str, width: int) -> Lines:
    """Where one is, how old what is shown is, and READ-ONLY or ARMED."""
    right = line((f"{age}  ", DIM), badge)
    room = max(0, width - right.cell_length - 1)
    left = line((f" {NAME}", BOLD), f" > {place}" if place else "")
    if left.cell_length > room:
        left = line((f" {place}", BOLD))
    return (line(fitted(left, room), " ", right),)


def read_only_badge() -> tuple[str, str]:
    """Nothing can be changed from here."""
    return (" READ-ONLY ", "reverse")


def armed_badge(*, asks: bool) -> tuple[str, str]:
    """Something can be changed; `asks`: the run waits for an answer."""
    return (" ARMED, asks you " if asks else " ARMED ", f"reverse {BOLD} {BAD}")


def footer(keys: tuple[Key, ...], width: int) -> Lines:
    """The keys that matter here; all of them are in the help."""
    parts: list[Part] = []
    for key in keys:
        if key.label:
            parts += [(f" {key.shown}", f"{BOLD} {NOTE}"), (f" {key.label} ", "")]
    return (fitted(line(*parts), width),)


def too_small(width: int, height: int) -> Lines:
    """Readable on whatever is there."""
    return tuple(
        fitted(one, width)
        for one in (
            line(("This terminal is too small.", BOLD)),
            line(f"It has {width} x {height}; this needs"),
            line(f"{LEAST_WIDTH} x {LEAST_HEIGHT} or more."),
            line("Nothing stopped: make it larger."),
        )
    )
