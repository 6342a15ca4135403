"""The words of redis-cli: which server they go to, and what their command does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.core.numbers import count, port_number
from console.core.runbooks.shell.acts import Act, Found

_LONGEST_PAUSE = 120_000  # milliseconds
_OPTIONS_WITH_VALUE = frozenset(
    {"-h", "-p", "-a", "--pass", "--user", "-n", "-r", "-i", "--cacert", "--cacertdir", "--cert", "--key", "--sni"}
)
_OPTIONS = frozenset({"--raw", "--no-raw", "--no-auth-warning", "--askpass", "--tls", "-2", "-3", "-e"})
_READ_COMMANDS = """
ping info dbsize role lastsave get mget exists ttl pttl type scan strlen llen lrange lindex hget hgetall hlen hkeys
hscan scard smembers sismember sscan zcard zrange zscore zscan xlen echo time randomkey keys
"""
_READS = frozenset(_READ_COMMANDS.split())
_READS_OF: dict[str, frozenset[str]] = {
    "config": frozenset({"get"}),
    "client": frozenset({"list", "getname", "id", "info"}),
    "memory": frozenset({"usage", "stats", "doctor"}),
    "slowlog": frozenset({"get", "len"}),
    "latency": frozenset({"latest", "history", "doctor"}),
    "object": frozenset({"encoding", "idletime", "refcount", "freq"}),
    "command": frozenset({"count", "info", "docs"}),
    "sentinel": frozenset(
        {"masters", "master", "replicas", "slaves", "sentinels", "get-master-addr-by-name", "ckquorum"}
    ),
}
_PAUSE_SETTINGS = frozenset(
    {"min-replicas-to-write", "min-slaves-to-write", "min-replicas-max-lag", "min-slaves-max-lag"}
)
FOLLOW = frozenset({"slaveof", "replicaof"})
ALWAYS: dict[str, str] = {
    "flushall": "flush",
    "flushdb": "flush",
    "shutdown": "stop-redis",
    "debug": "debug",
    "bgsave": "save-dump",
    "bgrewriteaof": "save-dump",
    "save": "save",
}
"""Commands that are the same act whatever their arguments are."""


@dataclass(frozen=True, slots=True)
class Server:
    """Which Redis a command is sent to."""

    host: str = ""
    port: int | None = None


def read_client_words(words: Sequence[str], found: Found, shown: str) -> tuple[Server, tuple[str, ...]] | None:
    """The server and the command after `redis-cli`. None: an option is not understood."""
    host, port, at = "", None, 0
    while at < len(words) and words[at].startswith("-"):
        option, value = words[at], words[at + 1] if at + 1 < len(words) else ""
        if option in _OPTIONS:
            at += 1
            continue
        if option not in _OPTIONS_WITH_VALUE or not value or (option == "-p" and port_number(value) is None):
            found.unclear.append(f"`{shown}`: the option {option}")
            return None
        host = value if option == "-h" else host
        port = port_number(value) if option == "-p" else port
        at += 2
    return Server(host, port), tuple(words[at:])


def read_redis_command(words: Sequence[str], server: Server, found: Found, shown: str) -> None:
    """What a command does that is sent to a Redis."""
    name, rest = words[0].lower(), [word.lower() for word in words[1:]]

    def act(kind: str, source: tuple[str, int] | None = None) -> None:
        found.act(Act(kind, shown, server.host, server.port, to_redis=True, source=source))

    if name in FOLLOW:
        if rest == ["no", "one"]:
            act("promote")
            return
        port = port_number(rest[1]) if len(rest) == 2 else None  # noqa: PLR2004 - host and port
        act("replicate", (words[1], port) if port is not None else None)
        if port is None:
            found.unclear.append(f"`{shown}`: the master that it names")
    elif name in ALWAYS:
        act(ALWAYS[name])
    elif name == "config" and rest[:1] != ["get"]:
        _of_config(rest, act, found, shown)
    elif name == "client" and rest[:1] in (["pause"], ["unpause"]):
        act("pause-writes" if rest[0] == "pause" else "resume-writes")
        found.unclear += _long_pause(rest, shown)
    elif name == "sentinel" and rest[:1] == ["failover"]:
        found.act(Act("sentinel-failover", shown))
    elif not (name in _READS or (rest and rest[0] in _READS_OF.get(name, ()))):
        found.unclear.append(f"`{shown}`")


def _long_pause(rest: Sequence[str], shown: str) -> list[str]:
    """What is unclear of a pause: unlike that of the verb, it can be without an end in sight."""
    milliseconds = count(rest[1]) if rest[0] == "pause" and len(rest) > 1 else 0
    if milliseconds is not None and milliseconds <= _LONGEST_PAUSE:
        return []
    return [f"`{shown}`: a pause of more than {_LONGEST_PAUSE // 1000} s"]


def _of_config(rest: Sequence[str], act: Callable[[str], None], found: Found, shown: str) -> None:
    names = rest[1::2] if rest[:1] == ["set"] else []
    if names and set(names) <= _PAUSE_SETTINGS:
        act("pause-or-resume-writes")
        return
    act("settings")
    if rest not in (["rewrite"], ["resetstat"]):
        found.unclear.append(f"`{shown}`: what this setting changes")
