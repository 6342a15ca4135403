"""The SSH handshake with one hop: algorithms that both sides have, and the check of its host key."""

from __future__ import annotations

import threading
from typing import Any

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError
from console.transport.connections.patience import Patience
from console.transport.ssh import known_hosts
from console.transport.ssh.known_hosts import SSH_PORT, Trust
from console.transport.ssh.paramiko_import import IncompatiblePeer, paramiko
from console.transport.ssh.route import Hop

_LONGEST_REASON = 100
_NEVER = 86_400.0  # seconds
_LOOK_AGAIN = 0.25  # seconds
BANNER, KEYS = "banner", "keys"
_CERTIFICATE = "-cert-v01@openssh.com"


class Transport(paramiko.Transport):
    """Remembers what the server said, for the error texts: its algorithms, and why it opened no channel."""

    _CLIENT_ID = "redis_ha_console"
    """The client's name in the server's log. The protocol does not allow a minus sign in it."""
    offered: dict[str, Any] | None = None
    why_no_channel = ""
    """The server's own words; the library keeps only the number of the reason."""
    wants_certificate = False
    """known_hosts has an authority for the host: the server is asked for its certificate first."""
    farewell = ""
    """Why the server ended the connection, in its own words; empty: it said nothing."""

    def _really_parse_kex_init(self, *words: Any, **named: Any) -> dict[str, Any]:
        parsed: dict[str, Any] = super()._really_parse_kex_init(*words, **named)  # type: ignore[misc]
        self.offered = {key: list(value) for key, value in parsed.items() if isinstance(value, list)}
        return parsed

    def _parse_channel_open_failure(self, message: Any) -> None:
        message.get_int()  # the channel
        message.get_int()  # the number of the reason
        self.why_no_channel = " ".join(message.get_text().split())[:_LONGEST_REASON]
        message.rewind()
        super()._parse_channel_open_failure(message)  # type: ignore[misc]

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The kinds of host keys, in the order in which the server is asked for them. The library adds certificates."""
        return tuple(
            sorted(super().preferred_keys, key=lambda kind: self.wants_certificate and _CERTIFICATE not in kind)
        )

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()
        self.farewell = " ".join(message.get_text().split())


def shake_hands(transport: Transport, hop: Hop, patience: Patience) -> None:
    """Agrees on algorithms and checks the host key. Raises RemoteError, whose text says what to do."""
    known = known_hosts.load(hop.known_hosts)
    time_left(patience, hop)
    # The library has one time limit for each. The patience decides: it begins anew when the banner has come.
    transport.banner_timeout = transport.handshake_timeout = _NEVER
    _prefer(transport, known.kinds(hop.known_as, hop.port))
    prefer_sealed(transport)
    transport.wants_certificate = bool(known.authorities(hop.known_as, hop.port))
    try:
        _negotiate(transport, patience)
    except IncompatiblePeer as error:
        raise _incompatible(transport, hop, error) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        text = f"{hop}: no SSH handshake: {transport.farewell or reason(error)}"
        raise RemoteError(ProblemKind.CLOSED, text) from None
    if not transport.initial_kex_done:
        what = "stops while the keys are agreed on" if transport.remote_version else "then sends nothing"
        raise RemoteError(ProblemKind.TIMEOUT, f"{hop}: the SSH server accepts the connection and {what}")
    key = transport.get_remote_server_key()
    _check_key(known, hop, key)


def _negotiate(transport: Transport, patience: Patience) -> None:
    """Returns when the keys are agreed on, or the patience is over. Raises what the library raises."""
    patience.wait_for(BANNER)
    ended = threading.Event()
    transport.start_client(event=ended)
    while not ended.wait(min(patience.left, _LOOK_AGAIN)) and transport.is_active() and patience.left:
        if patience.step == BANNER and transport.remote_version:
            patience.wait_for(KEYS)
    if not transport.is_active():
        raise transport.get_exception() or paramiko.SSHException("Negotiation failed.")


def _check_key(known: known_hosts.KnownHosts, hop: Hop, shown_key: paramiko.PKey) -> None:
    kind, key = shown_key.get_name(), shown_key.asbytes()
    verdict = known.check(hop.known_as, hop.port, kind, key)
    shown = known_hosts.fingerprint(key)
    if verdict.trust is Trust.KNOWN:
        return
    why_not = _certificate_objection(known, hop, shown_key)
    if verdict.trust is not Trust.REVOKED and why_not is None:
        return
    name = hop.known_as if hop.port == SSH_PORT else f"[{hop.known_as}]:{hop.port}"
    if verdict.trust is Trust.CHANGED:
        text = f"the host key of {name} has changed: known {', '.join(verdict.expected)} ({verdict.where})"
        raise RemoteError(ProblemKind.HOST_KEY_CHANGED, f"{text}, shown now {shown}; find out why before you accept it")
    if verdict.trust is Trust.REVOKED:
        text = f"the host key {shown} of {name} is revoked in {verdict.where}"
        raise RemoteError(ProblemKind.HOST_KEY_CHANGED, text)
    if why_not:
        text = f"the certificate of {name} does not prove its key {shown}: {why_not}"
        change = f"renew it on the host, or accept the key outside the console, with ssh {hop.host}"
        raise RemoteError(ProblemKind.HOST_KEY_UNKNOWN, text, change=change)
    others = f"; known are {', '.join(verdict.expected)}" if verdict.expected else ""
    port = f" -p {hop.port}" if hop.port != SSH_PORT else ""
    text = f"the host key of {name} is not known: {kind} {shown}{others}"
    change = "check it and accept it outside the console: "
    change += f"ssh{port} {hop.host}, or ssh-keyscan{port} {hop.host} >> {hop.known_hosts[0]}"
    raise RemoteError(ProblemKind.HOST_KEY_UNKNOWN, text, change=change)


def _certificate_objection(known: known_hosts.KnownHosts, hop: Hop, key: paramiko.PKey) -> str | None:
    """Why the host's certificate does not prove its key. None: it does. Empty: known_hosts names no authority."""
    authorities = known.authorities(hop.known_as, hop.port)
    if not authorities:
        return ""
    if key.public_blob is None:
        return (
            "known_hosts has an authority for it (@cert-authority), and the host shows no certificate (HostCertificate)"
        )
    from console.transport.ssh.keys import host_certificates

    return (
        host_certificates.objection(key.public_blob.key_type, key.public_blob.key_blob, hop.known_as, authorities)
        or None
    )


def _prefer(transport: Transport, kinds: tuple[str, ...]) -> None:
    """Asks the server for a kind of host key that known_hosts has."""
    options = transport.get_security_options()
    wanted = [kind for one in kinds for kind in (("rsa-sha2-512", "rsa-sha2-256") if one == "ssh-rsa" else (one,))]
    every = tuple(options.key_types)
    first = [kind for kind in wanted if kind in every]
    if first:
        options.key_types = (*first, *(kind for kind in every if kind not in first))


def prefer_sealed(transport: Transport) -> None:
    """Asks first for ciphers that prove each packet by themselves.

    For the others paramiko compares the proof of each packet byte by byte in Python: a tenth of what a run computes.
    """
    options = transport.get_security_options()
    options.ciphers = tuple(sorted(options.ciphers, key=lambda name: "gcm" not in name))


def _incompatible(transport: Transport, hop: Hop, error: Exception) -> RemoteError:
    offered = transport.offered or {}
    options = transport.get_security_options()
    sides = (
        ("kex", "kex_algo_list", options.kex, "key exchange", "KexAlgorithms"),
        ("host key", "server_key_algo_list", options.key_types, "host key algorithm", "HostKeyAlgorithms"),
        ("cipher", "server_encrypt_algo_list", options.ciphers, "cipher", "Ciphers"),
        ("mac", "server_mac_algo_list", options.digests, "MAC", "MACs"),
    )
    for sign, key, ours, words, option in sides:
        if sign in str(error) and key in offered:
            theirs = ", ".join(one for one in offered[key] if not one.startswith(("ext-info", "kex-strict")))
            text = f"no {words} in common: the server has only {theirs}; the console has {', '.join(ours)}"
            change = f"add one of these to {option} in the server's sshd_config"
            if theirs in ("ssh-rsa", "ssh-rsa, ssh-dss"):
                text += "; the server's sshd is too old for SHA-2 signatures"
                change = "give it an ECDSA host key, or update it"
            return RemoteError(ProblemKind.UNREACHABLE, f"{hop}: {text}", change=change)
    return RemoteError(ProblemKind.UNREACHABLE, f"{hop}: no SSH algorithm in common: {reason(error)}")


def time_left(patience: Patience, hop: Hop) -> float:
    """Seconds to the deadline. Raises RemoteError once it has passed."""
    left = patience.left
    if left <= 0:
        raise RemoteError(ProblemKind.TIMEOUT, f"{hop}: the SSH connection was not ready in time")
    return left


def reason(error: Exception) -> str:
    """The text of an error of the library, or its name where it has none."""
    return str(error).strip() or type(error).__name__
