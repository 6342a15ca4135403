"""Redis connections. They use RESP2 and send only what they are told to send: Redis 2.6 to 8 and Valkey all work."""

# mypy: allow-untyped-calls
# (only some of the library's methods have annotations)

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any

from console.core.command import MASK, Secret
from console.core.inventory import RedisSpec, TlsSpec
from console.core.lazy_dataclass import dataclass
from console.core.model import ConnectStep, ProblemKind
from console.probes.redis import config as redis_config
from console.transport.connections.errors import RemoteError, from_socket
from console.transport.redis.bounded_stream import BoundedStream
from console.transport.redis.raw_replies import Foretold, RawReplies, RawReply
from console.transport.redis.redis_import import (
    AuthenticationError,
    Connection,
    MaintNotificationsConfig,
    RedisError,
    ResponseError,
)
from console.transport.redis.tls import tls_context, tls_failure
from console.transport.redis.tls_over_channel import TlsOverChannel

DENIED = "DENIED "
"""What protected mode begins with."""
_UNASKED_WITHIN = 0.5  # seconds; a server that refuses a connection says so at once
_LONGEST_REFUSAL = 1024  # bytes
_MAX_REPLY = 512 * 1024  # bytes; an INFO has 8 kB, and an endless reply must not fill the memory
_MAX_VALUE_REPLY = 1024 * 1024 * 1024  # bytes; a value has at most half of that

Dial = Callable[[float], Any]
"""Opens the byte stream to the server within so many seconds: a socket, or an SSH channel."""


class Question(Enum):
    """Everything that the inspector can ask a Redis. Every command only reads."""

    INFO = ("INFO",)
    INFO_SERVER = ("INFO", "server")
    INFO_REPLICATION = ("INFO", "replication")
    CONFIG_DIR = ("CONFIG", "GET", redis_config.PATTERNS[0])
    CONFIG_DBFILENAME = ("CONFIG", "GET", redis_config.PATTERNS[1])
    CONFIG_SAVE = ("CONFIG", "GET", redis_config.PATTERNS[2])
    CONFIG_MAXMEMORY = ("CONFIG", "GET", redis_config.PATTERNS[3])
    CONFIG_MIN_REPLICAS = ("CONFIG", "GET", redis_config.PATTERNS[4])
    CONFIG_STOP_WRITES = ("CONFIG", "GET", redis_config.PATTERNS[5])
    CONFIG_DISKLESS = ("CONFIG", "GET", redis_config.PATTERNS[6])
    CONFIG_LOGFILE = ("CONFIG", "GET", redis_config.PATTERNS[7])
    CONFIG_AOF = ("CONFIG", "GET", redis_config.PATTERNS[8])


CONFIG_QUESTIONS = tuple(question for question in Question if question.value[0] == "CONFIG")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error reply to one command. The connection stays usable."""

    text: str


Reply = str | tuple[str, ...] | Refusal


class _LibraryConnection(Connection):
    """redis-py's connection, over a byte stream that the console opens."""

    stream: BoundedStream | None = None

    def __init__(self, dial: Dial, connect_timeout: float, where: str, most: int, **named: Any) -> None:
        self._dial = dial
        self._dial_timeout = connect_timeout
        self._shown_as = where
        self._most = most
        super().__init__(**named)

    def _connect(self) -> Any:
        until = time.monotonic() + self._dial_timeout
        stream = self._dial(self._dial_timeout)
        self.stream = BoundedStream(stream, self._shown_as, until + self._dial_timeout, self._most)
        return self.stream


class RedisConnection:
    """One connection to one Redis. Only `send_words` sends, and nothing is ever sent twice.

    `exact`: keys that are not valid UTF-8 keep their bytes. Otherwise such bytes are replaced to be readable.
    `what`: what the errors call the server.
    """

    def __init__(  # noqa: PLR0913 - a server, and how to reach it
        self,
        spec: RedisSpec,
        password: Secret | None,
        where: str,
        dial: Dial,
        timeout: float,
        *,
        exact: bool = False,
        what: str = "Redis",
    ) -> None:
        self._aliases = {key.upper(): value for key, value in spec.aliases.items()}
        self._password = password
        self._server = f"{what} on {where}"
        self.server = self._server
        """What its errors call the server."""
        self._dial = dial
        self._timeout = timeout
        self._awaited = 0
        self._replies: list[Reply] = []
        host, _, port = where.rpartition(":")
        self._library = _LibraryConnection(
            dial,
            timeout,
            self._server,
            _MAX_VALUE_REPLY if exact else _MAX_REPLY,
            host=host,
            port=int(port),
            username=spec.username or None,
            password=password.reveal() if password else None,
            protocol=2,
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            decode_responses=True,
            encoding_errors="surrogateescape" if exact else "replace",
        )

    def connect(self) -> None:
        """Connects and authenticates. Raises RemoteError."""
        try:
            self._library.connect()
        except RemoteError as error:
            self.close()
            raise error.at(self._step) from None
        except AuthenticationError as error:
            text = f"{self._server}: {self._clean(error)}"
            raise RemoteError(ProblemKind.AUTH_FAILED, text, ConnectStep.AUTH) from None
        except RedisError as error:
            raise self._failure(error).at(self._step) from None
        except Exception as error:  # noqa: BLE001 - the library lets its parser's own errors through
            self.close()
            raise self._not_redis(error) from None

    @property
    def _step(self) -> ConnectStep:
        """What an error of `connect` is about: there is no stream before the server has accepted."""
        return ConnectStep.TCP if self._library.stream is None else ConnectStep.AUTH

    def unasked(self) -> str:
        """What the server says on a new connection to which nothing is sent. Empty: nothing, as most servers do."""
        stream = None
        try:
            stream = self._dial(self._timeout)
            stream.settimeout(_UNASKED_WITHIN)
            said = stream.recv(_LONGEST_REFUSAL).decode(errors="replace")
        except (OSError, RemoteError):
            return ""
        finally:
            if stream is not None:
                stream.close()
        return self._clean(said.removeprefix("-").removeprefix("ERR ")) if said.startswith("-") else ""

    def send(self, questions: Sequence[Question]) -> None:
        """Sends all questions in one write and does not wait for replies. Raises RemoteError."""
        self.send_words([question.value for question in questions])

    def send_words(self, commands: Sequence[Sequence[str]]) -> None:
        """Sends commands in one write. Raises RemoteError; then it is not known whether anything arrived."""
        if not self._library.is_connected:
            raise RemoteError(ProblemKind.CLOSED, f"the connection to {self._server} was lost")
        packed = self._library.pack_commands([self._with_aliases(words) for words in commands])
        self._replies = []
        self._awaited = len(commands)
        assert self._library.stream is not None
        self._library.stream.refill()
        try:
            self._library.send_packed_command(packed, check_health=False)
        except RedisError as error:
            raise self._failure(error) from None

    def receive(self, deadline: float) -> list[Reply] | None:
        """The replies to what was sent. None: not all have come by `deadline` (monotonic). Raises RemoteError."""
        assert self._library.stream is not None
        self._library.stream.read_until(deadline)
        while len(self._replies) < self._awaited:
            try:
                left = max(0.001, deadline - time.monotonic())
                self._replies.append(_flat(self._library.read_response(timeout=left, disconnect_on_error=False)))
            except ResponseError as error:
                self._replies.append(Refusal(self._clean(error)))
            except RedisError as error:
                if _timed_out(error):
                    return None
                self.close()
                if not isinstance(error, AuthenticationError) and _connection_lost(error):
                    raise self._failure(error) from None
                # The library closes the connection after this error reply, so the other replies cannot be read.
                rest = self._awaited - len(self._replies)
                self._replies += [Refusal(self._clean(error))] * rest
            except RemoteError:
                self.close()
                raise
            except Exception as error:  # noqa: BLE001 - the library lets its parser's own errors through
                self.close()
                raise self._not_redis(error) from None
        self._awaited = 0
        return self._replies

    def name_of(self, command: str) -> bytes:
        """The name of a command on this server, which may have renamed it."""
        return self._aliases.get(command.upper(), command).encode()

    def exchange(self, packed: Iterable[bytes | Foretold], count: int, deadline: float) -> list[RawReply]:
        """Sends commands that are packed already, and waits for their `count` replies, as bytes.

        The server works on a part of them while the next one is made. Behind some commands may stand what their
        replies will be. These are taken as they come, are no part of `count`, and what came stands in it. Raises
        RemoteError, also where not all have come by `deadline` (monotonic): the connection is closed then.
        """
        if not self._library.is_connected:
            raise RemoteError(ProblemKind.CLOSED, f"the connection to {self._server} was lost")
        stream = self._library.stream
        assert stream is not None
        stream.refill()
        stream.read_until(deadline)
        try:
            stream.settimeout(max(0.001, deadline - time.monotonic()))
            replies = RawReplies(stream)
            for part in packed:
                if isinstance(part, Foretold):
                    replies.expect(part)
                    replies.take_ready()
                else:
                    stream.sendall(part)
            return replies.rest(count)
        except OSError as error:
            self.close()
            if isinstance(error, TimeoutError):
                raise RemoteError(ProblemKind.TIMEOUT, f"{self._server} does not answer") from None
            raise from_socket(error, self._server) from None
        except ValueError as error:
            self.close()
            raise self._not_redis(error) from None
        except BaseException:  # half of the replies are still to come: the connection cannot be used again
            self.close()
            raise

    def clean(self, text: str) -> str:
        """One line with the password masked."""
        return self._clean(Exception(text))

    @property
    def begun(self) -> bool:
        """Whether a part of the awaited replies has come."""
        return self._library.stream is not None and self._library.stream.begun

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._library.disconnect()

    def _with_aliases(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words with the command's name in the inventory, where the server has renamed it."""
        return (self._aliases.get(words[0].upper(), words[0]), *words[1:])

    def _clean(self, error: Exception | str) -> str:
        """One line with the password masked: a server may repeat what it did not understand (H29)."""
        text = " ".join(str(error).split())
        if text.startswith(DENIED):
            text = text.split(". ")[0]  # what follows is a page of advice
        secret = self._password.reveal() if self._password else ""
        return (text.replace(secret, MASK) if secret else text)[:300]

    def _failure(self, error: Exception) -> RemoteError:
        cause = error.__context__
        if isinstance(cause, RemoteError):
            return cause
        if isinstance(cause, ssl.SSLError):
            return tls_failure(cause, self._server).at(ConnectStep.TLS)
        if _timed_out(error):
            how = "has answered only in part" if self.begun else "does not answer"
            return RemoteError(ProblemKind.TIMEOUT, f"{self._server} {how}")
        if isinstance(cause, OSError):
            return from_socket(cause, self._server)
        if type(error).__name__ == "InvalidResponse":
            return self._not_redis(error)
        text = self._clean(error)
        kind = refusal_kind(text)
        if kind is ProblemKind.BAD_ANSWER:
            kind = ProblemKind.CLOSED
        return RemoteError(kind, f"{self._server}: {text}")

    def _not_redis(self, error: Exception) -> RemoteError:
        said = self._clean(error) or type(error).__name__
        return RemoteError(ProblemKind.BAD_ANSWER, f"{self._server} answers, but not as a Redis server: {said}")


def direct(host: str, port: int, tls: TlsSpec | None) -> Dial:
    """A TCP connection from this machine."""

    def dial(timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), timeout=timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is None:
            return sock
        try:
            with _shaking_hands(f"{host}:{port}"):
                return tls_context(tls).wrap_socket(sock, server_hostname=tls.server_name or host)
        except BaseException:
            sock.close()
            raise

    return dial


def through(open_tunnel: Callable[[str, int, float], Any], host: str, port: int, tls: TlsSpec | None) -> Dial:
    """A channel through a node's SSH connection. The connection to Redis comes from that node."""

    def dial(timeout: float) -> Any:
        channel = open_tunnel(host, port, timeout)
        channel.settimeout(timeout)
        if tls is None:
            return channel
        try:
            with _shaking_hands(f"{host}:{port}"):
                return TlsOverChannel(channel, tls_context(tls), tls.server_name or host)
        except BaseException:
            channel.close()
            raise

    return dial


@contextlib.contextmanager
def _shaking_hands(where: str) -> Iterator[None]:
    """Names the step in the errors that are known by their text only. `_failure` names it in those of OpenSSL."""
    try:
        yield
    except TimeoutError:
        text = f"TLS with Redis on {where}: no answer to the handshake"
        raise RemoteError(ProblemKind.TIMEOUT, text, ConnectStep.TLS) from None
    except RemoteError as error:
        raise error.at(ConnectStep.TLS) from None


def refusal_kind(text: str) -> ProblemKind:
    """The kind of problem that an error reply means."""
    if text.startswith(
        (
            "NOAUTH",
            "WRONGPASS",
            "Authentication required",
            "invalid password",
            "invalid username-password",
            "operation not permitted",
        )
    ):
        return ProblemKind.AUTH_FAILED
    if text.startswith(("LOADING", "Redis is loading")):
        return ProblemKind.LOADING
    if text.startswith(("NOPERM", "DENIED", "No permission")) or "no permissions" in text:
        return ProblemKind.NOT_PERMITTED
    return ProblemKind.BAD_ANSWER


def _flat(reply: Any) -> Reply:
    if isinstance(reply, (list, tuple)):  # SCAN replies with a list in a list
        parts = (_flat(one) for one in reply)
        return tuple(word for one in parts for word in (one if isinstance(one, tuple) else (str(one),)))
    return "" if reply is None else str(reply)


def _timed_out(error: Exception) -> bool:
    return type(error).__name__ == "TimeoutError"


def _connection_lost(error: Exception) -> bool:
    return type(error).__name__ in ("ConnectionError", "TimeoutError", "InvalidResponse")
