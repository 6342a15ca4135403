"""The inventory's keys and what each may hold. `console.documents.inventories.inventory` makes core values of it."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from console.core.numbers import whole_number
from console.documents.validation import Strict

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[A-Za-z0-9._-]+)?")
_LONGEST_TAG = 40
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")
_UNIT = re.compile(r"[A-Za-z0-9:_.@\\-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HOURS = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9])")
_HIGHEST_PORT = 65535


def _port(value: int) -> int:
    if not 1 <= value <= _HIGHEST_PORT:
        raise ValueError(f"{value} is not a port (1 to {_HIGHEST_PORT})")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a name: letters, digits, dot, dash and underscore")
    return value


def is_tag(value: str) -> bool:
    """Whether this is a tag: `prod`, `site:berlin`."""
    return _TAG.fullmatch(value) is not None and len(value) <= _LONGEST_TAG


def _tag(value: str) -> str:
    if not is_tag(value):
        words = f"like prod or site:berlin: at most {_LONGEST_TAG} letters, digits, dots, dashes and underscores"
        raise ValueError(f"{value!r} is not a tag {words}")
    return value


def _ip(value: str) -> str:
    if "/" in value:
        raise ValueError(f"{value} must be without its prefix length: {value.partition('/')[0]}")
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value!r} is not an IP address") from None


def _host(value: str) -> str:
    if set(value) <= set("0123456789.") or ":" in value or "/" in value:
        return _ip(value)
    if not _HOST.fullmatch(value):
        raise ValueError(f"{value!r} is neither an IP address nor a host name")
    return value


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(f"{value!r} must be an absolute path on the node")
    return value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _one_line(value: str) -> str:
    if any(sign in value for sign in "\r\n\0"):
        raise ValueError("must be one line")
    return _not_empty(value)


def _unit(value: str) -> str:
    if not _UNIT.fullmatch(value):
        raise ValueError(
            f"{value!r} is not the name of a service; a command line goes under start, stop, reload, status"
        )
    return value


def _variable(value: str) -> str:
    """The value is not repeated: someone may have put the password itself here."""
    if not _VARIABLE.fullmatch(value):
        raise ValueError("must be the name of a variable, like REDIS_PASSWORD, without $")
    return value


def _seconds(value: float) -> float:
    if not 0 < value <= 300:  # noqa: PLR2004 - nobody waits longer for a connection
        raise ValueError(f"{value:g} must be more than 0 and at most 300 seconds")
    return value


def _http(value: str) -> str:
    match = re.fullmatch(r"https?://([^/@\s:]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?", value)
    if match is None:
        raise ValueError(f"{value!r} is not like http://192.168.3.1:8500; the token goes under token")
    return value.rstrip("/")


def _host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    number = whole_number(port)
    if not host or number is None:
        raise ValueError(f"{value!r} is not HOST:PORT, like 192.168.3.1:8600")
    _port(number)
    return f"{_host(host.strip('[]'))}:{port}" if "[" not in host else f"[{_host(host.strip('[]'))}]:{port}"


def _hours(value: str) -> str:
    match = _HOURS.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is not a time of day, like 02:00-05:00")
    if match[1] == match[2]:
        raise ValueError(f"{value} begins where it ends; leave quiet_hours out if no hour is better than another")
    return value


def _zone(value: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"{value!r} is no time zone of this machine, like Europe/Berlin or UTC") from None
    return value


def _no_literal(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise ValueError(
            'a password must not stand in the file: use {env: NAME}, {file: PATH}, {command: "…"} or {prompt: true}'
        )
    return value


Port = Annotated[int, AfterValidator(_port)]
Name = Annotated[str, AfterValidator(_name)]
Tag = Annotated[str, AfterValidator(_tag)]
Ip = Annotated[str, AfterValidator(_ip)]
Host = Annotated[str, AfterValidator(_host)]
Absolute = Annotated[str, AfterValidator(_absolute)]
Line = Annotated[str, AfterValidator(_one_line)]
Unit = Annotated[str, AfterValidator(_unit)]
Seconds = Annotated[float, AfterValidator(_seconds)]
Hours = Annotated[str, AfterValidator(_hours)]
Zone = Annotated[str, AfterValidator(_zone)]


class Password(Strict):
    """Where a password comes from: exactly one of these."""

    env: Annotated[str, AfterValidator(_variable)] | None = Field(None, description="Name of a variable.")
    file: Line | None = Field(None, description="A file that holds it; relative to the inventory.")
    command: Line | None = Field(None, description="A command line whose output it is.")
    prompt: bool | None = Field(None, description="true: asked for when the program starts.")


PasswordSource = Annotated[Password, BeforeValidator(_no_literal)]


class Ssh(Strict):
    """How to log in. What is left out is as ssh_config and the agent say."""

    user: Line | None = Field(None, description="Login name.")
    host: Line | None = Field(None, description="Name or address to connect to, where it is not the node's address.")
    port: Port | None = None
    identity_file: Line | None = Field(
        None, description="Private key, or .pub of one in the agent; relative to the inventory."
    )
    known_hosts: Line | None = Field(None, description="Known host keys, where not ~/.ssh/known_hosts.")
    config_file: Line | None = Field(None, description="ssh_config, where not ~/.ssh/config and the system's.")
    jump: Line | None = Field(None, description="As ssh -J: user@host:port,user@host:port.")
    sudo: bool | None = Field(None, description="true: commands run through sudo -n.")
    connect_timeout: Seconds | None = Field(
        None,
        description="Seconds for each step of connecting, from TCP to the shell.",
    )


class Tls(Strict):
    """TLS towards Redis or a Sentinel; certificates are always checked. `tls: {}` uses the system's authorities."""

    ca_file: Line | None = None
    cert_file: Line | None = None
    key_file: Line | None = None
    server_name: Line | None = Field(None, description="The name in the certificate, where not the address.")


class Service(Strict):
    """How a service is started and stopped: a systemd unit, or a SysV service, or commands."""

    systemd: Unit | None = Field(None, description="Unit name.")
    sysv: Unit | None = Field(None, description="Name for `service NAME start`.")
    start: Line | None = Field(None, description="Command line.")
    stop: Line | None = Field(None, description="Command line.")
    reload: Line | None = Field(None, description="Command line.")
    status: Line | None = Field(None, description="Command line; exit code 0 where it runs.")


class Redis(Strict):
    """The Redis of a node."""

    port: Port | None = None
    host: Host | None = Field(None, description="Name or address to connect to, where it is not the node's address.")
    username: Line | None = Field(None, description="ACL user.")
    password: PasswordSource | None = None
    tls: Tls | None = None
    via: Literal["direct", "ssh"] | None = Field(None, description="ssh: through the node's SSH connection.")
    aliases: dict[str, Line] | None = Field(None, description="Renamed commands: {CONFIG: CONFIG-7f3a}.")
    service: Service | None = None
    dir: Absolute | None = Field(None, description="Where its data is saved, for when Redis cannot be asked.")
    dbfilename: Line | None = None
    config: Absolute | None = Field(None, description="Its configuration file, for when Redis cannot be asked.")


class Keepalived(Strict):
    """The keepalived of a node."""

    config: Absolute | None = None
    instance: Line | None = Field(None, description="The vrrp_instance, where the file has several.")
    state_log: Absolute | None = Field(None, description="The log that the notify scripts write.")
    system_log: Absolute | None = Field(None, description="Where keepalived logs, where not the journal.")
    service: Service | None = None


class Node(Strict):
    """A node of a cluster."""

    name: Name
    address: Host
    ssh: Ssh | None = None
    redis: Redis | None = None
    keepalived: Keepalived | None = None


class SentinelConnection(Strict):
    """How Sentinels are reached. Their password and certificates are their own, not those of Redis."""

    port: Port | None = None
    username: Line | None = Field(None, description="ACL user.")
    password: PasswordSource | None = None
    tls: Tls | None = None
    via: Literal["direct", "ssh"] | None = Field(None, description="ssh: through the SSH connection of its host.")


class Sentinel(SentinelConnection):
    """A Sentinel that watches the master."""

    name: Name
    address: Host
    runs_on: Name | None = Field(None, description="The node or director it runs on, where not the one at address.")
    ssh: Ssh | None = Field(None, description="How to log in to its host, where that is no node and no director.")
    service: Service | None = Field(None, description="Where it runs on a node or director: how it is started there.")


class Director(Strict):
    """An LVS director that carries the read VIP."""

    name: Name
    address: Host
    ssh: Ssh | None = None
    keepalived: Keepalived | None = None


class Consul(Strict):
    """Where Consul answers, and the service name that follows the master."""

    http: Annotated[str, AfterValidator(_http)] = Field(description="The agent's API: http://192.168.3.1:8500.")
    dns: Annotated[str, AfterValidator(_host_and_port)] | None = Field(None, description="HOST:PORT of its DNS.")
    service: Name = Field(description="The name before .service.consul.")
    token: PasswordSource | None = None


class Cluster(Strict):
    """A Redis master, its replicas, and what points clients at the master."""

    name: Name
    kind: Literal["keepalived", "sentinel-vip", "sentinel-consul"]
    vip: Ip | None = None
    tags: list[Tag] | None = Field(None, description="To select and group by: [prod, site:berlin]; null: none at all.")
    nodes: Annotated[list[Node], Field(min_length=1)]
    quiet_hours: list[Hours] | None = Field(None, description="When a full sync disturbs least: 02:00-05:00.")
    timezone: Zone | None = Field(None, description="Of the quiet hours; else this machine's.")
    sentinels: list[Sentinel] | None = None
    master_name: Line | None = None
    read_vip: Ip | None = None
    directors: list[Director] | None = None
    consul: Consul | None = None


class Defaults(Strict):
    """What holds for every node and Sentinel that does not say otherwise."""

    tags: list[Tag] | None = Field(None, description="Of every cluster of this file, before the tags of its own.")
    ssh: Ssh | None = None
    redis: Redis | None = None
    sentinel: SentinelConnection | None = None
    keepalived: Keepalived | None = None


class InventoryDocument(Strict):
    """The operator's inventory: which clusters there are and how to reach their nodes."""

    version: Literal[1]
    defaults: Defaults | None = None
    clusters: Annotated[list[Cluster], Field(min_length=1)]
