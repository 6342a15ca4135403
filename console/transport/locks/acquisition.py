"""Takes the lock of one node for a run, also where answers are lost or a holder is left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from console.core.inventory import NodeSpec
from console.core.model import ProblemKind, RunLock
from console.transport.connections.errors import RemoteError
from console.transport.locks import holder as lock_holder
from console.transport.locks.holder import Busy, Holder
from console.transport.locks.node_connections import connect_all
from console.transport.ssh.connection import SshConnection

_TRIES = 3  # a lost answer must not refuse the run


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What a run claims, and for how long its holders live without a question."""

    claim: RunLock
    lease: float
    may_be_ended: Callable[[RunLock], bool]
    """Whether a holder that is in the way may be ended."""

    def acquire(self, node: NodeSpec, opened: dict[str, SshConnection]) -> Holder | Busy:
        """Asks again over a new connection where an answer was lost. A holder that this leaves behind is ended then.

        Raises RemoteError, NotLockableError.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._acquire_once(node, opened[node.name])
            except RemoteError as error:
                again, _ = connect_all([node]) if error.problem.kind is ProblemKind.TIMEOUT else ({}, {})
                if node.name not in again:
                    raise
            opened[node.name].close()
            opened[node.name] = again[node.name]
        return self._acquire_once(node, opened[node.name])

    def _acquire_once(self, node: NodeSpec, connection: SshConnection) -> Holder | Busy:
        """It first ends a holder that is in the way, where that is allowed."""
        got = lock_holder.acquire(connection, node, self.claim, self.lease)
        if isinstance(got, Busy) and got.holder is not None and self.may_be_ended(got.holder):
            lock_holder.end_holder(connection, node, got.holder)
            got = lock_holder.acquire(connection, node, self.claim, self.lease)
        return got
