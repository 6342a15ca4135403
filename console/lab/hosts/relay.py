"""A relay in front of a server of a host: it does to answers what bad middle boxes and dying servers do."""

from __future__ import annotations

import ctypes
import os
import random
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Self

from console.lab.hosts.host import Host
from console.lab.options import LabError

_CLONE_NEWNET = 0x40000000
_CHUNK = 65536
LATE_BY = (0.5, 4.0)
"""Seconds: the shortest and the longest delay of a late answer."""
_TICK = 0.02
_PATIENCE = 1.0
_LOST_ONE_IN = 10
_HANDSHAKE_ANSWERS = 12
"""Answers of a new connection that come at once. SSH ends its handshake with them."""


class Mode(Enum):
    """What becomes of an answer."""

    THROUGH = "as it is"
    HALF = "its first half, then the connection is closed"
    MUTE = "connections are accepted, and nothing is ever said"
    GARBAGE = "as many random bytes"
    FLOOD = "random bytes without end"
    DROPS = "a byte at a time"
    LATE = "late, and one in ten is lost, with all that its connection would bring after it"


@dataclass(eq=False)
class _Pair:
    """A client's connection and ours to the server."""

    client: socket.socket
    server: socket.socket
    held: bool = False
    """Something of it was kept back: it cannot go on as if nothing had been."""
    answers: int = 0
    asked: bool = True
    """The client has sent something since the last answer began: what comes next is another answer."""
    lost: bool = False
    """One of its late answers was lost. Nothing comes through it any more."""
    late: deque[tuple[float, bytes]] = field(default_factory=deque)
    """Bytes that are still to be delivered, with the monotonic time at which they are due."""

    def close(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):
                one.close()


class Relay:
    """Listens on a port of the host and talks to another port of the same host. `mode` holds from its next byte on."""

    def __init__(
        self, host: Host, port: int, to: int, *, seed: int = 0, late_by: tuple[float, float] = LATE_BY
    ) -> None:
        self.port = port
        self.accepted = 0
        self._host, self._to, self._late_by = host, to, late_by
        self._mode = Mode.THROUGH
        self._random = random.Random(seed)  # noqa: S311 - garbage that can be had again
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._end = threading.Event()
        self._failure = ""
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name=f"relay {host.name}:{port}", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise LabError(self._failure)

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        """Connections of which something was kept back are closed when the mode changes."""
        with self._lock:
            self._mode = mode
            for pair in [one for one in self._pairs if one.held or one.late]:
                self._drop(pair)

    def cut(self) -> None:
        """Closes every connection."""
        with self._lock:
            for pair in list(self._pairs):
                self._drop(pair)

    def close(self) -> None:
        self._end.set()
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        try:
            _enter_network(self._host.pid)
            listener = socket.create_server(("0.0.0.0", self.port), backlog=64)
        except OSError as error:
            self._failure = f"no relay on {self._host.name}:{self.port}: {error}"
            return
        finally:
            self._ready.set()
        self._selector.register(listener, selectors.EVENT_READ)
        while not self._end.is_set():
            for key, _ in self._selector.select(_TICK):
                with self._lock:
                    if key.fileobj is listener:
                        self._accept(listener)
                    elif isinstance(key.data, _Pair) and key.data in self._pairs:
                        self._move(key.data, from_server=key.fileobj is key.data.server)
            if self._mode is Mode.FLOOD:
                self._flood()
            self._deliver_late()
        self.cut()
        self._selector.close()
        listener.close()

    def _accept(self, listener: socket.socket) -> None:
        client, _ = listener.accept()
        self.accepted += 1
        try:
            server = socket.create_connection(("127.0.0.1", self._to), timeout=_PATIENCE)
        except OSError:
            client.close()
            return
        pair = _Pair(client, server)
        for one in (client, server):
            one.settimeout(_PATIENCE)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(one, selectors.EVENT_READ, pair)
        self._pairs.append(pair)

    def _move(self, pair: _Pair, *, from_server: bool) -> None:
        source, sink = (pair.server, pair.client) if from_server else (pair.client, pair.server)
        try:
            data = source.recv(1 if from_server and self._mode is Mode.DROPS else _CHUNK)
            if not data:
                self._drop(pair)
            elif from_server:
                self._answer(pair, data)
            elif self._mode is Mode.MUTE:
                pair.held = True
            else:
                pair.asked = True
                sink.sendall(data)
        except OSError:
            self._drop(pair)

    def _answer(self, pair: _Pair, data: bytes) -> None:
        if self._mode is Mode.MUTE:
            pair.held = True
        elif self._mode is Mode.HALF:
            pair.client.sendall(data[: len(data) // 2])
            self._drop(pair)
        elif self._mode is Mode.LATE:
            self._delay(pair, data)
        elif self._mode in (Mode.GARBAGE, Mode.FLOOD):
            pair.held = True
            pair.client.sendall(self._random.randbytes(len(data)))
        else:
            pair.client.sendall(data)

    def _delay(self, pair: _Pair, data: bytes) -> None:
        """Decides when these bytes are delivered, if ever. Bytes of one answer share its fate, and keep their order."""
        now = time.monotonic()
        begins, pair.asked = pair.asked, False
        pair.answers += begins
        last = pair.late[-1][0] if pair.late else now
        due = now
        if pair.answers > _HANDSHAKE_ANSWERS:
            if begins and self._random.randrange(_LOST_ONE_IN) == 0:
                pair.lost = pair.held = True
            due = now + self._random.uniform(*self._late_by) if begins else last
        if not pair.lost:
            pair.late.append((max(due, last), data))

    def _deliver_late(self) -> None:
        now = time.monotonic()
        with self._lock:
            for pair in [one for one in self._pairs if one.late and one.late[0][0] <= now]:
                try:
                    while pair.late and pair.late[0][0] <= now:
                        pair.client.sendall(pair.late.popleft()[1])
                except OSError:
                    self._drop(pair)

    def _flood(self) -> None:
        with self._lock:
            for pair in list(self._pairs):
                pair.held = True
                pair.client.setblocking(False)
                try:
                    pair.client.send(self._random.randbytes(_CHUNK))
                except BlockingIOError:
                    pass
                except OSError:
                    self._drop(pair)

    def _drop(self, pair: _Pair) -> None:
        for one in (pair.client, pair.server):
            with suppress(KeyError, ValueError):
                self._selector.unregister(one)
        self._pairs.remove(pair)
        pair.close()


def _enter_network(pid: int) -> None:
    """Moves the calling thread, and no other, into the network of the host. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as network:
        if libc.setns(network.fileno(), _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
