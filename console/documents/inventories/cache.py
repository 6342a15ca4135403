"""Keeps checked inventories: checking one takes longer than one observation of a pair.

What is remembered is the checked inventory, which holds no password. It stands under the hash of everything that it
was made from: the bytes and paths of its files, the home folder, the program's own code. Where anything is wrong with
it, the files are checked again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

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
    UnusableCluster,
)
from console.documents.document_file import bytes_of
from console.documents.errors import DocumentError
from console.documents.inventories.paths import file_paths
from console.documents.private_cache import write_cache

_CODE = (
    "inventory.py",
    "files.py",
    "paths.py",
    "checks.py",
    "model.py",
    "../document_file.py",
    "../validation.py",
    "../yaml_text.py",
    "cache.py",
    "usable.py",
    "../../core/inventory.py",
)
"""The files that decide what an inventory becomes: a change of one of them makes the cache void."""

_PASSING = "/dev/shm"  # noqa: S108 - it is only compared
_NAME = re.compile(r"[0-9a-f]{32}\.json")
_LOOKED_AT = 300
"""Kept inventories that are looked at whenever one is written: some ten milliseconds."""


def cached_inventory(path: Path, folder: Path) -> Inventory:
    """The inventory, from `folder` if it was checked before. Raises DocumentError as `load_usable_files` does."""
    key = _key(path)
    place = folder / f"{sha256(os.fsencode(path.absolute())).hexdigest()[:32]}.json"
    known = _recall(place, key) if key else None
    if known is not None:
        return known
    from console.documents.inventories.files import load_usable_files

    inventory = load_usable_files(path)
    if key and key == _key(path) and not _is_passing(path):
        write_cache(place, {"key": key, "at": str(path.absolute()), "inventory": asdict(inventory)})
        _forget_some(folder)
    return inventory


def _is_passing(path: Path) -> bool:
    """Whether the inventory is one of a laboratory or a drill, which is gone in a while and never comes back."""
    return path.absolute().is_relative_to(_PASSING)


def _forget_some(folder: Path) -> None:
    """Removes what is kept of inventories that are not there any more: of some at a time, chosen at random."""
    from random import SystemRandom

    with contextlib.suppress(OSError):
        kept = [one for one in folder.iterdir() if _NAME.fullmatch(one.name)]
        for one in SystemRandom().sample(kept, min(len(kept), _LOOKED_AT)):
            with contextlib.suppress(OSError):
                if _is_gone(one):
                    one.unlink()


def _is_gone(place: Path) -> bool:
    """Whether the inventory of this file is gone. Where only a name below some folder is kept, that is not known."""
    try:
        found = json.loads(place.read_bytes())
        at = Path(found.get("at") or found["inventory"]["path"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return True
    return at.is_absolute() and not at.exists()


def _key(path: Path) -> str:
    """A digest of what the inventory is made from. Empty if a file cannot be read: checking reports that."""
    here = Path(__file__).parent
    digest = sha256()
    try:
        for one in file_paths(path):
            digest.update(f"{one}\n{sha256(bytes_of(one)).hexdigest()}\n".encode())
        made_by = [f"{name} {(here / name).stat().st_mtime_ns}" for name in _CODE]
    except (OSError, DocumentError):
        return ""
    digest.update("\n".join((str(path), str(path.absolute()), os.path.expanduser("~"), *made_by)).encode())  # noqa: PTH111
    return digest.hexdigest()


def _recall(place: Path, key: str) -> Inventory | None:
    try:
        found = json.loads(place.read_bytes())
        return _inventory(found["inventory"]) if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _inventory(found: dict[str, Any]) -> Inventory:
    return Inventory(
        path=found["path"],
        clusters=tuple(_cluster(cluster) for cluster in found["clusters"]),
        unusable=tuple(_unusable(one) for one in found["unusable"]),
    )


def _unusable(found: dict[str, Any]) -> UnusableCluster:
    tags = found["tags"]
    return UnusableCluster(
        **{**found, "problems": tuple(found["problems"]), "tags": None if tags is None else tuple(tags)}
    )


def _cluster(cluster: dict[str, Any]) -> ClusterSpec:
    nodes = tuple(_node(node) for node in cluster["nodes"])
    quiet_hours = tuple(QuietHours(**one) for one in cluster["quiet_hours"])
    others = {
        "sentinels": tuple(_sentinel(one) for one in cluster["sentinels"]),
        "directors": tuple(_director(one) for one in cluster["directors"]),
        "consul": _consul(cluster["consul"]) if cluster["consul"] else None,
    }
    plain = {**cluster, "tags": tuple(cluster["tags"])}
    return ClusterSpec(**{**plain, "nodes": nodes, "quiet_hours": quiet_hours, **others})


def _sentinel(sentinel: dict[str, Any]) -> SentinelSpec:
    made = {
        "password": _password(sentinel["password"]),
        "tls": _tls(sentinel["tls"]),
        "via": RedisRoute(sentinel["via"]),
        "service": ServiceSpec(**sentinel["service"]),
        "ssh": SshSpec(**sentinel["ssh"]),
    }
    return SentinelSpec(**{**sentinel, **made})


def _director(director: dict[str, Any]) -> DirectorSpec:
    ssh, keepalived = SshSpec(**director["ssh"]), _keepalived(director["keepalived"])
    return DirectorSpec(**{**director, "ssh": ssh, "keepalived": keepalived})


def _consul(consul: dict[str, Any]) -> ConsulSpec:
    return ConsulSpec(**{**consul, "token": _password(consul["token"])})


def _password(found: dict[str, Any] | None) -> PasswordSource | None:
    return PasswordSource(PasswordKind(found["kind"]), found["where"]) if found else None


def _tls(found: dict[str, Any] | None) -> TlsSpec | None:
    return TlsSpec(**found) if found else None


def _keepalived(found: dict[str, Any]) -> KeepalivedSpec:
    return KeepalivedSpec(**{**found, "service": ServiceSpec(**found["service"])})


def _node(node: dict[str, Any]) -> NodeSpec:
    redis = node["redis"]
    return NodeSpec(
        name=node["name"],
        address=node["address"],
        ssh=SshSpec(**node["ssh"]),
        redis=RedisSpec(
            **{
                **redis,
                "password": _password(redis["password"]),
                "tls": _tls(redis["tls"]),
                "via": RedisRoute(redis["via"]),
                "service": ServiceSpec(**redis["service"]),
            }
        ),
        keepalived=_keepalived(node["keepalived"]),
    )
