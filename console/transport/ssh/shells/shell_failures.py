"""Why a node's shell ran nothing, from what was said instead: the cause, and what to change on the node."""

from __future__ import annotations

import re

from console.core.model import ProblemKind
from console.transport.connections.errors import RemoteError

_LONGEST = 120  # characters of what was said, the last ones
_ALLOW = "put `{user} ALL=(root) NOPASSWD: /bin/sh` into its sudoers"
_START_FILES = "(.bashrc, .cshrc, config.fish)"

_SUDO = (
    (
        r"have a tty|terminal is required",
        "sudo wants a terminal (requiretty)",
        "put `Defaults:{user} !requiretty` into its sudoers",
    ),
    (r"password is required|authentication is required", "sudo asks for a password", _ALLOW),
    (
        r"not in the sudoers|not allowed to (execute|run)|may not run sudo",
        "sudo does not allow {user} to run sh",
        _ALLOW,
    ),
    (
        r"sudo.*(not found|no such file|unknown command)",
        "there is no sudo on the node",
        "install it, or log in as root with ssh.user",
    ),
    (r"sudo: ", "sudo -n refuses", "correct its sudoers"),
)
"""Pattern in what was said, with LC_ALL=C, the cause, and what to change. The first one that matches counts."""

_SHELL = (
    (
        r"account is (currently )?not available|nologin",
        "the login shell of {user} is nologin, which runs nothing, also no ForceCommand",
        "usermod -s /bin/sh {user} on the node, or set another ssh.user",
    ),
    (
        r"password has expired|password change required|account has expired",
        "the account {user} has expired",
        "renew it on the node (chage -l {user})",
    ),
    (r"(^|[/ ])sh: .*not found|no such file.*\bsh\b", "there is no sh in the PATH of {user}", "put /bin into it"),
)

_OTHER = (
    "",
    "the login shell of {user} does not run the commands that it gets",
    "look for a ForceCommand in sshd_config, for command= in authorized_keys, and for `exec` in its start files "
    + _START_FILES,
)


def explain(user: str, said: str, *, sudo: bool) -> RemoteError:
    """The cause, what was said, and what to change. `sudo`: sh was to be started through sudo."""
    table = (*_SUDO, *_SHELL) if sudo else _SHELL
    found = next((row for row in table if re.search(row[0], said, re.IGNORECASE)), _OTHER)
    cause, change = (text.format(user=user) for text in found[1:])
    if found in _SUDO:
        change += ", or take ssh.sudo out of the inventory"
    shown = said if len(said) <= _LONGEST else f"…{said[1 - _LONGEST :]}"
    cause += f" (it said: {shown})" if shown else " (it said nothing)"
    return RemoteError(ProblemKind.NOT_PERMITTED, cause, change=change)


def is_sudos(said: str) -> bool:
    """Whether it is sudo that has refused."""
    return any(re.search(row[0], said, re.IGNORECASE) for row in _SUDO)


def endless(user: str) -> RemoteError:
    """The shell was started, and no command was run."""
    cause = f"the login shell of {user} starts and then runs nothing"
    change = f"let its start files {_START_FILES} wait, ask or `exec` in terminals only; else the host is very slow"
    return RemoteError(ProblemKind.TIMEOUT, cause, change=change)


def reads_input(user: str) -> RemoteError:
    """The start files took what was meant for a command."""
    cause = f"the start files of {user}'s login shell {_START_FILES} read what is meant for commands"
    return RemoteError(ProblemKind.NOT_PERMITTED, cause, change="let them ask in terminals only ([ -t 0 ])")
