"""Masks the secrets in keepalived.conf and in the command lines that it names (H29)."""

from __future__ import annotations

import re

from console.core.command import MASK

# Each expression reads a text once: `++` and `*+` never go back, and no part of one can begin inside a part before it.
_AUTH_PASS = re.compile(r"(?P<keep>\bauth_pass\b\"?(?:[ \t]|\\\r?\n)++)(?P<secret>[^\n]*+)")
"""Up to the end of its line. Comments are included: they may hold an old password."""
_VARIABLE = re.compile(r"(?P<keep>\$(?P<name>\w++)[ \t]*+=[ \t]*+)(?P<secret>[^\r\n]++)")
_NAMES = ("PASS", "SECRET", "PWD")
_CLIENT = re.compile(r"\b(?:redis|valkey)-cli\b")
_OPTION = re.compile(r"[ \t](?:-a|--pass)[ \t=]*(?P<secret>[^\s\"]++)|(?P<end>[\r\n])")
"""A password on the command line of a check or notify script."""
_ENVIRONMENT = re.compile(r"(?P<keep>\bREDISCLI_AUTH=)(?P<secret>[^\s\";]++)")

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
    text = _AUTH_PASS.sub(_without_password, text)
    text = _VARIABLE.sub(lambda found: without_value(found, _NAMES), text)
    text = _without_options(text)
    text = _ENVIRONMENT.sub(lambda found: found["keep"] + MASK, text)
    return _COMMAND.sub(lambda found: found["keep"] + mask_arguments(found["command"]), text)


def _without_password(found: re.Match[str]) -> str:
    """A brace that closes the block on the same line stays."""
    secret: str = found["secret"]
    end = len(secret.rstrip(" \t}\r"))
    blank = next((at for at in range(end, len(secret)) if secret[at] in " \t"), len(secret))
    rest = secret[blank:] if "}" in secret[blank:] else "\r" if secret.endswith("\r") else ""
    return f"{found['keep']}{MASK}{rest}"


def without_value(found: re.Match[str], names: tuple[str, ...]) -> str:
    """An assignment (`keep`, then a value) as it may be shown. `names`: parts of `name` that tell a secret."""
    name = found["name"].upper()
    return f"{found['keep']}{MASK}" if any(one in name for one in names) else found[0]


def _without_options(text: str) -> str:
    """The password that follows each name of a client on the same line."""
    parts: list[str] = []
    done = 0
    while (client := _CLIENT.search(text, done)) is not None:
        option = _OPTION.search(text, client.end())
        if option is None:
            break
        if option["end"] is None:
            parts += [text[done : option.start("secret")], MASK]
        else:
            parts.append(text[done : option.end()])
        done = option.end()
    return "".join((*parts, text[done:]))


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
