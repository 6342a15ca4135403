"""Checks, commands and previews as plain text, wrapped at the terminal's width."""

from __future__ import annotations

import hashlib
import shutil
import textwrap
from collections.abc import Iterator

from console.core.command import Planned, RedisCommand
from console.core.model.verdict import Check, Verdict
from console.core.previews.loss_preview import LossPreview
from console.core.quantities import counted, size
from console.core.runs.by_hand import HandWork
from console.core.runs.ending import EndSection

MARKS = {Verdict.HOLDS: "ok", Verdict.FAILS: "NO", Verdict.UNKNOWN: "??"}
"""Words instead of colours: they can be read in a log and in a copy, and without seeing colours."""


LONGEST = 3
"""Lines of a command that a plan shows. A longer one is a script, and is told in one line."""


def wrapped(text: str, indent: str = "", hang: str | None = None) -> str:
    """The text, wrapped at the terminal's width. `hang` is the indent of all lines after the first."""
    width = max(40, shutil.get_terminal_size((100, 24)).columns - 1)
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent if hang is None else hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def check_text(check: Check, mark: str = "") -> str:
    """`ok  redis-a's keepalived is stopped: no process`. If it does not hold, the advice follows."""
    evidence = f": {check.evidence}" if check.evidence else ""
    hazard = f" (hazard {check.hazard})" if check.hazard and not check.holds else ""
    lines = [wrapped(f"{mark or MARKS[check.verdict]}  {check.statement}{evidence}{hazard}", "  ", "      ")]
    if check.advice and not check.holds:
        lines.append(wrapped(check.advice, "      "))
    return "\n".join(lines)


CHANNELS = {"ssh": "SSH", "redis": "Redis", "consul": "Consul"}
"""Channel → its name in texts."""


def planned_text(planned: Planned) -> str:
    """The node and channel, the exact command, and its detail. A script of several lines is not wrapped."""
    lines = [_planned_head(planned)]
    lines += [f"    {line}".rstrip() for line in planned.render().splitlines()]
    lines += [f"    {line}".rstrip() for line in planned.detail.splitlines()]
    return "\n".join(lines)


def folded_text(planned: Planned) -> str:
    """The same, with a script of several lines in one: its size, its digest, and how to see it whole."""
    text = planned.render()
    if len(text.splitlines()) <= LONGEST:
        return planned_text(planned)
    whole = text.encode()
    digest = hashlib.sha256(whole).hexdigest()[:16]
    lines_of_it = counted(len(text.splitlines()), "line")
    told = f"a script of {lines_of_it}, {size(len(whole))}, SHA-256 {digest}…: --scripts prints it"
    lines = [_planned_head(planned), wrapped(told, "    ", "      ")]
    return "\n".join((*lines, *(f"    {line}".rstrip() for line in planned.detail.splitlines())))


def _planned_head(planned: Planned) -> str:
    via = planned.command.through_vip if isinstance(planned.command, RedisCommand) else False
    where = f"{planned.node}, {'Redis through the VIP' if via else CHANNELS[planned.channel]}"
    return wrapped(f"{planned.summary} ({where})", "  ", "    ")


def by_hand_lines(work: tuple[HandWork, ...]) -> Iterator[str]:
    """What a human does, where, and the command to type there. The command is not wrapped."""
    for one in work:
        yield wrapped(f"{one.heading}: {one.what}", "  ", "    ")
        if one.command:
            yield f"    $ {one.command}"


def ending_lines(section: EndSection) -> Iterator[str]:
    """What a run leaves, item by item. Commands are not wrapped."""
    for item in section.items:
        yield wrapped(item.text, "  ", "    ")
        yield from (wrapped(text, "    ", "      ") for text in item.lines)
        yield from (f"      {text}" for command in item.commands for text in command.splitlines())


def preview_lines(preview: LossPreview) -> Iterator[str]:
    """The loss preview. Warnings come last, just above the prompt."""
    yield f"  what {preview.target} loses by following {preview.source}:"
    for line in (*preview.lines, *preview.details):
        yield wrapped(line, "    ", "      ")
    for line in preview.warnings:
        yield wrapped(f"!!  {line}", "    ", "        ")
