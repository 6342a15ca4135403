"""A captured machine from what was read of it: its accounts, processes and addresses, its files without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from posixpath import dirname
from typing import Any

from console.core.drills import stand_ins
from console.core.drills.capture import (
    CapturedFile,
    CapturedHost,
    CapturedInterface,
    CapturedMachine,
    CapturedProcess,
    CapturedRedis,
    HostFacts,
    HostText,
    Part,
)
from console.core.drills.redis_lines import value_in
from console.core.drills.watchers import service_text
from console.core.inventory import ClusterSpec, DirectorSpec, KeepalivedSpec, NodeSpec
from console.core.model import ClusterState, NodeState
from console.core.model.host import InterfaceAddress
from console.core.model.keepalived import Keepalived, KeepalivedConfig
from console.core.visible import visible

Came = tuple[HostFacts, Sequence[tuple[HostText, Part]]]
"""What came of one machine: facts, and texts with what they are for."""


def captured_host(
    cluster: ClusterSpec, name: str, state: ClusterState, came: Came, instead: Mapping[str, str], password: str
) -> CapturedHost:
    """A node. `instead`: secret → stand-in."""
    spec, node = cluster.node(name), state.node(name)
    keepalived = node.keepalived.value
    addresses = node.addresses.value or ()
    virtual = _virtual(cluster, keepalived)
    return CapturedHost(
        name=spec.name,
        address=spec.address,
        interfaces=_interfaces(addresses, virtual),
        loopback=_loopback(addresses) if cluster.kind != "keepalived" else (),
        redis=_redis(spec, node, came[1], instead.get(password, password)),
        memory=node.memory.value.total if node.memory.value else 0,
        services={
            "redis": service_text(spec.redis.service) or "own",
            "keepalived": service_text(spec.keepalived.service) or "own",
        },
        **_read(came, instead, node.keepalived_config.value),
        **_keepalived(spec.keepalived, keepalived),
    )


def captured_director(
    cluster: ClusterSpec, spec: DirectorSpec, state: ClusterState, came: Came, instead: Mapping[str, str]
) -> CapturedMachine:
    """A director."""
    seen = next(one for one in state.directors if one.name == spec.name)
    keepalived = seen.keepalived.value
    return CapturedMachine(
        name=spec.name,
        address=spec.address,
        interfaces=_interfaces(seen.addresses.value or (), _virtual(cluster, keepalived)),
        memory=0,
        services={"keepalived": service_text(spec.keepalived.service) or "own"},
        **_read(came, instead, seen.keepalived_config.value),
        **_keepalived(spec.keepalived, keepalived),
    )


def _read(came: Came, instead: Mapping[str, str], config: KeepalivedConfig | None) -> dict[str, Any]:
    """What the host itself told."""
    facts, texts = came
    files = tuple(
        CapturedFile(one.path, part, one.mode, one.owner,
                     stand_ins.replace_secrets(one.text, instead, whole=part is Part.READ))
        for one, part in texts if one.status == "ok" and not _is_twin(one, texts)
    )  # fmt: skip
    running = dict.fromkeys(
        (one.program, stand_ins.replace_secrets(one.command, instead), one.user) for one in facts.processes
    )
    processes = tuple(CapturedProcess(*one) for one in running)
    user = config.security.user.split()[0] if config and config.security and config.security.user else ""
    owners = {one.owner.partition(":")[0] for one in files}
    needed = {*(one.user for one in processes), *owners, user, "keepalived_script"}
    return {
        "hostname": facts.hostname,
        "system": visible(facts.system),
        "users": tuple(one for one in facts.accounts if one.name in needed),
        "processes": processes,
        "files": files,
        "names": facts.names,
    }


def _keepalived(spec: KeepalivedSpec, seen: Keepalived | None) -> dict[str, Any]:
    instance = seen.instance if seen else None
    return {
        "keepalived_version": (seen.version or "") if seen else "",
        "keepalived_config": spec.config,
        "instance": spec.instance or (instance.name if instance else ""),
        "state_log": spec.state_log,
    }


def _is_twin(text: HostText, texts: Sequence[tuple[HostText, Part]]) -> bool:
    """Whether it is the same file as one below /usr, where /lib is a link to /usr/lib."""
    return any(one.path == f"/usr{text.path}" and one.text == text.text for one, _ in texts)


def _virtual(cluster: ClusterSpec, keepalived: Keepalived | None) -> set[str]:
    instance = keepalived.instance if keepalived else None
    moved = (one.partition("/")[0] for one in (instance.virtual_addresses if instance else ()))
    return {cluster.vip, cluster.read_vip, *moved}


def _interfaces(addresses: Sequence[InterfaceAddress], virtual: set[str]) -> tuple[CapturedInterface, ...]:
    """Without the loopback, without virtual IPs, and without what IPv6 makes by itself."""
    found: dict[str, list[str]] = {}
    for one in addresses:
        if one.interface != "lo" and one.address not in virtual and ":" not in one.address:
            found.setdefault(one.interface, []).append(f"{one.address}/{one.prefix}")
    return tuple(CapturedInterface(name, tuple(each)) for name, each in found.items())


def _loopback(addresses: Sequence[InterfaceAddress]) -> tuple[str, ...]:
    ours = (one for one in addresses if one.interface == "lo" and ":" not in one.address)
    return tuple(f"{one.address}/{one.prefix}" for one in ours if not one.address.startswith("127."))


def _redis(spec: NodeSpec, node: NodeState, texts: Sequence[tuple[HostText, Part]], password: str) -> CapturedRedis:
    redis, file = node.redis.value, node.redis_file.value
    ours = sorted((one.status != "ok", number) for number, (one, part) in enumerate(texts) if part is Part.REDIS)
    conf = texts[ours[0][1]][0].path if ours else spec.redis.config
    said = next((one.text for one, _ in texts if one.path == conf), "")
    told = redis.config if redis else None
    folder = (told.dir if told else None) or (file.dir if file else "") or spec.redis.dir or value_in(said, "dir")
    name = (told.dbfilename if told else None) or (file.dbfilename if file else "") or spec.redis.dbfilename
    name = name or value_in(said, "dbfilename")
    return CapturedRedis(
        version=redis.version if redis else "",
        flavour=redis.flavour if redis else "redis",
        role=redis.role.value if redis else "",
        port=spec.redis.port,
        config=conf or "/etc/redis/redis.conf",
        dir=folder or dirname(conf) or "/var/lib/redis",
        dbfilename=name or "dump.rdb",
        password=password,
        keys=redis.total_keys if redis else 0,
        used_memory=redis.used_memory if redis else 0,
        username=spec.redis.username,
        aliases=dict(spec.redis.aliases),
        tls=spec.redis.tls is not None,
        server_name=spec.redis.tls.server_name if spec.redis.tls is not None else "",
    )
