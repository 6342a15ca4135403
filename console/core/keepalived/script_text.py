"""Finds the lines of a shell script that change Redis, keepalived or the network (H10).

The script is read as text. It is never run, and scripts that it calls are not followed. Comments and messages do not
count: `echo "Run SLAVEOF NO ONE"` does nothing, but `echo SLAVEOF NO ONE | redis-cli` promotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from console.core.command import MASK
from console.core.keepalived.masking import mask, without_value
from console.core.keepalived.reading_budget import Budget, NotReadableError
from console.core.keepalived.script_timing import ScriptTiming
from console.core.model import ActionKind, ScriptAction

SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash"})
_LONGEST = 160
_SAYS = frozenset({"echo", "printf", "logger", "log", "say", "warn", "info", "print", "#", "test", "[", "[[", "grep"})
_LEADS = frozenset({"sudo", "exec", "nohup", "setsid", "command", "then", "do", "else", "if", "while", "until", "!",
                    "timeout", "env", "time", "eval", "{", "("})  # fmt: skip
_CLIENT = re.compile(r"(?:redis|valkey)-?cli", re.IGNORECASE)
_SERVER = re.compile(r"(?:redis|valkey)", re.IGNORECASE)
_FOLLOW = {"slaveof", "replicaof"}
_TARGET = re.compile(r"\b(?:slaveof|replicaof)\b[\s\"']+([^\s\"');&|`]+)[\s\"']*([^\s\"');&|`]*)", re.IGNORECASE)
_STOPS = frozenset({"stop", "kill", "disable"})
_STARTS = frozenset({"start", "restart", "reload-or-restart", "try-restart", "condrestart", "force-reload"})
_NETWORK = re.compile(r"^(?:network|networking|NetworkManager|systemd-networkd)(?:\.service)?$")
_ASSIGNED = re.compile(r"(?P<keep>\b(?P<name>\w++)=)(?P<secret>\"[^\"]*+\"|'[^']*+'|[^\s;]++)")
_NAMES = ("PASS", "SECRET", "PWD", "AUTH", "TOKEN")
_GIVEN = re.compile(r"(?P<keep>(?:\s-a|--pass|\bAUTH)[ \t=]+)(?P<secret>\"[^\"]*+\"|'[^']*+'|[^\s;|&)`]+)")
_SUBSTITUTION = re.compile(r"\$?\(|[)`]")
_WORD = re.compile(r"""(?:(?P<end>\|\||&&|[;|&\n])|(?P<word>(?:"(?:\\.|[^"\\])*+"|'[^']*+'|\\.|[^\s;|&"'\\])++))""")


def mask_script(text: str) -> str:
    """A script's line with its secrets masked: those that `mask` finds, and assignments that look like passwords."""
    text = _ASSIGNED.sub(lambda found: without_value(found, _NAMES), text)
    return mask(_GIVEN.sub(lambda found: f"{found['keep']}{MASK}", text))


def actions(text: str) -> tuple[ScriptAction, ...]:
    """The lines that change something, in the order of the text."""
    return read_script(text).actions


class ScriptReading(NamedTuple):
    """What a script does by itself."""

    actions: tuple[ScriptAction, ...]
    """The lines that change something, in the order of the text."""
    pauses: tuple[float, ...]
    """All sleeps in seconds. Empty also if a sleep is unknown."""
    not_understood: str = ""
    """Why the script was read only in part: `too deeply nested`. Empty: it was read to its end."""


@lru_cache(maxsize=256)
def read_script(text: str) -> ScriptReading:
    """Reads the script line by line. Never raises: what it costs is limited.

    A text is read once: every rule asks for the commands of keepalived.conf, at each tick.
    """
    found: list[ScriptAction] = []
    course = ScriptTiming()
    budget = Budget(text)
    try:
        for number, line in _lines(text):
            found += _line_actions(number, line, course, budget)
    except NotReadableError as error:
        return ScriptReading(tuple(found), (), str(error))
    return ScriptReading(tuple(found), tuple(course.pauses) if course.known else ())


def _line_actions(number: int, line: str, course: ScriptTiming, budget: Budget) -> list[ScriptAction]:
    course.take(line, [words for words, _ in _commands(line)])
    kinds = dict.fromkeys(kind for part in _parts(line) for kind in _kinds(part, budget))
    if not kinds:
        return []
    shown = mask_script(" ".join(line.split()))[:_LONGEST]
    return [
        ScriptAction(kind, number, shown, course.passed, course.conditional, _followed(line, course, kind))
        for kind in kinds
    ]


def _followed(line: str, course: ScriptTiming, kind: ActionKind) -> str:
    """The master of a SLAVEOF, `HOST PORT`. An argument of the script stays `$1`."""
    if kind is not ActionKind.FOLLOWS:
        return ""
    found = _TARGET.search(line)
    return mask_script(" ".join(course.resolve(word) for word in found.groups() if word)) if found else ""


@lru_cache(256)
def script_path(command: str) -> str:
    """The program that a command in keepalived.conf runs; empty: it is not an absolute path.

    For `/bin/sh /path/to/script 6379` it is the script.
    """
    words = command.strip("\"' ").split()
    for place, word in enumerate(words):
        if word.rpartition("/")[2] in SHELLS | {"sudo", "env", "nohup"} and len(words) > place + 1:
            continue
        if word.startswith("-"):
            if "c" in word:
                return ""
            continue
        return word if word.startswith("/") else ""
    return ""


def is_shell(text: str) -> bool:
    """Whether the text is a shell script, by its first line. keepalived runs a script without `#!` with sh."""
    first = text.split("\n", 1)[0]
    if not first.startswith("#!"):
        return "\0" not in text
    return any(word.rpartition("/")[2] in SHELLS for word in first[2:].split())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, without comments. A line that ends with a backslash is joined with the next one."""
    parts: list[str] = []
    began = 0
    for number, line in enumerate(text.splitlines(), start=1):
        began = began or number
        if line.endswith("\\"):
            parts += [line[:-1], " "]
            continue
        whole = _without_comment("".join((*parts, line)))
        if whole.strip():
            yield began, whole
        parts, began = [], 0
    joined = "".join(parts)
    if joined.strip():
        yield began, _without_comment(joined)


def _without_comment(line: str) -> str:
    quote, before = "", " "
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#" and before in " \t;":
            return line[:place]
        before = sign
    return line


def _parts(line: str) -> Iterator[str]:
    """The commands inside $(…) and `…`, the innermost first, then the line itself."""
    opened: list[int | None] = []
    """Where the text of each open substitution begins. None: a bracket without a dollar sign."""
    quoted: int | None = None
    depth = 0
    for sign in _SUBSTITUTION.finditer(line):
        if sign[0] == "`":
            if quoted is not None:
                yield line[quoted : sign.start()]
            quoted = sign.end() if quoted is None else None
        elif sign[0] != ")":
            opened.append(sign.end() if sign[0] == "$(" else None)
            depth = Budget.enter(depth)
        elif opened:
            depth -= 1
            begin = opened.pop()
            if begin is not None:
                yield line[begin : sign.start()]
    yield line


def _kinds(line: str, budget: Budget, depth: int = 0) -> Iterator[ActionKind]:
    budget.spend(len(line))
    before: list[str] = []
    for words, piped in _commands(line):
        fed = before if piped and _CLIENT.search(words[0]) else []
        before = words
        lead = next((place for place, word in enumerate(words) if not _leads(word)), len(words))
        command = words[lead:]
        if not command:
            yield from (kind for word in words for kind in _assigned(word))
        elif fed and fed[0] in _SAYS:
            yield from _of_redis(" ".join(fed[1:]).split())
        elif command[0].rpartition("/")[2] in SHELLS and "-c" in command[:-1]:
            yield from _kinds(command[command.index("-c") + 1], budget, Budget.enter(depth))
        elif command[0].rpartition("/")[2] not in _SAYS:
            yield from _kind(command, line, budget)


def _leads(word: str) -> bool:
    """Whether the word stands before the command: keywords, sudo, `timeout 5`, assignments."""
    return word in _LEADS or re.fullmatch(r"\w+=.*|\d+[smh]?|-\w", word, re.DOTALL) is not None


def _assigned(word: str) -> Iterator[ActionKind]:
    """The actions of a command in a variable that is run later: `CMD="redis-cli SLAVEOF NO ONE"`."""
    value = word.partition("=")[2]
    if _CLIENT.search(value):
        yield from _of_redis(value.split())


def _commands(line: str) -> Iterator[tuple[list[str], bool]]:
    """The simple commands as words without quotes, and whether each reads a pipe from the one before."""
    words: list[str] = []
    piped = False
    for found in _WORD.finditer(line):
        if found["end"] is None:
            words.append(_bare(found["word"]))
            continue
        if words:
            yield words, piped
        words, piped = [], found["end"] == "|"
    if words:
        yield words, piped


def _bare(word: str) -> str:
    return word.lstrip("(`$(" if word.startswith(("(", "`")) else "").rstrip(")`").replace('"', "").replace("'", "")


def _kind(words: list[str], line: str, budget: Budget) -> Iterator[ActionKind]:
    name, rest = words[0].rpartition("/")[2], words[1:]
    if words[0].startswith("/etc/init.d/") or words[0].startswith("/etc/rc.d/init.d/"):
        yield from _of_service([name], rest)
    elif name in {"service", "invoke-rc.d", "rc-service"} and len(rest) > 1:
        yield from _of_service(rest[:1], rest[1:])
    elif name == "systemctl":
        verbs = [word for word in rest if not word.startswith("-")]
        yield from _of_service(verbs[1:], verbs[:1])
    elif name in {"killall", "pkill", "kill", "skill"}:
        budget.spend(len(line))
        yield from _of_kill(name, rest, line)
    elif re.fullmatch(r"(?:redis|valkey)-server", name):
        yield ActionKind.STARTS_REDIS
    else:
        yield from _of_redis(words)


def _of_redis(words: list[str]) -> Iterator[ActionKind]:
    lower = [word.lower() for word in words]
    place = next((at for at, word in enumerate(lower) if word in _FOLLOW), None)
    if place is not None and len(lower) > place + 1:
        promotes = lower[place + 1 : place + 3] == ["no", "one"]
        yield ActionKind.PROMOTES if promotes else ActionKind.FOLLOWS
    if any(word in {"flushall", "flushdb"} for word in lower):
        yield ActionKind.EMPTIES
    if "shutdown" in lower and any(_CLIENT.search(word) for word in words[: lower.index("shutdown")]):
        yield ActionKind.STOPS_REDIS


def _of_service(names: list[str], verbs: list[str]) -> Iterator[ActionKind]:
    verb = verbs[0] if verbs else ""
    if verb not in _STOPS | _STARTS:
        return
    for name in names:
        if _NETWORK.match(name):
            yield ActionKind.RESTARTS_NETWORK
        elif name.startswith("keepalived") and verb != "start":
            yield ActionKind.STOPS_KEEPALIVED
        elif _SERVER.match(name) and "sentinel" not in name:
            yield ActionKind.STOPS_REDIS if verb in _STOPS else ActionKind.STARTS_REDIS


def _of_kill(name: str, words: list[str], line: str) -> Iterator[ActionKind]:
    """A kill with signal 0 only checks whether the process is there."""
    if any(word == "-0" or word.lower() in {"-s0", "--signal=0"} for word in words) or "-s 0" in " ".join(words):
        return
    text = line if name == "kill" else " ".join(words)
    if "keepalived" in text:
        yield ActionKind.STOPS_KEEPALIVED
    elif re.search(r"(?:redis|valkey)-server|redis\S*\.pid", text):
        yield ActionKind.STOPS_REDIS
