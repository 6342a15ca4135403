"""The only module that changes anything on a node.

It checks the identity of the other end, and then sends one command, once, on the same connection.
"""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from console.core.command import (
    MASK,
    ConsulCommand,
    DiskKeyExport,
    FileCopy,
    Identity,
    KeyExport,
    Planned,
    RedisCommand,
    Secret,
    ShellCommand,
)
from console.core.inventory import (
    CONSUL_TOKEN,
    ClusterSpec,
    KeepalivedSpec,
    NodeSpec,
    RedisRoute,
    SentinelSpec,
)
from console.core.model import Redis
from console.core.model.assembling import as_node
from console.core.model.silence import SILENCE
from console.core.numbers import version_of
from console.core.runs.answer import Answer, AnswerKind
from console.probes.redis import info as redis_info
from console.transport.clock import Clock
from console.transport.connections.errors import RemoteError
from console.transport.consul import actuator as consul_actuator
from console.transport.redis import connection as redis
from console.transport.redis import key_export, throw_away
from console.transport.redis.disk_keys import keep_disk_keys
from console.transport.redis.keys.sender import RedisKeySender
from console.transport.ssh import connection as ssh
from console.transport.ssh import file_copy
from console.transport.ssh import route as ssh_route

_IDENTITY_COMMAND = "cat /proc/sys/kernel/hostname /proc/sys/kernel/random/boot_id"
_IDENTITY_TIMEOUT = 5.0
_OUTLIVED = 2.0  # seconds of silence after a command's exit status
_QUESTIONS = 3  # a lost answer to a question must not keep a confirmed command from being sent
T = TypeVar("T")
_MAX_TEXT = 4000


def make_actuator(
    cluster: ClusterSpec,
    passwords: Mapping[str, Secret | None],
    clock: Clock,
) -> ClusterActuator:
    """The actuator of one armed run. It connects when the first command is sent."""
    return ClusterActuator(cluster, passwords, clock.now)


class ClusterActuator:
    """Implements the engine's Actuator. It has its own connections and shares none with an inspector."""

    def __init__(
        self, cluster: ClusterSpec, passwords: Mapping[str, Secret | None], now: Callable[[], float] = time.time
    ) -> None:
        self._spec = cluster
        self._now = now
        self._passwords = passwords
        self._ssh: dict[str, ssh.SshConnection] = {}
        self._handshake = threading.Semaphore(1)

    def send(self, planned: Planned, expecting: Identity, on_progress: Callable[[str], None] | None = None) -> Answer:
        """Sends once, if the other end is the one that was shown to the operator. Raises nothing.

        `on_progress` gets a line of text from time to time while a long command runs.
        """
        node = self._target(planned.node)
        if node is None:
            return Answer(AnswerKind.NOT_SENT, f"the cluster has no node {planned.node}")
        try:
            tell = on_progress or (lambda _: None)
            if isinstance(planned.command, KeyExport):
                answer = self._export_keys(node, planned.command, expecting)
            elif isinstance(planned.command, DiskKeyExport):
                answer = self._export_disk_keys(node, planned.command, expecting, tell)
            elif isinstance(planned.command, FileCopy):
                answer = self._copy_file(node, planned.command, expecting, tell)
            elif isinstance(planned.command, ConsulCommand):
                answer = consul_actuator.send_consul(planned.command, self._passwords.get(CONSUL_TOKEN))
            elif isinstance(planned.command, ShellCommand):
                answer = self._send_shell(node, planned.command, expecting)
            else:
                answer = self._send_redis(node, planned.command, expecting)
        except _NotSentError as error:
            return Answer(AnswerKind.NOT_SENT, self._clean(str(error)))
        except RemoteError as error:
            # An error that comes after the command has left tells nothing about whether it was carried out.
            return Answer(AnswerKind.UNKNOWN, self._clean(f"{error}; it may have been carried out"))
        except Exception as error:  # noqa: BLE001 - a run must be able to record every end
            return Answer(
                AnswerKind.UNKNOWN, self._clean(f"{type(error).__name__}: {error}; it may have been carried out")
            )
        return Answer(answer.kind, self._clean(answer.text), answer.exit_status)

    def read_file(self, node: str, path: str) -> bytes:
        """The bytes of a file. Raises OSError with one line of text."""
        try:
            spec = self._spec.node(node)
            command = ShellCommand(f"cat -- {shlex.quote(path)}", sudo=spec.ssh.sudo).render()
            done = self._asked_again(lambda: self._connection(spec).run(command, timeout=_IDENTITY_TIMEOUT))
        except KeyError:
            raise OSError(f"the cluster has no node {node}") from None
        except RemoteError as error:
            raise OSError(f"{path} on {node}: {error}") from None
        if done.status != 0:
            raise OSError(f"{path} on {node}: {_one_line(done.err) or 'could not be read'}")
        return done.out

    def open_keys(self, node: str, expecting: Identity, server: Redis) -> RedisKeySender:
        """Connects for sending keys, if the server is the one that was shown. Raises OSError with one line of text.

        `server`: its version decides which commands it understands.
        """
        spec = self._spec.node(node)
        link = self._redis(spec, exact=True)
        try:
            with _nothing_sent_yet():
                _connect_and_identify(link, node, expecting, ("run_id", "config_file"))
        except _NotSentError as error:
            link.close()
            raise OSError(self._clean(str(error))) from None
        except BaseException:
            link.close()
            raise
        return RedisKeySender(node, link, server.flavour, version_of(server.version), self._now)

    def close(self) -> None:
        for connection in self._ssh.values():
            connection.close()
        self._ssh.clear()

    def _copy_file(
        self, node: NodeSpec, command: FileCopy, expecting: Identity, on_progress: Callable[[str], None]
    ) -> Answer:
        """Checks the identity of both hosts before the first byte is copied (H07)."""
        with _nothing_sent_yet():
            source = self._spec.node(command.source)
            connections = self._identified_host(source, command.source_who), self._identified_host(node, expecting)
        return file_copy.copy_file(*connections, command, lambda line: on_progress(self._clean(line)))

    def _identified_host(self, node: NodeSpec, expecting: Identity) -> ssh.SshConnection:
        """A connection to the host, with its host name and boot id checked. Raises RemoteError, _NotSentError."""
        return self._asked_again(lambda: self._identified_once(node, expecting))

    def _identified_session(self, node: NodeSpec, expecting: Identity) -> tuple[ssh.SshConnection, Any]:
        """The same, with a channel on which nothing was sent. Raises RemoteError, _NotSentError."""

        def opened() -> tuple[ssh.SshConnection, Any]:
            connection = self._identified_once(node, expecting)
            return connection, connection.open_session(_IDENTITY_TIMEOUT)

        return self._asked_again(opened)

    def _asked_again(self, ask: Callable[[], T]) -> T:
        """Asks again over a new connection where an answer was lost. What is asked here changes nothing.

        Raises what the last attempt raises.
        """
        for _ in range(_QUESTIONS - 1):
            try:
                return ask()
            except RemoteError as error:
                if error.problem.kind not in SILENCE:
                    raise
        return ask()

    def _identified_once(self, node: NodeSpec, expecting: Identity) -> ssh.SshConnection:
        connection = self._connection(node)
        who = connection.run(_IDENTITY_COMMAND, timeout=_IDENTITY_TIMEOUT)
        hostname, boot_id = [*who.out.decode(errors="replace").split(), "", ""][:2]
        _check_identity(node.name, Identity(hostname=hostname, boot_id=boot_id), expecting, ("hostname", "boot_id"))
        return connection

    def _target(self, name: str) -> NodeSpec | None:
        """The node, director or Sentinel of this name, as a NodeSpec. None if the cluster has none."""
        spec = self._spec
        hosts = (
            *spec.nodes,
            *map(as_node, spec.directors),
            *map(_as_node, spec.sentinels),
        )
        return next((one for one in hosts if one.name == name), None)

    def _send_shell(self, node: NodeSpec, command: ShellCommand, expecting: Identity) -> Answer:
        with _nothing_sent_yet():
            connection, channel = self._identified_session(node, expecting)
            shell = connection.login_shell()
        connection.request(channel, shell.command(command.render()), command.timeout)
        done = connection.finish(channel, command.stdin, command.timeout, outlived=_OUTLIVED)
        text = "\n".join(filter(None, map(_decoded, map(shell.output, (done.out, done.err)))))
        if done.status is None:
            return Answer(AnswerKind.UNKNOWN, text or "the command ended without an exit status")
        if done.status == 0:
            return Answer(AnswerKind.DONE, text, 0)
        return Answer(AnswerKind.FAILED, f"exit status {done.status}" + (f": {text}" if text else ""), done.status)

    def _send_redis(self, node: NodeSpec, command: RedisCommand, expecting: Identity) -> Answer:
        link = self._redis(node, through_vip=command.through_vip)
        try:
            with _nothing_sent_yet():
                _connect_and_identify(link, node.name, expecting, ("run_id", "config_file"))
            words = [word.reveal() if isinstance(word, Secret) else word for word in command.words]
            link.send_words((words,))
            answers = link.receive(time.monotonic() + command.timeout)
        finally:
            link.close()
        if answers is None:
            return Answer(AnswerKind.UNKNOWN, f"no answer within {command.timeout:.0f} s; it may have been carried out")
        reply = answers[0]
        if isinstance(reply, redis.Refusal):
            return Answer(AnswerKind.FAILED, reply.text)
        return Answer(AnswerKind.DONE, reply if isinstance(reply, str) else " ".join(reply))

    def _export_keys(self, node: NodeSpec, command: KeyExport, expecting: Identity) -> Answer:
        """Writes the keys that differ to a file. It only reads from the servers, so an early end counts as FAILED."""
        other = self._spec.node(command.other)
        ours, theirs = (self._redis(one, exact=True) for one in (node, other))
        try:
            with _nothing_sent_yet():
                _connect_and_identify(ours, node.name, expecting, ("run_id", "config_file"))
                _connect_and_identify(theirs, other.name, Identity(run_id=command.other_run_id), ("run_id",))
            return Answer(
                AnswerKind.DONE, key_export.export_keys((node.name, ours), (other.name, theirs), command.path)
            )
        except (RemoteError, OSError, ValueError, key_export.RefusedError) as error:
            return Answer(AnswerKind.FAILED, f"nothing was exported: {error}")
        finally:
            ours.close()
            theirs.close()

    def _export_disk_keys(
        self, node: NodeSpec, command: DiskKeyExport, expecting: Identity, on_progress: Callable[[str], None]
    ) -> Answer:
        """Writes the keys of the node's disk that differ to a file. Both servers are only read, as in an export."""
        other = self._spec.node(command.other)
        theirs = self._redis(other, exact=True)
        try:
            with _nothing_sent_yet():
                connection = self._identified_host(node, expecting)
                _connect_and_identify(theirs, other.name, Identity(run_id=command.other_run_id), ("run_id",))
            disk = f"the disk of {node.name}"
            with throw_away.loaded(connection, command, disk, lambda line: on_progress(self._clean(line))) as ours:
                return Answer(AnswerKind.DONE, keep_disk_keys((disk, ours), (other.name, theirs), command, on_progress))
        except (RemoteError, OSError, ValueError, key_export.RefusedError, throw_away.NotLoadedError) as error:
            return Answer(AnswerKind.FAILED, f"not compared: {error}")
        finally:
            theirs.close()

    def _redis(self, node: NodeSpec, *, through_vip: bool = False, exact: bool = False) -> redis.RedisConnection:
        spec = node.redis
        host = self._spec.vip if through_vip else spec.host or node.address
        if spec.via is RedisRoute.SSH:
            dial = redis.through(self._tunnel_opener(node, through_vip=through_vip), host, spec.port, spec.tls)
        else:
            dial = redis.direct(host, spec.port, spec.tls)
        password = self._passwords.get(node.name)
        what = f"the Sentinel {node.name}" if any(one.name == node.name for one in self._spec.sentinels) else "Redis"
        where = f"{host}:{spec.port}"
        return redis.RedisConnection(spec, password, where, dial, _IDENTITY_TIMEOUT, exact=exact, what=what)

    def _tunnel_opener(self, node: NodeSpec, *, through_vip: bool) -> Any:
        """Opens channels through the node itself. The virtual IP is reached through another node, as by a client."""
        others = [one for one in self._spec.nodes if one.name != node.name]
        through = others[0] if through_vip and others else node

        def open_channel(host: str, port: int, timeout: float) -> Any:
            return self._connection(through).open_tunnel(host, port, timeout)

        return open_channel

    def _connection(self, node: NodeSpec) -> ssh.SshConnection:
        """The SSH connection that is open already, or a new one. Raises RemoteError."""
        kept = self._ssh.get(node.name)
        if kept is not None:
            if kept.alive:
                return kept
            kept.close()
        route = ssh_route.resolve(node.ssh, node.address)
        made = ssh.connect(route, node.ssh.connect_timeout, self._handshake)
        self._ssh[node.name] = made
        return made

    def _clean(self, text: str) -> str:
        """Masks every password of the cluster: the text is shown and journaled (H29)."""
        for password in self._passwords.values():
            if password is not None and password.reveal():
                text = text.replace(password.reveal(), MASK)
        return text


def _as_node(sentinel: SentinelSpec) -> NodeSpec:
    return NodeSpec(sentinel.name, sentinel.address, sentinel.ssh, sentinel.connection, KeepalivedSpec())


class _NotSentError(Exception):
    """Nothing was sent. The text says why."""


@contextlib.contextmanager
def _nothing_sent_yet() -> Iterator[None]:
    """An error inside means that nothing was sent."""
    try:
        yield
    except RemoteError as error:
        raise _NotSentError(str(error)) from None


def _connect_and_identify(link: redis.RedisConnection, node: str, expecting: Identity, fields: tuple[str, ...]) -> None:
    """Connects, and checks on this connection which server answers (H07). Raises RemoteError, _NotSentError."""
    link.connect()
    link.send((redis.Question.INFO_SERVER,))
    replies = link.receive(time.monotonic() + _IDENTITY_TIMEOUT)
    if not replies or isinstance(replies[0], redis.Refusal):
        said = replies[0].text if replies and isinstance(replies[0], redis.Refusal) else "no answer"
        raise _NotSentError(f"{node} does not tell its identity: {said}")
    run_id, _, config_file = redis_info.parse_identity(str(replies[0]))
    _check_identity(node, Identity(run_id=run_id, config_file=config_file), expecting, fields)


def _check_identity(node: str, found: Identity, expecting: Identity, fields: tuple[str, ...]) -> None:
    """Compares what was found with what was shown (H07).

    Raises _NotSentError if a value differs, or if none was known when the command was shown.
    """
    known = [field for field in fields if getattr(expecting, field)]
    if not known:
        raise _NotSentError(f"{node}: its {fields[0]} was not known when the command was shown: observe it first")
    for field in known:
        shown, now = getattr(expecting, field), getattr(found, field)
        if shown != now:
            raise _NotSentError(f"{node} is not the one that was shown: {field} was {shown}, is {now or 'not told'}")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", errors="replace").strip()[-_MAX_TEXT:]


def _one_line(data: bytes) -> str:
    return " ".join(_decoded(data).split())[:300]
