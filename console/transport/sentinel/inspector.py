"""Inspects one Sentinel over its own connection. It sends the commands of SentinelQuestion and no others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from console.core.command import Secret
from console.core.inventory import RedisSpec, SentinelSpec
from console.core.model import ClusterState, Problem, ProblemKind, Reading, Sentinel, SentinelState, read, unread
from console.probes.redis import sentinel
from console.transport.connections.background import BackgroundConnection
from console.transport.connections.errors import RemoteError, problem_of
from console.transport.connections.inspection_thread import Now, silence

_TIMEOUT = 2.0
_GIVE_UP = 15.0
MASTER_NAME = "{master}"


class SentinelQuestion(Enum):
    """Everything that the inspector can ask a Sentinel. Every command only reads."""

    INFO = ("INFO",)
    MASTERS = ("SENTINEL", "MASTERS")
    REPLICAS = ("SENTINEL", "SLAVES", MASTER_NAME)
    SENTINELS = ("SENTINEL", "SENTINELS", MASTER_NAME)
    QUORUM = ("SENTINEL", "CKQUORUM", MASTER_NAME)
    MYID = ("SENTINEL", "MYID")

    def words(self, master: str) -> tuple[str, ...]:
        """The words of the command for this master's name."""
        return tuple(master if word == MASTER_NAME else word for word in self.value)


QUESTIONS = tuple(SentinelQuestion)


class _OpenSentinel:
    """An open connection and its first answers."""

    def __init__(self, owner: SentinelInspector) -> None:
        from console.transport.redis import connection as redis

        spec = owner.spec
        dial = redis.direct(spec.address, spec.port, None)
        where = f"{spec.address}:{spec.port}"
        self.link = redis.RedisConnection(RedisSpec(port=spec.port), owner.password, where, dial, _TIMEOUT)
        try:
            self.link.connect()
            self.at = owner.now()
            self.link.send_words(owner.commands)
            replies = self.link.receive(time.monotonic() + _TIMEOUT)
        except BaseException:
            self.link.close()
            raise
        if replies is None:
            self.link.close()
            raise RemoteError(ProblemKind.TIMEOUT, silence(owner.where, self.at, begun=self.link.begun))
        self.replies = replies

    def close(self) -> None:
        self.link.close()


class SentinelInspector:
    """Implements WatcherInspector. One batch of questions is under way at a time."""

    def __init__(self, spec: SentinelSpec, master: str, password: Secret | None, now: Now) -> None:
        self.spec = spec
        self.password = password
        self.now = now
        self.where = f"the Sentinel {spec.name} on {spec.address}:{spec.port}"
        self.commands = tuple(question.words(master) for question in QUESTIONS)
        self.reading: Reading[Sentinel] = unread(ProblemKind.CONNECTING)
        self._master = master
        self._connection: BackgroundConnection[_OpenSentinel] = BackgroundConnection(
            self.where, lambda: _OpenSentinel(self)
        )
        self._asked_at: tuple[float, float] | None = None  # epoch, monotonic
        self._late = False

    @property
    def connect_timeout(self) -> float:
        return 2 * _TIMEOUT

    def start_connecting(self, *, force: bool) -> None:
        self._connection.start_connecting(force=force)

    def finish_connecting(self, deadline: float) -> bool:
        opened = self._connection.finish_connecting(deadline)
        session = self._connection.connection
        if opened:
            assert session is not None
            self._asked_at = None
            self._read_replies(session.replies, session.at)
        elif session is None:
            self.reading = Reading(None, _naming_sentinel(self._connection.problem), self.now())
        return opened

    def ask(self, *, full: bool, just_connected: bool) -> None:  # noqa: ARG002 - there is only one batch
        session = self._connection.connection
        self._late = self._asked_at is not None
        if session is None or just_connected or self._late:
            return
        asked = (self.now(), time.monotonic())
        try:
            session.link.send_words(self.commands)
        except Exception as error:  # noqa: BLE001 - it is this Sentinel's problem, and a new connection may do better
            self._connection_lost(problem_of(error, self.where))
        else:
            self._asked_at = asked

    def receive(self, deadline: float) -> None:
        session, asked = self._connection.connection, self._asked_at
        if session is None or asked is None:
            return
        at, since = asked
        try:
            replies = session.link.receive(0.0 if self._late else deadline)
        except Exception as error:  # noqa: BLE001 - as above
            self._connection_lost(problem_of(error, self.where))
            return
        if replies is not None:
            self._asked_at = None
            self._read_replies(replies, at)
            return
        problem = Problem(ProblemKind.TIMEOUT, silence(self.where, at, begun=session.link.begun))
        self.reading = Reading(None, problem, self.now())
        if time.monotonic() - since > _GIVE_UP:
            self._connection_lost(problem)

    def add_to(self, state: ClusterState) -> ClusterState:
        spec = self.spec
        parsed = SentinelState(
            spec.name, spec.address, spec.port, self.reading, spec.host, spec.service.command("start")
        )
        return replace(state, sentinels=(*state.sentinels, parsed))

    def reset_backoff(self) -> None:
        self._connection.reset_backoff()

    def close(self) -> None:
        self._connection.close()

    def _connection_lost(self, problem: Problem) -> None:
        self._asked_at = None
        self._connection.fail(problem)
        self.reading = Reading(None, _naming_sentinel(problem), self.now())

    def _read_replies(self, replies: Sequence[Any], at: float) -> None:
        try:
            self.reading = self._parsed(replies, at)
        except Exception as error:  # noqa: BLE001 - it is this answer's problem, and the next one may be understood
            self.reading = Reading(None, problem_of(error, self.where), at)

    def _parsed(self, replies: Sequence[Any], at: float) -> Reading[Sentinel]:
        from console.transport.redis import connection as redis

        info, masters = replies[0], replies[1]
        for reply in (info, masters):
            if isinstance(reply, redis.Refusal):
                return unread(redis.refusal_kind(reply.text), f"{self.where}: {reply.text}", at)
        by_question = dict(zip(QUESTIONS, replies, strict=True))
        quorum, run_id = by_question[SentinelQuestion.QUORUM], by_question[SentinelQuestion.MYID]
        refused = isinstance(quorum, redis.Refusal)
        parsed = sentinel.parse(
            str(info),
            _words(masters),
            self._master,
            replicas=_words(by_question[SentinelQuestion.REPLICAS]),
            sentinels=_words(by_question[SentinelQuestion.SENTINELS]),
            quorum=sentinel.quorum(quorum.text if refused else str(quorum), refused=refused),
            run_id=run_id if isinstance(run_id, str) else "",
        )
        return read(parsed, at)


def _naming_sentinel(problem: Problem) -> Problem:
    """The problem with the Sentinel named: the connection's text says Redis."""
    return replace(problem, text=problem.text.replace("Redis on ", "the Sentinel on ", 1))


def _words(reply: Any) -> tuple[str, ...]:
    """The array of a reply. Empty if the server refused: it does not know the command, or no master of this name."""
    return reply if isinstance(reply, tuple) else ()
