"""Reads shell text strictly: what each command does is known, or the text counts as not understood.

The reader of notify scripts (`console.core.keepalived.script_text`) finds what it can. This one answers for what it did
not find: only commands of its lists count as understood. It never runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from console.core.keepalived.script_text import SHELLS, mask_script
from console.core.keepalived.script_text import actions as script_actions
from console.core.model import ActionKind
from console.core.numbers import port_number
from console.core.runbooks.shell.acts import Act, Found, TextReading
from console.core.runbooks.shell.programs import HARMLESS, PROGRAMS
from console.core.runbooks.shell.redis_words import read_client_words, read_redis_command
from console.core.runbooks.shell.words import SimpleCommand, Word, split_commands
from console.core.runbooks.shell.wrappers import WRAPPERS

_LONGEST = 80
_DEEPEST = 6
"""Shells within shells."""
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=")
_HARMLESS_VARIABLES = frozenset({"REDISCLI_AUTH", "LANG", "LC_ALL", "TZ", "TERM"})
_PATHS = frozenset({"/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/usr/local/sbin"})
_SERVICE_SCRIPTS = frozenset({"/etc/init.d", "/etc/rc.d/init.d"})
_CLIENTS = frozenset({"redis-cli", "valkey-cli"})
_PRINTS = frozenset({"echo", "printf"})
_SCRIPT_KINDS: dict[ActionKind, str] = {
    ActionKind.PROMOTES: "promote",
    ActionKind.FOLLOWS: "replicate",
    ActionKind.EMPTIES: "flush",
    ActionKind.STOPS_REDIS: "stop-redis",
    ActionKind.STARTS_REDIS: "restart-redis",
    ActionKind.STOPS_KEEPALIVED: "stop-keepalived",
}
"""What the reader of notify scripts finds, and the act that it is."""


@lru_cache(maxsize=64)
def read_shell(text: str) -> TextReading:
    """What a shell text does. Never raises."""
    found = Found()
    _read(text, found, 0)
    if found.unclear:
        _add_what_scripts_show(text, found)
    return found.reading()


def shown(text: str) -> str:
    """A command for the screen: one line, without passwords, not too long."""
    line = mask_script(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _add_what_scripts_show(text: str, found: Found) -> None:
    """Adds what the reader of notify scripts finds in a text that was not wholly understood."""
    known = {act.kind for act in found.acts}
    for action in script_actions(text):
        kind = _SCRIPT_KINDS.get(action.kind)
        seen = kind in known or (kind == "restart-redis" and "start-redis" in known)
        if kind is not None and not seen:
            host, _, port = action.target.partition(" ")
            number = port_number(port)
            source = (host, number) if kind == "replicate" and number is not None else None
            found.acts.append(Act(kind, shown(action.text), source=source))


def _read(text: str, found: Found, depth: int) -> None:
    if depth > _DEEPEST:
        found.unclear.append("shells within shells")
        return
    commands, unclear = split_commands(text)
    found.unclear += unclear
    before: SimpleCommand | None = None
    for command in commands:
        _command(command.words, before if command.piped else None, found, depth)
        before = command


def _command(words: Sequence[Word], feeds: SimpleCommand | None, found: Found, depth: int) -> None:
    """One simple command. `feeds`: the command whose output it reads."""
    rest = _without_assignments(words, found)
    if not rest:
        return
    text = shown(" ".join(word.text for word in rest))
    if not rest[0].literal:
        found.unclear.append(f"`{text}`")
        return
    name, arguments = _program(rest[0].text, found), tuple(rest[1:])
    if name in HARMLESS:
        if not HARMLESS[name](arguments):
            found.unclear.append(f"`{text}`")
        found.waits = found.waits or name == "sleep"
    elif name in WRAPPERS:
        inner = WRAPPERS[name](arguments)
        if inner.unclear:
            found.unclear.append(f"`{text}`: {inner.unclear}")
        _command(inner.words, feeds, found, depth + 1)
    elif name in SHELLS or name == "eval":
        _inner_text(name, arguments, found, depth, text)
    elif name in _CLIENTS:
        _client(arguments, feeds, found, text)
    elif name in PROGRAMS and all(word.literal for word in arguments):
        PROGRAMS[name]([word.text for word in arguments], found, text)
    else:
        found.unclear.append(f"`{text}`")


def _without_assignments(words: Sequence[Word], found: Found) -> Sequence[Word]:
    at = 0
    while at < len(words) and (words[at].text == "!" or _ASSIGNMENT.match(words[at].text)):
        assigned = _ASSIGNMENT.match(words[at].text)
        if assigned is not None and assigned[1] not in _HARMLESS_VARIABLES:
            found.unclear.append(f"the variable {assigned[1]}")
        at += 1
    return words[at:]


def _program(word: str, found: Found) -> str:
    """The name of a program. `service NAME` for a script of /etc/init.d."""
    folder, slash, name = word.rpartition("/")
    if folder in _SERVICE_SCRIPTS:
        return f"/etc/init.d/{name}" if f"/etc/init.d/{name}" in PROGRAMS else word
    if slash and folder not in _PATHS:
        found.unclear.append(f"the program {word}")
    return name


def _inner_text(name: str, arguments: Sequence[Word], found: Found, depth: int, text: str) -> None:
    """`sh -c TEXT` and `eval WORDS`."""
    if name == "eval":
        inner = arguments
        body = " ".join(word.text for word in inner)
    else:
        inner = arguments[1:2] if arguments[:1] and re.fullmatch(r"-[eux]*c[eux]*", arguments[0].text) else ()
        body = inner[0].text if inner else ""
    if not inner or not all(word.literal for word in inner):
        found.unclear.append(f"`{text}`")
    if body:
        _read(body, found, depth + 1)


def _client(arguments: Sequence[Word], feeds: SimpleCommand | None, found: Found, text: str) -> None:
    """`redis-cli`, with a command or with commands that are piped into it."""
    if not all(word.literal for word in arguments):
        found.unclear.append(f"`{text}`")
    called = read_client_words([word.text for word in arguments], found, text)
    if called is None:
        return
    server, command = called
    if command:
        read_redis_command(command, server, found, text)
        return
    for line in _printed(feeds, found, text):
        if words := line.split():
            read_redis_command(words, server, found, shown(line))


def _printed(feeds: SimpleCommand | None, found: Found, text: str) -> list[str]:
    """The lines that are piped into redis-cli. They are known if `echo` or `printf` prints plain words."""
    words = feeds.words if feeds is not None else ()
    plain = all(word.literal for word in words) and not any(sign in words[0].text for sign in "/=") if words else False
    if not plain or words[0].text not in _PRINTS or feeds is None or feeds.piped:
        found.unclear.append(f"`{text}`: the commands that it reads")
        return []
    body = " ".join(word.text for word in words[1:])
    if words[0].text == "printf":
        body = words[1].text.replace("\\n", "\n") if len(words) == 2 else "%"  # noqa: PLR2004 - the format alone
    if body.startswith("-") or any(sign in body for sign in "%\\\"'"):
        found.unclear.append(f"`{text}`: the commands that it reads")
    return body.splitlines()
