"""Copies a file from one node to another over two SSH connections.

The bytes arrive in a part file. If a part file is left of an earlier copy and is the beginning of the file, only the
rest is sent. Until the last command nothing but the part file has changed. So a copy that ends early counts as FAILED
and may be repeated.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

from console.core.command import FileCopy, ShellCommand
from console.core.numbers import count
from console.core.quantities import counted, size
from console.core.runs.answer import Answer, AnswerKind
from console.transport.connections.errors import RemoteError
from console.transport.ssh.connection import Completed, SshConnection
from console.transport.ssh.paramiko_import import paramiko

STALLED_AFTER = 30.0
"""Seconds without a byte after which a copy counts as interrupted."""
REPORT_EVERY = 0.5
_CHUNK = 256 * 1024

OnProgress = Callable[[str], None]


class CopyInterruptedError(Exception):
    """The copy ended before the last command. The text says how far it came."""


def copy_file(source: SshConnection, node: SshConnection, command: FileCopy, on_progress: OnProgress) -> Answer:
    """Copies the file. Raises RemoteError if the answer to the last command was lost: the outcome is unknown then."""
    try:
        digest = _ask(
            source, command.offer, command, sudo=command.source_sudo, what=f"{command.source} does not have the file"
        )
        begin = _begin(source, node, command)
        seconds = _stream(source, node, command, begin, on_progress)
    except (CopyInterruptedError, RemoteError) as error:
        return Answer(AnswerKind.FAILED, f"{error}; nothing was replaced")
    on_progress(f"{size(command.size)} arrived; comparing")
    last = ShellCommand(command.script, sudo=command.sudo)
    done = node.run(last.render(), digest.encode() + b"\n", command.timeout)
    if done.status is None:
        return Answer(AnswerKind.UNKNOWN, _output(done) or "the command ended without an exit status")
    if done.status != 0:
        return Answer(AnswerKind.FAILED, f"exit status {done.status}: {_output(done)}", done.status)
    moved = command.size - begin
    resumed = f"; {size(begin)} were there from an earlier copy" if begin else ""
    pace = f"copied {counted(moved, 'byte')} in {seconds:.1f} s ({size(int(moved / max(seconds, 0.001)))}/s){resumed}"
    return Answer(AnswerKind.DONE, f"{_output(done)}\n{pace}", 0)


def _begin(source: SshConnection, node: SshConnection, command: FileCopy) -> int:
    """The byte to begin at. The part file is kept only if it is the beginning of the file."""
    have = _ask(node, command.accept, command, sudo=command.sudo, what="the node does not accept the file")
    already_there = count(have) or 0
    if not already_there:
        return 0
    head = f"head -c {already_there} -- {{}} | sha256sum | cut -d ' ' -f 1"
    theirs = _ask(
        source, head.format(shlex.quote(command.path)), command, sudo=command.source_sudo, what="the checksum failed"
    )
    ours = _ask(node, head.format(shlex.quote(command.part)), command, sudo=command.sudo, what="the checksum failed")
    if theirs == ours:
        return already_there
    _ask(node, f": > {shlex.quote(command.part)}", command, sudo=command.sudo, what="the part file cannot be emptied")
    return 0


def _stream(
    source: SshConnection, node: SshConnection, command: FileCopy, begin: int, on_progress: OnProgress
) -> float:
    """Sends the bytes and returns the seconds that it took. Raises CopyInterruptedError."""
    started = time.monotonic()
    if begin == command.size:
        return 0.0
    read = ShellCommand(f"tail -c +{begin + 1} -- {shlex.quote(command.path)}", sudo=command.source_sudo)
    write = ShellCommand(f"cat >> {shlex.quote(command.part)}", sudo=command.sudo)
    arrived, reported_at = begin, 0.0
    reading = source.start_script(read.render(), STALLED_AFTER)
    writing = node.start_script(write.render(), STALLED_AFTER)
    try:
        reading.settimeout(STALLED_AFTER)
        writing.settimeout(STALLED_AFTER)
        while data := reading.recv(_CHUNK):
            writing.sendall(data)
            arrived += len(data)
            if time.monotonic() - reported_at >= REPORT_EVERY:
                reported_at = time.monotonic()
                on_progress(_progress(command, arrived, arrived - begin, reported_at - started))
        writing.shutdown_write()
        ended = writing.status_event.wait(STALLED_AFTER)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise CopyInterruptedError(_interrupted_text(command, arrived, str(error) or type(error).__name__)) from None
    finally:
        reading.close()
        writing.close()
    if not ended or writing.exit_status != 0:
        raise CopyInterruptedError(_interrupted_text(command, arrived, "the node did not write all of it"))
    if arrived != command.size:
        raise CopyInterruptedError(_interrupted_text(command, arrived, f"{command.source} stopped sending"))
    return time.monotonic() - started


def _progress(command: FileCopy, arrived: int, moved: int, seconds: float) -> str:
    rate = moved / seconds if seconds > 0 else 0.0
    left = f", {(command.size - arrived) / rate:.0f} s left" if rate > 0 else ""
    part = f"{arrived * 100 // max(1, command.size)}%"
    return f"{size(arrived)} of {size(command.size)}, {part}, {size(int(rate))}/s{left}"


def _interrupted_text(command: FileCopy, arrived: int, why: str) -> str:
    return f"interrupted after {size(arrived)} of {size(command.size)} ({why}); a retry sends only the rest"


def _ask(connection: SshConnection, text: str, command: FileCopy, *, sudo: bool, what: str) -> str:
    """The output of a command. Raises CopyInterruptedError if it fails, with what it wrote, and RemoteError."""
    done = connection.run(ShellCommand(text, sudo=sudo).render(), timeout=command.timeout)
    if done.status != 0:
        raise CopyInterruptedError(f"{what}: {_output(done) or 'no reason was given'}")
    return done.out.decode(errors="replace").strip()


def _output(done: Completed) -> str:
    return "\n".join(filter(None, (one.decode(errors="replace").strip()[-4000:] for one in (done.out, done.err))))
