"""The operator's inventory: YAML → checked values with defaults filled in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

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
from console.documents.errors import DocumentError
from console.documents.inventories import model as written
from console.documents.inventories.checks import contradictions, host_of, pick
from console.documents.validation import Strict, checked, validated
from console.documents.yaml_text import Document, Location, read_document


def load_inventory(path: Path) -> Inventory:
    """Reads an inventory. Raises DocumentError: `FILE:LINE: KEY: what is wrong, what to do`."""
    return inventory_of(read_document(path))


def inventory_of(document: Document, elsewhere: frozenset[str] = frozenset()) -> Inventory:
    """An inventory from a document. `elsewhere`: addresses of nodes that it does not have. Raises DocumentError."""
    if document.broken:
        raise DocumentError(*document.broken.values())
    model = validated(document, written.InventoryDocument, lambda model: list(contradictions(model, elsewhere)))
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
                sentinels=tuple(_sentinel(one, cluster, defaults, folder) for one in cluster.sentinels or ()),
                read_vip=cluster.read_vip or "",
                directors=tuple(_director(one, defaults, folder) for one in cluster.directors or ()),
                consul=_consul(cluster.consul, folder) if cluster.consul is not None else None,
                tags=_tags(cluster, defaults),
            )
            for cluster in model.clusters
        ),
    )


def problems_of(document: Document, elsewhere: frozenset[str]) -> Sequence[tuple[Location, str]]:
    """Everything that is wrong with a document, and where. `elsewhere`: addresses of nodes that it does not have."""
    return checked(document, written.InventoryDocument, lambda model: list(contradictions(model, elsewhere)))[1]


# --- values with defaults filled in -------------------------------------------------------------------------------


Spec = TypeVar("Spec")


def _filled(spec: Spec, keys: tuple[str, ...], *sections: Strict | None) -> Spec:
    """The spec with every plain key that one of the sections has."""
    picked = {key: pick(key, *sections) for key in keys}
    return replace(spec, **{key: value for key, value in picked.items() if value is not None})  # type: ignore[type-var]


def _tags(cluster: written.Cluster, defaults: written.Defaults) -> tuple[str, ...]:
    """The tags of the file and its own, each once. An explicit null of the cluster takes all away."""
    if "tags" in cluster.model_fields_set and cluster.tags is None:
        return ()
    return tuple(dict.fromkeys((*(defaults.tags or ()), *(cluster.tags or ()))))


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


def _sentinel(
    sentinel: written.Sentinel, cluster: written.Cluster, defaults: written.Defaults, folder: Path
) -> SentinelSpec:
    sections = (sentinel, defaults.sentinel)
    host = host_of(sentinel, cluster)
    ssh = _ssh(folder, sentinel.ssh if host is None else host.ssh, defaults.ssh)
    if host is not None and not ssh.host:
        ssh = replace(ssh, host=host.address)
    spec = SentinelSpec(sentinel.name, sentinel.address, host=host.name if host is not None else "", ssh=ssh)
    return replace(
        _connection(_filled(spec, ("port", "username"), *sections), folder, *sections),
        service=_service(sentinel.service, spec.service),
    )


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
        identity_file=_local(pick("identity_file", *sections), folder),
        known_hosts=_local(pick("known_hosts", *sections), folder),
        config_file=_local(pick("config_file", *sections), folder),
    )


def _redis(folder: Path, *sections: written.Redis | None) -> RedisSpec:
    spec = _filled(RedisSpec(), ("port", "host", "username", "aliases", "dir", "dbfilename", "config"), *sections)
    return replace(_connection(spec, folder, *sections), service=_service(pick("service", *sections), spec.service))


Connected = TypeVar("Connected", RedisSpec, SentinelSpec)


def _connection(spec: Connected, folder: Path, *sections: Strict | None) -> Connected:
    """The spec with its password, TLS and route."""
    tls: written.Tls | None = pick("tls", *sections)
    password: written.Password | None = pick("password", *sections)
    via = pick("via", *sections)
    return replace(
        spec,
        password=_password(password, folder) if password is not None else None,
        tls=_tls(tls, folder) if tls is not None else None,
        via=RedisRoute(via) if via else spec.via,
    )


def _keepalived(*sections: written.Keepalived | None) -> KeepalivedSpec:
    spec = _filled(KeepalivedSpec(), ("config", "instance", "state_log", "system_log"), *sections)
    return replace(spec, service=_service(pick("service", *sections), spec.service))


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
