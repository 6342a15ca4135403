"""The hops of a connection, from the inventory and ssh_config: which hosts, which user, which keys."""

from __future__ import annotations

import getpass
import os
import re
import socket
from dataclasses import replace
from pathlib import Path

from console.core.inventory import SshSpec
from console.core.lazy_dataclass import dataclass
from console.core.model import ProblemKind
from console.core.numbers import port_number
from console.documents.home import expand_home
from console.transport.connections.errors import RemoteError
from console.transport.ssh.routes.ssh_config import HostOptions, options_for

SSH_PORT = 22
_MAX_HOPS = 8
_PLAIN = re.compile(r"[\w.:%@+][\w.:%@+-]*")


@dataclass(frozen=True, slots=True)
class Hop:
    """One login on the way to a node. The last hop is the node itself."""

    host: str
    port: int
    user: str
    identity_files: tuple[str, ...]
    """In the order to try."""
    identities_only: bool
    known_as: str
    """Its name in known_hosts."""
    known_hosts: tuple[Path, ...]
    certificate_files: tuple[str, ...] = ()
    agent: str = ""
    """The socket of the SSH agent; empty: there is none."""
    command: str = ""
    """ProxyCommand: a command whose input and output are the connection. Only the first hop's is used."""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != SSH_PORT else "")


@dataclass(frozen=True, slots=True)
class Route:
    """The hops of one connection, in order."""

    hops: tuple[Hop, ...]
    warnings: tuple[str, ...] = ()
    """Options of ssh_config that the console ignores."""


def resolve(spec: SshSpec, address: str) -> Route:
    """The route to a node. Raises RemoteError if ssh_config cannot be used."""
    hops, warnings = _resolve(spec, spec.host or address, depth=0)
    return Route(tuple(hops), tuple(dict.fromkeys(warnings)))


def _resolve(spec: SshSpec, name: str, depth: int) -> tuple[list[Hop], list[str]]:
    if depth >= _MAX_HOPS:
        raise RemoteError(ProblemKind.UNREACHABLE, f"ProxyJump of {name} leads through more than {_MAX_HOPS} hosts")
    options = options_for(spec.config_file, name, spec.user, spec.port)
    warnings = list(options.warnings)
    jump, command = _way(spec, options)
    hop = _hop(spec, name, options, command)
    before: list[Hop] = []
    for one in jump.split(",") if jump else ():
        user, jump_name, jump_port = _destination(one.strip())
        # A jump host has its own user and port. Its keys and known_hosts are those of the inventory.
        through = replace(spec, user=user, port=jump_port, host=jump_name, jump="" if not before else "none")
        found, more = _resolve(through, jump_name, depth + 1)
        before += found
        warnings += more
    return [*before, hop], warnings


def _way(spec: SshSpec, options: HostOptions) -> tuple[str, str]:
    """The jump hosts, and the command that is used instead of a TCP connection. Of the two, the first named counts."""
    if spec.jump:
        return ("" if spec.jump.lower() == "none" else spec.jump), ""
    named = next((key for key in options.values if key in ("proxyjump", "proxycommand")), "")
    value = options.first(named)
    if not named or value.lower() == "none":
        return "", ""
    return (value, "") if named == "proxyjump" else ("", value)


def _hop(spec: SshSpec, name: str, options: HostOptions, command: str) -> Hop:
    user = spec.user or options.first("user") or _own_name()
    host = _Tokens(name).expand(options.first("hostname"), "HostName") or name
    port = spec.port or _port(name, options.first("port"))
    alias = options.first("hostkeyalias")
    tokens = _Tokens(name, host, port, user, alias or host)
    if command and not all(map(_PLAIN.fullmatch, (host, name, user))):
        text = f"ssh_config for {name}: ProxyCommand is not run: {user}@{host} holds characters that a shell may run"
        raise RemoteError(ProblemKind.UNREACHABLE, text)
    files = (spec.identity_file,) if spec.identity_file else tuple(options.values.get("identityfile", ()))
    return Hop(
        host=host,
        port=port,
        user=user,
        identity_files=tuple(tokens.path(one, "IdentityFile") for one in files if one.lower() != "none"),
        identities_only=options.first("identitiesonly").lower() == "yes",
        known_as=alias or host,
        known_hosts=_known_hosts(spec.known_hosts or options.first("userknownhostsfile"), tokens),
        certificate_files=tuple(
            tokens.path(one, "CertificateFile")
            for one in options.values.get("certificatefile", ())
            if one.lower() != "none"
        ),
        agent=_agent(options.first("identityagent"), tokens),
        command=tokens.expand(command, "ProxyCommand"),
    )


@dataclass(frozen=True, slots=True)
class _Tokens:
    """What ssh_config's tokens stand for: %h the host, %n the name it was given by, %r the user there, and so on."""

    name: str
    host: str = ""
    port: int = SSH_PORT
    user: str = ""
    alias: str = ""

    def expand(self, text: str, option: str) -> str:
        """Raises RemoteError for a token that is not understood."""

        def stands_for(found: re.Match[str]) -> str:
            value = self._value(found[1])
            if value is None:
                raise RemoteError(
                    ProblemKind.UNREACHABLE, f"ssh_config for {self.name}: {option}: {found[0]} is not understood"
                )
            return value

        return re.sub("%(.?)", stands_for, text)

    def path(self, text: str, option: str) -> str:
        """The same, with ~ and ${VARIABLE}."""
        expanded = self.expand(re.sub(r"\$\{(\w+)\}", lambda one: os.environ.get(one[1], ""), text), option)
        return str(expand_home(expanded.strip('"')))

    def _value(self, token: str) -> str | None:
        known = {"%": "%", "h": self.host or self.name, "n": self.name, "p": str(self.port), "r": self.user}
        known |= {"k": self.alias}
        if token in known:
            return known[token]
        match token:
            case "d":
                return str(expand_home("~"))
            case "u":
                return _own_name()
            case "i":
                return str(os.getuid())
            case "l":
                return socket.gethostname()
            case "L":
                return socket.gethostname().partition(".")[0]
        return None


def _agent(named: str, tokens: _Tokens) -> str:
    """The socket of the SSH agent; empty: there is none."""
    own = os.environ.get("SSH_AUTH_SOCK", "")
    if not named or named == "SSH_AUTH_SOCK":
        return own
    if named.lower() == "none":
        return ""
    return os.environ.get(named[1:], "") if re.fullmatch(r"\$\w+", named) else tokens.path(named, "IdentityAgent")


def _port(name: str, told: str) -> int:
    port = port_number(told) if told else SSH_PORT
    if not port:
        raise RemoteError(
            ProblemKind.UNREACHABLE, f"ssh_config for {name}: Port {told} is not a number from 1 to 65535"
        )
    return port


def _own_name() -> str:
    """The name of the user who runs the console, for a login without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        text = "this user has no name here: set ssh.user in the inventory, or User in ssh_config"
        raise RemoteError(ProblemKind.UNREACHABLE, text) from None


def _destination(text: str) -> tuple[str, str, int | None]:
    """`user@host:port`, `[v6]:port` or an alias."""
    user, _, rest = text.removeprefix("ssh://").rpartition("@")
    found = re.fullmatch(r"\[?([^\[\]]+?)\]?(?::([0-9]+))?", rest)
    port = port_number(found[2]) if found is not None and found[2] else None
    if found is None or (found[2] and not port):
        raise RemoteError(ProblemKind.UNREACHABLE, f"jump host {text!r} is not user@host:port")
    return user, found[1], port


def _known_hosts(named: str, tokens: _Tokens) -> tuple[Path, ...]:
    if named:
        return tuple(Path(tokens.path(one, "UserKnownHostsFile")) for one in named.split())
    home = expand_home("~/.ssh")
    system = Path("/etc/ssh")
    return (home / "known_hosts", home / "known_hosts2", system / "ssh_known_hosts", system / "ssh_known_hosts2")
