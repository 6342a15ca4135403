"""A run's lock on the nodes of its cluster (H26). Each node has one holder, and a heartbeat keeps the holders alive."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from console.core.inventory import ClusterSpec, NodeSpec
from console.core.model import RunLock
from console.core.runs.lock import HeldElsewhereError, LostLock, NotLockableError, one_line
from console.transport.connections.errors import RemoteError
from console.transport.locks import holder as lock_holder
from console.transport.locks.acquisition import Acquisition
from console.transport.locks.holder import Busy, Holder
from console.transport.locks.node_connections import connect_all
from console.transport.ssh import connection as ssh

HEARTBEAT = 5.0
"""Seconds between two questions to each holder."""
LEASE = 30.0
"""Seconds without a question after which a holder ends. So long can a lock outlive its console when the node cannot
see the end of the connection (a network cut, a laptop that sleeps). A killed console frees its locks at once."""
ANSWER_TIMEOUT = 8.0
"""Seconds without an answer after which the lock counts as lost. A busy node may need some of them."""
_SUCCESSOR_TIMEOUT = 2.0  # seconds in which a console that took over has written its note


def make_node_locks(cluster: ClusterSpec) -> SshNodeLocks:
    """The locks of one armed run. It connects when the locks are taken."""
    return SshNodeLocks(cluster)


class SshNodeLocks:
    """Implements the engine's NodeLocks. It has its own connections, so that no other work delays the heartbeat."""

    def __init__(
        self,
        cluster: ClusterSpec,
        *,
        heartbeat: float = HEARTBEAT,
        lease: float = LEASE,
        answer: float = ANSWER_TIMEOUT,
    ) -> None:
        self._nodes = cluster.nodes
        self._heartbeat = heartbeat
        self._lease = lease
        self._answer = answer
        self._seal = secrets.token_hex(8)
        self._claim: RunLock | None = None
        self._step = ""
        self._held: dict[str, Holder] = {}
        self._lost_holders: dict[str, tuple[str, ssh.SshConnection]] = {}
        """Node → why its lock was lost, and its connection, over which the successor can be read."""
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._heartbeat_thread: threading.Thread | None = None

    def hold(self, claim: RunLock, *, over: str = "") -> Mapping[str, str]:
        """Locks the nodes that are not locked yet, in the order of the inventory.

        `over`: the run that is taken over. Returns node → why it could not be reached.
        Raises HeldElsewhereError, NotLockableError.
        """
        claim = self._claim = replace(claim, seal=self._seal, step=self._step)
        with self._lock:
            for name, why in self._held_still(self._ask_all()).items():
                self._drop(name, why)
            missing = [node for node in self._nodes if node.name not in self._held]
        opened, unreachable = connect_all(missing)  # outside the lock: the heartbeat must go on meanwhile
        acquisition = Acquisition(claim, self._lease, lambda holder: self._may_be_ended(holder, over))
        with self._lock:
            taken: list[str] = []
            try:
                for node in missing:
                    if node.name in opened:
                        self._acquire(node, acquisition, opened, unreachable)
                        taken += [node.name] if node.name in self._held else []
            except BaseException:
                for name in taken:
                    self._held.pop(name).close()
                raise
            finally:
                for connection in opened.values():
                    connection.close()
            for node in missing:  # a node that was lost in the meantime stays lost
                if node.name in self._lost_holders:
                    self._lost_holders.pop(node.name)[1].close()
            self._start_heartbeat()
        return unreachable

    def lost(self) -> tuple[LostLock, ...]:
        """Asks every holder. A lost lock stays lost until `hold` takes it again."""
        with self._lock:
            silent = self._held_still(self._ask_all())
            lost = [LostLock(name, why) for name, why in silent.items()]
            lost += [LostLock(name, why, self._successor(name)) for name, (why, _) in self._lost_holders.items()]
        return tuple(lost)

    def say(self, step: str) -> None:
        """Names the current step. The next question carries it to the notes on the nodes."""
        self._step = one_line(step)

    def release(self) -> None:
        """Ends every holder and waits for it up to 3 s, so that the nodes are free for the next run."""
        self._ended.set()
        with self._lock:
            threads = [threading.Thread(target=one.close, daemon=True) for one in self._held.values()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(3.0)
            for _, connection in self._lost_holders.values():
                connection.close()
            self._held.clear()
            self._lost_holders.clear()

    def _acquire(
        self,
        node: NodeSpec,
        acquisition: Acquisition,
        opened: dict[str, ssh.SshConnection],
        unreachable: dict[str, str],
    ) -> None:
        """Locks one node, if it can be reached."""
        try:
            got = acquisition.acquire(node, opened)
        except RemoteError as error:
            if opened[node.name].alive:
                raise NotLockableError(f"{node.name}: {error}") from None
            unreachable[node.name] = str(error)
            return
        if isinstance(got, Holder):
            self._held[node.name] = got
            del opened[node.name]
        elif got.holder is None or got.holder.seal != self._seal:
            raise HeldElsewhereError(node.name, got.holder)
        # Else this node is on the same host as a node that is locked already.

    def _may_be_ended(self, holder: RunLock, over: str) -> bool:
        """Whether it is left of this run, or of the run that is taken over."""
        if holder.seal == self._seal:
            return (holder.pid, holder.start) not in {(one.pid, one.start) for one in self._held.values()}
        return bool(over) and holder.run_id == over

    def _ask_all(self) -> dict[str, str]:
        """Asks all holders. Returns node → why it did not answer in time. A holder that has ended is dropped."""
        silent: dict[str, str] = {}
        for name, holder in list(self._held.items()):
            try:
                holder.ask(self._step)
            except RemoteError as error:
                self._drop(name, str(error))
        deadline = time.monotonic() + self._answer
        for name, holder in list(self._held.items()):
            try:
                if not holder.answered(deadline):
                    silent[name] = f"no answer within {self._answer:.0f} s"
            except RemoteError as error:
                self._drop(name, str(error))
        return silent

    def _held_still(self, silent: Mapping[str, str]) -> dict[str, str]:
        """Asks silent holders over new connections. Returns node → why its lock is not known to be held.

        A holder of this run that still lives has kept the lock all the time: a new one takes its place. Where it does
        not live, the lock was free for a while, and the operator is told.
        """
        nodes = [node for node in self._nodes if node.name in silent]
        opened, unreachable = connect_all(nodes)
        left = {name: f"{silent[name]}, and then {why}" for name, why in unreachable.items()}
        for node in nodes:
            if node.name not in opened:
                continue
            try:
                gone = self._replace(node, opened[node.name])
            except (RemoteError, NotLockableError) as error:
                left[node.name] = f"{silent[node.name]}, and then {error}"
            else:
                if not gone:
                    del opened[node.name]
                else:
                    self._drop(node.name, gone)
        for connection in opened.values():
            connection.close()
        return left

    def _replace(self, node: NodeSpec, connection: ssh.SshConnection) -> str:
        """Puts a new holder in the place of a silent one. Returns why the lock is lost; empty: it is held.

        One program does it, so that few answers can be lost. Where its answer is lost, it may have left a holder of
        this run behind, which the next attempt replaces.
        """
        silent, claim = self._held[node.name], self._claim
        assert claim is not None
        new = lock_holder.acquire(connection, node, replace(claim, step=self._step), self._lease, replacing=True)
        if isinstance(new, Busy):
            return "another run took it in a moment of silence"
        if not new.replaced:
            new.close()
            return "its lock holder has ended"
        self._held[node.name] = new
        with contextlib.suppress(Exception):
            silent.connection.close()
        return ""

    def _drop(self, name: str, why: str) -> None:
        self._lost_holders[name] = (why, self._held.pop(name).connection)

    def _successor(self, name: str) -> RunLock | None:
        """The run that has the lock now. A console that took over needs a moment to write its note."""
        _, connection = self._lost_holders[name]
        node = next(one for one in self._nodes if one.name == name)
        deadline = time.monotonic() + _SUCCESSOR_TIMEOUT
        with contextlib.suppress(RemoteError, NotLockableError):
            while connection.alive:
                found = lock_holder.current_holder(connection, node)
                if found is not None or time.monotonic() >= deadline:
                    return found
                time.sleep(0.2)
        return None

    def _start_heartbeat(self) -> None:
        if self._heartbeat_thread is None:
            self._heartbeat_thread = threading.Thread(target=self._run_heartbeat, name="run lock", daemon=True)
            self._heartbeat_thread.start()

    def _run_heartbeat(self) -> None:
        while not self._ended.wait(self._heartbeat):
            with self._lock:
                self._held_still(self._ask_all())
