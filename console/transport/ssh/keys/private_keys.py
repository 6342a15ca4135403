"""The private keys to log in with, in the order to try: named keys, the agent's others, the usual files."""

from __future__ import annotations

import contextlib
import copy
import socket
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from console.core.model import ProblemKind
from console.documents.home import expand_home
from console.transport.connections.errors import RemoteError
from console.transport.ssh.keys.public_keys import kind_of, public_parts
from console.transport.ssh.paramiko_import import AgentSSH, paramiko
from console.transport.ssh.route import Hop

_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_ANSWERS_WITHIN = 3.0


class KeyOfAgent(paramiko.AgentKey):
    """A key in the SSH agent. The agent may ask a human before it signs: then that is why a login takes so long."""

    outcome = ""
    """Why there is no signature; empty: there is one, or none was asked for."""
    tell_waiting: Callable[[bool], None] | None = None
    """Called in a thread of the library: True before the agent is asked, False once it has answered."""

    def sign_ssh_data(self, data: Any, algorithm: str | None = None) -> Any:
        """The signature; an empty one, which no server accepts, if the agent refuses. So other keys can follow."""
        self.outcome = "the SSH agent has not signed in time: touch the key, or confirm where the agent asks"
        self._waits(now=True)
        try:
            signature = super().sign_ssh_data(data, algorithm)
        except paramiko.SSHException:
            self.outcome = "the SSH agent refused to sign: it is locked, or the touch or confirmation did not come"
            return b""
        finally:
            self._waits(now=False)
        self.outcome = ""
        return signature

    def _waits(self, *, now: bool) -> None:
        if self.tell_waiting is not None:
            self.tell_waiting(now)


def private_keys(hop: Hop, unusable: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys to try, with their names. Servers limit the attempts, so the named ones come first.

    A named key that the agent holds is used from the agent, as ssh does: its file may be encrypted, or a public key.
    `unusable`: gets a line for each named key, and for an agent, that cannot be used.
    """
    with _agent_keys(hop.agent, unusable) as held:
        for path in hop.identity_files:
            matching = [key for blob in public_parts(path) for key in held if key.blob == blob]
            for key in matching:
                held.remove(key)
                yield f"{path} (in the agent)", key
            if not matching:
                yield from _from_file(path, hop.certificate_files, unusable)
        if not (hop.identities_only and hop.identity_files and not unusable):
            for key in held:
                yield f"agent key {key.fingerprint}", key
    if not hop.identity_files:
        for name in _DEFAULT_KEYS:
            path = str(expand_home(name))
            if Path(path).exists():
                yield from _from_file(path, hop.certificate_files, [])


def _from_file(path: str, certificates: tuple[str, ...], unusable: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    changed = tuple(map(_stamp, (path, f"{path}-cert.pub", *certificates)))
    try:
        keys = _load_keys(path, certificates, changed)
    except RemoteError as error:
        unusable.append(error.problem.text)
        return
    for key in keys:
        yield f"{path} with its certificate" if key.public_blob is not None else path, key


class _Agent(AgentSSH):
    """The SSH agent behind a socket. One that never answers holds up a login for a few seconds, no longer."""

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_ANSWERS_WITHIN)
            connection.connect(path)
            self._connect(connection)  # type: ignore[attr-defined]
        except BaseException:
            connection.close()
            raise
        connection.settimeout(None)  # from now on a human may be asked


@contextlib.contextmanager
def _agent_keys(path: str, unusable: list[str]) -> Iterator[list[KeyOfAgent]]:
    """The keys that the agent holds. The agent is asked for signatures until the block ends."""
    if not path:
        yield []
        return
    try:
        agent = _Agent(path)
    except FileNotFoundError:
        yield []  # the agent has ended, its variable stayed
        return
    except (OSError, paramiko.SSHException) as error:
        unusable.append(f"the SSH agent at {path} does not answer: {str(error).strip() or type(error).__name__}")
        yield []
        return
    try:
        yield [KeyOfAgent(agent, key.blob, key.comment) for key in agent.get_keys()]
    finally:
        agent._close()  # type: ignore[attr-defined]  # noqa: SLF001 - the library has no public name for it


@lru_cache(maxsize=64)
def _load_keys(path: str, certificates: tuple[str, ...], _changed: tuple[int, ...]) -> tuple[paramiko.PKey, ...]:
    """A private key, read once: with each certificate, and without. Raises RemoteError with one line."""
    try:
        keys = [paramiko.PKey.from_path(path)]
        if keys[0].public_blob is not None:
            keys = [keys[0], _without_certificate(keys[0])]
        for certificate in certificates:
            keys.insert(0, _without_certificate(keys[0]))
            keys[0].load_certificate(certificate)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
    except (paramiko.PasswordRequiredException, TypeError):
        text = f"{path} is encrypted: ssh-add it, the console asks for no passphrase"
    except Exception:  # noqa: BLE001 - the library lets the parser's own errors through
        text = _why_unusable(path)
    else:
        return tuple(keys)
    raise RemoteError(ProblemKind.AUTH_FAILED, text)


def _without_certificate(key: paramiko.PKey) -> paramiko.PKey:
    plain = copy.copy(key)
    plain.public_blob = None
    return plain


def _why_unusable(path: str) -> str:
    public = public_parts(path)
    if public and kind_of(public[-1]).startswith("sk-"):
        return f"{path} belongs to a hardware key: ssh-add it, and touch the key when the agent asks"
    if path.endswith(".pub"):
        return f"{path} is a public key, and no agent holds its private key: ssh-add that"
    return f"{path} is not a private key that is understood"


def _stamp(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
