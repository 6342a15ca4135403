"""Reads the instruction of a `manual` step: plain words, with commands in them.

A command counts wherever it stands: in backticks, after the name of its program, or as words like "restart Redis".
Plain words that ask for what could lose data, without a command, count as not understood. All other words are left to
the operator.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from console.core.runbooks.shell.acts import Act, Found, TextReading
from console.core.runbooks.shell.reading import read_shell, shown
from console.core.runbooks.shell.redis_words import ALWAYS, FOLLOW, Server, read_redis_command

_QUOTED = re.compile(r"`([^`]*)`")
_SENTENCE = re.compile(r"(?:(?<=[.!?:])[ \t]+|\n)")
_PROGRAMS = r"""
(?:redis|valkey)-cli|(?:redis|valkey)-server(?=\s+[-/])|systemctl|killall|pkill|sudo|su\s+-|xargs|ssh|arping|rm|mv|cp|dd
|tee|truncate|shred|sh\s+-c|bash\s+-c|python3?\s+-[cm]|perl\s+-e|sed\s+-i|kill\s+(?:-\w+|[0-9]+)
|service\s+(?:redis|valkey|keepalived)[\w-]*\s+(?:re)?(?:start|stop|load)|(?:docker|podman|kubectl|supervisorctl)\s+\w+|consul\s+(?:leave|maint)
|ip\s+(?:a|addr|address|l|link|r|route)|ifconfig|iptables|nft|reboot|poweroff|halt|nohup|crontab
"""
_PROGRAM = re.compile(
    rf"(?<![\w/'\"-])(?:(?:/[\w.-]+)*/)?(?:{_PROGRAMS.replace(chr(10), '')})(?![\w-])|/etc/(?:rc\.d/)?init\.d/",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\b(?:(?P<follow>(?:slaveof|replicaof)\s+(?:no\s+one|\S+\s+\d+))|(?P<alone>slaveof|replicaof)"
    r"|(?P<plain>flushall|flushdb|bgsave|bgrewriteaof|shutdown\s+(?:no)?save)"
    r"|(?P<setting>config\s+(?:set|rewrite|resetstat)(?:\s+\S+){0,2})|(?P<debug>debug\s+(?:sleep|segfault|reload|loadaof"
    r"|restart|crash-and-recover|panic|oom))|(?P<other>swapdb|client\s+(?:pause|unpause|kill)(?:\s+\S+)?|script\s+flush"
    r"|cluster\s+reset))\b",
    re.IGNORECASE,
)
_CAPITALS = re.compile(
    r"\b(?:FAILOVER|RESTORE|MIGRATE|SAVE|PSYNC|SYNC|DEL|UNLINK|RENAME|EVAL"
    r"|(?:SENTINEL|FUNCTION|MODULE|ACL|CLUSTER)\s+[A-Z]+(?:\s+\S+)?)\b"
)
"""Commands that are words of English as well: in capitals they are meant as commands."""
_SHUTDOWN = re.compile(r"\bSHUTDOWN\b(?!\s+(?:NO)?SAVE)")
_REMOVES = "delet|remov|wip|eras|empt|flush|clear|overwrit|truncat|drop|format|renam"
_DATA = r"(?:dumps?|rdb|aof|append-?only\w*|databases?|keys|keyspace|data)"
_MEANT: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (
            rf"\b(?:{_REMOVES})\w*\s+(?:[^\s.!?]+\s+){{0,5}}?\S*{_DATA}\b",
            "data or its files would be removed",
        ),
        (r"\b(?:re)?boot\b|\bpower\w*\s+(?:\w+\s+){0,3}?off\b", "the host would go down"),
        (
            r"\bshut\w*\s+(?:\w+\s+){0,3}?(?:down\s+)?(?:\w+\s+){0,2}?(?:hosts?|machines?|servers?)\b",
            "the host would go down",
        ),
        (r"\b(?:promot|demot)\w*|\b(?:make|turn)\b[^.]*\b(?:replica|slave|master|primary)\b", "a role would change"),
        (r"\bslave\s+of\b", "a role would change"),
        (r"\bctrl\W?c\b", "a program would be ended"),
        (r"(?<!-)>{1,2}\s*/|\|\s*(?:sudo\s+)?(?:sh|bash)\b", "a file is written, or its text is carried out"),
    )
)
"""What plain words ask for without the name of a command, and why they are not left to the operator alone."""
_SERVICE = re.compile(
    r"\b(?P<verb>stop|start|restart|reload|kill|end|terminate|bounce|disable|shut\s+down)(?:s|ped|ing)?\s+"
    r"(?:\w+\s+){0,4}?(?P<server>redis|valkey|keepalived)\b(?:-server)?(?!-)",
    re.IGNORECASE,
)
_UNSEEN = {ord(sign): "-" for sign in "\u2010\u2011\u2012\u2013\u2014\u2212"}
"""Other hyphens, as an editor of texts puts them in."""
_SERVER_VERBS = {
    "start": "start-redis", "restart": "restart-redis", "reload": "restart-redis", "bounce": "restart-redis",
}  # fmt: skip
_KEEPALIVED_VERBS = {
    "start": "start-keepalived", "restart": "restart-keepalived", "bounce": "restart-keepalived",
    "reload": "reload-keepalived",
}  # fmt: skip


@lru_cache(maxsize=64)
def read_instruction(text: str) -> TextReading:
    """What an instruction in plain words asks for. Never raises."""
    found, text = Found(), _as_it_looks(text)
    for quoted in _QUOTED.finditer(text):
        _piece(quoted[1].strip(), found)
    for sentence in _SENTENCE.split(_QUOTED.sub(" ", text)):
        _sentence(sentence, found)
    return found.reading()


def _as_it_looks(text: str) -> str:
    """The text as it is read on a screen: signs without a width are left out, and other forms of a letter are it."""
    plain = unicodedata.normalize("NFKC", text).translate(_UNSEEN)
    return "".join(sign for sign in plain if unicodedata.category(sign) != "Cf")


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
    for program in _PROGRAM.finditer(text):  # a later one may stand among the words of the one before
        _piece(text[program.start() :].rstrip(" .!?:"), found)
    for bare in (*_BARE.finditer(text), *_CAPITALS.finditer(text)):
        words = bare[0].split()
        if bare.groupdict().get("alone"):
            found.unclear.append(f"`{bare[0]}`: the master that it names")
        else:
            read_redis_command([word.strip("\"'.,;") for word in words], Server(), found, shown(bare[0]))
    found.unclear += [f"`{shown(meant[0])}`: {why}" for like, why in _MEANT if (meant := like.search(text))]
    if _SHUTDOWN.search(text):
        found.act(Act("stop-redis", "SHUTDOWN", to_redis=True))
    for service in _SERVICE.finditer(text):
        verb, server = service["verb"].lower(), service["server"].lower()
        verbs, stops = (
            (_KEEPALIVED_VERBS, "stop-keepalived") if server == "keepalived" else (_SERVER_VERBS, "stop-redis")
        )
        found.act(Act(verbs.get(verb, stops), shown(service[0])))
