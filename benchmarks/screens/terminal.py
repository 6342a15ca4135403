"""A program on a terminal of its own: what it draws, which cells change, and what it costs."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 120, 40
_TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[0-9;?]*([a-zA-Z])|\x1b[^\[]|([\n\r])|([^\x1b\n\r]+)")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of a program over a time, as a share of one core."""

    whole: float
    screen: float
    """Of the thread that draws."""
    changed: float
    """Cells a second that changed on the terminal."""
    printed: float
    """Cells a second that were sent."""
    memory: float
    """MB of resident memory at the end."""
    wakes: float
    """Voluntary waits a second of all threads: each is a wake-up."""


class Cells:
    """What is on the terminal. Only what Textual sends is understood: moves of the cursor, and text."""

    def __init__(self) -> None:
        self.rows = [[" "] * WIDTH for _ in range(HEIGHT)]
        self.changed = self.printed = 0
        self._x = self._y = 0
        self._rest = ""

    def feed(self, text: str) -> None:
        text = self._rest + text
        cut = text.rfind("\x1b")  # the end of an escape sequence may come with the next bytes
        whole = cut < 0 or re.match(r"\x1b(\[[0-9;?]*[a-zA-Z]|[^\[])", text[cut:])
        text, self._rest = (text, "") if whole else (text[:cut], text[cut:])
        for found in _TOKEN.finditer(text):
            if found[1]:
                self._y, self._x = int(found[1]) - 1, int(found[2]) - 1
            elif found[4]:
                self._x, self._y = (0, self._y + 1) if found[4] == "\n" else (0, self._y)
            elif found[5]:
                self._print(found[5])

    def _print(self, text: str) -> None:
        for one in text:
            if 0 <= self._y < HEIGHT and 0 <= self._x < WIDTH:
                self.printed += 1
                if self.rows[self._y][self._x] != one:
                    self.changed += 1
                    self.rows[self._y][self._x] = one
            self._x += 1

    @property
    def text(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self.rows)


class Program:
    """A command on a pseudo-terminal."""

    def __init__(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self.cells = Cells()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        surroundings = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=surroundings
        )
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, within: float = 60.0) -> None:
        until = time.monotonic() + within
        while text not in self.cells.text:
            if time.monotonic() > until or self._process.poll() is not None:
                raise TimeoutError(f"{text!r} is not on the screen:\n{self.cells.text}")
            time.sleep(0.1)

    def end(self) -> None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()

    def counters(self) -> tuple[float, float, int, int, int]:
        """CPU seconds of the process and of its first thread, cells changed and printed, and waits."""
        used, waits, waited = {}, 0, re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that has just ended
                used[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
                waits += int(waited.search((task / "status").read_text())[1])
        whole = time.clock_gettime(_cpu_clock(self._process.pid))
        return whole, used[str(self._process.pid)], self.cells.changed, self.cells.printed, waits

    @property
    def memory(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)[1]) / 1024

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self.cells.feed(decoder.decode(data))


def _cpu_clock(pid: int) -> int:
    """The clock of a process (clock_getcpuclockid(3)). It has nanoseconds; /proc counts in hundredths of a second."""
    return (~pid << 3) | 2


def costs(programs: Sequence[Program], seconds: float) -> list[Cost]:
    """What each of these programs costs, measured at the same time."""
    began, before = time.monotonic(), [one.counters() for one in programs]
    time.sleep(seconds)
    passed = time.monotonic() - began
    found = []
    for program, then in zip(programs, before, strict=True):
        rates = [(now - was) / passed for now, was in zip(program.counters(), then, strict=True)]
        whole, screen, changed, printed, waits = rates
        found.append(Cost(whole, screen, changed, printed, program.memory, waits))
    return found
