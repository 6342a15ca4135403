"""Reads the instruction of a `manual` step: plain words, with commands in them.

Plain words that name no command are left to the operator. A command counts wherever it stands: in backticks, after the
name of its program, or as words like "restart Redis".
"""

from __future__ import annotations

import re
from functools import lru_cache

from console.core.runbooks.shell.acts import Act, Found, TextReading
from console.core.runbooks.shell.reading import read_shell, shown
from console.core.runbooks.shell.redis_words import ALWAYS, FOLLOW, Server, read_redis_command

_QUOTED = re.compile(r"`([^`]*)`")
_SENTENCE = re.compile(r"(?:(?<=[.!?:])[ \t]+|\n)")
_PROGRAM = re.compile(
    r"(?<![\w/-])(?:(?:/[\w.-]+)*/)?(?:(?:redis|valkey)-(?:cli|server)|systemctl|killall|pkill|sudo|xargs|ssh|arping"
    r"|rm|mv|dd|sh -c|bash -c|kill -\w+|ip addr|service (?:redis|valkey|keepalived))(?![\w-])"
    r"|/etc/(?:rc\.d/)?init\.d/"
)
_BARE = re.compile(
    r"\b(?:(?P<follow>(?:slaveof|replicaof)\s+(?:no\s+one|\S+\s+\d+))|(?P<alone>slaveof|replicaof)|(?P<plain>flushall|flushdb|bgsave)"
    r"|(?P<setting>config\s+(?:set|rewrite|resetstat)(?:\s+\S+){0,2})|(?P<debug>debug\s+(?:sleep|segfault|reload|loadaof"
    r"|restart|crash-and-recover|panic|oom)))\b",
    re.IGNORECASE,
)
_SHUTDOWN = re.compile(r"\bSHUTDOWN\b")
_SERVICE = re.compile(
    r"\b(?P<verb>stop|start|restart|reload|kill|end|disable|shut\s+down)(?:s|ped|ing)?\s+(?:\w+\s+){0,4}?"
    r"(?P<server>redis|valkey|keepalived)\b(?!-)",
    re.IGNORECASE,
)
_SERVER_VERBS = {"start": "start-redis", "restart": "restart-redis", "reload": "restart-redis"}
_KEEPALIVED_VERBS = {"start": "start-keepalived", "restart": "restart-keepalived", "reload": "reload-keepalived"}


@lru_cache(maxsize=64)
def read_instruction(text: str) -> TextReading:
    """What an instruction in plain words asks for. Never raises."""
    found = Found()
    for quoted in _QUOTED.finditer(text):
        _piece(quoted[1].strip(), found)
    for sentence in _SENTENCE.split(_QUOTED.sub(" ", text)):
        _sentence(sentence, found)
    return found.reading()


def _piece(text: str, found: Found) -> None:
    """What stands in backticks: a command for Redis, or for the shell."""
    words = text.split()
    if words and words[0].lower() in {*ALWAYS, *FOLLOW, "config", "client", "sentinel"}:
        read_redis_command(words, Server(), found, shown(text))
        return
    inner = read_shell(text)
    found.acts += inner.acts
    found.unclear += inner.unclear


def _sentence(text: str, found: Found) -> None:
    if program := _PROGRAM.search(text):
        _piece(text[program.start() :].rstrip(" .!?:"), found)
    for bare in _BARE.finditer(text):
        words = bare[0].split()
        if bare["alone"]:
            found.unclear.append(f"`{bare[0]}`: the master that it names")
        else:
            read_redis_command([word.strip("\"'.,;") for word in words], Server(), found, shown(bare[0]))
    if _SHUTDOWN.search(text):
        found.act(Act("stop-redis", "SHUTDOWN", to_redis=True))
    for service in _SERVICE.finditer(text):
        verb, server = service["verb"].lower(), service["server"].lower()
        verbs, stops = (
            (_KEEPALIVED_VERBS, "stop-keepalived") if server == "keepalived" else (_SERVER_VERBS, "stop-redis")
        )
        found.act(Act(verbs.get(verb, stops), shown(service[0])))
