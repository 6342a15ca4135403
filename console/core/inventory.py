"""The operator's inventory: its clusters and nodes, checked and with defaults filled in.

`console.documents.inventories.inventory` makes these values from YAML. Everything else works with these values only.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from console.core.lazy_dataclass import dataclass


class PasswordKind(StrEnum):
    """The ways to name the source of a password."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"
    PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class PasswordSource:
    """The source of a password. It is never the password itself."""

    kind: PasswordKind
    where: str = ""
    """Variable name, path or command line; empty for prompt."""


@dataclass(frozen=True, slots=True)
class SshSpec:
    """How to log in to a node. For what is empty or None, ssh_config and the agent decide."""

    user: str = ""
    host: str = ""
    """Name or address to connect to, or an alias of ssh_config; empty: the node's address."""
    port: int | None = None
    identity_file: str = ""
    known_hosts: str = ""
    """Empty: ~/.ssh/known_hosts and the file of the system."""
    config_file: str = ""
    """Empty: ~/.ssh/config, if it exists."""
    jump: str = ""
    """As ssh -J: `user@host:port,user@host:port`."""
    sudo: bool = False
    connect_timeout: float = 5.0


class RedisRoute(StrEnum):
    """How a Redis is reached: directly from the operator's machine, or through the SSH connection of its node."""

    DIRECT = "direct"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class TlsSpec:
    """TLS for connections to Redis. Certificates are always verified."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """How a service is started and stopped on a node: as a systemd unit, as a SysV service, or with own commands."""

    systemd: str = ""
    sysv: str = ""
    start: str = ""
    stop: str = ""
    reload: str = ""
    status: str = ""

    def command(self, action: str) -> str:
        """The shell command for `start`, `stop`, `reload` or `status`; empty: the inventory has none."""
        if self.systemd:
            return f"systemctl {'is-active' if action == 'status' else action} {shlex.quote(self.systemd)}"
        if self.sysv:
            return f"service {shlex.quote(self.sysv)} {action}"
        own: dict[str, str] = {"start": self.start, "stop": self.stop, "reload": self.reload, "status": self.status}
        return own[action]


@dataclass(frozen=True, slots=True)
class RedisSpec:
    """The Redis of a node."""

    port: int = 6379
    username: str = ""
    password: PasswordSource | None = None
    tls: TlsSpec | None = None
    via: RedisRoute = RedisRoute.DIRECT
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Renamed commands in upper case: `{"CONFIG": "CONFIG-7f3a"}`."""
    service: ServiceSpec = field(default_factory=lambda: ServiceSpec(systemd="redis-server"))
    dir: str = ""
    """The folder of its data. Empty: as the configuration file says. It is used only while Redis does not run."""
    dbfilename: str = ""
    """Empty: as the configuration file says, else `dump.rdb`. It is used only while Redis does not run."""
    config: str = ""
    """Its configuration file. It is used only while Redis does not run."""
    host: str = ""
    """Name or address to connect to, as the other end of the route sees it; empty: the node's address."""


@dataclass(frozen=True, slots=True)
class KeepalivedSpec:
    """The keepalived of a node."""

    config: str = "/etc/keepalived/keepalived.conf"
    instance: str = ""
    """Empty: the only vrrp_instance in the file, else the one with the cluster's VIP."""
    state_log: str = ""
    """The log that the notify scripts write to; empty: there is none."""
    system_log: str = ""
    """The log of keepalived; empty: the journal, else /var/log/messages, else /var/log/syslog."""
    service: ServiceSpec = field(default_factory=lambda: ServiceSpec(systemd="keepalived"))


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node of a cluster, with everything that is needed to reach and control it."""

    name: str
    address: str
    ssh: SshSpec
    redis: RedisSpec
    keepalived: KeepalivedSpec


@dataclass(frozen=True, slots=True)
class SentinelSpec:
    """A Sentinel that watches the master of a cluster."""

    name: str
    address: str
    port: int = 26379
    username: str = ""
    """An ACL user of the Sentinel (from 6.2 on)."""
    password: PasswordSource | None = None
    """The password of the Sentinel itself (requirepass, from 5.0.1 on), not of the master."""
    tls: TlsSpec | None = None
    via: RedisRoute = RedisRoute.DIRECT
    service: ServiceSpec = field(default_factory=ServiceSpec)
    """How it is started; empty: only by hand."""
    host: str = ""
    """The node or director that it runs on; empty: another host. Over its SSH the Sentinel is started."""
    ssh: SshSpec = field(default_factory=SshSpec)
    """How to log in to its host. It is used for `via: ssh` only."""

    @property
    def connection(self) -> RedisSpec:
        """How to connect to it: a Sentinel speaks the protocol of a Redis."""
        return RedisSpec(self.port, self.username, self.password, self.tls, self.via)

    @property
    def start_command(self) -> str:
        """The shell command that starts it on its host; empty: it is started by hand."""
        return self.service.command("start") if self.host else ""


@dataclass(frozen=True, slots=True)
class DirectorSpec:
    """An LVS director that carries the read VIP."""

    name: str
    address: str
    ssh: SshSpec
    keepalived: KeepalivedSpec


@dataclass(frozen=True, slots=True)
class ConsulSpec:
    """The address of Consul, and the service name of the master."""

    http: str
    """`http://HOST:PORT` or https."""
    service: str
    dns: str = ""
    """`HOST:PORT` of Consul's DNS; empty: only the HTTP API is used."""
    token: PasswordSource | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily period with little load, in minutes after midnight. It may span midnight."""

    start: int
    end: int

    def __str__(self) -> str:
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, self.end))


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """A cluster: its virtual IP and its nodes, in the order of the inventory."""

    name: str
    kind: str
    vip: str
    """The address that writers use; empty: this kind has none."""
    nodes: tuple[NodeSpec, ...]
    quiet_hours: tuple[QuietHours, ...] = ()
    """When a full sync disturbs least, according to the operator."""
    timezone: str = ""
    """The time zone of the quiet hours, like `Europe/Berlin`; empty: that of the console's machine."""
    master_name: str = ""
    sentinels: tuple[SentinelSpec, ...] = ()
    read_vip: str = ""
    directors: tuple[DirectorSpec, ...] = ()
    consul: ConsulSpec | None = None
    tags: tuple[str, ...] = ()
    """Words of the operator to select and to group clusters by, like `prod` and `site:berlin`. Each stands once."""

    def node(self, name: str) -> NodeSpec:
        """The node of this name. Raises KeyError where there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    @property
    def secrets(self) -> tuple[SecretNeed, ...]:
        """Every password that is needed to read this cluster."""
        consul = (
            () if self.consul is None else (SecretNeed(CONSUL_TOKEN, self.name, "consul.token", self.consul.token),)
        )
        return (
            *(SecretNeed(node.name, node.name, "redis.password", node.redis.password) for node in self.nodes),
            *(SecretNeed(one.name, one.name, "password", one.password) for one in self.sentinels),
            *consul,
        )


CONSUL_TOKEN = "consul/token"  # noqa: S105 - a name, not a token
"""The name of Consul's token among the passwords. No node can have this name."""


@dataclass(frozen=True, slots=True)
class SecretNeed:
    """One password of a cluster: its name, its owner, and the inventory key with its source."""

    name: str
    owner: str
    key: str
    source: PasswordSource | None


@dataclass(frozen=True, slots=True)
class UnusableCluster:
    """A cluster of the inventory that is not observed, because its part of the document is wrong."""

    name: str
    """`clusters[2]` if it has no name."""
    problems: tuple[str, ...]
    """`FILE:LINE: KEY: what is wrong`, a line each."""
    tags: tuple[str, ...] | None = None
    """As of a usable one. None: they are not known, because they are wrong too."""
    is_file: bool = False
    """Whether it stands for all clusters of a file that is wrong as a whole. Its name is that of the file then."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """One inventory document."""

    path: str
    clusters: tuple[ClusterSpec, ...]
    unusable: tuple[UnusableCluster, ...] = ()

    def cluster(self, name: str) -> ClusterSpec:
        """The cluster of this name. Raises KeyError where there is none."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise KeyError(name)
