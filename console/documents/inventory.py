"""The operator's inventory: YAML → checked values with defaults filled in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from console.core.inventory import (
    ClusterSpec,
    ConsulSpec,
    DirectorSpec,
    Inventory,
    KeepalivedSpec,
    NodeSpec,
    PasswordKind,
    PasswordSource,
    QuietHours,
    RedisRoute,
    RedisSpec,
    SentinelSpec,
    ServiceSpec,
    SshSpec,
    TlsSpec,
)
from console.documents import inventory_model as written
from console.documents.validation import Strict, checked, validated
from console.documents.yaml_text import Document, Location, read_document

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


def load_inventory(path: Path) -> Inventory:
    """Reads an inventory. Raises DocumentError: `FILE:LINE: KEY: what is wrong, what to do`."""
    return inventory_of(read_document(path))


def inventory_of(document: Document) -> Inventory:
    """An inventory from a document that was read. Raises DocumentError."""
    model = validated(document, written.InventoryDocument, lambda model: list(_contradictions(model, frozenset())))
    folder = document.path.parent
    defaults = model.defaults or written.Defaults()
    return Inventory(
        path=str(document.path),
        clusters=tuple(
            ClusterSpec(
                name=cluster.name,
                kind=cluster.kind,
                vip=cluster.vip or "",
                nodes=tuple(_node(node, defaults, folder) for node in cluster.nodes),
                quiet_hours=tuple(_hours(one) for one in cluster.quiet_hours or ()),
                timezone=cluster.timezone or "",
                master_name=cluster.master_name or "",
                sentinels=tuple(_sentinel(one, cluster, folder) for one in cluster.sentinels or ()),
                read_vip=cluster.read_vip or "",
                directors=tuple(_director(one, defaults, folder) for one in cluster.directors or ()),
                consul=_consul(cluster.consul, folder) if cluster.consul is not None else None,
            )
            for cluster in model.clusters
        ),
    )


def problems_of(document: Document, elsewhere: frozenset[str]) -> Sequence[tuple[Location, str]]:
    """Everything that is wrong with a document, and where. `elsewhere`: addresses of nodes that it does not have."""
    return checked(document, written.InventoryDocument, lambda model: list(_contradictions(model, elsewhere)))[1]


# --- contradictions between values --------------------------------------------------------------------------------


def _contradictions(model: written.InventoryDocument, elsewhere: frozenset[str]) -> Problems:
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
        port = _pick("port", node.redis, defaults.redis) or RedisSpec().port
        first = places.setdefault((node.address, port), node.name)
        if first != node.name:
            yield (*here, "address"), f"{node.address}:{port} is {first} already; each node has an address of its own"
        yield from _of_sections(node, here)
    yield from _of_watchers(cluster, at, names)


def _of_watchers(cluster: written.Cluster, at: Location, names: set[str]) -> Problems:
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
            continue
        if one.password is not None:
            yield from _of_password(one.password, (*here, "password"))
        if one.service is not None:
            yield from _of_service(one.service, (*here, "service"))
            if not _host_of(one, cluster):
                text = f"no node or director has the address {one.address}: a Sentinel is started over SSH to its host"
                yield (*here, "service"), text
    if cluster.consul is not None and cluster.consul.token is not None:
        yield from _of_password(cluster.consul.token, (*at, "consul", "token"))


def _of_sections(section: written.Defaults | written.Node | written.Director, at: Location) -> Problems:
    if section.ssh is not None and section.ssh.jump is not None:
        for hop in section.ssh.jump.split(","):
            if not _HOP.fullmatch(hop):
                yield (*at, "ssh", "jump"), f"{hop!r} is not user@host:port"
    if not isinstance(section, written.Director) and section.redis is not None:
        yield from _of_redis(section.redis, (*at, "redis"))
    if section.keepalived is not None and section.keepalived.service is not None:
        yield from _of_service(section.keepalived.service, (*at, "keepalived", "service"))


def _of_redis(redis: written.Redis, at: Location) -> Problems:
    if redis.password is not None:
        yield from _of_password(redis.password, (*at, "password"))
    if redis.service is not None:
        yield from _of_service(redis.service, (*at, "service"))
    if redis.tls is not None and (redis.tls.cert_file is None) != (redis.tls.key_file is None):
        yield (*at, "tls"), "needs cert_file and key_file together, or neither"
    for name in redis.aliases or {}:
        if not _COMMAND.fullmatch(name):
            yield (*at, "aliases", name), "must be the command's own name in capitals, like CONFIG"


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


# --- values with defaults filled in -------------------------------------------------------------------------------


def _pick(key: str, *sections: Strict | None) -> Any:
    """The value of the first section that has this key; an explicit null counts, and means none."""
    for section in sections:
        if section is not None and key in section.model_fields_set:
            return getattr(section, key)
    return None


Spec = TypeVar("Spec")


def _filled(spec: Spec, keys: tuple[str, ...], *sections: Strict | None) -> Spec:
    """The spec with every plain key that one of the sections has."""
    picked = {key: _pick(key, *sections) for key in keys}
    return replace(spec, **{key: value for key, value in picked.items() if value is not None})  # type: ignore[type-var]


def _hours(text: str) -> QuietHours:
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return QuietHours(start, end)


def _node(node: written.Node, defaults: written.Defaults, folder: Path) -> NodeSpec:
    return NodeSpec(
        name=node.name,
        address=node.address,
        ssh=_ssh(folder, node.ssh, defaults.ssh),
        redis=_redis(folder, node.redis, defaults.redis),
        keepalived=_keepalived(node.keepalived, defaults.keepalived),
    )


def _sentinel(sentinel: written.Sentinel, cluster: written.Cluster, folder: Path) -> SentinelSpec:
    password = _password(sentinel.password, folder) if sentinel.password is not None else None
    host = _host_of(sentinel, cluster) if sentinel.service is not None else ""
    service = _service(sentinel.service, ServiceSpec())
    return SentinelSpec(sentinel.name, sentinel.address, sentinel.port, password, service, host)


def _host_of(sentinel: written.Sentinel, cluster: written.Cluster) -> str:
    """The node or director at the address of the Sentinel; empty: there is none."""
    hosts = (*cluster.nodes, *(cluster.directors or ()))
    return next((one.name for one in hosts if one.address == sentinel.address), "")


def _director(director: written.Director, defaults: written.Defaults, folder: Path) -> DirectorSpec:
    keepalived = _keepalived(director.keepalived, defaults.keepalived)
    return DirectorSpec(director.name, director.address, _ssh(folder, director.ssh, defaults.ssh), keepalived)


def _consul(consul: written.Consul, folder: Path) -> ConsulSpec:
    token = _password(consul.token, folder) if consul.token is not None else None
    return ConsulSpec(http=consul.http, service=consul.service, dns=consul.dns or "", token=token)


def _ssh(folder: Path, *sections: written.Ssh | None) -> SshSpec:
    spec = _filled(SshSpec(), ("user", "host", "port", "jump", "sudo", "connect_timeout"), *sections)
    return replace(
        spec,
        identity_file=_local(_pick("identity_file", *sections), folder),
        known_hosts=_local(_pick("known_hosts", *sections), folder),
        config_file=_local(_pick("config_file", *sections), folder),
    )


def _redis(folder: Path, *sections: written.Redis | None) -> RedisSpec:
    spec = _filled(RedisSpec(), ("port", "username", "aliases", "dir", "dbfilename", "config"), *sections)
    tls: written.Tls | None = _pick("tls", *sections)
    password: written.Password | None = _pick("password", *sections)
    via = _pick("via", *sections)
    return replace(
        spec,
        password=_password(password, folder) if password is not None else None,
        tls=_tls(tls, folder) if tls is not None else None,
        via=RedisRoute(via) if via else spec.via,
        service=_service(_pick("service", *sections), spec.service),
    )


def _keepalived(*sections: written.Keepalived | None) -> KeepalivedSpec:
    spec = _filled(KeepalivedSpec(), ("config", "instance", "state_log", "system_log"), *sections)
    return replace(spec, service=_service(_pick("service", *sections), spec.service))


def _service(service: written.Service | None, otherwise: ServiceSpec) -> ServiceSpec:
    if service is None:
        return otherwise
    return ServiceSpec(**{key: getattr(service, key) or "" for key in written.Service.model_fields})


def _tls(tls: written.Tls, folder: Path) -> TlsSpec:
    return TlsSpec(
        ca_file=_local(tls.ca_file, folder),
        cert_file=_local(tls.cert_file, folder),
        key_file=_local(tls.key_file, folder),
        server_name=tls.server_name or "",
    )


def _password(password: written.Password, folder: Path) -> PasswordSource:
    if password.file is not None:
        return PasswordSource(PasswordKind.FILE, _local(password.file, folder))
    if password.env is not None:
        return PasswordSource(PasswordKind.ENV, password.env)
    if password.command is not None:
        return PasswordSource(PasswordKind.COMMAND, password.command)
    return PasswordSource(PasswordKind.PROMPT)


def _local(path: str | None, folder: Path) -> str:
    """A file on this machine: ~ expanded, relative to the inventory's folder."""
    return str(folder / os.path.expanduser(path)) if path else ""  # noqa: PTH111 - Path raises for an unknown ~user
