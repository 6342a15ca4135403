"""Inspects one Sentinel over its own connection. It sends the commands of SentinelQuestion and no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from console.core.command import Secret
from console.core.inventory import SentinelSpec
from console.core.model import ClusterState, Problem, ProblemKind, Reading, Sentinel, SentinelState, read, unread
from console.probes.redis import sentinel
from console.transport.connections.background import BackgroundConnection
from console.transport.connections.errors import RemoteError, problem_of
from console.transport.connections.inspection_thread import Now, Unanswered
from console.transport.connections.patience import Pace, patiently
from console.transport.redis.inspector import OpenTunnel
from console.transport.sentinel.refusals import with_advice

if TYPE_CHECKING:
    from console.transport.redis.connection import RedisConnection

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
        patiently(lambda timeout: self._open(owner, timeout), _TIMEOUT, owner.pace)

    def _open(self, owner: SentinelInspector, timeout: float) -> None:
        self.link = owner.new_connection(timeout)
        try:
            self.link.connect()
            self.at = owner.now()
            self.link.send_words(owner.commands)
            self.replies = self._first_answers(owner, timeout)
        except BaseException:
            self.link.close()
            raise

    def _first_answers(self, owner: SentinelInspector, timeout: float) -> list[Any]:
        from console.transport.redis import connection as redis

        replies = self.link.receive(time.monotonic() + timeout)
        if replies is None:
            words = owner.unanswered.in_words(owner.where, self.at, begun=self.link.begun)
            raise RemoteError(ProblemKind.TIMEOUT, words)
        if isinstance(replies[0], redis.Refusal):
            raise RemoteError(redis.refusal_kind(replies[0].text), f"{owner.where}: {replies[0].text}")
        return list(replies)

    def close(self) -> None:
        self.link.close()


class SentinelInspector:
    """Implements WatcherInspector. One batch of questions is under way at a time.

    `open_tunnel`: opens a channel through the SSH connection of its host, for `via: ssh`.
    """

    by_steps = False

    def __init__(  # noqa: PLR0913 - a Sentinel, and how to reach it
        self,
        spec: SentinelSpec,
        master: str,
        password: Secret | None,
        now: Now,
        open_tunnel: OpenTunnel | None = None,
        close_tunnel: Callable[[], None] = lambda: None,
        *,
        pace: Pace | None = None,
    ) -> None:
        self.pace = pace or Pace(_TIMEOUT)
        self.unanswered = Unanswered()
        self.spec = spec
        self.password = password
        self.now = now
        self.where = f"the Sentinel {spec.name} on {spec.address}:{spec.port}"
        self.commands = tuple(question.words(master) for question in QUESTIONS)
        self.reading: Reading[Sentinel] = unread(ProblemKind.CONNECTING)
        self._open_tunnel = open_tunnel
        self._close_tunnel = close_tunnel
        self._master = master
        self._connection: BackgroundConnection[_OpenSentinel] = BackgroundConnection(
            self.where, lambda: _OpenSentinel(self)
        )
        self._asked_at: tuple[float, float] | None = None  # epoch, monotonic
        self._late = False

    def new_connection(self, timeout: float = _TIMEOUT) -> RedisConnection:
        """A connection to the Sentinel. It is not connected yet."""
        from console.transport.redis import connection as redis

        spec = self.spec
        place = (spec.address, spec.port, spec.tls)
        dial = redis.through(self._open_tunnel, *place) if self._open_tunnel is not None else redis.direct(*place)
        where, what = f"{spec.address}:{spec.port}", f"the Sentinel {spec.name}"
        return redis.RedisConnection(spec.connection, self.password, where, dial, timeout, what=what)

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
            self.unanswered.ended(self._connection.problem)
            problem = with_advice(self._connection.problem, self.spec, opening=True)
            self.reading = Reading(None, problem, self.now() - self._connection.problem_age)
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
        words = self.unanswered.in_words(self.where, at, begun=session.link.begun)
        problem = Problem(ProblemKind.TIMEOUT, words)
        self.reading = Reading(None, problem, self.now())
        if time.monotonic() - since > _GIVE_UP:
            self._connection_lost(problem)

    def add_to(self, state: ClusterState) -> ClusterState:
        spec = self.spec
        parsed = SentinelState(spec.name, spec.address, spec.port, self.reading, spec.host, spec.start_command)
        return replace(state, sentinels=(*state.sentinels, parsed))

    def reset_backoff(self) -> None:
        self._connection.reset_backoff()

    def close(self) -> None:
        self._connection.close()
        self._close_tunnel()

    def _connection_lost(self, problem: Problem) -> None:
        self._asked_at = None
        self.unanswered.ended(problem)
        self._connection.fail(problem)
        self.reading = Reading(None, with_advice(problem, self.spec, opening=False), self.now())

    def _read_replies(self, replies: Sequence[Any], at: float) -> None:
        self.unanswered.ended()
        try:
            self.reading = self._parsed(replies, at)
        except Exception as error:  # noqa: BLE001 - it is this answer's problem, and the next one may be understood
            self.reading = Reading(None, problem_of(error, self.where), at)

    def _parsed(self, replies: Sequence[Any], at: float) -> Reading[Sentinel]:
        from console.transport.redis import connection as redis

        info, masters = replies[0], replies[1]
        for reply in (info, masters):
            if isinstance(reply, redis.Refusal):
                problem = Problem(redis.refusal_kind(reply.text), f"{self.where}: {reply.text}")
                return Reading(None, with_advice(problem, self.spec, opening=False), at)
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


def _words(reply: Any) -> tuple[str, ...]:
    """The array of a reply. Empty if the server refused: it does not know the command, or no master of this name."""
    return reply if isinstance(reply, tuple) else ()
