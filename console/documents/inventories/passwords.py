"""Reads passwords from their sources: once, into memory only, never shown."""

from __future__ import annotations

import getpass
import os
import stat
import subprocess
import sys
from collections.abc import Callable

from console.core.command import Secret
from console.core.inventory import PasswordKind, PasswordSource
from console.documents.errors import DocumentError
from console.documents.home import expand_home

COMMAND_TIMEOUT = 30.0
"""Seconds that a password command may take: it may have to unlock a store."""


def resolve(
    source: PasswordSource,
    node: str,
    *,
    key: str = "redis.password",
    prompt: Callable[[str], str] = getpass.getpass,
    warn: Callable[[str], None] = lambda _: None,
) -> Secret:
    """The password. Raises DocumentError that names the node and the source, never the value.

    `node`: whose it is; `key`: where the inventory names the source.
    `warn` is told in one line of a file that others can read.
    """
    whose = f"{node}: {key}"
    if source.kind is PasswordKind.PROMPT:
        password = _ask(whose, prompt)
    elif source.kind is PasswordKind.FILE:
        password = _from_file(source.where, whose, warn)
    elif source.kind is PasswordKind.ENV:
        password = _from_environment(source.where, whose)
    else:
        password = _from_command(source.where, whose)
    if not password:
        raise DocumentError(f"{whose}: {_named(source)} is empty")
    return Secret(password)


def _named(source: PasswordSource) -> str:
    """The source in words. A command is named without its text, which may hold more than it should."""
    return {
        PasswordKind.ENV: f"${source.where}",
        PasswordKind.FILE: source.where,
        PasswordKind.COMMAND: "what the command printed",
        PasswordKind.PROMPT: "what was typed",
    }[source.kind]


def _from_environment(variable: str, whose: str) -> str:
    if variable not in os.environ:
        raise DocumentError(f"{whose}: ${variable} is not set; export it, or name another source")
    return os.environ[variable]


def _from_file(name: str, whose: str, warn: Callable[[str], None]) -> str:
    path = expand_home(name)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(f"{whose}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DocumentError(f"{whose}: {path} is not UTF-8 text") from None
    if mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        warn(f"{whose}: {path} is open to others on this machine: chmod 600 {path}")
    return text.rstrip("\r\n")


def _from_command(command: str, whose: str) -> str:
    """Its stdout without the last line end. Its stderr is not repeated: it may hold what must not be seen."""
    where = f"{whose}: its command ({command.split(maxsplit=1)[0]} …)"
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


def _ask(whose: str, prompt: Callable[[str], str]) -> str:
    if not sys.stdin.isatty():
        raise DocumentError(f"{whose}: prompt needs a terminal; use env, file or command instead")
    return prompt(f"{whose}: ")
