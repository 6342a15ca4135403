"""Where a service's own text says that the configuration of its Redis is: a Redis that does not run cannot say it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.inventory import ServiceSpec

USUAL_SERVICES = (ServiceSpec(systemd="redis-server"), ServiceSpec(systemd="redis"), ServiceSpec(systemd="valkey"))
"""What a Redis is called where the inventory does not say it. Each is looked for as a unit and as a script."""
_UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_ASSIGNED = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)=[\"']?([^\s\"'#;]*)[\"']?[ \t]*(?:[#;].*)?$", re.MULTILINE)
_USED = re.compile(r"\$(?:\{(\w+)(?::?-([^}]*))?\}|(\w+))")
_FILE = re.compile(r"(?<![\w/.])(/[\w./@+-]+\.conf)(?![\w.])")
_SERVER = re.compile(r"\b(?:redis|valkey)-server\b")
_ROUNDS = 4
"""Variables that are made of variables."""


def service_paths(service: ServiceSpec) -> Iterator[str]:
    """The files that may say how a service is started."""
    if service.systemd:
        unit = service.systemd.removesuffix(".service")
        template, sign, _ = unit.partition("@")
        for folder in _UNIT_FOLDERS:
            yield f"{folder}/{unit}.service"
            yield f"{folder}/{unit}.service.d/*.conf"
            yield from (f"{folder}/{template}@.service",) if sign else ()
    name = service.sysv or service.systemd
    if name:
        yield from (f"{folder}/{name}" for folder in ("/etc/init.d", "/etc/default", "/etc/sysconfig"))
    for command in (service.start, service.stop, service.reload, service.status):
        yield from (word for word in command.split() if word.startswith("/"))


def configurations_in(text: str, service: ServiceSpec) -> tuple[str, ...]:
    """The files that a Redis is started with, as this unit, script or command says, with its plain variables."""
    if not _SERVER.search(text):
        return ()
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    instance = service.systemd.removesuffix(".service").partition("@")[2]
    lines = re.sub("%[iI]", instance, lines) if instance else lines
    known: dict[str, str] = {}
    for name, value in _ASSIGNED.findall(lines):
        known.setdefault(name, value)
    for _ in range(_ROUNDS):
        lines = _USED.sub(lambda found: known.get(found[1] or found[3], found[2] or found[0]), lines)
    return tuple(dict.fromkeys(path for path in _FILE.findall(lines) if "sentinel" not in path))
