"""A run's lock on the nodes (H26): taken at arming, checked before every send, released at the end."""

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
from console.engine.steps.step_view import StepView, forbidden

Record = Callable[[str, Mapping[str, object]], object]


class LockTakenError(Exception):
    """Another operator took the lock over by a typed sentence. This run sends nothing more."""


class RunGuard:
    """Takes, checks and releases the lock. It sends nothing to a server, and decides nothing for the operator."""

    def __init__(self, locks: NodeLocks, claim: RunLock) -> None:
        self._locks = locks
        self._claim = claim
        self._loss_shown = False
        """The operator was told that the lock is lost. The next look may take it again."""
        self._not_locked: Mapping[str, str] = {}
        """Node → why it could not be locked: it was not reachable."""

    def arm(self, record: Record, *, takeover: Takeover | None = None, resumed: bool = False) -> None:
        """Takes the lock for the first time. Raises ArmingError, and then the journal has the reason.

        `resumed`: this console alone has the journal open. A holder that still has the lock for this run has lost its
        console, and is ended.
        """
        over = self._claim.run_id if resumed else ""
        try:
            if takeover is not None:
                over = _run_to_end(takeover)
                record("taken-over", {"holder": takeover.holder, "typed": takeover.typed})
                self._claim = replace(self._claim, over=over)
            self._take(record, over)
        except HeldElsewhereError as held:
            record("refused", {"reason": str(held), "node": held.node, "holder": held.holder})
            raise LockHeldError(held.node, held.holder) from None
        except NotLockableError as error:
            record("refused", {"reason": str(error)})
            raise ArmingError(f"not every node can be locked, so nothing may be sent: {error}") from None

    def check_before_question(self, record: Record, step: str, state: ClusterState) -> str:
        """Why the run may not send now. Empty: it may. The notes on the nodes then name this `step`.

        A lost lock is first shown to the operator. Only the next look takes it again, where it is free. A node that was
        not reachable is locked as soon as it is back.
        """
        self._locks.say(step)
        try:
            if self._loss_shown or any(state.node(name).ssh.ok for name in self._not_locked):
                self._take(record)
        except HeldElsewhereError as held:
            self._stop_if_taken(taken_over(held.holder, held.node, self._claim.run_id))
            return str(held)
        except NotLockableError as error:
            return str(error)
        return self.problem(record)

    def problem(self, record: Record) -> str:
        """Right before a send: why nothing may be sent. Empty: the lock is held. Raises LockTakenError."""
        lost = self._locks.lost()
        if lost and not self._loss_shown:
            record("lock", {"lost": lost})
        self._loss_shown = bool(lost)
        for one in lost:
            self._stop_if_taken(taken_over(one.holder, one.node, self._claim.run_id))
        return lost_words(lost)

    def add_to_view(self, view: StepView, problem: str) -> StepView:
        """The view, with the nodes that are not locked and this problem of the lock. It cannot be overridden."""
        evidence = (*view.evidence, *not_locked_words(self._not_locked))
        return forbidden(replace(view, evidence=evidence), problem)

    def release(self) -> None:
        with contextlib.suppress(Exception):
            self._locks.release()

    def _take(self, record: Record, over: str = "") -> None:
        before, loss_shown = self._not_locked, self._loss_shown
        self._not_locked = self._locks.hold(self._claim, over=over)
        self._loss_shown = False
        if loss_shown or not before or self._not_locked != before:
            record("lock", {"held": self._claim, "not_locked": self._not_locked})

    @staticmethod
    def _stop_if_taken(by: str) -> None:
        if by:
            raise LockTakenError(by)


def _run_to_end(takeover: Takeover) -> str:
    """Id of the run that the takeover ends. Raises ArmingError where the sentence was not typed."""
    if " ".join(takeover.typed.split()) != takeover_sentence(takeover.holder):
        raise ArmingError("cancelled, that is not the sentence: nothing was taken over, and nothing was armed")
    return takeover.holder.run_id
