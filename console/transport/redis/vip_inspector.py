"""Inspects which Redis answers at the virtual IP."""

from __future__ import annotations

import time
from collections.abc import Callable

from console.core.command import Secret
from console.core.inventory import NodeSpec, RedisRoute
from console.core.model import Problem, ProblemKind, Reading, VipReach, read, unread
from console.probes.redis import info as redis_info
from console.transport.connections import libraries
from console.transport.connections.failing_since import FailingSince
from console.transport.connections.inspection_thread import InspectionThread, Now, silence
from console.transport.redis.inspector import OpenTunnel

_TIMEOUT = 2.0
_SILENT_BEFORE = 0.1  # seconds to wait for a virtual IP that did not answer last time
_SILENT_BEFORE_FRESH = 0.5  # the same for a fresh observation
_SILENT = (ProblemKind.TIMEOUT, ProblemKind.UNREACHABLE)
ChooseTunnel = Callable[[], tuple[str, OpenTunnel] | None]


class VipInspector:
    """Asks the Redis at the virtual IP for its identity, over a new connection each time, as a client would."""

    def __init__(
        self, vip: str, spec: NodeSpec, password: Secret | None, now: Now, choose_tunnel: ChooseTunnel
    ) -> None:
        nothing: Reading[VipReach] = unread(ProblemKind.NOT_CONFIGURED, "this kind of cluster has no virtual IP")
        self.reading: Reading[VipReach] = unread(ProblemKind.NOT_READ) if vip else nothing
        self._where = f"{vip}:{spec.redis.port}"
        self._vip = vip
        self._spec = spec
        self._password = password
        self._now = now
        self._choose_tunnel = choose_tunnel
        self._thread = InspectionThread(self._where, self._look, self._failed, now)
        self._silent_since = 0.0
        self._timeout = _TIMEOUT
        self._may_repeat = False
        self._failing = FailingSince()

    def ask(self, timeout: float = _TIMEOUT) -> None:
        """Starts a look. If one is under way it goes on: its answer will be just as new.

        `timeout`: seconds for connecting, and for the answer.
        """
        if not self._vip or not self._thread.idle:
            return
        self._read_answer()
        self._timeout = timeout
        self._thread.ask()

    def ask_if_silent(self, timeout: float) -> None:
        """The same, unless a look has brought an answer already.

        One that is under way has less time. Where it ends without an answer, `receive` repeats it in the time left.
        """
        self._may_repeat = not self._thread.idle
        self._read_answer()
        if self._thread.answer is None or _is_silent(self.reading):
            self.ask(timeout)

    @property
    def direct(self) -> bool:
        """Whether it is asked from this machine, and so without a node."""
        return self._spec.redis.via is not RedisRoute.SSH

    def receive(self, deadline: float, *, fresh: bool = False, held: bool = True) -> None:
        """Receives the answer by `deadline` (monotonic). `held`: a node has the address, or may have it.

        An address that no host has never answers, however long one waits. So the first look waits for the whole
        deadline, and later looks wait only as long as a host in the same network needs.
        """
        if not self._vip:
            return
        silent = _is_silent(self.reading)
        if silent and not (fresh and held):
            deadline = min(deadline, time.monotonic() + (_SILENT_BEFORE_FRESH if fresh else _SILENT_BEFORE))
        if self._thread.wait(deadline):
            self._read_answer()
            if self._may_repeat and _is_silent(self.reading) and (left := deadline - time.monotonic()) > 0:
                self._may_repeat = False
                self.ask(left)
                self.receive(deadline, fresh=fresh, held=held)
            return
        if not silent:
            self._silent_since = self._thread.asked_at
        problem = Problem(ProblemKind.TIMEOUT, silence(f"the virtual IP {self._where}", self._silent_since))
        self.reading = self._failing.noted(Reading(None, problem, self._now()))

    def _read_answer(self) -> None:
        """Reads the answer of a look that has ended, even if it came after the deadline of its observation."""
        answer = self._thread.answer
        if answer is None:
            return
        if _is_silent(answer) and not _is_silent(self.reading):
            self._silent_since = self._thread.asked_at
        self.reading = self._failing.noted(answer)

    def close(self) -> None:
        self._thread.close()

    def _failed(self, problem: Problem) -> Reading[VipReach]:
        return Reading(None, problem, self._now())  # not when the look began: there was no answer until now

    def _look(self) -> Reading[VipReach]:
        libraries.load_redis()
        from console.transport.redis import connection as redis

        at = self._now()
        tls = self._spec.redis.tls
        route = "direct"
        dial = redis.direct(self._vip, self._spec.redis.port, tls)
        if not self.direct:
            choose_tunnel = self._choose_tunnel()
            if choose_tunnel is None:
                return unread(ProblemKind.NOT_READ, "no node to look at the virtual IP through", at)
            route = f"through {choose_tunnel[0]}"
            dial = redis.through(choose_tunnel[1], self._vip, self._spec.redis.port, tls)
        link = redis.RedisConnection(self._spec.redis, self._password, self._where, dial, self._timeout)
        try:
            link.connect()
            link.send((redis.Question.INFO_SERVER, redis.Question.INFO_REPLICATION))
            replies = link.receive(time.monotonic() + self._timeout)
        finally:
            link.close()
        if replies is None:
            return unread(ProblemKind.TIMEOUT, f"{self._where} accepts the connection and does not answer", at)
        for reply in replies:
            if isinstance(reply, redis.Refusal):
                return unread(redis.refusal_kind(reply.text), f"{self._where}: {reply.text}", at)
        run_id, role, _ = redis_info.parse_identity("\n".join(map(str, replies)))
        if not run_id or role is None:
            return unread(ProblemKind.BAD_ANSWER, f"{self._where} answers, but not as a Redis server", at)
        return read(VipReach(run_id=run_id, role=role, route=route), at)


def _is_silent(reading: Reading[VipReach]) -> bool:
    return reading.problem is not None and reading.problem.kind in _SILENT
