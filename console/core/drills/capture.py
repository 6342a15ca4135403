"""A capture: what a cluster is made of, as far as a rehearsal needs it. Recognized secrets are stand-ins; no data."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Part(StrEnum):
    """What a captured file is for."""

    KEEPALIVED = "keepalived.conf"
    INCLUDE = "included by keepalived.conf"
    SCRIPT = "called by keepalived, Sentinel or Consul"
    CALLED = "called or sourced by a script"
    READ = "read by a script"
    REDIS = "configuration of Redis"
    SENTINEL = "configuration of Sentinel"
    CONSUL = "configuration of Consul"
    SERVICE = "how a service is started"

    @classmethod
    def _missing_(cls, value: object) -> Part | None:
        """Captures of older versions have another word for a script."""
        return cls.SCRIPT if value == "called by keepalived" else None


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """A text file of a host. Its secrets are stand-ins."""

    path: str
    part: Part
    mode: int
    owner: str
    """`user:group` on the host."""
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read, and what that means for the rehearsal."""

    node: str
    what: str
    why: str
    means: str


@dataclass(frozen=True, slots=True)
class CapturedInterface:
    """An interface with the addresses that it always has, `ADDRESS/PREFIX`. A virtual IP is none of them."""

    name: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CapturedUser:
    """An account that a service or a script runs as."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class CapturedProcess:
    """A server process: its program, its command line and its user."""

    program: str
    """`redis-server`, `keepalived`, …"""
    command: str
    user: str


@dataclass(frozen=True, slots=True)
class CapturedRedis:
    """The Redis of a host. Sizes are bytes."""

    version: str
    """Empty: it did not run, so it is not known."""
    flavour: str
    role: str
    """`master` or `replica`; empty: not known."""
    port: int
    config: str
    dir: str
    dbfilename: str
    password: str
    """The stand-in; empty: none is needed."""
    keys: int
    used_memory: int
    username: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Renamed commands in upper case, as in the inventory."""
    tls: bool = False
    server_name: str = ""
    """The name in its certificate, as the inventory has it; empty: its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedMachine:
    """One machine of the cluster, whatever runs on it."""

    name: str
    address: str
    hostname: str
    system: str
    """Name of its operating system, and its kernel."""
    interfaces: tuple[CapturedInterface, ...]
    users: tuple[CapturedUser, ...]
    processes: tuple[CapturedProcess, ...]
    keepalived_version: str
    keepalived_config: str
    instance: str
    state_log: str
    memory: int
    """Bytes; 0: not known."""
    files: tuple[CapturedFile, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    """Name → address, as its /etc/hosts says."""
    services: Mapping[str, str] = field(default_factory=dict)
    """`redis` and `keepalived` → how the inventory starts it: `systemd UNIT`, `sysv NAME`, or `own`."""
    loopback: tuple[str, ...] = ()
    """Addresses on its loopback beside its own, `ADDRESS/PREFIX`: the read VIP of a host that a director sends to."""

    def file(self, path: str) -> CapturedFile | None:
        return next((one for one in self.files if one.path == path), None)

    def parts(self, *parts: Part) -> tuple[CapturedFile, ...]:
        return tuple(one for one in self.files if one.part in parts)

    def command(self, program: str) -> str:
        """The command line of its first process of this program; empty: none ran."""
        return next((one.command for one in self.processes if one.program == program), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedHost(CapturedMachine):
    """A machine with a Redis of the cluster."""

    redis: CapturedRedis


@dataclass(frozen=True, slots=True)
class CapturedSentinel:
    """A Sentinel that watches the cluster's master."""

    name: str
    address: str
    port: int
    machine: str
    """The name of the machine that it runs on."""
    version: str
    """Empty: it did not answer, so it is not known."""
    config: str
    """Its configuration file; empty: not captured, so a rehearsal makes one of what the Sentinel said."""
    service: str
    """How the inventory starts it: `systemd UNIT`, `sysv NAME`, `own`; empty: by hand only."""
    quorum: int
    down_after: int
    """Milliseconds of silence after which a server is down for it."""
    username: str = ""
    password: str = ""
    """The stand-in of the password of the Sentinel itself; empty: none is needed."""
    tls: bool = False
    server_name: str = ""
    through_ssh: bool = False
    """Whether the inventory reaches it through the SSH connection of its machine."""


@dataclass(frozen=True, slots=True)
class CapturedConsul:
    """How clients find the master by a name."""

    http: str
    """`http://HOST:PORT` of the agent that the inventory asks."""
    dns: str
    """`HOST:PORT` of its DNS; empty: the inventory names none."""
    service: str
    machine: str
    """The machine that this agent runs on."""
    token: bool
    """Whether the inventory has a token for it."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One cluster as it was captured."""

    cluster: str
    kind: str
    vip: str
    captured_at: float
    """Epoch seconds."""
    hosts: tuple[CapturedHost, ...]
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    """What else a reviewer of the folder must know."""
    vip_at: str = ""
    """`INTERFACE ADDRESS/PREFIX` of the virtual IP that clients write to; empty: no host had it."""
    master_name: str = ""
    """Of the Sentinels."""
    sentinels: tuple[CapturedSentinel, ...] = ()
    read_vip: str = ""
    directors: tuple[CapturedMachine, ...] = ()
    """In the order of the inventory."""
    others: tuple[CapturedMachine, ...] = ()
    """Machines that the inventory names for a Sentinel only. Nothing of them was read."""
    consul: CapturedConsul | None = None
    look_at: tuple[str, ...] = ()
    """Files and lines that may hold a secret that no rule has recognized."""

    @property
    def guesses(self) -> tuple[str, ...]:
        """The nodes of which neither Redis nor a file has said anything: what is rehearsed of them is invented."""
        return tuple(
            f"{one.name} stands on a guess: nothing said how its Redis is configured ({one.redis.config} is invented)"
            for one in self.hosts
            if not one.redis.version and one.file(one.redis.config) is None
        )

    @property
    def digest(self) -> str:
        """Of everything in it: two readings of a folder are compared by it."""
        what = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(what.encode()).hexdigest()

    @property
    def machines(self) -> tuple[CapturedMachine, ...]:
        """Every machine that a rehearsal has."""
        return (*self.hosts, *self.directors, *self.others)

    @property
    def identity(self) -> str:
        """What tells clusters of one name apart: where clients go, and a digest of names, addresses and scripts' paths.

        Later captures of a cluster have the same one, as long as these stay the same.
        """
        consul = (self.consul.http, self.consul.service) if self.consul else ()
        places = [
            (one.name, one.address, *sorted(file.path for file in one.parts(Part.SCRIPT))) for one in self.machines
        ]
        what = repr((self.kind, self.vip, self.read_vip, self.master_name, consul, sorted(places)))
        end = self.vip or (self.consul.service if self.consul else "")
        return f"{end} {hashlib.sha256(what.encode()).hexdigest()[:6]}".strip()

    def host(self, name: str) -> CapturedHost:
        """The host of this name. Raises KeyError where there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(name)

    def machine(self, name: str) -> CapturedMachine:
        """The machine of this name. Raises KeyError where there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class HostText:
    """A path on a host, and what was found there."""

    path: str
    status: str
    """`ok`, or why there is no text: `missing`, `denied`, `hidden`, `large`, `binary`, `special`."""
    mode: int = 0
    owner: str = ""
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HostFacts:
    """One answer of a host: what it is, and the files that were asked for."""

    hostname: str
    system: str
    accounts: tuple[CapturedUser, ...]
    names: Mapping[str, str]
    processes: tuple[CapturedProcess, ...]
    texts: tuple[HostText, ...]

    def configuration_of(self, program: str) -> str:
        """The first `.conf` file among the arguments of this program's processes; empty: there is none."""
        words = (word for one in self.processes if one.program == program for word in one.command.split()[1:])
        return next((word for word in words if word.endswith(".conf")), "")
