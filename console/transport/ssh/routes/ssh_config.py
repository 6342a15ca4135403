"""ssh_config: the options that it has for one host, as ssh reads them.

Host, Include and `Match all` are read here. What depends on more than a name (other Match lines, CanonicalizeHostname)
is asked of ssh itself, with `ssh -G`.
"""

from __future__ import annotations

import contextlib
import fnmatch
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from console.core.model import ProblemKind
from console.documents.home import expand_home
from console.transport.connections.errors import RemoteError

_SYSTEM = Path("/etc/ssh/ssh_config")
_USED = frozenset(
    {
        "hostname", "user", "port", "identityfile", "identitiesonly", "identityagent", "certificatefile", "proxyjump",
        "proxycommand", "hostkeyalias", "userknownhostsfile", "pkcs11provider",
    }
)  # fmt: skip
_ADD_UP = frozenset({"identityfile", "certificatefile"})
_OPTION = re.compile(r"^(\w+)(?:\s*=\s*|\s+)(.+)$")
_MAX_DEPTH = 16
_ASK_TIMEOUT = 5.0
_KINDS = ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
_USUAL_KEYS = frozenset(f"~/.ssh/id_{kind}" for kind in _KINDS)
"""What `ssh -G` names as identity files where ssh_config names none."""


@dataclass(slots=True)
class HostOptions:
    """The options for one host. Of most options the first value counts; files of keys and certificates add up."""

    values: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    """What is ignored."""
    beyond: list[str] = field(default_factory=list)
    """Lines whose meaning only ssh itself knows."""

    def first(self, key: str) -> str:
        """The value of an option; empty: it has none."""
        return self.values[key][0] if self.values.get(key) else ""

    def add(self, key: str, value: str) -> None:
        """A value of an option, in the order of the files."""
        if key in _ADD_UP or key not in self.values:
            self.values.setdefault(key, []).append(value)


def options_for(named: str, host: str, user: str = "", port: int | None = None) -> HostOptions:
    """The options for a host. `named`: the file that the inventory names; empty: the user's file and the system's.

    Raises RemoteError if a file cannot be used.
    """
    found = HostOptions()
    for path in [expand_home(named)] if named else [expand_home("~/.ssh/config"), _SYSTEM]:
        try:
            _read(path, host, found)
        except OSError as error:
            if named:
                text = f"ssh_config {path}: {error.strerror}; correct ssh.config_file in the inventory"
                raise RemoteError(ProblemKind.UNREACHABLE, text) from None
    if found.beyond:
        asked = _ask_ssh(named, host, user, port)
        missing = [f"{line} is ignored: only ssh understands it, and it is not installed here" for line in found.beyond]
        found = asked or replace(found, warnings=missing)
    if found.first("pkcs11provider") not in ("", "none"):
        found.warnings.append(f"ssh_config for {host}: pkcs11provider is not supported and ignored")
    return found


def _read(path: Path, host: str, found: HostOptions, depth: int = 0) -> None:
    """Reads a file and what it includes. Raises OSError if the file itself cannot be read."""
    if depth > _MAX_DEPTH:
        text = f"ssh_config {path}: Include leads through more than {_MAX_DEPTH} files"
        raise RemoteError(ProblemKind.UNREACHABLE, text)
    active = True
    for number, key, value in _lines(path, path.stat().st_mtime_ns):
        if key == "host":
            active = matches(host, value.replace('"', "").split())
        elif key == "match":
            active = value.lower() == "all"
            if not active:
                found.beyond.append(f"{path}:{number}: Match {value}")
        elif active and key == "include":
            for included in _included(value, system=path.is_relative_to(_SYSTEM.parent)):
                with contextlib.suppress(OSError):
                    _read(included, host, found, depth + 1)
        elif active and key == "canonicalizehostname" and value.lower() != "no":
            found.beyond.append(f"{path}:{number}: CanonicalizeHostname {value}")
        elif active and key in _USED:
            found.add(key, value.strip('"'))


@lru_cache(maxsize=64)
def _lines(path: Path, _changed: int) -> tuple[tuple[int, str, str], ...]:
    """Number, option in small letters, and value of each line that has them."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        option = _OPTION.match(line.strip())
        if option is not None and not line.lstrip().startswith("#"):
            found.append((number, option.group(1).lower(), option.group(2).strip()))
    return tuple(found)


def _included(value: str, *, system: bool) -> list[Path]:
    """The files of an Include line, in the order of their names. A path without a folder is one beside ssh_config."""
    folder = _SYSTEM.parent if system else expand_home("~/.ssh")
    found = []
    for word in value.replace('"', "").split():
        pattern = folder / expand_home(word)
        with contextlib.suppress(ValueError, NotImplementedError, OSError, re.error):
            found += sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    return found


def matches(name: str, patterns: list[str]) -> bool:
    """Whether the patterns of a Host line are for this name. A `!pattern` that matches excludes it."""
    if any(one.startswith("!") and fnmatch.fnmatchcase(name, one[1:]) for one in patterns):
        return False
    return any(not one.startswith("!") and fnmatch.fnmatchcase(name, one) for one in patterns)


def _ask_ssh(named: str, host: str, user: str, port: int | None) -> HostOptions | None:
    """What ssh itself makes of its configuration. None: there is no ssh on this machine. Raises RemoteError."""
    import subprocess  # takes its time, and is seldom needed

    words = ["ssh", "-G", *(("-F", str(expand_home(named))) if named else ())]
    words += [*(("-l", user) if user else ()), *(("-p", str(port)) if port else ()), "--", host]
    try:
        # Without a terminal: a command of `Match exec` must not write on the screen, or read its keys.
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASK_TIMEOUT, check=False,
            start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired:
        text = f"ssh_config for {host}: `ssh -G {host}` does not end: a command of Match exec, or the resolver, is slow"
        raise RemoteError(ProblemKind.TIMEOUT, text) from None
    except (OSError, ValueError) as error:
        raise RemoteError(ProblemKind.UNREACHABLE, f"ssh_config for {host}: ssh -G: {error}") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", errors="replace").split())[-200:]
        raise RemoteError(ProblemKind.UNREACHABLE, f"ssh_config for {host}: ssh -G says: {said}")
    return _of_ssh(done.stdout.decode("utf-8", errors="replace"))


def _of_ssh(text: str) -> HostOptions:
    """The answer of `ssh -G`, which also names what is usual and set nowhere."""
    found = HostOptions()
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key in _USED:
            found.add(key, value)
    if set(found.values.get("identityfile", ())) <= _USUAL_KEYS:
        found.values.pop("identityfile", None)
    if Path(found.first("userknownhostsfile").split(" ")[0]).parts[-2:] == (".ssh", "known_hosts"):
        found.values.pop("userknownhostsfile")
    return found
