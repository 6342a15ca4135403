"""What a world is made of: its hosts and their files, its virtual IP, and who moves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from simulation.world.host import DUMP, FOLDER, KEEPALIVED_CONF, REDIS_CONF

from console.lab.options import LabOptions
from console.lab.systems import keepalived_pair, preempting_pair, sentinel_consul, sentinel_vip

SENTINEL_HOSTS = sentinel_vip.REDIS_HOSTS


@dataclass(frozen=True)
class System:
    """The hosts of a documented system, as far as the model has them."""

    kind: str
    """As in the inventory."""
    addresses: Mapping[str, str]
    """Host → the address of its Redis."""
    files: Callable[[str, LabOptions], dict[str, bytes]]
    """Host → path → content."""
    vip: str
    prefix: int
    outside: Mapping[str, str]
    """Host → another address of it, in the network of the virtual IP. Empty: it has one address only."""
    sentinels: Mapping[str, str]
    """Sentinel → its host. Empty: there are none."""
    syncs_by_disk: bool
    """Whether redis.conf says `repl-diskless-sync no`. Else the version decides: from 7.0 on it is yes."""
    aof: bool = False
    """Whether redis.conf says `appendonly yes`."""
    quorum: int = 2
    """Of its Sentinels."""
    consul: Mapping[str, str] = field(default_factory=dict)
    """Host → the id under which its Redis is registered in Consul, whose agent is on the first host. Empty: none."""
    state_log: str = ""
    """The log of the states that keepalived's `notify` script writes. Empty: there is none."""


def _redis_conf(more: str = "") -> bytes:
    name = DUMP.rpartition("/")[2]
    return f"port 6379\ndir {FOLDER}\ndbfilename {name}\nsave 900 1 300 10\n{more}".encode()


def with_aof(system: System) -> System:
    """The same system with append-only files."""

    def files(name: str, options: LabOptions) -> dict[str, bytes]:
        texts = system.files(name, options)
        return {**texts, REDIS_CONF: texts[REDIS_CONF] + b"appendonly yes\n"}

    return replace(system, files=files, aof=True)


def _pair_files(name: str, options: LabOptions) -> dict[str, bytes]:
    """The files of the documented pair, as the laboratory writes them."""
    scripts = keepalived_pair.scripts(name, options).items()
    files = {f"/etc/keepalived/scripts/{file}": text.encode() for file, text in scripts}
    files[KEEPALIVED_CONF] = keepalived_pair.keepalived_conf(name, options).encode()
    files[REDIS_CONF] = _redis_conf()
    return files


def _preempting_files(name: str, options: LabOptions) -> dict[str, bytes]:
    scripts = preempting_pair.scripts(options).items()
    files = {f"/etc/keepalived/scripts/{file}": text.encode() for file, text in scripts}
    files[KEEPALIVED_CONF] = preempting_pair.keepalived_conf(name, options).encode()
    files[REDIS_CONF] = _redis_conf()
    return files


def _consul_files(name: str, options: LabOptions) -> dict[str, bytes]:
    first = sentinel_consul.ADDRESSES[sentinel_consul.FIRST]
    return {REDIS_CONF: _redis_conf(f"slaveof {first} 6379\n" if name == sentinel_consul.SECOND else "")}


def _set_files(name: str, options: LabOptions) -> dict[str, bytes]:
    first = SENTINEL_HOSTS[0]
    follows = f"replicaof {sentinel_vip.ADDRESSES[first]} 6379\n" if name != first else ""
    return {REDIS_CONF: _redis_conf(follows)}


PAIR = System(
    "keepalived",
    keepalived_pair.ADDRESSES,
    _pair_files,
    keepalived_pair.VIP,
    prefix=32,
    outside={},
    sentinels={},
    syncs_by_disk=True,
)
PREEMPTING = System(
    "keepalived",
    keepalived_pair.ADDRESSES,
    _preempting_files,
    keepalived_pair.VIP,
    prefix=32,
    outside={},
    sentinels={},
    syncs_by_disk=True,
    state_log=preempting_pair.CHANGES_LOG,
)
"""The pair whose scripts change roles by fixed sleeps, and whose check starts Redis again."""
SENTINEL_SET = System(
    "sentinel-vip",
    {name: sentinel_vip.ADDRESSES[name] for name in SENTINEL_HOSTS},
    _set_files,
    sentinel_vip.WRITE_VIP,
    prefix=sentinel_vip.OUTSIDE_PREFIX,
    outside={name: sentinel_vip.OUTSIDE[name] for name in SENTINEL_HOSTS},
    sentinels={f"sentinel-{name[-1]}": name for name in SENTINEL_HOSTS},
    syncs_by_disk=False,
)
"""Without its directors and their read VIP: the model has no IPVS."""
CONSUL_SET = System(
    "sentinel-consul",
    sentinel_consul.ADDRESSES,
    _consul_files,
    vip="",
    prefix=0,
    outside={},
    sentinels={"sentinel": sentinel_consul.SECOND},
    syncs_by_disk=True,
    quorum=1,
    consul=sentinel_consul.INSTANCES,
)
"""One Sentinel, and a name in Consul. The Sentinel waits as in the other set: the documented 30 s only take longer."""
