"""What captured texts name: included files, scripts, files that scripts source or read, and programs that they call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import dirname, join, normpath

from console.core.drills.capture import Part
from console.core.keepalived.configuration import INCLUDES
from console.core.keepalived.lexer import Statement, read_document
from console.core.keepalived.script_text import is_shell

_PATH = r"(?P<path>/[\w.@+/-]+)"
_SOURCED = re.compile(rf"(?:^|[;&|({{])[ \t]*(?:\.|source)[ \t]+[\"']?{_PATH}", re.MULTILINE)
_RUN = re.compile(
    r"(?:^|[;&|(`{]|\$\(|\b(?:then|do|else|if|exec|sudo|nohup|setsid|sh|bash|dash|python3?|perl)\b)[ \t]*[\"']?"
    + _PATH,
    re.MULTILINE,
)
_SERVICE = re.compile(r"\bservice[ \t]+(?P<name>[\w@.-]+)[ \t]+(?:start|stop|restart|reload|status)\b")
_READ = re.compile(rf"(?:\bcat[ \t]+|<[ \t]*)[\"']?{_PATH}")
_REDIS_INCLUDE = re.compile(r"^[ \t]*include[ \t]+[\"']?(?P<path>\S+?)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_REDIS_FILE = re.compile(r"^[ \t]*aclfile[ \t]+[\"']?(?P<path>/\S+?)[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_SENTINEL_SCRIPT = re.compile(
    r"^[ \t]*sentinel[ \t]+(?:client-reconfig-script|notification-script)[ \t]+\S+[ \t]+"
    r"[\"']?(?P<path>/\S+?)[\"']?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_STRING = re.compile(r"\"((?:\\.|[^\"\\])*)\"")
"""A string of JSON or HCL."""
_NEVER = re.compile(
    r"/(?:dev|proc|sys|run|tmp)(?:/.*)?|/etc/g?shadow-?|.*/\.ssh/.*|.*\.(?:key|pem|p12|log|rdb|aof|pid|sock|lock)|.*/"
)
"""Paths that are never asked for: kernel interfaces, keys of any kind, data and logs."""

_WORD = re.compile(
    r"(?:^|[;&|({`]|\$\(|\b(?:then|do|else|exec|sudo|nohup|setsid)\b)[ \t]*"
    r"(?=(?P<word>[A-Za-z_/][\w./-]*)(?P<after>=|\(\))?)",
    re.MULTILINE,
)
_FUNCTION = re.compile(
    r"^[ \t]*(?:function[ \t]+)?([A-Za-z_]\w*)[ \t]*\([ \t]*\)|^[ \t]*function[ \t]+(\w+)", re.MULTILINE
)
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
_SUBSTITUTION = re.compile(r"\$\([^()]*\)|`[^`]*`")
_SHELL_WORDS = frozenset((
    "if", "then", "else", "elif", "fi", "for", "in", "do", "done", "while", "until", "case", "esac", "function", "time",
    "select", "break", "continue", "return", "exit", "set", "unset", "export", "local", "readonly", "shift", "trap",
    "eval", "exec", "source", "echo", "printf", "read", "test", "true", "false", "cd", "umask", "wait", "kill", "let",
    "declare", "typeset", "command", "type", "pwd",
))  # fmt: skip


def named_by(part: Part, path: str, text: str) -> Iterator[tuple[str, Part]]:
    """The files that a text of this kind names, in its order, each with what it is for."""
    if part in (Part.KEEPALIVED, Part.INCLUDE):
        found = _of_keepalived(path, read_document(text).statements)
    elif part in (Part.SCRIPT, Part.CALLED):
        found = _of_script(text)
    elif part in (Part.REDIS, Part.SENTINEL):
        found = _of_redis(path, text, part)
    elif part is Part.CONSUL:
        found = _of_script("\n".join(_STRING.findall(text)))
    else:
        return
    yield from ((one, meant) for one, meant in found if not _NEVER.fullmatch(one))


def _of_keepalived(path: str, statements: list[Statement]) -> Iterator[tuple[str, Part]]:
    for one in statements:
        if one.keyword in INCLUDES:
            yield from ((normpath(join(dirname(path), value)), Part.INCLUDE) for value in one.values[:1])
        elif one.keyword in {"script", "misc_path"} or one.keyword.startswith("notify"):
            words = " ".join(one.values).replace('"', " ").replace("'", " ").split()
            yield from ((word, Part.SCRIPT) for word in words if word.startswith("/"))
        yield from _of_keepalived(path, one.children)


def _of_script(text: str) -> Iterator[tuple[str, Part]]:
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for place, part in ((_SOURCED, Part.CALLED), (_RUN, Part.CALLED), (_READ, Part.READ)):
        yield from ((found["path"], part) for found in place.finditer(lines))
    yield from ((f"/etc/init.d/{found['name']}", Part.SERVICE) for found in _SERVICE.finditer(lines))


def _of_redis(path: str, text: str, part: Part) -> Iterator[tuple[str, Part]]:
    yield from ((normpath(join(dirname(path), found["path"])), part) for found in _REDIS_INCLUDE.finditer(text))
    yield from ((found["path"], part) for found in _REDIS_FILE.finditer(text))
    yield from ((found["path"], Part.SCRIPT) for found in _SENTINEL_SCRIPT.finditer(text))


def programs_called(text: str) -> tuple[str, ...]:
    """The programs that a shell script calls by name or path, without the shell's own words and its functions."""
    if not is_shell(text):
        return ()
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = _QUOTED.sub(_commands_in, lines)
    functions = {name for found in _FUNCTION.findall(lines) for name in found if name}
    called = (found["word"] for found in _WORD.finditer(lines) if not found["after"])
    kept = (word for word in called if word not in _SHELL_WORDS and word not in functions and not word.endswith("/"))
    return tuple(dict.fromkeys(kept))


def _commands_in(quoted: re.Match[str]) -> str:
    """Of a quoted text what a shell runs in it; a quoted path may be a command itself."""
    text = quoted[0]
    return text[1:-1] if text[1:2] == "/" else " ".join(_SUBSTITUTION.findall(text)) if text[0] == '"' else ""


def interpreter(text: str) -> str:
    """The program of a script's first line; empty: it has none."""
    first = text.split("\n", 1)[0]
    if not first.startswith("#!"):
        return ""
    words = first[2:].split()
    if words and words[0].rpartition("/")[2] == "env":
        words = [word for word in words[1:] if not word.startswith("-")]
    return words[0] if words else ""
