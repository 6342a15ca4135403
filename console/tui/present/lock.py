"""Another operator's run in words, as the lock on the nodes tells of it (H26)."""

from __future__ import annotations

from datetime import UTC, datetime

from textual.content import Content

from console.core.model import ClusterState, RunLock
from console.core.runs.lock import lock_in_words, operator_location, runs_on, takeover_sentence
from console.tui.present.past_runs import Sign, both_times, whole_time
from console.tui.present.words import BOLD, DIM, NOTE, WARN, Lines, fitted, line, wrapped

UNDER_WAY: Sign = ("»", "under way", NOTE)


def others(state: ClusterState | None, own: str) -> tuple[RunLock, ...]:
    """The runs that hold locks on this cluster, without our own."""
    return tuple(one for one in runs_on(state) if one.run_id != own) if state is not None else ()


def banner(lock: RunLock, width: int) -> Content:
    """One line: somebody is at work here."""
    step = f", step {lock.step}" if lock.step else ""
    head = line((f"» {lock.operator} is at work", f"{BOLD} {WARN}"), f" (f follows): {lock.runbook}{step}")
    return fitted(line(head, (f"  since {both_times(since(lock))}", DIM)), width)


def since(lock: RunLock) -> str:
    """When it was armed, as entries of a journal have it."""
    return datetime.fromtimestamp(lock.since, UTC).isoformat(timespec="seconds")


def told(lock: RunLock, width: int) -> Lines:
    """All that the nodes say of a run whose journal is not on this machine."""
    facts = (
        ("run", lock.run_id),
        ("cluster", lock.cluster),
        ("runbook", lock.runbook),
        ("step", lock.step or "before the first one"),
        ("who", ", ".join(one for one in (lock.operator, operator_location(lock)) if one)),
        ("since", whole_time(since(lock))),
        *((("over", f"taken from {lock.over} by a typed sentence"),) if lock.over else ()),
    )
    return (
        *(row for name, value in facts for row in wrapped(value, width, indent=" " * 9, first=f"{name:<9}")),
        line(""),
        *wrapped(
            "Its journal is not on this machine: this is what the nodes tell of it, looked at again every second."
            " What it changes is seen on the cluster's screen.",
            width,
        ),
    )


def gone(run_id: str, width: int) -> Lines:
    """The run that was followed holds no lock any more."""
    return (
        *wrapped(
            f"The run {run_id} holds no lock any more: it has ended, or its console has.", width, f"{BOLD} {WARN}"
        ),
        *wrapped("Its journal is not on this machine. Look at the cluster before you do anything.", width),
    )


def held(lock: RunLock, width: int) -> Lines:
    """Why nothing was armed, and what a takeover is."""
    return (
        *wrapped(f"{lock_in_words(lock)}.", width, BOLD),
        *wrapped(f"{operator_location(lock) or 'where its operator sits is not known'}; run {lock.run_id}", width),
        line(""),
        *wrapped("Two runs on one cluster undo each other: nothing was armed. Follow it, or ask its operator.", width),
        *wrapped("If they are gone for good, you can end their run: it then sends nothing more.", width, WARN),
        *wrapped(f"To take over, type: {takeover_sentence(lock)}", width, BOLD),
    )
