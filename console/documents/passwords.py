"""Where a password comes from, turned into the password: read once, kept in memory, never shown."""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from console.core.command import Secret
from console.core.inventory import PasswordKind, PasswordSource
from console.documents.errors import DocumentError

COMMAND_TIMEOUT = 30.0
"""Seconds that a password command may take: it may have to unlock a store."""


class LoosePermissionsWarning(UserWarning):
    """A password file that others on this machine can read."""


def resolve(source: PasswordSource, node: str, *, prompt: Callable[[str], str] = getpass.getpass) -> Secret:
    """The password. Raises DocumentError that names the node and the source, never the value."""
    password = _READERS[source.kind](source.where, node) if source.kind in _READERS else _ask(node, prompt)
    if not password:
        raise DocumentError(f"{node}: redis.password: {_named(source)} is empty")
    return Secret(password)


def _named(source: PasswordSource) -> str:
    """The source in words. A command is named without its text, which may hold more than it should."""
    return {
        PasswordKind.ENV: f"${source.where}",
        PasswordKind.FILE: source.where,
        PasswordKind.COMMAND: "what the command printed",
        PasswordKind.PROMPT: "what was typed",
    }[source.kind]


def _from_environment(variable: str, node: str) -> str:
    if variable not in os.environ:
        raise DocumentError(f"{node}: redis.password: ${variable} is not set; export it, or name another source")
    return os.environ[variable]


def _from_file(name: str, node: str) -> str:
    path = Path(name).expanduser()
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(f"{node}: redis.password: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DocumentError(f"{node}: redis.password: {path} is not UTF-8 text") from None
    if mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        warnings.warn(
            LoosePermissionsWarning(f"{node}: {path} can be read by others on this machine: chmod 600 {path}"),
            stacklevel=2,
        )
    return text.rstrip("\r\n")


def _from_command(command: str, node: str) -> str:
    """Its stdout without the last line end. Its stderr is not repeated: it may hold what must not be seen."""
    where = f"{node}: redis.password: its command ({command.split(maxsplit=1)[0]} …)"
    shell = ("/bin/sh", "-c", command)
    try:
        done = subprocess.run(
            shell, capture_output=True, timeout=COMMAND_TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise DocumentError(f"{where} gave no answer in {COMMAND_TIMEOUT:.0f} s") from None
    except OSError as error:
        raise DocumentError(f"{where}: {error.strerror}") from None
    if done.returncode:
        raise DocumentError(f"{where} ended with exit code {done.returncode}; run it by hand to see why")
    try:
        return done.stdout.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise DocumentError(f"{where} printed something that is not UTF-8 text") from None


def _ask(node: str, prompt: Callable[[str], str]) -> str:
    if not sys.stdin.isatty():
        raise DocumentError(f"{node}: redis.password: prompt needs a terminal; use env, file or command instead")
    return prompt(f"Redis password of {node}: ")


_READERS: dict[PasswordKind, Callable[[str, str], str]] = {
    PasswordKind.ENV: _from_environment,
    PasswordKind.FILE: _from_file,
    PasswordKind.COMMAND: _from_command,
}
