"""Masks the secrets in keepalived.conf and in the command lines that it names (H29)."""

from __future__ import annotations

import re

from console.core.command import MASK

_SECRETS = (
    # auth_pass up to the end of its line. Comments are included: they may hold an old password.
    re.compile(
        r"(?P<keep>\bauth_pass\b\"?(?:[ \t]|\\\r?\n)+)(?P<secret>[^\r\n]*?)(?P<rest>[ \t]+\}[ \t}]*|)(?=\r?(?:\n|\Z))"
    ),
    re.compile(r"(?P<keep>\$\w*(?:PASS|SECRET|PWD)\w*[ \t]*=[ \t]*)(?P<secret>[^\r\n]+)(?P<rest>)", re.IGNORECASE),
    # Passwords on the command line of a check or notify script.
    re.compile(r"(?P<keep>\b(?:redis|valkey)-cli\b[^\r\n]*?[ \t](?:-a|--pass)[ \t=]*)(?P<secret>[^\s\"]+)(?P<rest>)"),
    re.compile(r"(?P<keep>\bREDISCLI_AUTH=)(?P<secret>[^\s\";]+)(?P<rest>)"),
)

_COMMAND = re.compile(
    r"(?P<keep>^[ \t]*(?:script|notify\w*)[ \t]+)(?P<command>\"[^\"\r\n]*\"?|[^\s\"!#][^!#\r\n]*)", re.MULTILINE
)

# The arguments of a script that may be shown. Any other may be a password: the documented pairs pass it this way.
_PLAIN = re.compile(
    r"--[a-z][a-z-]*|-[A-Za-z]|63\d\d|\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d{1,5})?|/\S*|[<>&|12]{1,4}|[A-Z]{3,8}|" + MASK
)

_FOLLOWED = frozenset({"INSTANCE", "GROUP", "MASTER", "BACKUP", "FAULT", "STOP"})
"""keepalived's own arguments. A name or a priority follows them."""

_RUNNERS = re.compile(r"(?:\S*/)?(?:sh|bash|dash|ksh|zsh|sudo|env|nohup|setsid)|-\S*")

_PROGRAMS = re.compile(r".*/(?:(?:redis|valkey)-\w+|killall|pkill|kill|pidof|pgrep|systemctl|service|test|true|ip)")
"""Programs whose arguments `mask` handles by other rules."""


def mask(text: str) -> str:
    """The text with its secrets masked (H29).

    Secrets are auth_pass, password variables, passwords for redis-cli, and arguments of scripts.
    """
    for secret in _SECRETS:
        text = secret.sub(lambda found: f"{found['keep']}{MASK}{found['rest']}", text)
    return _COMMAND.sub(lambda found: found["keep"] + mask_arguments(found["command"]), text)


def mask_arguments(command: str) -> str:
    """A script's command line with its arguments masked, except addresses, paths and options."""
    parts = re.split(r"(\s+|\")", command)
    words = [place for place, part in enumerate(parts) if part and not part.isspace() and part != '"']
    first = next((at for at, place in enumerate(words) if not _RUNNERS.fullmatch(parts[place])), len(words))
    program = parts[words[first]] if first < len(words) else ""
    if not program.startswith("/") or _PROGRAMS.fullmatch(program):
        return command
    before = ""
    for place in words[first + 1 :]:
        word = parts[place]
        if not _PLAIN.fullmatch(word) and before not in _FOLLOWED:
            parts[place] = MASK
        before = word
    return "".join(parts)
