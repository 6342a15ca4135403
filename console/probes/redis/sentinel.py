"""What one Sentinel answers: INFO and its own commands, of Redis 2.6 to 8 and Valkey.

A reply of pairs comes as a flat list of words, each entry of SENTINEL MASTERS, SLAVES and SENTINELS beginning with
`name`. A word that a version does not have is not missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from console.core.model import KnownReplica, KnownSentinel, Sentinel, WatchedMaster
from console.core.numbers import whole_number
from console.probes import NotUnderstoodError

_MILLISECONDS = 1000
_MODES = ("redis_mode", "server_mode")


def parse_info(text: str) -> Mapping[str, str]:
    """INFO as keys and values. Raises NotUnderstoodError where no Sentinel answers."""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if all(fields.get(mode) != "sentinel" for mode in _MODES):
        raise NotUnderstoodError("what answers is no Sentinel: INFO does not say that it runs in sentinel mode")
    return fields


def parse(  # noqa: PLR0913 - one value from all replies
    info: str,
    masters: Sequence[str],
    name: str,
    *,
    replicas: Sequence[str] = (),
    sentinels: Sequence[str] = (),
    quorum: tuple[bool | None, str] = (None, ""),
    run_id: str = "",
) -> Sentinel:
    """One Sentinel's account of the master `name`. `run_id`: what SENTINEL MYID said, where it has that."""
    fields = parse_info(info)
    watched = next((one for one in entries(masters) if one.get("name") == name), None)
    return Sentinel(
        run_id=run_id,
        version=fields.get("valkey_version") or fields.get("redis_version", ""),
        tilt=fields.get("sentinel_tilt", "0") != "0",
        master=_master(watched) if watched is not None else None,
        replicas=tuple(map(_replica, entries(replicas))),
        peers=tuple(map(_peer, entries(sentinels))),
        quorum_ok=quorum[0],
        quorum_text=quorum[1],
        process_run_id=fields.get("run_id", ""),
        config_file=fields.get("config_file", ""),
    )


def quorum(reply: str, *, refused: bool) -> tuple[bool | None, str]:
    """SENTINEL CKQUORUM's answer: whether a failover could be decided and authorized. None: it has no such command."""
    if not refused:
        return True, reply
    if reply.startswith("NOQUORUM"):
        return False, reply
    return None, reply


def entries(words: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """The entries of a flat list of pairs. An odd word at the end is passed over."""
    found: dict[str, str] = {}
    for place in range(0, len(words) - 1, 2):
        if words[place] == "name" and found:
            yield found
            found = {}
        found[words[place]] = words[place + 1]
    if found:
        yield found


def _master(entry: Mapping[str, str]) -> WatchedMaster:
    down_after = _number(entry, "down-after-milliseconds")
    return WatchedMaster(
        host=entry.get("ip", ""),
        port=_number(entry, "port") or 0,
        flags=_flags(entry),
        quorum=_number(entry, "quorum") or 0,
        config_epoch=_number(entry, "config-epoch") or 0,
        failover_state=entry.get("failover-state", ""),
        down_after=None if down_after is None else down_after / _MILLISECONDS,
    )


def _replica(entry: Mapping[str, str]) -> KnownReplica:
    return KnownReplica(
        host=entry.get("ip", ""),
        port=_number(entry, "port") or 0,
        flags=_flags(entry),
        link_up=entry.get("master-link-status") == "ok",
        master=f"{entry.get('master-host', '?')}:{entry.get('master-port', '?')}",
        offset=_number(entry, "slave-repl-offset"),
        priority=_number(entry, "slave-priority"),
    )


def _peer(entry: Mapping[str, str]) -> KnownSentinel:
    ping = _number(entry, "last-ok-ping-reply")
    return KnownSentinel(
        run_id=entry.get("runid", ""),
        host=entry.get("ip", ""),
        port=_number(entry, "port") or 0,
        flags=_flags(entry),
        last_ok_ping=None if ping is None else ping / _MILLISECONDS,
    )


def _flags(entry: Mapping[str, str]) -> frozenset[str]:
    return frozenset(filter(None, entry.get("flags", "").split(",")))


def _number(entry: Mapping[str, str], key: str) -> int | None:
    return whole_number(entry.get(key, ""))
