"""The hops of a connection, from the inventory and ssh_config: which hosts, which user, which keys."""

from __future__ import annotations

import fnmatch
import getpass
import os
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from console.core.inventory import SshSpec
from console.core.model import ProblemKind
from console.core.numbers import port_number
from console.documents.home import expand_home
from console.transport.connections.errors import RemoteError

SSH_PORT = 22
_MAX_HOPS = 8
_USED = frozenset({"hostname", "user", "port", "identityfile", "identitiesonly", "proxyjump", "hostkeyalias"})
_USED_BUT_OURS = frozenset({"userknownhostsfile"})
_CANNOT = frozenset({"proxycommand", "certificatefile", "pkcs11provider"})
_OPTION = re.compile(r"^(\w+)(?:\s*=\s*|\s+)(.+)$")


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

    def __str__(self) -> str:
        return f"{self.user}@{self.host}" + (f":{self.port}" if self.port != SSH_PORT else "")


@dataclass(frozen=True, slots=True)
class Route:
    """The hops of one connection, in order."""

    hops: tuple[Hop, ...]
    warnings: tuple[str, ...] = ()
    """Options of ssh_config that the console ignores."""


@dataclass(frozen=True, slots=True)
class _Block:
    patterns: tuple[str, ...]
    """Empty for a block that is not understood. It matches no host."""
    options: tuple[tuple[str, str], ...]


def resolve(spec: SshSpec, address: str) -> Route:
    """The route to a node. Raises RemoteError if ssh_config cannot be used."""
    blocks, warnings = _read_config(spec.config_file)
    hops, more = _resolve(spec, spec.host or address, blocks, depth=0)
    return Route(tuple(hops), (*warnings, *more))


def _resolve(spec: SshSpec, name: str, blocks: tuple[_Block, ...], depth: int) -> tuple[list[Hop], list[str]]:
    if depth >= _MAX_HOPS:
        raise RemoteError(ProblemKind.UNREACHABLE, f"ProxyJump of {name} leads through more than {_MAX_HOPS} hosts")
    options = _lookup(blocks, name)
    warnings = [f"ssh_config for {name}: {key} is not supported and ignored" for key in options if key in _CANNOT]
    host = _expand(_first(options, "hostname") or name, name)
    port = spec.port or _port(name, _first(options, "port"))
    files = (spec.identity_file,) if spec.identity_file else tuple(options.get("identityfile", ()))
    known = spec.known_hosts or _first(options, "userknownhostsfile")
    hop = Hop(
        host=host,
        port=port,
        user=spec.user or _first(options, "user") or _own_name(),
        identity_files=tuple(str(expand_home(_expand(one, host))) for one in files),
        identities_only=_first(options, "identitiesonly").lower() == "yes",
        known_as=_first(options, "hostkeyalias") or host,
        known_hosts=_known_hosts(known, host),
    )
    jump = spec.jump or _first(options, "proxyjump")
    before: list[Hop] = []
    if jump and jump.lower() != "none":
        for one in jump.split(","):
            user, jump_name, jump_port = _destination(one.strip())
            # A jump host has its own user and port. Its keys and known_hosts are those of the inventory.
            through = replace(spec, user=user, port=jump_port, host=jump_name, jump="" if not before else "none")
            found, more = _resolve(through, jump_name, blocks, depth + 1)
            before += found
            warnings += more
    return [*before, hop], warnings


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


def _known_hosts(named: str, host: str) -> tuple[Path, ...]:
    if named:
        return tuple(expand_home(_expand(one, host)) for one in named.split())
    home = expand_home("~/.ssh")
    system = Path("/etc/ssh")
    return (home / "known_hosts", home / "known_hosts2", system / "ssh_known_hosts", system / "ssh_known_hosts2")


def _expand(text: str, host: str) -> str:
    text = text.replace("%h", host).replace("%d", str(expand_home("~")))
    return (text.replace("%u", _own_name()) if "%u" in text else text).strip('"')


def _first(options: dict[str, list[str]], key: str) -> str:
    return options[key][0] if options.get(key) else ""


def _lookup(blocks: tuple[_Block, ...], name: str) -> dict[str, list[str]]:
    """The options for a host. As in ssh_config, the first value of an option counts, and identity files add up."""
    found: dict[str, list[str]] = {}
    for block in blocks:
        if not _matches(name, block.patterns):
            continue
        for key, value in block.options:
            if key == "identityfile" or key not in found:
                found.setdefault(key, []).append(value)
    return found


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    if any(one.startswith("!") and fnmatch.fnmatchcase(name, one[1:]) for one in patterns):
        return False
    return any(not one.startswith("!") and fnmatch.fnmatchcase(name, one) for one in patterns)


def _read_config(named: str) -> tuple[tuple[_Block, ...], tuple[str, ...]]:
    path = expand_home(named or "~/.ssh/config")
    try:
        return _parse_config(path, path.stat().st_mtime_ns)
    except OSError as error:
        if named:
            text = f"ssh_config {path}: {error.strerror}; correct ssh.config_file in the inventory"
            raise RemoteError(ProblemKind.UNREACHABLE, text) from None
        return (), ()


@lru_cache(maxsize=8)
def _parse_config(path: Path, _changed: int) -> tuple[tuple[_Block, ...], tuple[str, ...]]:
    blocks: list[_Block] = []
    warnings: list[str] = []
    patterns: tuple[str, ...] = ("*",)
    options: list[tuple[str, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        found = _OPTION.match(line.strip())
        if found is None or line.lstrip().startswith("#"):
            continue
        key, value = found.group(1).lower(), found.group(2).strip()
        if key in ("host", "match"):
            blocks.append(_Block(patterns, tuple(options)))
            options = []
            everything = key == "match" and value.lower() == "all"
            patterns = tuple(value.replace('"', "").split()) if key == "host" else (("*",) if everything else ())
            if key == "match" and not everything:
                warnings.append(f"{path}:{number}: Match {value} is not understood; its block is ignored")
        elif key == "include":
            warnings.append(f"{path}:{number}: Include is not read; name the hosts here or in the inventory")
        elif key in _USED | _USED_BUT_OURS | _CANNOT:
            options.append((key, value.strip('"')))
    blocks.append(_Block(patterns, tuple(options)))
    return tuple(blocks), tuple(warnings)


def agent_present() -> bool:
    """Whether this process has an SSH agent."""
    return bool(os.environ.get("SSH_AUTH_SOCK"))
