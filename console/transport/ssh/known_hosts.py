"""known_hosts, parsed once into an index: plain and hashed names, [host]:port, patterns, markers, several files.

The library's own look-up reads the whole file for every host, and computes a hash for each hashed line.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

SSH_PORT = 22
_REVOKED, _AUTHORITY = "@revoked", "@cert-authority"


class Trust(StrEnum):
    """What known_hosts says about a host and a key."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What known_hosts says about a key. `expected`: the fingerprints that it has for the host."""

    trust: Trust
    expected: tuple[str, ...] = ()
    where: str = ""
    """File and line of the entry that matched."""


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    key: bytes
    where: str
    marker: str
    """`@revoked`, `@cert-authority` or empty."""

    @property
    def revoked(self) -> bool:
        return self.marker == _REVOKED

    @property
    def of_host(self) -> bool:
        """Whether it is the host's own key."""
        return not self.marker


@dataclass(slots=True)
class KnownHosts:
    """An index over one or more files."""

    plain: dict[str, list[_Entry]] = field(default_factory=dict)
    hashed: list[tuple[bytes, bytes, _Entry]] = field(default_factory=list)
    patterns: list[tuple[tuple[str, ...], _Entry]] = field(default_factory=list)

    def add_file(self, path: Path) -> None:
        """Reads one file. A missing file counts as empty, and lines that are not entries are ignored."""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for number, line in enumerate(text.splitlines(), start=1):
            self._add_line(line, f"{path}:{number}")

    def kinds(self, host: str, port: int) -> tuple[str, ...]:
        """The key types that it has for this host. The server is asked for one of them."""
        return tuple(dict.fromkeys(entry.kind for entry in self._entries(host, port) if entry.of_host))

    def authorities(self, host: str, port: int) -> dict[bytes, str]:
        """The keys that may sign a certificate for this host, and where they stand."""
        entries = self._entries(host, port)
        revoked = {entry.key for entry in entries if entry.revoked}
        return {one.key: one.where for one in entries if one.marker == _AUTHORITY and one.key not in revoked}

    def check(self, host: str, port: int, kind: str, key: bytes) -> Verdict:
        """Whether this host is known to have this key."""
        entries = self._entries(host, port)
        for entry in entries:
            if entry.revoked and entry.key == key:
                return Verdict(Trust.REVOKED, (), entry.where)
        valid = [entry for entry in entries if entry.of_host]
        for entry in valid:
            if entry.key == key:
                return Verdict(Trust.KNOWN, (fingerprint(key),), entry.where)
        same_kind = [entry for entry in valid if entry.kind == kind]
        if same_kind:
            return Verdict(Trust.CHANGED, tuple(fingerprint(one.key) for one in same_kind), same_kind[0].where)
        return Verdict(Trust.UNKNOWN, tuple(f"{one.kind} {fingerprint(one.key)}" for one in valid))

    def _entries(self, host: str, port: int) -> list[_Entry]:
        """The entries for a host, as ssh finds them: for another port than 22 `[host]:port` first, then the name."""
        if port == SSH_PORT:
            return self._named(host)
        return self._named(f"[{host}]:{port}") or self._named(host)

    def _named(self, name: str) -> list[_Entry]:
        name = name.lower()
        found = list(self.plain.get(name, ()))
        found += [entry for names, entry in self.patterns if _matches(name, names)]
        for salt, digest, entry in self.hashed:
            if hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest):
                found.append(entry)
        return found

    def _add_line(self, line: str, where: str) -> None:
        words = line.split()
        if not words or words[0].startswith("#"):
            return
        marker = words.pop(0) if words[0].startswith("@") else ""
        if len(words) < 3 or marker not in ("", _REVOKED, _AUTHORITY):  # noqa: PLR2004 - names, type, key
            return
        names, kind, encoded = words[:3]
        try:
            entry = _Entry(kind, base64.b64decode(encoded, validate=True), where, marker)
        except ValueError:  # not base64, or not ASCII
            return
        if names.startswith("|1|"):
            self._add_hashed(names, entry)
        elif any(sign in names for sign in "*?!"):
            self.patterns.append((tuple(names.lower().split(",")), entry))
        else:
            for name in names.lower().split(","):
                self.plain.setdefault(name, []).append(entry)

    def _add_hashed(self, names: str, entry: _Entry) -> None:
        parts = names.split("|")
        try:
            salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:4])
        except (binascii.Error, ValueError):
            return
        self.hashed.append((salt, digest, entry))


def fingerprint(key: bytes) -> str:
    """The fingerprint as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def load(paths: Iterable[Path]) -> KnownHosts:
    """The index over these files. It is kept until one of them changes."""
    signature = tuple((path, *_signature(path)) for path in paths)
    return _load(signature)


@lru_cache(maxsize=8)
def _load(signature: tuple[tuple[Path, int, int], ...]) -> KnownHosts:
    known = KnownHosts()
    for path, _, _ in signature:
        known.add_file(path)
    return known


def _signature(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether the entry is for this name. A `!pattern` that matches excludes it, wherever it stands."""
    escaped = [pattern.replace("[", "[[]") for pattern in patterns]
    if any(one.startswith("!") and fnmatch.fnmatchcase(name, one[1:]) for one in escaped):
        return False
    return any(not one.startswith("!") and fnmatch.fnmatchcase(name, one) for one in escaped)
