"""Consoles that are forked from one process which has imported everything: a third of a test's work was importing.

Each is a process of its own with its own terminal, arguments and environment, and runs what `python -m console` runs.
Only the time in which nothing may be typed before a question is shorter: it is much of what a run waits.

    python forked.py SOCKET          waits for calls, as long as its standard input is open
    python forked.py SOCKET WORDS…   calls, with its own standard input, output and error, and ends as the console does
"""

from __future__ import annotations

import array
import os
import select
import signal
import socket
import struct
import sys

STATUS = struct.Struct("i")
QUIET_SECONDS = 0.02
"""In place of those of `terminal_input`. Consoles that are not forked keep those, and a test of them is run so."""


def call(place: str, words: list[str]) -> int:
    """Signals are handed on; where the console was killed, it is as if this process had been."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        folder = os.getcwd()  # noqa: PTH109 - pathlib would take longer than everything else here
        parts = [folder, str(len(words)), *words, *(f"{name}={value}" for name, value in os.environ.items())]
        text = "\0".join(parts).encode("utf-8", "surrogateescape")
        line.sendmsg([STATUS.pack(len(text))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
        line.sendall(text)
        (console,) = STATUS.unpack(_exactly(line, STATUS.size))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: os.kill(console, number))
        (status,) = STATUS.unpack(_exactly(line, STATUS.size))
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    return os.waitstatus_to_exitcode(status)


def serve(place: str) -> None:
    from console.__main__ import ADAPTERS  # noqa: F401 - everything that a console may need is loaded once, here
    from console.cli.runs import plan, run  # noqa: F401
    from console.cli.runs import recorded_runs as runs  # noqa: F401
    from console.cli.runs.plain import operator, terminal_input  # noqa: F401
    from console.cli.status import command as status  # noqa: F401
    from console.documents.inventories import inventory  # noqa: F401
    from console.documents.runbooks.library import load_runbooks
    from console.engine.sessions import arming as session  # noqa: F401
    from console.report import formats as forms  # noqa: F401
    from console.transport import actuator, inspector  # noqa: F401
    from console.transport.consul import api as consul_api  # noqa: F401
    from console.transport.journals import archive as journal_archive  # noqa: F401
    from console.transport.locks import node_locks as node_lock  # noqa: F401
    from console.transport.redis import connection as redis  # noqa: F401
    from console.transport.ssh import connection as ssh  # noqa: F401

    terminal_input.QUIET_SECONDS = QUIET_SECONDS
    load_runbooks(None)  # the shipped ones are parsed once, too
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who forked a console waits for it: see `_wait`
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            line, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _wait(line)
            line.close()


def _wait(line: socket.socket) -> None:
    """Forks the console, tells its number, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, files, _, _ = socket.recv_fds(line, STATUS.size, 3)
    text = _exactly(line, *STATUS.unpack(head)).decode("utf-8", "surrogateescape")
    console = os.fork()
    if console == 0:
        line.close()
        _become(files, text.split("\0"))
    line.sendall(STATUS.pack(console))
    _, status = os.waitpid(console, 0)
    line.sendall(STATUS.pack(status))
    os._exit(0)


def _become(files: list[int], parts: list[str]) -> None:
    """This process is the console from here on."""
    from console.__main__ import main

    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    folder, count, *rest = parts
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(one.split("=", 1) for one in rest[int(count) :])
    sys.argv = ["redis-ha-console", *rest[: int(count)]]
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115 - until the process ends
        for number, mode in enumerate("rww")
    )
    try:
        code = main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    sys.stdout.flush()
    os._exit(code)


def _exactly(line: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = line.recv(size - len(found))
        if not part:
            raise ConnectionError("the process that forks consoles is gone")
        found += part
    return found


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])
