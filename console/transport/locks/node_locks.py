"""A run's lock on the nodes of its cluster: one holder a node, asked often enough that none lets go by itself (H26)."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.core.inventory import ClusterSpec, NodeSpec
from console.core.model import RunLock
from console.core.runs.lock import HeldElsewhereError, LostLock, NotLockableError, one_line
from console.transport.connecting.failure import LinkError
from console.transport.locks import holder as node_lock_holder
from console.transport.locks.holder import Busy, Holder
from console.transport.ssh import connection as ssh
from console.transport.ssh import route as ssh_route

BEAT = 5.0
"""Seconds between two lines to each holder."""
LEASE = 30.0
"""Seconds after which a holder that hears nothing ends: the longest that a lock outlives a console whose end the node
cannot see (a network cut, a laptop that sleeps). A console that is killed frees its locks at once."""
ANSWER = 8.0
"""Seconds that a holder has to answer before the lock counts as lost: a busy node is not a lost one."""
_SUCCESSOR = 2.0  # seconds in which the console that ended a holder has written its own note


def make_node_locks(cluster: ClusterSpec) -> NodesLock:
    """The locks of one armed run. Nothing is connected before they are taken."""
    return NodesLock(cluster)


class NodesLock:
    """Implements the engine's NodeLocks, over connections of its own: whatever is busy elsewhere, the lock answers."""

    def __init__(
        self, cluster: ClusterSpec, *, beat: float = BEAT, lease: float = LEASE, answer: float = ANSWER
    ) -> None:
        self._nodes = cluster.nodes
        self._beat = beat
        self._lease = lease
        self._answer = answer
        self._seal = secrets.token_hex(8)
        self._step = ""
        self._held: dict[str, Holder] = {}
        self._gone: dict[str, tuple[str, ssh.SshConnection]] = {}
        """Node → why its holder is no more, and the connection that may still be able to say who came after it."""
        self._one_at_a_time = threading.RLock()
        self._ended = threading.Event()
        self._beating: threading.Thread | None = None

    def hold(self, claim: RunLock, *, over: str = "") -> Mapping[str, str]:
        """Takes what is not held, in the order of the inventory. Raises HeldElsewhereError, NotLockableError."""
        claim = replace(claim, seal=self._seal, step=self._step)
        with self._one_at_a_time:
            for name in (silent := self._ask_all()):
                self._drop(name, silent[name])
            missing = [node for node in self._nodes if node.name not in self._held]
        opened, away = _connect(missing)  # meanwhile the beat goes on: what is held stays held
        with self._one_at_a_time:
            taken: list[str] = []
            try:
                for node in missing:
                    if node.name in opened:
                        self._take(node, opened, claim, over, away)
                        taken += [node.name] if node.name in self._held else []
            except BaseException:
                for name in taken:
                    self._held.pop(name).close()
                raise
            finally:
                for connection in opened.values():
                    connection.close()
            for node in missing:  # not those that were lost while this went on
                if node.name in self._gone:
                    self._gone.pop(node.name)[1].close()
            self._begin_to_beat()
        return away

    def lost(self) -> tuple[LostLock, ...]:
        """Asks every holder. What is lost stays lost until it is taken again."""
        with self._one_at_a_time:
            silent = self._ask_all()
            lost = [LostLock(name, why) for name, why in silent.items()]
            lost += [LostLock(name, why, self._successor(name)) for name, (why, _) in self._gone.items()]
        return tuple(lost)

    def say(self, step: str) -> None:
        """The notes say so with the next line to the holders."""
        self._step = one_line(step)

    def release(self) -> None:
        """Ends every holder, and waits a moment for that: the next run finds the nodes free."""
        self._ended.set()
        with self._one_at_a_time:
            threads = [threading.Thread(target=one.close, daemon=True) for one in self._held.values()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(3.0)
            for _, connection in self._gone.values():
                connection.close()
            self._held.clear()
            self._gone.clear()

    def _take(
        self,
        node: NodeSpec,
        opened: dict[str, ssh.SshConnection],
        claim: RunLock,
        over: str,
        away: dict[str, str],
    ) -> None:
        """One node. A holder that is ours and that we lost sight of, and one that is to be ended, make way first."""
        connection = opened[node.name]
        try:
            got = node_lock_holder.take(connection, node, claim, self._lease)
            if isinstance(got, Busy) and got.holder is not None and self._makes_way(got.holder, over):
                node_lock_holder.end(connection, node, got.holder)
                got = node_lock_holder.take(connection, node, claim, self._lease)
        except LinkError as error:
            if connection.alive:
                raise NotLockableError(f"{node.name}: {error}") from None
            away[node.name] = str(error)
            return
        if isinstance(got, Holder):
            self._held[node.name] = got
            del opened[node.name]
        elif got.holder is None or got.holder.seal != self._seal:
            raise HeldElsewhereError(node.name, got.holder)
        # Else this node is on the same host as one that is held.

    def _makes_way(self, holder: RunLock, over: str) -> bool:
        if holder.seal == self._seal:
            return (holder.pid, holder.start) not in {(one.pid, one.start) for one in self._held.values()}
        return bool(over) and holder.run_id == over

    def _ask_all(self) -> dict[str, str]:
        """Node → why its holder, which may still be there, did not answer. One that has ended is dropped."""
        silent: dict[str, str] = {}
        for name, holder in list(self._held.items()):
            try:
                holder.ask(self._step)
            except LinkError as error:
                self._drop(name, str(error))
        deadline = time.monotonic() + self._answer
        for name, holder in list(self._held.items()):
            try:
                if not holder.answered(deadline):
                    silent[name] = f"no answer within {self._answer:.0f} s"
            except LinkError as error:
                self._drop(name, str(error))
        return silent

    def _drop(self, name: str, why: str) -> None:
        self._gone[name] = (why, self._held.pop(name).connection)

    def _successor(self, name: str) -> RunLock | None:
        """Who has the lock now. Somebody who has just ended our holder needs a moment to write the own note."""
        _, connection = self._gone[name]
        node = next(one for one in self._nodes if one.name == name)
        deadline = time.monotonic() + _SUCCESSOR
        with contextlib.suppress(LinkError, NotLockableError):
            while connection.alive:
                found = node_lock_holder.who(connection, node)
                if found is not None or time.monotonic() >= deadline:
                    return found
                time.sleep(0.2)
        return None

    def _begin_to_beat(self) -> None:
        if self._beating is None:
            self._beating = threading.Thread(target=self._go_on, name="run lock", daemon=True)
            self._beating.start()

    def _go_on(self) -> None:
        while not self._ended.wait(self._beat):
            with self._one_at_a_time:
                self._ask_all()


def _connect(nodes: Sequence[NodeSpec]) -> tuple[dict[str, ssh.SshConnection], dict[str, str]]:
    """Logs in to all at once. Node → connection, and node → why there is none."""
    opened: dict[str, ssh.SshConnection] = {}
    away: dict[str, str] = {}
    handshakes = threading.Semaphore(max(1, len(nodes)))

    def log_in(node: NodeSpec) -> None:
        try:
            opened[node.name] = ssh.connect(
                ssh_route.resolve(node.ssh, node.address), node.ssh.connect_timeout, handshakes
            )
        except LinkError as error:
            away[node.name] = str(error)
        except Exception as error:  # noqa: BLE001 - one node's trouble must not end the others'
            away[node.name] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=log_in, args=(node,), daemon=True) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return opened, {node.name: away[node.name] for node in nodes if node.name in away}
