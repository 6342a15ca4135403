"""Inspects one node's Redis over its own connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.core.command import Secret
from console.core.inventory import NodeSpec, RedisRoute
from console.core.model import ConnectStep, Problem, ProblemKind, Reading, Redis, RedisConfig, read, unread
from console.probes.redis import config as redis_config
from console.probes.redis import info as redis_info
from console.transport.connections import libraries
from console.transport.connections.answer_times import AnswerTimes
from console.transport.connections.background import BackgroundConnection
from console.transport.connections.errors import RemoteError, problem_of
from console.transport.connections.failing_since import FailingSince
from console.transport.connections.inspection_thread import Now, Unanswered
from console.transport.connections.own_load import is_own_load
from console.transport.connections.patience import Pace, patiently

if TYPE_CHECKING:
    from console.transport.redis.connection import RedisConnection

_GIVE_UP = 15.0  # seconds without an answer after which a new connection is made: a busy Redis answers nobody sooner
_MINUTE = 60.0
_SHORTEST_SPAN = 1.0  # seconds between two offsets from which a rate can be computed
_WORKED_FOR = 5.0  # seconds after which a connection counts as one that worked
OpenTunnel = Callable[[str, int, float], Any]


class _OpenRedis:
    """An open connection and its first answers."""

    def __init__(self, owner: RedisInspector) -> None:
        libraries.load_redis()
        from console.transport.redis import connection as redis

        self.full_questions = (redis.Question.INFO, *redis.CONFIG_QUESTIONS)
        self.live_questions = (redis.Question.INFO,)
        try:
            patiently(lambda timeout: self._open(owner, timeout), owner.timeout, owner.pace)
        except RemoteError as error:
            raise _told_at_once(owner, error).at(ConnectStep.ANSWER) from None

    def _open(self, owner: RedisInspector, timeout: float) -> None:
        self.connection = owner.new_connection(timeout=timeout)
        try:
            self.connection.connect()
            self.at = owner.now()
            self.replies = self._first_replies(owner, timeout)
        except BaseException:
            self.connection.close()
            raise

    def _first_replies(self, owner: RedisInspector, timeout: float) -> list[Any]:
        """Raises RemoteError if INFO is not answered."""
        from console.transport.redis import connection as redis

        self.connection.send(self.full_questions)
        replies = self.connection.receive(time.monotonic() + timeout)
        if replies is None:
            words = owner.unanswered.in_words(owner.where, self.at, begun=self.connection.begun)
            raise RemoteError(ProblemKind.TIMEOUT, words)
        if isinstance(replies[0], redis.Refusal):
            raise RemoteError(redis.refusal_kind(replies[0].text), f"{owner.where}: {replies[0].text}")
        return replies

    def close(self) -> None:
        self.connection.close()


def _told_at_once(owner: RedisInspector, error: RemoteError) -> RemoteError:
    """The error, or what the server tells a new connection before it closes it: protected mode, too many clients.

    What such a server says is lost on a connection over which something was sent.
    """
    if error.problem.kind is not ProblemKind.CLOSED or error.problem.step is ConnectStep.TCP:
        return error
    said = owner.new_connection().unasked()
    if not said:
        return error
    from console.transport.redis import connection as redis

    kind = redis.refusal_kind(said)
    return RemoteError(ProblemKind.CLOSED if kind is ProblemKind.BAD_ANSWER else kind, f"{owner.where}: {said}")


class WriteRate:
    """How fast the replication stream of one server grows, from the offsets of the last minute."""

    def __init__(self) -> None:
        self._offsets: list[tuple[float, int]] = []
        self._history = ""

    def of(self, redis: Redis, at: float) -> Redis:
        """The server with its rate, once two offsets are far enough apart."""
        if redis.offset is None or redis.history != self._history:
            self._offsets = []
            self._history = redis.history
        if redis.offset is None:
            return redis
        self._offsets = [one for one in self._offsets if at - _MINUTE <= one[0] < at and one[1] <= redis.offset]
        self._offsets.append((at, redis.offset))
        first, offset = self._offsets[0]
        return (
            replace(redis, write_rate=(redis.offset - offset) / (at - first)) if at - first >= _SHORTEST_SPAN else redis
        )


class RedisInspector:
    """Polls one Redis: all nodes are asked first, then all answers received. One question is open at a time."""

    def __init__(
        self,
        spec: NodeSpec,
        password: Secret | None,
        now: Now,
        open_tunnel: OpenTunnel,
        timeout: float,
        pace: Pace | None = None,
    ) -> None:
        """`timeout`: seconds for each answer while connecting. It is tried again as long as `pace` has patience."""
        self.pace = pace or Pace(timeout)
        self.unanswered = Unanswered()
        self.spec = spec
        self.password = password
        self.now = now
        self.open_tunnel = open_tunnel
        self.timeout = timeout
        self.where = f"Redis on {spec.redis.host or spec.address}:{spec.redis.port}"
        self.reading: Reading[Redis] = unread(ProblemKind.CONNECTING)
        self._failing = FailingSince()
        self.config_file = ""
        """From the last INFO. It stays known while Redis is down."""
        self._config = RedisConfig()
        self._write_rate = WriteRate()
        self._load_before: tuple[str, int] | None = None
        """run_id and operations a second, as they were told last while this console asked little."""
        self._connection: BackgroundConnection[_OpenRedis] = BackgroundConnection(self.where, lambda: _OpenRedis(self))
        self._asked: tuple[bool, float, float] | None = None  # full tier?, epoch, monotonic
        self._times = AnswerTimes()

    @property
    def config(self) -> RedisConfig:
        """From the last CONFIG GET. It stays known while Redis is down."""
        return self._config

    @property
    def waiting(self) -> bool:
        return self._asked is not None

    @property
    def worth_waiting(self) -> float:
        """Seconds that a fresh observation waits for an answer of this server."""
        return self._times.deadline

    def new_connection(self, *, exact: bool = False, timeout: float | None = None) -> RedisConnection:
        """Another connection to the same server. It is not connected yet. `timeout`: instead of the usual one."""
        from console.transport.redis import connection as redis

        spec = self.spec.redis
        host = spec.host or self.spec.address
        where = f"{host}:{spec.port}"
        if spec.via is RedisRoute.SSH:
            dial = redis.through(self.open_tunnel, host, spec.port, spec.tls)
        else:
            dial = redis.direct(host, spec.port, spec.tls)
        return redis.RedisConnection(spec, self.password, where, dial, timeout or self.timeout, exact=exact)

    @property
    def connecting(self) -> bool:
        """Whether an attempt to connect is under way. From any thread."""
        return self._connection.under_way

    def start_connecting(self, *, force: bool) -> None:
        self._connection.start_connecting(force=force)

    def finish_connecting(self, deadline: float) -> bool:
        opened = self._connection.finish_connecting(deadline)
        if opened:
            session = self._connection.connection
            assert session is not None
            self._asked = None
            self._read_replies(session.replies, session.at, full=True)
        elif self._connection.connection is None:
            self.unanswered.ended(self._connection.problem)
            self.reading = self._failing.noted(Reading(None, self._connection.problem, self.now()))
        return opened

    def ask(self, *, full: bool) -> None:
        session = self._connection.connection
        if session is None or self._asked is not None:
            return
        asked = (full, self.now(), time.monotonic())
        try:
            session.connection.send(session.full_questions if full else session.live_questions)
        except Exception as error:  # noqa: BLE001 - it is this server's problem, and a new connection may do better
            self._connection_lost(problem_of(error, self.where))
        else:
            self._asked = asked

    def receive(self, deadline: float) -> None:
        session, asked = self._connection.connection, self._asked
        if session is None or asked is None:
            return
        full, at, since = asked
        try:
            replies = session.connection.receive(deadline)
        except Exception as error:  # noqa: BLE001 - as above
            self._connection_lost(problem_of(error, self.where))
            return
        if replies is not None:
            self._asked = None
            self._times.add(time.monotonic() - since)
            self._read_replies(replies, at, full=full)
            return
        words = self.unanswered.in_words(self.where, at, begun=session.connection.begun)
        problem = Problem(ProblemKind.TIMEOUT, words)
        self.reading = self._failing.noted(Reading(None, problem, self.now()))
        if time.monotonic() - since > _GIVE_UP:
            self._connection_lost(problem)

    def reset_backoff(self) -> None:
        self._connection.reset_backoff()

    def close(self) -> None:
        self._connection.close()

    def _connection_lost(self, problem: Problem) -> None:
        session = self._connection.connection
        alive_for = self.now() - session.at if session is not None else 0.0
        self._asked = None
        self.unanswered.ended(problem)
        self._connection.fail(problem)
        self.reading = self._failing.noted(Reading(None, problem, self.now()))
        # A server that restarts closes its connections. So the first attempt after that begins at once.
        if problem.kind is ProblemKind.CLOSED and alive_for > _WORKED_FOR:
            self._connection.reset_backoff()

    def _read_replies(self, replies: Sequence[Any], at: float, *, full: bool) -> None:
        self.unanswered.ended()
        try:
            found = self._parsed(replies, at, full=full)
        except Exception as error:  # noqa: BLE001 - it is this answer's problem, and the next one may be understood
            found = Reading(None, problem_of(error, self.where), at)
        self.reading = self._failing.noted(found)
        if self.reading.value is not None:
            self.config_file = self.reading.value.config_file

    def _parsed(self, replies: Sequence[Any], at: float, *, full: bool) -> Reading[Redis]:
        from console.transport.redis import connection as redis

        if full:
            pairs = [reply for reply in replies[1:] if isinstance(reply, tuple)]
            settings = {reply[place]: reply[place + 1] for reply in pairs for place in range(0, len(reply) - 1, 2)}
            refusals = [reply.text for reply in replies[1:] if isinstance(reply, redis.Refusal)]
            self._config = replace(redis_config.parse(settings), refused=next(iter(refusals), ""))
        if isinstance(replies[0], redis.Refusal):
            return unread(redis.refusal_kind(replies[0].text), f"{self.where}: {replies[0].text}", at)
        return read(self._write_rate.of(self._of_clients(redis_info.parse(str(replies[0]), self._config)), at), at)

    def _of_clients(self, redis: Redis) -> Redis:
        """The server with the load that it had before this console asked much of it, as long as that distorts it."""
        if not is_own_load(self.where):
            self._load_before = (redis.run_id, redis.ops_per_second)
        elif self._load_before is not None and self._load_before[0] == redis.run_id:
            return replace(redis, ops_per_second=self._load_before[1])
        return redis
