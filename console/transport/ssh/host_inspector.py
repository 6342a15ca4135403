"""What one node's shell tells, over its SSH connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from console.core.inventory import NodeSpec
from console.core.model import Problem, ProblemKind
from console.core.model.assembling import nothing_read
from console.probes import program
from console.probes.host_reader import HostReader
from console.probes.program import ProgramSettings, Section
from console.transport.connecting.failure import LinkError
from console.transport.connecting.inspection_thread import Now, silence
from console.transport.connecting.link import Link

ANEW_EVERY = 30.0
"""Seconds after which files are read anew, whatever their `stat` says."""
_ANSWER_TIMEOUT = 5.0  # of the first batch, which reads everything
_GIVE_UP = 15.0  # seconds of silence after which the connection itself is in doubt


@dataclass(frozen=True, slots=True)
class Dump:
    """Where Redis has its files, as far as it is known when a request is made."""

    directory: str
    name: str
    log: str = ""
    config: str = ""

    @property
    def path(self) -> str:
        return f"{self.directory}/{self.name}" if self.directory else ""


@dataclass(frozen=True, slots=True)
class _Asked:
    seq: int
    at: float
    since: float
    """Monotonic."""
    dump: Dump
    scripts: tuple[str, ...]


class _Session:
    """An open connection with its shell, and the first batch that came with it."""

    def __init__(self, owner: HostInspector) -> None:
        from console.transport.ssh import route as ssh_route
        from console.transport.ssh import tcp

        spec = owner.spec.ssh
        deadline = time.monotonic() + spec.connect_timeout
        try:
            route = ssh_route.resolve(spec, owner.spec.address)
            knocked = tcp.connect_tcp(route, spec.connect_timeout)
            # Not before: while the library is imported, the server starts the process that will talk to us.
            from console.transport.ssh import connection as ssh
            from console.transport.ssh import shell as ssh_shell

            self.connection = ssh.connect(route, deadline - time.monotonic(), owner.handshakes, knocked)
        except LinkError as error:
            owner.refuse(error.problem)
            raise
        owner.offer(self.connection)
        self.shell = ssh_shell.ShellReader(self.connection, owner.watched, sudo=spec.sudo)
        try:
            self.asked, self.batch = owner.first_batch(self.shell)
        except BaseException:
            self.connection.close()
            raise
        self.received = owner.now()

    def close(self) -> None:
        self.shell.close()
        self.connection.close()


class HostInspector:
    """Polls one node's shell: ask all, then collect. One request is under way at a time."""

    def __init__(  # noqa: PLR0913 - a node, its tools, and what is looked for on it
        self,
        spec: NodeSpec,
        vip: str,
        now: Now,
        handshakes: threading.Semaphore,
        dump: Callable[[], Dump],
        *,
        ipvs: bool = False,
        arp: bool = False,
    ) -> None:
        keepalived = spec.keepalived
        self.spec = spec
        self.now = now
        self.handshakes = handshakes
        self.watched = ProgramSettings(
            keepalived.config, keepalived.state_log, keepalived.system_log, ipvs=ipvs, arp=arp
        )
        self.readings = nothing_read(Problem(ProblemKind.CONNECTING, ProblemKind.CONNECTING.value), 0.0)
        self._dump = dump
        self._reader = HostReader(self.watched, vip, keepalived.instance)
        self._link: Link[_Session] = Link(f"SSH to {spec.name}", lambda: _Session(self))
        self._asked: _Asked | None = None
        self._last_dump = Dump("", "")
        self._last_scripts: tuple[str, ...] = ()
        self._seq = 0
        self._read_at = 0.0
        self._offered: Any = None
        self._refused = Problem(ProblemKind.CLOSED, "the SSH connection was lost")
        self._answered = threading.Event()

    # --- in the opening thread

    def offer(self, connection: Any) -> None:
        """The connection can carry channels from now on, even while its shell still starts."""
        self._offered = connection
        self._answered.set()

    def refuse(self, problem: Problem) -> None:
        """There will be no connection from this attempt."""
        self._refused = problem
        self._offered = None
        self._answered.set()

    def first_batch(self, shell: Any) -> tuple[_Asked, Mapping[str, Section]]:
        asked = self._new_request()
        shell.ask(self._request(asked, program.FULL))
        batch: Mapping[str, Section] | None = None
        deadline = time.monotonic() + _ANSWER_TIMEOUT
        while batch is None:
            batch = shell.collect(asked.seq, deadline)
            if batch is None and time.monotonic() >= deadline:
                raise LinkError(ProblemKind.TIMEOUT, f"the shell on {self.spec.name} does not answer")
        return asked, batch

    # --- for Redis through SSH, from its own opening thread

    def tunnel(self, host: str, port: int, timeout: float) -> Any:
        """A direct-tcpip channel, once the connection is there. Raises LinkError with SSH's own problem."""
        self._answered.wait(max(timeout, self.spec.ssh.connect_timeout))
        connection = self._offered
        if connection is None or not connection.alive:
            raise LinkError(self._refused.kind, f"through SSH: {self._refused.text}")
        return connection.tunnel(host, port, timeout)

    # --- in the polling thread

    @property
    def open(self) -> bool:
        return self._link.connection is not None

    def begin(self, *, force: bool) -> None:
        if self._link.ready(force=force):
            self._answered.clear()
            self._link.begin(force=force)

    def settle(self, deadline: float) -> bool:
        """Takes a connection that has been made. True when it has just been, with a full batch."""
        opened = self._link.settle(deadline)
        if opened:
            session = self._link.connection
            assert session is not None
            self._asked = None
            self._read_at = session.asked.since
            self._take(session.batch, session.asked, session.received)
        elif self._link.connection is None:
            self.readings = nothing_read(self._link.problem, self.now())
        return opened

    def ask(self, *, full: bool) -> None:
        """Sends a request, unless the last one is still unanswered. What has a new path is read anyway."""
        session = self._link.connection
        if session is None or self._asked is not None:
            return
        asked = self._new_request()
        try:
            session.shell.ask(self._request(asked, self._tier(full=full)))
        except LinkError as error:
            self._lose(error.problem)
        else:
            self._asked = asked

    def _tier(self, *, full: bool) -> str:
        """`full`: everything. A file whose `stat` has not changed is read anew only now and then."""
        if not full:
            return program.LIVE
        if time.monotonic() - self._read_at < ANEW_EVERY:
            return program.CHECKED
        self._read_at = time.monotonic()
        return program.FULL

    @property
    def waiting(self) -> bool:
        """Whether an answer is outstanding."""
        return self._asked is not None

    @property
    def outdated(self) -> bool:
        """Whether the last request was made before it was known which files to look at."""
        return self._last_dump != self._dump() or self._last_scripts != self._reader.scripts

    def collect(self, deadline: float) -> None:
        """Takes the answer if it comes by `deadline` (monotonic); after that the node counts as silent."""
        session, asked = self._link.connection, self._asked
        if session is None or asked is None:
            return
        try:
            batch = session.shell.collect(asked.seq, deadline)
        except LinkError as error:
            self._lose(error.problem)
            return
        if batch is not None:
            self._asked = None
            self._take(batch, asked, self.now())
            return
        silent_since = silence(f"the shell on {self.spec.name}", asked.at, begun=session.shell.begun)
        problem = Problem(ProblemKind.TIMEOUT, silent_since)
        self.readings = nothing_read(problem, self.now())
        if time.monotonic() - asked.since > _GIVE_UP:
            self._lose(problem)

    def hurry(self) -> None:
        self._link.hurry()

    def close(self) -> None:
        self._link.close()

    def _take(self, batch: Mapping[str, Section], asked: _Asked, received: float) -> None:
        self._last_dump, self._last_scripts = asked.dump, asked.scripts
        self.readings = self._reader.take(batch, asked.at, received, asked.dump.path)

    def _lose(self, problem: Problem) -> None:
        self._asked = None
        self._offered = None
        self._link.fail(problem)
        self.readings = nothing_read(problem, self.now())

    def _new_request(self) -> _Asked:
        self._seq += 1
        return _Asked(self._seq, self.now(), time.monotonic(), self._dump(), self._reader.scripts)

    def _request(self, asked: _Asked, tier: str) -> str:
        dump = asked.dump
        return program.request_line(
            asked.seq, tier, dump.directory, dump.name, asked.scripts, redis_log=dump.log, redis_file=dump.config
        )
