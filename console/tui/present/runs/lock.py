"""The run of another operator, by the lock that it holds on the nodes (H26)."""

from __future__ import annotations

from datetime import UTC, datetime

from textual.content import Content

from console.core.model import ClusterState, RunLock
from console.core.runs.lock import lock_in_words, operator_location, runs_on, takeover_sentence
from console.tui.present.formatting import BOLD, DIM, NOTE, WARN, Lines, fitted, line, wrapped
from console.tui.present.runs.standing import Sign
from console.tui.present.runs.times import time_of_day, whole_time

UNDER_WAY: Sign = ("»", "under way", NOTE)


def locks_of_others(state: ClusterState | None, own: str) -> tuple[RunLock, ...]:
    """The runs that hold locks on this cluster, without the run of this console."""
    return tuple(one for one in runs_on(state) if one.run_id != own) if state is not None else ()


def lock_banner(lock: RunLock, width: int) -> Content:
    """One line: another operator's run is under way on this cluster."""
    step = f", step {lock.step}" if lock.step else ""
    head = line((f"» {lock.operator} runs {lock.runbook}{step}", f"{BOLD} {WARN}"), " (press f to follow)")
    return fitted(line(head, (f"  since {time_of_day(armed_at(lock))}", DIM)), width)


def armed_at(lock: RunLock) -> str:
    """When the run was armed, in the format of journal entries."""
    return datetime.fromtimestamp(lock.since, UTC).isoformat(timespec="seconds")


def lock_lines(lock: RunLock, width: int) -> Lines:
    """What the lock says of a run whose journal is not on this machine."""
    facts = (
        ("run", lock.run_id),
        ("cluster", lock.cluster),
        ("runbook", lock.runbook),
        ("step", lock.step or "before the first step"),
        ("operator", ", ".join(one for one in (lock.operator, operator_location(lock)) if one)),
        ("since", whole_time(armed_at(lock))),
        *((("takeover", f"from {lock.over}, by a typed sentence"),) if lock.over else ()),
    )
    return (
        *(row for name, value in facts for row in wrapped(value, width, indent=" " * 10, first=f"{name:<10}")),
        line(""),
        *wrapped(
            "Its journal is not on this machine. This is what its lock on the nodes says, read every second."
            " The screen of the cluster shows what the run changes.",
            width,
        ),
    )


def lock_gone_lines(run_id: str, width: int) -> Lines:
    """The followed run holds no lock any more."""
    return (
        *wrapped(
            f"The run {run_id} holds no lock any more: the run or its console has ended.", width, f"{BOLD} {WARN}"
        ),
        *wrapped("Its journal is not on this machine. Look at the cluster before you do anything.", width),
    )


def lock_held_lines(lock: RunLock, width: int) -> Lines:
    """Why nothing was armed, and what a takeover does."""
    return (
        *wrapped(f"{lock_in_words(lock)}.", width, BOLD),
        *wrapped(f"{operator_location(lock) or 'terminal not known'}; run {lock.run_id}", width),
        line(""),
        *wrapped(
            "Two runs on one cluster can undo each other, so nothing was armed. Follow that run, or ask its operator.",
            width,
        ),
        *wrapped(
            "If the operator cannot be reached, you can take over: the other run then sends nothing more.", width, WARN
        ),
        *wrapped(f"To take over, type: {takeover_sentence(lock)}", width, BOLD),
    )
