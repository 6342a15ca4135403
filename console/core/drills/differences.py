"""What differs between a rehearsal and production, said before it begins and in its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.core.drills.capture import Capture, CapturedHost, Part
from console.core.drills.mentions import interpreter, programs_called
from console.core.quantities import counted


@dataclass(frozen=True, slots=True)
class LaboratoryFacts:
    """What this machine's laboratory has."""

    redis: Mapping[str, str]
    """Host → version of the Redis that it runs there."""
    keepalived: str
    keys: int
    value_bytes: int


def differences(capture: Capture, facts: LaboratoryFacts) -> tuple[str, ...]:
    """One line for each difference that can change how a rehearsal ends."""
    return tuple(_lines(capture, facts))


def _lines(capture: Capture, facts: LaboratoryFacts) -> Iterator[str]:
    for host in capture.hosts:
        have = facts.redis.get(host.name, "")
        if host.redis.version and not host.redis.version.startswith(have):
            yield f"{host.name} runs {host.redis.flavour} {host.redis.version}; the rehearsal has Redis {have}"
        if host.keepalived_version and host.keepalived_version != facts.keepalived:
            yield f"{host.name} runs keepalived {host.keepalived_version}; the rehearsal has {facts.keepalived}"
        if host.services.get("redis", "").startswith("systemd") or host.services.get("keepalived", "").startswith(
            "systemd"
        ):
            yield f"{host.name} has no systemd: a stand-in for systemctl starts and stops the two services, no others"
        if "own" in host.services.values():
            yield f"{host.name}: the inventory's own commands for services are replaced by `service NAME`"
    largest = max((host.redis.keys for host in capture.hosts), default=0)
    yield (
        f"the data is made up: {counted(facts.keys, 'key')} of {counted(facts.value_bytes, 'byte')}, "
        f"where production had {largest:,}; "
        "syncs, saves and starts take less time"
    )
    yield "all hosts share this machine's processor, memory and clock; its network has no delay and loses nothing"
    yield "the login is root with a key; firewalls, SELinux and cron do not exist"
    yield from (f"{one.node}: {one.what}: {one.why}; {one.means}" for one in capture.unread)


def missing_programs(capture: Capture, has: Mapping[str, bool]) -> tuple[str, ...]:
    """`HOST: SCRIPT calls PROGRAM, …`: what the laboratory does not have. `has`: program → whether it does."""
    found = []
    for host in capture.hosts:
        for file in host.parts(Part.SCRIPT, Part.CALLED):
            lacking = [one for one in _called(file.text) if not has.get(one, False) and host.file(one) is None]
            if lacking:
                found.append(f"{host.name}: {file.path} calls {', '.join(lacking)}: the laboratory does not have it")
    return tuple(found)


def called_programs(capture: Capture) -> frozenset[str]:
    """Every program that a captured script calls, and its interpreter."""
    return frozenset(one for host in capture.hosts for one in _of_host(host))


def _of_host(host: CapturedHost) -> Iterator[str]:
    for file in host.parts(Part.SCRIPT, Part.CALLED):
        yield from _called(file.text)


def _called(text: str) -> Iterator[str]:
    if language := interpreter(text):
        yield language
    yield from programs_called(text)
