"""The run lock in words: how its note on a node is written and read, and what an operator is told about it (H26)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime

from console.core.lazy_dataclass import dataclass
from console.core.model import ClusterState, RunLock
from console.core.visible import visible

_NUMBERS = {"since": float, "pid": int}
_OF_THE_NODE = frozenset({"pid", "start", "origin", "step"})
_LONGEST = 300
_END_OF_TIME = 1e11
"""Epoch seconds. A later time cannot be written as a date."""


@dataclass(frozen=True, slots=True)
class LostLock:
    """A node on which the run has lost its lock."""

    node: str
    why: str
    holder: RunLock | None = None
    """Who holds it now. None: nobody, or it could not be read."""


class HeldElsewhereError(Exception):
    """Another run has the lock of a node."""

    def __init__(self, node: str, holder: RunLock | None) -> None:
        super().__init__(taken_by(node, holder))
        self.node = node
        self.holder = holder
        """None: its note could not be read."""


class NotLockableError(Exception):
    """A node is reachable and cannot be locked. The text is one line and names the node."""


def note_of(lock: RunLock) -> str:
    """Lines `name=value` for the holder's file. The holder adds what only the node knows."""
    values = {one.name: str(getattr(lock, one.name)) for one in fields(RunLock)} | {"since": f"{lock.since:.3f}"}
    lines = {name: one_line(value) for name, value in values.items() if name not in _OF_THE_NODE}
    return "".join(f"{name}={value}\n" for name, value in lines.items() if value)


def parse_note(text: str) -> RunLock | None:
    """The note of a living holder. None: there is no holder. Raises ValueError if the note is not understood."""
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if not found:
        return None
    known = {one.name for one in fields(RunLock)}
    values = {name: _NUMBERS.get(name, one_line)(value) for name, value in found.items() if name in known}
    try:
        lock = RunLock(**values)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError("the note of the run's lock is not complete") from None
    if not 0 <= lock.since < _END_OF_TIME:
        raise ValueError("the note of the run's lock has an impossible time")
    return lock


def one_line(text: str) -> str:
    """The text as one line of visible characters, not too long: for notes and screens."""
    return visible(" ".join(text.split()))[:_LONGEST]


def lock_in_words(lock: RunLock) -> str:
    """`ann@ops1 runs one-shot-rebuild on cache since 03:12 UTC (step 3/14 replicate)`."""
    since = datetime.fromtimestamp(lock.since, UTC).strftime("%H:%M")
    step = f" (step {lock.step})" if lock.step else ""
    return f"{lock.operator} runs {lock.runbook} on {lock.cluster} since {since} UTC{step}"


def operator_location(lock: RunLock) -> str:
    """Where the operator is: the terminal, and the address that the node sees."""
    parts = (lock.terminal and f"at {lock.terminal}", lock.origin and f"from {lock.origin}")
    return " ".join(part for part in parts if part)


def taken_by(node: str, lock: RunLock | None) -> str:
    """Why a node cannot be locked: another run has its lock."""
    if lock is None:
        return f"{node} is locked by a run whose note cannot be read"
    place = f", {operator_location(lock)}" if operator_location(lock) else ""
    return f"{node} is locked: {lock_in_words(lock)}, run {lock.run_id}{place}"


def refusal(node: str, lock: RunLock | None) -> str:
    """One line for the second operator."""
    if lock is None:
        return f"{taken_by(node, lock)}: nothing was armed; try again in a moment"
    follow = f"follow it with `status {lock.cluster}` or `watch {lock.cluster}`, where its journal is shared with"
    return (
        f"{taken_by(node, lock)}: nothing was armed. To see how it goes on {follow} "
        f"`runs show {lock.run_id}`; its lock ends with its console, and `run` can take it over by a typed sentence"
    )


def takeover_sentence(lock: RunLock) -> str:
    """What must be typed, word for word, to end another operator's run."""
    return f"I end the run of {lock.operator} on {lock.cluster}"


def lost_words(lost: Iterable[LostLock]) -> str:
    """Why nothing is sent. Empty: no lock was lost."""
    parts = [
        f"the run's lock on {one.node} is lost: {one.why}"
        + (f"; {lock_in_words(one.holder)} now" if one.holder else "")
        for one in lost
    ]
    advice = "nothing is sent without it; look again takes it again where it is free"
    return "; ".join((*parts, advice)) if parts else ""


def taken_over(holder: RunLock | None, node: str, run_id: str) -> str:
    """Who took this run's lock over by a typed sentence. Empty: nobody."""
    if holder is None or holder.over != run_id:
        return ""
    return f"the run's lock was taken over; {taken_by(node, holder)}"


def not_locked_words(free: Mapping[str, str]) -> tuple[str, ...]:
    """One line for each node without a lock of this run."""
    return tuple(f"{node} is not locked against other operators: {why}" for node, why in free.items())


def holders(state: ClusterState) -> Mapping[str, RunLock]:
    """Node → the run that holds its lock, by this observation."""
    return {node.name: node.run_lock.value for node in state.nodes if node.run_lock.value is not None}


def runs_on(state: ClusterState) -> tuple[RunLock, ...]:
    """The runs that hold locks on this cluster's nodes, each once."""
    return tuple({lock.run_id: lock for lock in holders(state).values()}.values())
