"""The operator's inventory of a rehearsal: as in production, but for the login and the certificates."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.drills.capture import Capture, CapturedHost, CapturedMachine, CapturedSentinel
from console.drill.rebuilt.certificates import FOLDER
from console.drill.rebuilt.consul import answers_dns
from console.drill.rebuilt.sentinels import sentinel_service
from console.drill.rebuilt.services import KEEPALIVED_LOG, service_name
from console.lab.options import LabOptions


def inventory(capture: Capture, folder: str, options: LabOptions) -> str:
    """The text. Every value is quoted: a capture comes from a repository, and must not write other keys."""
    del options
    lines = [
        "version: 1",
        "defaults:",
        f"  ssh: {{user: root, identity_file: {folder}/id_ed25519, known_hosts: {folder}/known_hosts,",
        f"        config_file: {folder}/ssh_config}}",
        "clusters:",
        f"  - name: {_quoted(capture.cluster)}",
        f"    kind: {_quoted(capture.kind)}",
        *([f"    vip: {_quoted(capture.vip)}"] if capture.vip else []),
        *([f"    master_name: {_quoted(capture.master_name)}"] if capture.master_name else []),
        "    nodes:",
        *(line for host in capture.hosts for line in _node(capture, host, folder)),
        *_watchers(capture, folder),
    ]
    return "\n".join(lines) + "\n"


def _watchers(capture: Capture, folder: str) -> Iterator[str]:
    if capture.sentinels:
        yield "    sentinels:"
        yield from (line for one in capture.sentinels for line in _sentinel(capture, one, folder))
    if capture.directors:
        yield f"    read_vip: {_quoted(capture.read_vip)}"
        yield "    directors:"
        for one in capture.directors:
            yield f"      - name: {_quoted(one.name)}"
            yield f"        address: {_quoted(one.address)}"
            yield from _keepalived(one)
    if capture.consul is not None:
        yield "    consul:"
        yield f"      http: {_quoted(capture.consul.http)}"
        yield f"      service: {_quoted(capture.consul.service)}"
        if answers_dns(capture):
            yield f"      dns: {_quoted(capture.consul.dns)}"


def _node(capture: Capture, host: CapturedHost, folder: str) -> Iterator[str]:
    redis = host.redis
    yield f"      - name: {_quoted(host.name)}"
    yield f"        address: {_quoted(host.address)}"
    yield "        redis:"
    yield f"          port: {redis.port}"
    yield f"          config: {_quoted(redis.config)}"
    yield f"          dir: {_quoted(redis.dir)}"
    yield f"          dbfilename: {_quoted(redis.dbfilename)}"
    yield f"          service: {_service(host, 'redis')}"
    if redis.password:
        yield f"          password: {{file: {folder}/password-{host.name}}}"
    if redis.username:
        yield f"          username: {_quoted(redis.username)}"
    if redis.aliases:
        pairs = ", ".join(f"{_quoted(name)}: {_quoted(word)}" for name, word in redis.aliases.items())
        yield f"          aliases: {{{pairs}}}"
    if redis.tls:
        yield f"          tls: {_tls(folder, redis.server_name)}"
    if capture.kind == "keepalived":
        yield from _keepalived(host)


def _sentinel(capture: Capture, one: CapturedSentinel, folder: str) -> Iterator[str]:
    yield f"      - name: {_quoted(one.name)}"
    yield f"        address: {_quoted(one.address)}"
    yield f"        port: {one.port}"
    if one.machine not in {other.name for other in capture.others}:
        yield f"        runs_on: {_quoted(one.machine)}"
        if one.service:
            kind = "systemd" if one.service.startswith("systemd ") else "sysv"
            yield f"        service: {{{kind}: {_quoted(sentinel_service(one))}}}"
        yield f"        via: {'ssh' if one.through_ssh else 'direct'}"
    if one.password:
        yield f"        password: {{file: {folder}/password-{one.name}}}"
    if one.username:
        yield f"        username: {_quoted(one.username)}"
    if one.tls:
        yield f"        tls: {_tls(folder, one.server_name)}"


def _tls(folder: str, server_name: str) -> str:
    place = f"{folder}/{FOLDER}"
    files = f"ca_file: {place}/ca.pem, cert_file: {place}/operator.pem, key_file: {place}/operator.key"
    return f"{{{files}{f', server_name: {_quoted(server_name)}' if server_name else ''}}}"


def _keepalived(machine: CapturedMachine) -> Iterator[str]:
    yield "        keepalived:"
    yield f"          config: {_quoted(machine.keepalived_config)}"
    yield f"          system_log: {KEEPALIVED_LOG}"
    yield f"          service: {_service(machine, 'keepalived')}"
    if machine.instance:
        yield f"          instance: {_quoted(machine.instance)}"
    if machine.state_log:
        yield f"          state_log: {_quoted(machine.state_log)}"


def _service(machine: CapturedMachine, role: str) -> str:
    kind = "systemd" if machine.services.get(role, "").startswith("systemd ") else "sysv"
    return f"{{{kind}: {_quoted(service_name(machine, role))}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
