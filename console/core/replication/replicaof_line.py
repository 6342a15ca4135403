"""Redis' configuration file as text: the one line that makes it a replica at its next start. Everything else stays."""

from __future__ import annotations

import re

from console.core.command import MASK

_FOLLOWS = re.compile(rb"^([ \t]*)(slaveof|replicaof)([ \t]+)[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_SECRET = re.compile(
    r"^(\s*(?:requirepass|masterauth|user|tls-key-file-pass|tls-client-key-file-pass)\s+).*$",
    re.IGNORECASE | re.MULTILINE,
)


def with_master(data: bytes, host: str, port: int) -> bytes:
    """The file with its last slaveof or replicaof line naming this master, or with such a line at its end.

    The keyword of a line that is there is kept; a new one says `slaveof`, which every version knows.
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


def mask(text: str) -> str:
    """The text with every password masked: a comparison of two files is shown and journaled (H29)."""
    return _SECRET.sub(lambda line: f"{line[1]}{MASK}", text)
