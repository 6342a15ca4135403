"""The public parts of a named private key, as far as they can be read without its passphrase."""

from __future__ import annotations

import base64
from pathlib import Path

_MAGIC = b"openssh-key-v1\0"
_LARGEST = 65_536
_HEAD, _TAIL = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"


def public_parts(path: str) -> tuple[bytes, ...]:
    """What an SSH agent would call this key: its certificate first, then the key itself. Empty: not known."""
    own = _from_private_key(_text(path))
    beside = path if path.endswith(".pub") else f"{path}.pub"
    certificate = f"{beside.removesuffix('.pub')}-cert.pub"
    found = (_from_public_key(_text(certificate)), own or _from_public_key(_text(beside)))
    return tuple(one for one in found if one)


def kind_of(blob: bytes) -> str:
    """The type of a public key, as `ssh-ed25519`."""
    return _field(blob)[0].decode("ascii", errors="replace")


def _text(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _from_public_key(text: str) -> bytes:
    """`TYPE BASE64 comment`."""
    words = text.split()
    return _decoded(words[1]) if len(words) > 1 and not text.startswith("-") else b""


def _from_private_key(text: str) -> bytes:
    """OpenSSH's own format has the public key in front, not encrypted: magic, cipher, KDF, its options, count, key."""
    _, found, rest = text.partition(_HEAD)
    data = _decoded("".join(rest.partition(_TAIL)[0].split())) if found else b""
    if not data.startswith(_MAGIC):
        return b""
    rest_of_it = data.removeprefix(_MAGIC)
    for _ in range(3):
        rest_of_it = _field(rest_of_it)[1]
    return _field(rest_of_it[4:])[0]


def _field(data: bytes) -> tuple[bytes, bytes]:
    """The string at the beginning, and what follows it."""
    size = int.from_bytes(data[:4], "big")
    return data[4 : 4 + size], data[4 + size :]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
