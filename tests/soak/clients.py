"""Clients of a cluster: each write has a number of its own, and is remembered with the server that acknowledged it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.scenarios.sentinel_consul import resolved

PREFIX = "w:"
"""How the key of a write begins. The rest is its number."""
EACH = 10
"""Writes after which an address is looked up again."""
PAUSE = 0.04
TIMEOUT = 0.4


@dataclass(frozen=True)
class Write:
    """A write that was acknowledged."""

    number: int
    run_id: str
    """Of the server that said so."""
    at: float


class Clients:
    """A thread that writes, reconnecting as a client library would."""

    def __init__(self, lab: Laboratory) -> None:
        self.acknowledged: dict[int, Write] = {}
        self.total = self.refused = self.unanswered = 0
        self._lab = lab
        self._find: Callable[[], Sequence[str]] = (lambda: [lab.vip]) if lab.vip else (lambda: resolved(timeout=0.5))
        self._by_run: dict[str, list[int]] = {}
        self._last = 0
        self._end = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="clients", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=10)

    def by(self, run_id: str, since: int) -> list[int]:
        """What this server has acknowledged so far, without the first `since` of it."""
        return self._by_run.get(run_id, [])[since:]

    def forget(self, numbers: set[int]) -> None:
        """They are judged, and not looked for any more."""
        for number in numbers:
            del self.acknowledged[number]

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is written meanwhile, and no answer is outstanding."""
        with self._one_at_a_time:
            yield

    def wait_for(self, more: int, deadline: float) -> bool:
        """Whether so many more writes are acknowledged within these seconds."""
        goal, end = self.total + more, time.monotonic() + deadline
        while self.total < goal and time.monotonic() < end:
            time.sleep(0.02)
        return self.total >= goal

    def write_at(self, address: str, times: int) -> None:
        """Clients on this host's side of a parted network write to its server."""
        with contextlib.suppress(OSError, RefusedError), self._one_at_a_time:
            self._write(address, times, pause=0.0)

    def _work(self) -> None:
        while not self._end.wait(PAUSE):
            try:
                for address in self._find()[:1]:
                    self._write(address, EACH if not self._lab.vip else 10_000, hold=True)
            except RefusedError:
                self.refused += 1
            except OSError:
                self.unanswered += 1

    def _write(self, address: str, times: int, *, pause: float = PAUSE, hold: bool = False) -> None:
        turn = self._one_at_a_time if hold else contextlib.nullcontext()
        with RedisConnection(address, self._lab.options.password, timeout=TIMEOUT) as line:
            run_id = line.ask("INFO", "server").partition("run_id:")[2][:40]
            for _ in range(times):
                with turn:
                    self._last += 1
                    number = self._last
                    line.ask("SET", f"{PREFIX}{number}", str(number))
                    self.acknowledged[number] = Write(number, run_id, time.time())
                    self._by_run.setdefault(run_id, []).append(number)
                    self.total += 1
                if self._end.wait(pause):
                    return
