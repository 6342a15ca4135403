"""Inspects one host through a shell, over its SSH connection."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.core.inventory import NodeSpec
from console.core.model import ConnectStep, Problem, ProblemKind
from console.core.model.assembling import nothing_read
from console.probes import framing
from console.probes.framing import ProgramSettings, Section
from console.transport.connections import libraries
from console.transport.connections.answer_times import AnswerTimes
from console.transport.connections.background import BackgroundConnection
from console.transport.connections.errors import RemoteError, problem_of
from console.transport.connections.inspection_thread import Now, Unanswered
from console.transport.connections.patience import GRACE, Pace, Patience
from console.transport.ssh.shells.request import Paths, RedisFiles, Request

if TYPE_CHECKING:
    from console.core.drills.capture import HostFacts  # only a capture needs it
    from console.probes.host_reader import HostReader  # the parsers are imported while the servers prepare the login

REREAD_EVERY = 30.0
"""Seconds after which files are read again even if their `stat` has not changed."""
_ANSWER_TIMEOUT = 6.5  # seconds for the first batch, which reads everything
_SILENT_FOR = 3.0  # seconds without the beginning of the first batch, after which another way is tried
_LOOK_AGAIN = 0.25  # seconds
_NAME, _LIBRARIES, _SHELL, _FIRST_ANSWER = "name", "libraries of the console", "shell", "first answer"
_STEPS = {
    ProblemKind.HOST_KEY_UNKNOWN: ConnectStep.HOST_KEY,
    ProblemKind.HOST_KEY_CHANGED: ConnectStep.HOST_KEY,
    ProblemKind.AUTH_FAILED: ConnectStep.LOGIN,
}
"""What a problem of the SSH handshake is about. Any other kind is about the handshake itself."""
_SUDO_SAYS = ("sudo", "there is no sudo")
"""What the text begins with if sudo, and not the login shell, runs nothing."""


class _OpenHost:
    """An open connection with its shell, and its first batch."""

    def __init__(self, owner: HostInspector) -> None:
        from console.transport.ssh import route as ssh_route
        from console.transport.ssh import tcp

        spec = owner.spec.ssh
        patience = owner.patience
        began = time.monotonic()
        patience.wait_for(_NAME)
        owner.step = ConnectStep.NAME
        try:
            route = ssh_route.resolve(spec, owner.spec.address)
            owner.step = ConnectStep.TCP
            # A kernel accepts however busy its host is, so there is less to wait for than at the other steps.
            timeout = min(spec.connect_timeout, patience.seconds)
            patience.wait_for(ConnectStep.TCP.value, timeout)
            first_socket = tcp.connect_tcp(route, timeout)
            patience.queue(_LIBRARIES)
            libraries.SSH.load()
            owner.step = ConnectStep.HANDSHAKE
            # Imported after the TCP connection: meanwhile the server starts the process for this connection.
            from console.transport.ssh import connection as ssh

            self.connection = ssh.connect(route, patience, owner.handshakes, first_socket, owner.still_connecting)
        except RemoteError as error:
            owner.connection_refused(error.problem)
            raise
        owner.step = ConnectStep.SHELL
        owner.offer_connection(self.connection)
        patience.queue(_LIBRARIES)
        libraries.SHELL.load()
        from console.transport.ssh import shell as ssh_shell

        self.shell = ssh_shell.ShellReader(self.connection, owner.watched, sudo=spec.sudo)
        try:
            self.asked, self.batch = owner.first_batch(self.shell, self.connection.took)
        except BaseException:
            self.connection.close()
            raise
        self.received = owner.now()
        self.took = time.monotonic() - began

    def close(self) -> None:
        self.shell.close()
        self.connection.close()


def _open_host(owner: HostInspector) -> _OpenHost:
    """Connects. Raises RemoteError, which names the step that failed."""
    took: float | None = None
    owner.pace.begin()
    try:
        opened = _OpenHost(owner)
        took = opened.took
    except RemoteError as error:
        step = owner.step
        if step is ConnectStep.HANDSHAKE:
            step = _STEPS.get(error.problem.kind, step)
        elif step is ConnectStep.SHELL and owner.spec.ssh.sudo and error.problem.text.startswith(_SUDO_SAYS):
            step = ConnectStep.SUDO
        if error.problem.kind is ProblemKind.TIMEOUT:
            error = error.noting(f"it got no further than: {owner.patience.step}")
        raise error.at(step) from None
    else:
        return opened
    finally:
        owner.pace.end(took)


class HostInspector:
    """Polls one host's shell: all hosts are asked first, then all answers received. One request is open at a time."""

    def __init__(  # noqa: PLR0913 - a host, and what is read on it
        self,
        spec: NodeSpec,
        vip: str,
        now: Now,
        handshakes: threading.Semaphore,
        redis_files: Callable[[], RedisFiles],
        *,
        ipvs: bool = False,
        arp: bool = False,
        pace: Pace | None = None,
        guess: Paths | None = None,
    ) -> None:
        """`pace`: that of its cluster. Its `longest` is how long each step of connecting is waited for.

        `guess`: the paths that the first request asks for, as long as nothing is known.
        """
        keepalived = spec.keepalived
        self.pace = pace or Pace(spec.ssh.connect_timeout)
        self._unanswered = Unanswered()
        self.patience = Patience(self.pace.longest, _NAME)
        """That of the attempt to connect that is under way, or was last."""
        self.spec = spec
        self.now = now
        self.handshakes = handshakes
        self.watched = ProgramSettings(
            keepalived.config,
            keepalived.state_log,
            keepalived.system_log,
            keepalived.service.systemd or "keepalived",
            ipvs=ipvs,
            arp=arp,
        )
        self.step = ConnectStep.NAME
        """The step that the last attempt to connect has come to."""
        self.readings = nothing_read(Problem(ProblemKind.CONNECTING, ProblemKind.CONNECTING.value), 0.0)
        self._redis_files = redis_files
        self._vip = vip
        self._reader: HostReader | None = None
        """From the first answer on."""
        self._connection: BackgroundConnection[_OpenHost] = BackgroundConnection(
            f"SSH to {spec.name}", lambda: _open_host(self)
        )
        self._asked: Request | None = None
        self._times = AnswerTimes()
        self._guess = guess
        self._last_paths = Paths(RedisFiles("", ""), ())
        self._seq = 0
        self._read_at = 0.0
        self._usable_connection: Any = None
        self._why_unusable = Problem(ProblemKind.CLOSED, "the SSH connection was lost")
        self._decided = threading.Event()

    # --- in the opening thread

    def offer_connection(self, connection: Any) -> None:
        """Channels can be opened through the connection from now on, even while its shell is still starting."""
        self._usable_connection = connection
        self._decided.set()

    def still_connecting(self, text: str) -> None:
        """What a human has to do before the login goes on; empty: nothing any more."""
        self._connection.problem = Problem(ProblemKind.CONNECTING, text or ProblemKind.CONNECTING.value)

    def connection_refused(self, problem: Problem) -> None:
        """This attempt to connect has failed."""
        self._why_unusable = problem
        self._usable_connection = None
        self._decided.set()

    def first_batch(self, shell: Any, login_took: float) -> tuple[Request, Mapping[str, Section]]:
        """The first answer. A host on which the login took its time may take it for the shell as well."""
        self.patience.wait_for(_SHELL, 2 * self.patience.seconds)  # two questions: for a channel, and for the shell
        asked = self._new_request(self._guess if self._reader is None else None)
        slower = max(1.0, login_took)
        shell.ask(asked.line(framing.FULL), self.patience.seconds)
        batch: Mapping[str, Section] | None = None
        parts = 0
        limit = self._waits_for(_SHELL, _SILENT_FOR * slower)
        while batch is None:
            batch = shell.receive(asked.seq, min(limit, time.monotonic() + _LOOK_AGAIN))
            if batch is None and shell.parts > parts:
                parts = shell.parts
                limit = self._waits_for(_FIRST_ANSWER, _ANSWER_TIMEOUT * slower)
            if batch is not None or time.monotonic() < limit:
                continue
            if parts:
                raise RemoteError(ProblemKind.TIMEOUT, f"the shell on {self.spec.name} does not answer to the end")
            shell.start_anew()
            limit = self._waits_for(_SHELL, (_ANSWER_TIMEOUT - _SILENT_FOR) * slower)
        return asked, batch

    def _waits_for(self, step: str, seconds: float) -> float:
        """This step has so many seconds. The end of them, monotonic."""
        self.patience.wait_for(step, seconds)
        return self.patience.deadline

    # --- for Redis through SSH, from its own opening thread

    def open_tunnel(self, host: str, port: int, timeout: float) -> Any:
        """A direct-tcpip channel. It waits for the SSH connection. Raises RemoteError with the problem of SSH."""
        until = time.monotonic() + timeout
        while not (decided := self._decided.wait(_LOOK_AGAIN)):
            if time.monotonic() > max(until, self.patience.deadline + GRACE):
                break
        connection = self._usable_connection
        if connection is None or not connection.alive:
            problem = self._why_unusable if decided else self._connection.problem
            raise RemoteError(problem.kind, f"through SSH: {problem.text}")
        return connection.open_tunnel(host, port, timeout)

    def read_files(self, paths: Sequence[str]) -> HostFacts:
        """For a capture: facts of the host and these text files. Raises RemoteError."""
        from console.transport.ssh.capture_reader import read_files

        if (session := self._connection.connection) is None:
            raise RemoteError(self._connection.problem.kind, self._connection.problem.text)
        return read_files(session.connection, paths, sudo=self.spec.ssh.sudo)

    # --- in the polling thread

    @property
    def open(self) -> bool:
        return self._connection.connection is not None

    def start_connecting(self, *, force: bool) -> None:
        if self._connection.may_connect(force=force):
            self._decided.clear()
            self.patience = Patience(self.pace.longest, _NAME)
            self._connection.start_connecting(force=force)

    def finish_connecting(self, deadline: float) -> bool:
        """Waits for the new connection until `deadline` (monotonic), and no longer than one that gets on is waited for.

        True: it is there, with a full batch.
        """
        opened = self._connection.finish_connecting(deadline, self.patience)
        if opened:
            session = self._connection.connection
            assert session is not None
            self._asked = None
            self._times.add(time.monotonic() - session.asked.since)
            self._read_at = session.asked.since
            self._read_batch(session.batch, session.asked, session.received)
        elif self._connection.connection is None:
            problem = self._connection.problem
            self._unanswered.ended(problem)
            if problem.kind is ProblemKind.CONNECTING and self._connection.under_way and not self.patience.left:
                problem = replace(problem, text=f"{problem.text} (it got no further than: {self.patience.step})")
            self.readings = nothing_read(problem, self.now())
        return opened

    def ask(self, *, full: bool) -> None:
        """Sends a request, unless the last one is still unanswered. Files with a new path are read in any case."""
        session = self._connection.connection
        if session is None or self._asked is not None:
            return
        asked = self._new_request()
        try:
            session.shell.ask(asked.line(self._tier(full=full)))
        except Exception as error:  # noqa: BLE001 - it is this host's problem, and a new connection may do better
            self._connection_lost(problem_of(error, f"the shell on {self.spec.name}"))
        else:
            self._asked = asked

    def _tier(self, *, full: bool) -> str:
        """What a request reads. `full`: everything, but a file with an unchanged `stat` only every 30 s."""
        if not full:
            return framing.LIVE
        if time.monotonic() - self._read_at < REREAD_EVERY:
            return framing.CHECKED
        self._read_at = time.monotonic()
        return framing.FULL

    @property
    def waiting(self) -> bool:
        """Whether an answer is awaited."""
        return self._asked is not None

    @property
    def worth_waiting(self) -> float:
        """Seconds that a fresh observation waits for an answer of this host."""
        return self._times.deadline

    @property
    def waits_for(self) -> str:
        """The step that the attempt to connect has come to; empty: there is none under way. From any thread."""
        return self.patience.step if self._connection.under_way else ""

    @property
    def outdated(self) -> bool:
        """Whether the files to read have changed since the last request was sent."""
        return self._last_paths != self.paths

    @property
    def paths(self) -> Paths:
        """The files to read, by the last answers."""
        return Paths(self._redis_files(), self._reader.scripts if self._reader is not None else ())

    def drop_guess(self) -> bool:
        """After the first answer: what was read by remembered paths counts as not read, because they are wrong.

        True: there is such a part, and it has to be asked for again.
        """
        session = self._connection.connection
        if session is None or not session.asked.guessed:
            return False
        self._reader = None
        self._read_at = -math.inf
        batch = {name: part for name, part in session.batch.items() if name not in framing.BY_PATH}
        self._read_batch(batch, replace(session.asked, paths=Paths(RedisFiles("", ""), ())), session.received)
        return True

    def receive(self, deadline: float, *, keep: bool = False) -> None:
        """Receives the answer by `deadline` (monotonic). After it the readings say that there is no answer.

        `keep`: the readings are of this very observation, and stand without this answer.
        """
        session, asked = self._connection.connection, self._asked
        if session is None or asked is None:
            return
        try:
            batch = session.shell.receive(asked.seq, min(deadline, asked.since + self._times.give_up))
        except Exception as error:  # noqa: BLE001 - as above
            self._connection_lost(problem_of(error, f"the shell on {self.spec.name}"))
            return
        if batch is not None:
            self._asked = None
            self._times.add(time.monotonic() - asked.since)
            self._read_batch(batch, asked, self.now())
            return
        if keep and time.monotonic() - asked.since < self._times.give_up:
            return
        silent_since = self._unanswered.in_words(f"the shell on {self.spec.name}", asked.at, begun=session.shell.begun)
        problem = Problem(ProblemKind.TIMEOUT, silent_since)
        self.readings = nothing_read(problem, self.now())
        if time.monotonic() - asked.since >= self._times.give_up:
            self._connection_lost(problem)

    def reset_backoff(self) -> None:
        self._connection.reset_backoff()

    def close(self) -> None:
        self._connection.close()

    def _read_batch(self, batch: Mapping[str, Section], asked: Request, received: float) -> None:
        from console.probes.host_reader import HostReader

        self._unanswered.ended()
        self._last_paths = asked.paths
        if self._reader is None:
            self._reader = HostReader(self.watched, self._vip, self.spec.keepalived.instance)
        try:
            redis_files = asked.paths.redis_files
            self.readings = self._reader.take(batch, asked.at, received, redis_files.path, redis_files.aof)
        except Exception as error:  # noqa: BLE001 - it is this answer's problem, and the next one may be understood
            self.readings = nothing_read(problem_of(error, f"the shell on {self.spec.name}"), received)

    def _connection_lost(self, problem: Problem) -> None:
        self._asked = None
        self._usable_connection = None
        self._unanswered.ended(problem)
        self._connection.fail(problem)
        self.readings = nothing_read(problem, self.now())

    def _new_request(self, guess: Paths | None = None) -> Request:
        self._seq += 1
        return Request(self._seq, self.now(), time.monotonic(), guess or self.paths, guessed=guess is not None)
