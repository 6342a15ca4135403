"""A system: its hosts, their files, and what its operator knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.lab.hosts.host import Host
from console.lab.options import LabOptions
from console.lab.servers.versions import RedisServer

CLUSTER = "cache"
"""The name of the cluster in every laboratory's inventory."""


def as_given(options: LabOptions) -> LabOptions:
    """A system that is made with the options as they are."""
    return options


def nothing(_: Host, __: LabOptions) -> None:
    """Leaves a host as it is."""


def nothing_before(_: Path, __: LabOptions) -> None:
    """A system whose hosts have no file in common."""


def as_made(host: Host) -> Host:
    """A host with one interface, eth2, whose scripts are trusted."""
    return host


@dataclass(frozen=True, slots=True)
class System:
    """One system: a module of its own names its hosts and writes their files."""

    addresses: Mapping[str, str]
    """Host → address, in the order in which they are made."""
    vip: str
    """The address that clients write to; empty: the system has none."""
    write_files: Callable[[Host, LabOptions, RedisServer], None]
    """Writes what makes a host of this system: services and their configuration, onto a machine with sshd."""
    inventory: Callable[[str, LabOptions], str]
    """Folder of the laboratory → the operator's inventory."""
    prepare: Callable[[Path, LabOptions], None] = nothing_before
    """Writes what the hosts and the operator have in common into the laboratory's folder, before there are hosts."""
    after_build: Callable[[Host, LabOptions], None] = nothing
    """Changes a host once its scenario is built: what was quicker during the build takes its documented time."""
    options: Callable[[LabOptions], LabOptions] = as_given
    """Adds what the system cannot do without, a password for example."""
    operator: tuple[str, ...] = ()
    """More addresses of the operator's machine, `ADDRESS/PREFIX`."""
    words: str = "two hosts"
    """What is reported when they are up."""
    outfit: Callable[[Host], Host] = as_made
    """Gives a host other interfaces, another name, or a cage, before it has any file."""
    servers: tuple[str, ...] = ()
    """What has to be fetched for it beside Redis, as `console.lab.servers.versions` names it."""

    def all_servers(self, options: LabOptions) -> list[str]:
        """The versions of Redis that its hosts run, and its other servers."""
        return list(dict.fromkeys([*map(options.version_for, self.addresses), *self.servers]))
