"""CLIENT LIST of Redis 2.6 to 8 and Valkey: who is connected, counted by address and kind."""

from __future__ import annotations

from collections import Counter

from console.core.previews.key_comparison import ClientGroup, Clients

_LOOKS = frozenset({"info", "config", "config|get", "client", "client|list"})
"""Last commands of connections that only look; before 7.0 a command's name comes without its second word."""


def parse(text: str) -> Clients:
    """A line a connection, `key=value` words. What a line does not say counts as nothing: never raises."""
    counts: Counter[tuple[str, str]] = Counter()
    watching = 0
    for line in text.splitlines():
        fields = dict(word.partition("=")[::2] for word in line.split(" "))
        flags = fields.get("flags", "")
        if "addr" not in fields or {"S", "M"} & set(flags):
            continue  # a replica or the master, and what is no line of a client
        kind = _kind(fields, flags)
        if kind == "client" and fields.get("cmd", "").lower() in _LOOKS:
            watching += 1
        else:
            counts[_host(fields["addr"]), kind] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Clients(tuple(ClientGroup(address, kind, count) for (address, kind), count in ordered), watching)


def _kind(fields: dict[str, str], flags: str) -> str:
    if "O" in flags:
        return "monitor"
    if "P" in flags or any(fields.get(key, "0").strip("0") for key in ("sub", "psub", "ssub")):
        return "subscriber"
    return "blocked" if "b" in flags else "client"


def _host(address: str) -> str:
    """Without the port, which differs with every connection; a Unix socket is this host's."""
    host, _, port = address.rpartition(":")
    return "a Unix socket" if address.startswith("/") or port == "0" else host.strip("[]") or address
