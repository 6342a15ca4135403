"""What one node's Redis tells, over its own connection; and what answers at the virtual IP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.core.command import Secret
from console.core.inventory import NodeSpec, RedisRoute
from console.core.model import Problem, ProblemKind, Reading, Redis, RedisConfig, VipReach, read, unread
from console.probes import redis_config, redis_info
from console.transport.failure import LinkError
from console.transport.host_eye import Now, silence
from console.transport.link import Link

if TYPE_CHECKING:
    from console.transport.redis import RedisLink

_GIVE_UP = 15.0
_VIP_TIMEOUT = 2.0
_GLANCE = 0.1
_MINUTE = 60.0
_ENOUGH = 1.0  # seconds between two offsets that say how fast a stream grows
_LASTED = 5.0  # seconds that make a connection one that worked
Tunnel = Callable[[str, int, float], Any]
Carrier = Callable[[], tuple[str, Tunnel] | None]


class _Session:
    """An open connection and the first answers that came with it."""

    def __init__(self, eye: RedisEye) -> None:
        # In this order: while the SSH handshakes wait for their servers, there is time to import the other library.
        from console.transport import ssh  # noqa: F401
        from console.transport import redis  # isort: skip

        timeout = eye.timeout
        self.link = eye.new_link()
        self.looks = (redis.Look.INFO, *redis.CONFIG_LOOKS)
        self.live = (redis.Look.INFO,)
        try:
            self.link.connect()
            self.at = eye.now()
            self.link.send(self.looks)
            replies = self.link.receive(time.monotonic() + timeout)
        except BaseException:
            self.link.close()
            raise
        if replies is None:
            self.link.close()
            raise LinkError(ProblemKind.TIMEOUT, silence(eye.where, self.at))
        if isinstance(replies[0], redis.Refusal):
            self.link.close()
            raise LinkError(redis.refusal_kind(replies[0].text), f"{eye.where}: {replies[0].text}")
        self.replies = replies

    def close(self) -> None:
        self.link.close()


class Pace:
    """How fast the replication stream of one server grows, from the offsets that were seen in the last minute."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []
        self._history = ""

    def of(self, redis: Redis, at: float) -> Redis:
        """The same server with its rate, where it was looked at long enough."""
        if redis.offset is None or redis.history != self._history:
            self._seen = []
            self._history = redis.history
        if redis.offset is None:
            return redis
        self._seen = [one for one in self._seen if at - _MINUTE <= one[0] < at and one[1] <= redis.offset]
        self._seen.append((at, redis.offset))
        first, offset = self._seen[0]
        return replace(redis, write_rate=(redis.offset - offset) / (at - first)) if at - first >= _ENOUGH else redis


class RedisEye:
    """Polls one Redis: ask all, then collect. One question is under way at a time."""

    def __init__(self, spec: NodeSpec, password: Secret | None, now: Now, tunnel: Tunnel, timeout: float) -> None:
        self.spec = spec
        self.password = password
        self.now = now
        self.tunnel = tunnel
        self.timeout = timeout
        self.where = f"Redis on {spec.address}:{spec.redis.port}"
        self.reading: Reading[Redis] = unread(ProblemKind.CONNECTING)
        self.config_file = ""
        """As INFO last told, also while Redis is away."""
        self._config = RedisConfig()
        self._pace = Pace()
        self._link: Link[_Session] = Link(self.where, lambda: _Session(self))
        self._asked: tuple[bool, float, float] | None = None  # full tier?, epoch, monotonic

    @property
    def config(self) -> RedisConfig:
        """What CONFIG GET last told, also while Redis is away."""
        return self._config

    @property
    def waiting(self) -> bool:
        return self._asked is not None

    def new_link(self, *, exact: bool = False) -> RedisLink:
        """A connection of its own to the same server, not yet connected."""
        from console.transport import redis

        spec, host = self.spec.redis, self.spec.address
        if spec.via is RedisRoute.SSH:
            dial = redis.through(self.tunnel, host, spec.port, spec.tls)
        else:
            dial = redis.direct(host, spec.port, spec.tls)
        return redis.RedisLink(spec, self.password, f"{host}:{spec.port}", dial, self.timeout, exact=exact)

    def begin(self, *, force: bool) -> None:
        self._link.begin(force=force)

    def settle(self, deadline: float) -> bool:
        opened = self._link.settle(deadline)
        if opened:
            session = self._link.connection
            assert session is not None
            self._asked = None
            self._take(session.replies, session.at, full=True)
        elif self._link.connection is None:
            self.reading = Reading(None, self._link.problem, self.now())
        return opened

    def ask(self, *, full: bool) -> None:
        session = self._link.connection
        if session is None or self._asked is not None:
            return
        asked = (full, self.now(), time.monotonic())
        try:
            session.link.send(session.looks if full else session.live)
        except LinkError as error:
            self._lose(error.problem)
        else:
            self._asked = asked

    def collect(self, deadline: float) -> None:
        session, asked = self._link.connection, self._asked
        if session is None or asked is None:
            return
        full, at, since = asked
        try:
            replies = session.link.receive(deadline)
        except LinkError as error:
            self._lose(error.problem)
            return
        if replies is not None:
            self._asked = None
            self._take(replies, at, full=full)
            return
        problem = Problem(ProblemKind.TIMEOUT, silence(self.where, at))
        self.reading = Reading(None, problem, self.now())
        if time.monotonic() - since > _GIVE_UP:
            self._lose(problem)

    def hurry(self) -> None:
        self._link.hurry()

    def close(self) -> None:
        self._link.close()

    def _lose(self, problem: Problem) -> None:
        session = self._link.connection
        lasted = self.now() - session.at if session is not None else 0.0
        self._asked = None
        self._link.fail(problem)
        self.reading = Reading(None, problem, self.now())
        # A server that was restarted closes its connections: the next one is tried at once, and backs off from there.
        if problem.kind is ProblemKind.CLOSED and lasted > _LASTED:
            self._link.hurry()

    def _take(self, replies: Sequence[Any], at: float, *, full: bool) -> None:
        if full:
            pairs = [reply for reply in replies[1:] if isinstance(reply, tuple)]
            told = {reply[place]: reply[place + 1] for reply in pairs for place in range(0, len(reply) - 1, 2)}
            self._config = redis_config.parse(told)
        seen = _info(replies[0], at, self.where, lambda text: redis_info.parse(text, self._config))
        self.reading = seen.map(lambda redis: self._pace.of(redis, at))
        if self.reading.value is not None:
            self.config_file = self.reading.value.config_file


def _info(reply: Any, at: float, where: str, parse: Callable[[str], Any]) -> Reading[Any]:
    from console.transport import redis

    if isinstance(reply, redis.Refusal):
        return unread(redis.refusal_kind(reply.text), f"{where}: {reply.text}", at)
    try:
        return read(parse(str(reply)), at)
    except (ValueError, IndexError, KeyError) as error:
        return unread(ProblemKind.BAD_ANSWER, f"{where}: {error}", at)


class VipEye:
    """Asks whoever answers at the virtual IP who it is: over a new connection each time, as a client would."""

    def __init__(self, vip: str, spec: NodeSpec, password: Secret | None, now: Now, carrier: Carrier) -> None:
        self.reading: Reading[VipReach] = unread(ProblemKind.NOT_READ)
        self._where = f"{vip}:{spec.redis.port}"
        self._vip = vip
        self._spec = spec
        self._password = password
        self._now = now
        self._carrier = carrier
        self._go = threading.Event()
        self._done = threading.Event()
        self._done.set()
        self._answer: Reading[VipReach] | None = None
        self._asked_at = 0.0
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Starts to look, unless the last look is still under way."""
        if not self._done.is_set() or self._closed:
            return
        self._asked_at = self._now()
        self._done.clear()
        self._go.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"look at {self._where}", daemon=True)
            self._thread.start()

    def collect(self, deadline: float, *, patient: bool = False) -> None:
        """Takes what was seen, by `deadline` (monotonic). An address that did not answer is not waited for again."""
        failing = not self.reading.ok and self.reading.at > 0 and not patient
        if failing:
            deadline = min(deadline, time.monotonic() + _GLANCE)
        if self._done.wait(max(0.0, deadline - time.monotonic())):
            self.reading = self._answer or self.reading
        elif not failing:
            problem = Problem(ProblemKind.TIMEOUT, silence(f"the virtual IP {self._where}", self._asked_at))
            self.reading = Reading(None, problem, self._now())

    def close(self) -> None:
        self._closed = True
        self._go.set()

    def _run(self) -> None:
        while True:
            self._go.wait()
            self._go.clear()
            if self._closed:
                return
            self._answer = self._look()
            self._done.set()

    def _look(self) -> Reading[VipReach]:
        from console.transport import redis

        at = self._now()
        tls = self._spec.redis.tls
        route = "direct"
        dial = redis.direct(self._vip, self._spec.redis.port, tls)
        if self._spec.redis.via is RedisRoute.SSH:
            carrier = self._carrier()
            if carrier is None:
                return unread(ProblemKind.UNREACHABLE, "no node to look at the virtual IP through", at)
            route = f"through {carrier[0]}"
            dial = redis.through(carrier[1], self._vip, self._spec.redis.port, tls)
        try:
            link = redis.RedisLink(self._spec.redis, self._password, self._where, dial, _VIP_TIMEOUT)
            try:
                link.connect()
                link.send((redis.Look.INFO_SERVER, redis.Look.INFO_REPLICATION))
                replies = link.receive(time.monotonic() + _VIP_TIMEOUT)
            finally:
                link.close()
        except LinkError as error:
            return Reading(None, error.problem, at)
        except Exception as error:  # noqa: BLE001 - this thread must live as long as the inspector
            return unread(ProblemKind.UNREACHABLE, f"{self._where}: {type(error).__name__}", at)
        if replies is None:
            return unread(ProblemKind.TIMEOUT, f"{self._where} accepts the connection and does not answer", at)
        for reply in replies:
            if isinstance(reply, redis.Refusal):
                return unread(redis.refusal_kind(reply.text), f"{self._where}: {reply.text}", at)
        run_id, role, _ = redis_info.parse_identity("\n".join(map(str, replies)))
        if not run_id or role is None:
            return unread(ProblemKind.BAD_ANSWER, f"{self._where} answers, but not as a Redis server", at)
        return read(VipReach(run_id=run_id, role=role, route=route), at)
