"""Contradictions between values of an inventory, each of which is right by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from console.core.inventory import RedisSpec
from console.documents.inventories import model as written
from console.documents.validation import Strict
from console.documents.yaml_text import Location

_BELONGS = {
    "vip": ("keepalived", "sentinel-vip"),
    "sentinels": ("sentinel-vip", "sentinel-consul"),
    "master_name": ("sentinel-vip", "sentinel-consul"),
    "read_vip": ("sentinel-vip",),
    "directors": ("sentinel-vip",),
    "consul": ("sentinel-consul",),
}
"""The keys that only some kinds have."""
_NEEDS = {
    "keepalived": {"vip": "a pair behind keepalived has a virtual IP"},
    "sentinel-vip": {
        "vip": "the script of the Sentinels moves the write VIP",
        "sentinels": "Sentinels decide who is the master in this kind",
        "master_name": "it is the name after `sentinel monitor`",
    },
    "sentinel-consul": {
        "sentinels": "Sentinels decide who is the master in this kind",
        "master_name": "it is the name after `sentinel monitor`",
        "consul": "it points clients at the master",
    },
}
"""The keys that a kind cannot be without, and why."""
_TYPED = "names are typed at gates, so each must be unique"
_HOP = re.compile(r"([^@,\s]+@)?(\[[0-9A-Fa-f:.]+\]|[^@:,\s]+)(:[0-9]{1,5})?")
_COMMAND = re.compile(r"[A-Z][A-Z|_-]*")

Problems = Iterator[tuple[Location, str]]


def contradictions(model: written.InventoryDocument, elsewhere: frozenset[str]) -> Problems:
    """Each contradiction, and where it is. `elsewhere`: addresses of nodes that the document does not have."""
    if model.defaults is not None:
        yield from _of_sections(model.defaults, ("defaults",))
    addresses = {node.address for cluster in model.clusters for node in cluster.nodes} | elsewhere
    seen: set[str] = set()
    for index, cluster in enumerate(model.clusters):
        at: Location = ("clusters", index)
        if cluster.name in seen:
            yield (*at, "name"), f"there is another cluster {cluster.name}; {_TYPED}"
        seen.add(cluster.name)
        yield from _of_kind(cluster, at)
        if cluster.timezone is not None and not cluster.quiet_hours:
            yield (*at, "timezone"), "is only for quiet_hours, and there are none"
        for key in ("vip", "read_vip"):
            if getattr(cluster, key) in addresses:
                text = f"{getattr(cluster, key)} is a node's own address; the virtual IP is the one that moves"
                yield (*at, key), text
        yield from _of_nodes(cluster, at, model.defaults or written.Defaults())


def _of_kind(cluster: written.Cluster, at: Location) -> Problems:
    for key, kinds in _BELONGS.items():
        if getattr(cluster, key) is not None and cluster.kind not in kinds:
            yield (*at, key), f"belongs to kind {' and '.join(kinds)}, and this cluster is of kind {cluster.kind}"
    for key, why in _NEEDS[cluster.kind].items():
        if not getattr(cluster, key):
            yield (*at, key), f"is missing: {why}"
    if (cluster.read_vip is None) != (not cluster.directors):
        yield (*at, "read_vip" if cluster.read_vip is None else "directors"), "read_vip and directors go together"
    if len(cluster.nodes) < 2:  # noqa: PLR2004 - the smallest group that can fail over
        yield (*at, "nodes"), "must be two nodes or more: one node has nowhere to fail over to"


def _of_nodes(cluster: written.Cluster, at: Location, defaults: written.Defaults) -> Problems:
    names: set[str] = set()
    places: dict[tuple[str, int], str] = {}
    for index, node in enumerate(cluster.nodes):
        here: Location = (*at, "nodes", index)
        if node.name in names:
            yield (*here, "name"), f"there is another node {node.name}; {_TYPED}"
        names.add(node.name)
        port = pick("port", node.redis, defaults.redis) or RedisSpec().port
        first = places.setdefault((node.address, port), node.name)
        if first != node.name:
            yield (*here, "address"), f"{node.address}:{port} is {first} already; each node has an address of its own"
        host = pick("host", node.redis, defaults.redis)
        if host and pick("via", node.redis, defaults.redis) != "ssh":
            first = places.setdefault((host, port), node.name)
            if first != node.name:
                yield (*here, "redis", "host"), f"{host}:{port} is {first} already; each node has a Redis of its own"
        yield from _of_sections(node, here)
    yield from _of_watchers(cluster, at, names, defaults)


def _of_watchers(cluster: written.Cluster, at: Location, names: set[str], defaults: written.Defaults) -> Problems:
    """Sentinels, directors and Consul. A Sentinel on a node's host has a name of its own."""
    watchers: list[tuple[str, int, written.Sentinel | written.Director]] = [
        *(("sentinels", index, one) for index, one in enumerate(cluster.sentinels or [])),
        *(("directors", index, one) for index, one in enumerate(cluster.directors or [])),
    ]
    for key, index, one in watchers:
        here: Location = (*at, key, index)
        if one.name in names:
            yield (*here, "name"), f"there is another {one.name} in this cluster; each name is unique"
        names.add(one.name)
        if isinstance(one, written.Director):
            yield from _of_sections(one, here)
        else:
            yield from _of_sentinel(one, cluster, here, defaults)
    if cluster.consul is not None and cluster.consul.token is not None:
        yield from _of_password(cluster.consul.token, (*at, "consul", "token"))


def _of_sentinel(
    sentinel: written.Sentinel, cluster: written.Cluster, at: Location, defaults: written.Defaults
) -> Problems:
    yield from _of_connection(sentinel, at)
    host = host_of(sentinel, cluster)
    if sentinel.service is not None:
        yield from _of_service(sentinel.service, (*at, "service"))
    if sentinel.runs_on is not None and host is None:
        names = ", ".join(one.name for one in _hosts(cluster))
        yield (*at, "runs_on"), f"no node or director is named {sentinel.runs_on}: there are {names}"
    elif sentinel.service is not None and host is None:
        text = f"no node or director has the address {sentinel.address}: a Sentinel is started over SSH to its host"
        yield (*at, "service"), text
    yield from _of_jump(sentinel.ssh, (*at, "ssh"))
    if pick("via", sentinel, defaults.sentinel) != "ssh":
        if sentinel.ssh is not None:
            yield (*at, "ssh"), "is only for a Sentinel that is reached with via: ssh"
    elif host is not None and sentinel.ssh is not None:
        yield (*at, "ssh"), f"it runs on {host.name}, and the login is that of {host.name}: leave this one out"
    elif host is None and sentinel.ssh is None and _is_loopback(sentinel.address):
        yield (*at, "address"), f"{sentinel.address} is of every host: name the one that it runs on with runs_on"


def _hosts(cluster: written.Cluster) -> tuple[written.Node | written.Director, ...]:
    return (*cluster.nodes, *(cluster.directors or ()))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _of_sections(section: written.Defaults | written.Node | written.Director, at: Location) -> Problems:
    yield from _of_jump(section.ssh, (*at, "ssh"))
    if not isinstance(section, written.Director) and section.redis is not None:
        yield from _of_redis(section.redis, (*at, "redis"))
    if isinstance(section, written.Defaults) and section.sentinel is not None:
        yield from _of_connection(section.sentinel, (*at, "sentinel"))
    if section.keepalived is not None and section.keepalived.service is not None:
        yield from _of_service(section.keepalived.service, (*at, "keepalived", "service"))


def _of_jump(ssh: written.Ssh | None, at: Location) -> Problems:
    for hop in ssh.jump.split(",") if ssh is not None and ssh.jump is not None else ():
        if not _HOP.fullmatch(hop):
            yield (*at, "jump"), f"{hop!r} is not user@host:port"


def _of_redis(redis: written.Redis, at: Location) -> Problems:
    yield from _of_connection(redis, at)
    if redis.service is not None:
        yield from _of_service(redis.service, (*at, "service"))
    for name in redis.aliases or {}:
        if not _COMMAND.fullmatch(name):
            yield (*at, "aliases", name), "must be the command's own name in capitals, like CONFIG"


def _of_connection(one: written.Redis | written.SentinelConnection, at: Location) -> Problems:
    if one.password is not None:
        yield from _of_password(one.password, (*at, "password"))
    if one.tls is not None and (one.tls.cert_file is None) != (one.tls.key_file is None):
        yield (*at, "tls"), "needs cert_file and key_file together, or neither"


def _of_password(password: written.Password, at: Location) -> Problems:
    if len(_given(password)) != 1:
        yield at, "needs exactly one of env, file, command and prompt"
    elif password.prompt is False:
        yield (*at, "prompt"), "can only be true; leave it out where there is none"


def _of_service(service: written.Service, at: Location) -> Problems:
    own = [key for key in ("start", "stop", "reload", "status") if getattr(service, key) is not None]
    ways = [service.systemd is not None, service.sysv is not None, bool(own)]
    if sum(ways) != 1:
        yield at, "needs exactly one of systemd, sysv, or commands (start, stop, reload, status)"
    elif own and not {"start", "stop"} <= set(own):
        yield at, "needs the commands start and stop, and may have reload and status"


def _given(section: Strict) -> list[str]:
    return [key for key in section.model_fields_set if getattr(section, key) is not None]


def pick(key: str, *sections: Strict | None) -> Any:
    """The value of the first section that has this key; an explicit null counts, and means none."""
    for section in sections:
        if section is not None and key in section.model_fields_set:
            return getattr(section, key)
    return None


def host_of(sentinel: written.Sentinel, cluster: written.Cluster) -> written.Node | written.Director | None:
    """The node or director that the Sentinel runs on: the one it names, else the one at its address."""
    if sentinel.runs_on is not None:
        return next((one for one in _hosts(cluster) if one.name == sentinel.runs_on), None)
    return next((one for one in _hosts(cluster) if one.address == sentinel.address), None)
