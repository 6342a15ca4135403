"""A host: its files, clock, disk and boot, and the services on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulation.world.append_only import FOLDER
from simulation.world.keepalived import Keepalived
from simulation.world.redis_server import Dump, RedisServer
from simulation.world.sentinel import Sentinel

from console.core.model import RunLock
from console.core.replication.replicaof_line import with_master, without_master

if TYPE_CHECKING:
    from simulation.world.world import World

REDIS_CONF = "/etc/redis/redis.conf"
KEEPALIVED_CONF = "/etc/keepalived/keepalived.conf"
DUMP = f"{FOLDER}/dump6379.rdb"
DISK_BYTES = 10**9
DISK_FREE = DISK_BYTES // 2
MIN_REPLICAS = b"min-replicas-to-write"
_FOLLOWS = re.compile(rb"^[ \t]*(?:slaveof|replicaof)[ \t]+(\S+)[ \t]+(\d+)", re.IGNORECASE | re.MULTILINE)


class Host:
    """One machine of the cluster."""

    def __init__(self, world: World, name: str, address: str, files: dict[str, bytes], dump: Dump | None) -> None:
        self.world = world
        self.name = name
        self.address = address
        self.files = files
        self.scripts = tuple(
            (path, text) for path, text in files.items() if path.startswith("/etc/keepalived/scripts/")
        )
        self.boot_id = world.new_id()
        self.booted = world.now - 864_000.0
        self.clock_ahead = 0.01
        self.disk_full = False
        self.up = True
        self.lock: RunLock | None = None
        self.backups: dict[str, tuple[Dump, bool]] = {}
        """Path → the dump that was copied there, and whether its note lies beside it."""
        self.set_aside: dict[str, Dump] = {}
        """Dumps that a restore has put aside."""
        self.origins: dict[str, tuple[str, float]] = {}
        self.vip = False
        """Whether the kernel has the virtual IP."""
        self.changes: list[str] = []
        """The states in the log that the `notify` script of keepalived writes."""
        self.changed: list[float] = []
        """When, by the clock of the host."""
        self.check_result: bool | None = None
        """What the last check that takes time has said."""
        self.redis = RedisServer(self, dump)
        self.keepalived = Keepalived(self)
        self.sentinel = Sentinel(self) if name in world.system.sentinels.values() else None
        self.replica_priority = 100
        self.starts_at_boot = True
        """Whether its services do."""

    @property
    def disk_free(self) -> int:
        return 0 if self.disk_full else DISK_FREE

    def rewrite_redis_conf(self) -> None:
        """config.c: rewriteConfig. The role and min-replicas-to-write get into the file."""
        process, text = self.redis.process, without_master(self.files[REDIS_CONF])
        assert process is not None
        text = b"".join(one for one in text.splitlines(keepends=True) if not one.startswith(MIN_REPLICAS))
        if process.min_replicas:
            text += MIN_REPLICAS + f" {process.min_replicas}\n".encode()
        master = self.redis.link.master
        self.files[REDIS_CONF] = with_master(text, master, 6379) if master else text

    def configured_min_replicas(self) -> int:
        """What redis.conf says of min-replicas-to-write."""
        lines = self.files[REDIS_CONF].splitlines()
        return next((int(one.split()[1]) for one in lines if one.startswith(MIN_REPLICAS)), 0)

    def configured_aof(self) -> bool:
        """Whether redis.conf turns the append-only file on."""
        return b"appendonly yes" in self.files[REDIS_CONF]

    def configured_master(self) -> str:
        """The address that the last replicaof line of redis.conf names. Empty: none."""
        found = _FOLLOWS.findall(self.files[REDIS_CONF])
        return found[-1][0].decode() if found else ""

    def reboot(self, seconds: float) -> None:
        """The host is gone, and comes back with the services that start at boot."""
        world = self.world
        world.tell(f"{self.name}: reboots")
        self.redis.append_only.crash()
        self.redis.kill("the host reboots")
        self.keepalived.die("the host reboots")
        self.keepalived.scripts.clear()
        if self.sentinel is not None:
            self.sentinel.kill("the host reboots")
        consul = world.consul if world.consul is not None and world.consul.host is self else None
        if consul is not None:
            consul.kill("the host reboots")
        self.up, self.vip, self.lock = False, False, None
        world.roles_changed("reboot")

        def back() -> None:
            self.up, self.boot_id, self.booted = True, world.new_id(), world.now
            world.tell(f"{self.name}: is back")
            if not self.starts_at_boot:
                return
            self.redis.start("boot")
            self.keepalived.start("boot")
            if self.sentinel is not None:
                self.sentinel.start("boot")
            if consul is not None:
                consul.start("boot")

        world.after(seconds, back)

    def beat(self) -> None:
        if self.up:
            self.redis.beat()
            self.keepalived.beat()
