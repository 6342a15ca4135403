"""Themes: dark, light, high contrast, and the terminal's own sixteen colours. No meaning depends on a colour."""

from __future__ import annotations

import os

from textual.theme import Theme

THEMES: tuple[Theme, ...] = (
    Theme(
        name="night",
        primary="#7AA2C8",
        secondary="#5B7A99",
        warning="#E2B45A",
        error="#EF7A7A",
        success="#7FC98F",
        accent="#8FB8DE",
        foreground="#D6DAE0",
        background="#14171C",
        surface="#14171C",
        panel="#20252D",
        dark=True,
    ),
    Theme(
        name="day",
        primary="#2F5D8A",
        secondary="#5B7A99",
        warning="#8A5A00",
        error="#B3261E",
        success="#1B6B36",
        accent="#1F5A96",
        foreground="#1D2127",
        background="#FAFAF8",
        surface="#FAFAF8",
        panel="#E9E9E4",
        dark=False,
    ),
    Theme(
        name="high-contrast",
        primary="#FFFFFF",
        secondary="#FFFFFF",
        warning="#FFFF00",
        error="#FF6B6B",
        success="#5CFF5C",
        accent="#66E0FF",
        foreground="#FFFFFF",
        background="#000000",
        surface="#000000",
        panel="#1A1A1A",
        dark=True,
    ),
)
ORDER = ("night", "day", "high-contrast", "ansi-dark", "ansi-light")
"""The last two are from Textual. They use the colours of the terminal."""


def first_theme(*, no_color: bool) -> str:
    """The theme at the start: full colours where the terminal has them, otherwise the terminal's own."""
    if no_color:
        return "high-contrast"
    if os.environ.get("TERM", "") in {"linux", "vt100", "vt220", "ansi"}:
        return "ansi-dark"
    return "night"


def next_theme(theme: str) -> str:
    """The theme after this one; after the last comes the first."""
    return ORDER[(ORDER.index(theme) + 1) % len(ORDER)] if theme in ORDER else ORDER[0]
