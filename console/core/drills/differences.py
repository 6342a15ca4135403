"""What differs between a rehearsal and production, said before it begins and in its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from console.core.drills.capture import Capture, CapturedHost, CapturedMachine, Part
from console.core.drills.mentions import interpreter, programs_called
from console.core.drills.redis_lines import unused_lines
from console.core.quantities import counted


@dataclass(frozen=True, slots=True)
class LaboratoryFacts:
    """What this machine's laboratory has."""

    redis: Mapping[str, str]
    """Host → version of the Redis that it runs there."""
    keepalived: str
    keys: int
    value_bytes: int
    sentinels: Mapping[str, str] = field(default_factory=dict)
    """Sentinel → version of the Redis that it runs there."""
    consul: str = ""
    """Version of Consul."""
    consul_dns: bool = True
    """Whether the name server of the inventory is rehearsed."""


def differences(capture: Capture, facts: LaboratoryFacts) -> tuple[str, ...]:
    """One line for each difference that can change how a rehearsal ends."""
    return tuple(_lines(capture, facts))


def _lines(capture: Capture, facts: LaboratoryFacts) -> Iterator[str]:
    for host in capture.hosts:
        have = facts.redis.get(host.name, "")
        if host.redis.version and not host.redis.version.startswith(have):
            yield f"{host.name} runs {host.redis.flavour} {host.redis.version}; the rehearsal has Redis {have}"
    for machine in capture.machines:
        yield from _of_machine(capture, machine, facts)
    yield from _of_watchers(capture, facts)
    if any(host.redis.tls for host in capture.hosts) or any(one.tls for one in capture.sentinels):
        yield "certificates are not captured: an authority of the rehearsal signs new ones; yours may have expired"
    largest = max((host.redis.keys for host in capture.hosts), default=0)
    yield (
        f"the data is made up: {counted(facts.keys, 'key')} of {counted(facts.value_bytes, 'byte')}, "
        f"where production had {largest:,}; "
        "syncs, saves and starts take less time"
    )
    yield "all hosts share this machine's processor, memory and clock; its network has no delay and loses nothing"
    yield "the login is root with a key; firewalls, SELinux and cron do not exist"
    yield from (f"{one.node}: {one.what}: {one.why}; {one.means}" for one in capture.unread)


def _of_machine(capture: Capture, machine: CapturedMachine, facts: LaboratoryFacts) -> Iterator[str]:
    has_keepalived = machine.file(machine.keepalived_config) is not None
    have = machine.keepalived_version
    if has_keepalived and have and have != facts.keepalived:
        yield f"{machine.name} runs keepalived {have}; the rehearsal has {facts.keepalived}"
    roles = ["keepalived"] if has_keepalived else []
    roles += ["redis"] if isinstance(machine, CapturedHost) else []
    started = [machine.services.get(one, "") for one in roles]
    started += [one.service for one in capture.sentinels if one.machine == machine.name]
    if any(one.startswith("systemd") for one in started):
        yield f"{machine.name} has no systemd: a stand-in for systemctl starts and stops what is captured, nothing else"
    if "own" in started:
        yield f"{machine.name}: the inventory's own commands for services are replaced by `service NAME`"
    yield from _of_redis_conf(machine)


def _of_redis_conf(machine: CapturedMachine) -> Iterator[str]:
    for file in machine.parts(Part.REDIS):
        for line, done in unused_lines(file.text):
            yield f"{machine.name}: {file.path}: `{line}` {done}"


def _of_watchers(capture: Capture, facts: LaboratoryFacts) -> Iterator[str]:
    for one in capture.sentinels:
        have = facts.sentinels.get(one.name, "")
        if one.version and not one.version.startswith(have):
            yield f"{one.name} is a Sentinel {one.version}; the rehearsal has {have}"
    if capture.directors:
        names = " and ".join(one.name for one in capture.directors)
        yield f"{names}: IPVS and its health checks are stand-ins, which try to connect; readers are not forwarded"
    if capture.consul is None:
        return
    yield f"Consul is {facts.consul}, and alone: other servers of its cluster, and sessions between them, do not exist"
    if capture.consul.token:
        yield "Consul asks for no token: its tokens and policies are data of its servers, and are not captured"
    if capture.consul.dns and not facts.consul_dns:
        yield f"the name server {capture.consul.dns} is not rehearsed: clients and the console ask Consul's API"


def missing_programs(capture: Capture, has: Mapping[str, bool]) -> tuple[str, ...]:
    """`HOST: SCRIPT calls PROGRAM, …`: what the laboratory does not have. `has`: program → whether it does."""
    found = []
    for host in capture.machines:
        for file in host.parts(Part.SCRIPT, Part.CALLED):
            lacking = [one for one in _called(file.text) if not has.get(one, False) and host.file(one) is None]
            if lacking:
                found.append(f"{host.name}: {file.path} calls {', '.join(lacking)}: the laboratory does not have it")
    return tuple(found)


def called_programs(capture: Capture) -> frozenset[str]:
    """Every program that a captured script calls, and its interpreter."""
    return frozenset(one for host in capture.machines for one in _of_host(host))


def _of_host(host: CapturedMachine) -> Iterator[str]:
    for file in host.parts(Part.SCRIPT, Part.CALLED):
        yield from _called(file.text)


def _called(text: str) -> Iterator[str]:
    if language := interpreter(text):
        yield language
    yield from programs_called(text)
