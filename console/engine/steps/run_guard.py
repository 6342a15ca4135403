"""A run's lock on the nodes, from arming to the end: taken, looked at before every send, told of where it is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace

from console.core.model import ClusterState, RunLock
from console.core.runs.lock import (
    HeldElsewhereError,
    NotLockableError,
    lost_words,
    not_locked_words,
    taken_over,
    takeover_sentence,
)
from console.engine.ports import ArmingError, LockHeldError, NodeLocks, Takeover
from console.engine.steps.step_view import StepView

Record = Callable[[str, Mapping[str, object]], None]


class LockTakenError(Exception):
    """Another operator took the lock by a typed sentence: this run sends nothing more."""


class RunGuard:
    """What the runner asks of the lock. It sends nothing itself, and decides nothing for the operator."""

    def __init__(self, locks: NodeLocks, claim: RunLock) -> None:
        self._locks = locks
        self._claim = claim
        self._told = False
        """The operator was told of the loss: the next look may take it again."""
        self._free: Mapping[str, str] = {}
        """Node → why it could not be locked: it was away."""

    def arm(self, record: Record, *, takeover: Takeover | None = None, resumed: bool = False) -> None:
        """Takes the lock for the first time. Raises ArmingError; the journal has the reason then.

        `resumed`: the journal is ours alone, so that whatever still holds the lock for this run has lost its console.
        """
        over = self._claim.run_id if resumed else ""
        try:
            if takeover is not None:
                over = _accepted(takeover)
                record("taken-over", {"holder": takeover.holder, "typed": takeover.typed})
                self._claim = replace(self._claim, over=over)
            self._hold(record, over)
        except HeldElsewhereError as held:
            record("refused", {"reason": str(held), "node": held.node, "holder": held.holder})
            raise LockHeldError(held.node, held.holder) from None
        except NotLockableError as error:
            record("refused", {"reason": str(error)})
            raise ArmingError(f"not every node can be locked, so nothing may be sent: {error}") from None

    def why_not_held(self, record: Record, step: str, state: ClusterState) -> str:
        """Before a question: what keeps the run from sending, empty if nothing does. `step` goes into the notes.

        A loss is told first; only the look after that takes the lock again, where it is free. A node that was away is
        locked as soon as it is back.
        """
        self._locks.say(step)
        try:
            if self._told or any(state.node(name).ssh.ok for name in self._free):
                self._hold(record)
        except HeldElsewhereError as held:
            self._stop_if_taken(taken_over(held.holder, held.node, self._claim.run_id))
            return str(held)
        except NotLockableError as error:
            return str(error)
        return self.problem(record)

    def problem(self, record: Record) -> str:
        """Right before a send: why nothing may be sent; empty: the lock is held. Raises LockTakenError."""
        lost = self._locks.lost()
        if lost and not self._told:
            record("lock", {"lost": lost})
        self._told = bool(lost)
        for one in lost:
            self._stop_if_taken(taken_over(one.holder, one.node, self._claim.run_id))
        return lost_words(lost)

    def guarded(self, seen: StepView, trouble: str) -> StepView:
        """The look with what the lock has to say to it, for the gate. What is lost cannot be overridden."""
        evidence = (*seen.evidence, *not_locked_words(self._free))
        if not trouble:
            return replace(seen, evidence=evidence)
        obstacle = "; ".join(filter(None, (trouble, seen.obstacle)))
        return replace(seen, evidence=evidence, obstacle=obstacle, sentence="")

    def release(self) -> None:
        with contextlib.suppress(Exception):
            self._locks.release()

    def _hold(self, record: Record, over: str = "") -> None:
        before, told = self._free, self._told
        self._free = self._locks.hold(self._claim, over=over)
        self._told = False
        if told or not before or self._free != before:
            record("lock", {"held": self._claim, "not_locked": self._free})

    @staticmethod
    def _stop_if_taken(by: str) -> None:
        if by:
            raise LockTakenError(by)


def _accepted(takeover: Takeover) -> str:
    """The run that is to end. Raises ArmingError where what was typed is not the sentence."""
    if " ".join(takeover.typed.split()) != takeover_sentence(takeover.holder):
        raise ArmingError("cancelled, that is not the sentence: nothing was taken over, and nothing was armed")
    return takeover.holder.run_id
