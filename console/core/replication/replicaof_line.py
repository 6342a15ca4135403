"""Edits the lines of Redis' configuration file that decide its role at its next start. Other lines stay."""

from __future__ import annotations

import re

from console.core.command import MASK

_FOLLOWS = re.compile(rb"^([ \t]*)([\"']?(?:slaveof|replicaof)[\"']?)([ \t]+)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_FOLLOWS_LINE = re.compile(
    rb"^[ \t]*[\"']?(?:slaveof|replicaof)[\"']?[ \t]+[^\r\n]*(?:\r?\n|\Z)", re.IGNORECASE | re.MULTILINE
)
_SECRET = re.compile(  # also in a line that is commented out: it may be the password of yesterday, or of tomorrow
    r"^([ \t+-]*(?:#[# \t]*)?[\"']?(?:requirepass|masterauth|user|tls-key-file-pass|tls-client-key-file-pass"
    r"|rename-command[\"']?\s+\S+)[\"']?[ \t]+).*$",
    re.IGNORECASE | re.MULTILINE,
)


def with_master(data: bytes, host: str, port: int) -> bytes:
    """The file with this master in its last slaveof or replicaof line, or in a new line at its end.

    An existing line keeps its keyword. A new line uses `slaveof`, which every version knows.
    """
    target = f"{host} {port}".encode()
    found = list(_FOLLOWS.finditer(data))
    if found:
        last = found[-1]
        line = last[1] + last[2] + b" " + target
        return data[: last.start()] + line + data[last.end() :]
    newline = b"\r\n" if b"\r\n" in data else b"\n"
    gap = b"" if not data or data.endswith(b"\n") else newline
    return data + gap + b"slaveof " + target + newline


def without_master(data: bytes) -> bytes:
    """The file without its slaveof and replicaof lines."""
    return _FOLLOWS_LINE.sub(b"", data)


def mask(text: str) -> str:
    """The text with every password masked. The difference of two files is shown and recorded in the journal (H29)."""
    return _SECRET.sub(lambda line: f"{line[1]}{MASK}", text)
