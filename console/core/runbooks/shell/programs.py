"""Programs that a text may call: those that change nothing, and those that start, stop or signal servers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from console.core.runbooks.shell.acts import Act, Found
from console.core.runbooks.shell.words import Word

_REDIS = re.compile(r"(?:redis|valkey)(?:[-_@.]?[A-Za-z0-9_.@-]*)?")
_KEEPALIVED = re.compile(r"keepalived(?:\.service)?")
_LOOKS = frozenset({"status", "is-active", "is-enabled", "is-failed", "show", "cat", "list-units", "list-unit-files"})
_RESTARTS = frozenset({"restart", "try-restart", "reload-or-restart", "condrestart", "force-reload", "reload"})
_KEEPALIVED_VERBS: dict[str, str] = {
    "start": "start-keepalived",
    "stop": "stop-keepalived",
    "kill": "stop-keepalived",
    "reload": "reload-keepalived",
}
_SYSTEMCTL_OPTIONS = frozenset({"--quiet", "-q", "--no-pager", "-l", "--full", "--no-legend", "--plain"})
_SERVERS = frozenset({"redis-server", "valkey-server"})
_HANGUP = frozenset({"-HUP", "-1", "-SIGHUP"})
_SIGNALS = re.compile(r"-(?:s|[0-9]+|(?:SIG)?[A-Z][A-Z0-9]+|-signal.*)")
_IP_OBJECTS = frozenset({"a", "addr", "address", "r", "route", "l", "link", "n", "neigh"})
_IP_LOOKS = frozenset({"show", "list", "l", "ls", "get"})


def _any(_: Sequence[Word]) -> bool:
    return True


def _none(arguments: Sequence[Word]) -> bool:
    return not arguments


def _options(pattern: str) -> Callable[[Sequence[Word]], bool]:
    """Only words of this form are harmless."""
    allowed = re.compile(pattern)
    return lambda arguments: all(word.literal and allowed.fullmatch(word.text) for word in arguments)


def _no_subscript(arguments: Sequence[Word]) -> bool:
    """Some shells carry out `$(…)` in the subscript of a name that they are asked about, also between quotes."""
    return not any("$(" in word.text or "`" in word.text for word in arguments)


_READERS = """
echo true false : cat ls df du free ps id whoami uptime uname pgrep pidof stat grep egrep fgrep head tail wc cut
tr sha256sum md5sum logger readlink basename dirname sleep exit cd pwd which
"""
HARMLESS: Mapping[str, Callable[[Sequence[Word]], bool]] = {
    **dict.fromkeys(_READERS.split(), _any),
    **dict.fromkeys(("test", "["), _no_subscript),
    "printf": lambda arguments: not arguments or not arguments[0].text.startswith("-"),
    "hostname": _none,
    "wait": _none,
    "date": _options(r"\+.*|-u"),
    "set": _options(r"-[euxf]+"),
}
"""Program → whether it changes nothing with these words."""


def _service(names: Sequence[str], verb: str, found: Found, text: str) -> None:
    """A service manager's verb for services."""
    for name in names:
        if _KEEPALIVED.fullmatch(name) and (verb in _KEEPALIVED_VERBS or verb in _RESTARTS):
            found.act(Act(_KEEPALIVED_VERBS.get(verb, "restart-keepalived"), text))
        elif _REDIS.fullmatch(name) and "sentinel" not in name and verb in {"start", "stop", "kill", *_RESTARTS}:
            kind = "start-redis" if verb == "start" else "restart-redis" if verb in _RESTARTS else "stop-redis"
            found.act(Act(kind, text))
        elif verb not in _LOOKS:
            found.unclear.append(f"`{text}`")
    if not names and verb not in _LOOKS:
        found.unclear.append(f"`{text}`")


def _systemctl(words: Sequence[str], found: Found, text: str) -> None:
    options = [word for word in words if word.startswith("-")]
    verb, *names = [word for word in words if not word.startswith("-")] or [""]
    if "--now" in options and verb in {"enable", "disable", "mask"}:
        verb = "start" if verb == "enable" else "stop"
        found.unclear.append(f"`{text}`: what starts with the host")
    if verb not in _LOOKS and not set(options) <= _SYSTEMCTL_OPTIONS:
        found.unclear.append(f"`{text}`: its options")
    _service(names, verb, found, text)


def _service_script(words: Sequence[str], found: Found, text: str) -> None:
    """`service NAME VERB`."""
    if len(words) != 2:  # noqa: PLR2004 - name and verb
        found.unclear.append(f"`{text}`")
    _service(words[:1], words[1] if len(words) > 1 else "", found, text)


def _init_script(name: str) -> Callable[[Sequence[str], Found, str], None]:
    return lambda words, found, text: _service_script([name, *words], found, text)


def _kill(words: Sequence[str], found: Found, text: str) -> None:
    """`killall NAME` and `pkill PATTERN`. Signal 0 only looks."""
    if [word for word in words if _SIGNALS.fullmatch(word)] == ["-0"]:
        return
    names = [word for word in words if not word.startswith("-")]
    plain = all(word in _HANGUP or re.fullmatch(r"-(?:SIG)?(?:TERM|KILL|INT|QUIT|9|15|x|f|xf|q)", word)
                for word in words if word.startswith("-"))  # fmt: skip
    for name in names:
        if name == "keepalived":
            found.act(Act("reload-keepalived" if _HANGUP & {*words} else "stop-keepalived", text))
        elif name in {*_SERVERS, "redis", "valkey"}:
            found.act(Act("stop-redis", text))
        plain = plain and name in {*_SERVERS, "keepalived"}
    if not plain or not names:
        found.unclear.append(f"`{text}`: what it ends")


def _ip(words: Sequence[str], found: Found, text: str) -> None:
    """`ip addr add` and `ip addr del`. It is not known here whether the address is the virtual IP."""
    said = [word for word in words if not re.fullmatch(r"-(?:o|4|6|br|brief|s|d|c|j|p)", word)]
    subject, verb = said[0] if said else "", said[1] if len(said) > 1 else "show"
    looks = verb in _IP_LOOKS or (verb == "s" and subject not in {"l", "link"})  # `ip link s` sets
    if subject in _IP_OBJECTS and looks:
        return
    if subject in {"a", "addr", "address"} and verb[:1] in {"a", "d", "f", "r", "c"}:
        found.act(Act("take-vip" if verb[:1] in {"a", "r", "c"} else "remove-vip", text))
    found.unclear.append(f"`{text}`: which address or route it changes")


def _arping(_: Sequence[str], found: Found, text: str) -> None:
    found.act(Act("announce-vip", text))


def _server(words: Sequence[str], found: Found, text: str) -> None:
    if [*words] not in (["--version"], ["-v"]):
        found.act(Act("start-redis", text))
        found.unclear.append(f"`{text}`: the server that it starts")


def _keepalived(words: Sequence[str], found: Found, text: str) -> None:
    if [*words] not in (["--version"], ["-v"], ["-t"]):
        found.act(Act("start-keepalived", text))
        found.unclear.append(f"`{text}`: how it starts keepalived")


PROGRAMS: Mapping[str, Callable[[Sequence[str], Found, str], None]] = {
    "systemctl": _systemctl,
    **dict.fromkeys(("service", "rc-service", "invoke-rc.d"), _service_script),
    **{
        f"/etc/init.d/{name}": _init_script(name)
        for name in ("redis", "redis-server", "valkey", "valkey-server", "keepalived")
    },
    **dict.fromkeys(("killall", "pkill"), _kill),
    "ip": _ip,
    "arping": _arping,
    **dict.fromkeys(_SERVERS, _server),
    "keepalived": _keepalived,
}
"""Program → what it does with these words."""
