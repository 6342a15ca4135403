"""The private keys to log in with: named files, the agent's keys, and the usual files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from console.core.model import ProblemKind
from console.documents.home import expand_home
from console.transport.connections.errors import RemoteError
from console.transport.ssh.paramiko_import import paramiko
from console.transport.ssh.route import Hop, agent_present

_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


def private_keys(hop: Hop, unusable: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys to try: first the named files, then the agent's, then the usual files. Servers limit the attempts."""
    for path in hop.identity_files:
        try:
            yield path, _load_key(path, _stamp(path))
        except RemoteError as error:
            unusable.append(error.problem.text)
    if agent_present() and not (hop.identities_only and hop.identity_files and not unusable):
        agent = paramiko.Agent()
        try:
            for key in agent.get_keys():
                yield f"agent key {key.fingerprint}", key
        finally:
            agent.close()
    if not hop.identity_files:
        for name in _DEFAULT_KEYS:
            path = str(expand_home(name))
            with contextlib.suppress(RemoteError):
                if Path(path).exists():
                    yield path, _load_key(path, _stamp(path))


@lru_cache(maxsize=64)
def _load_key(path: str, _changed: int) -> paramiko.PKey:
    """A private key, read once. Raises RemoteError with one line."""
    try:
        return paramiko.PKey.from_path(path)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
    except (paramiko.PasswordRequiredException, TypeError):
        text = f"{path} is encrypted: ssh-add it, the console asks for no passphrase"
    except Exception:  # noqa: BLE001 - the library lets the parser's own errors through
        text = f"{path} is not a private key that is understood"
    raise RemoteError(ProblemKind.AUTH_FAILED, text)


def _stamp(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
