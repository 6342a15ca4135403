"""A host: its files, clock, disk and boot, and the two services on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulation.world.keepalived import Keepalived
from simulation.world.redis_server import Dump, RedisServer

from console.core.model import RunLock

if TYPE_CHECKING:
    from simulation.world.pair import World

REDIS_CONF = "/etc/redis/redis.conf"
KEEPALIVED_CONF = "/etc/keepalived/keepalived.conf"
FOLDER = "/data/redis"
DUMP = f"{FOLDER}/dump6379.rdb"
DISK_BYTES = 10**9
_FOLLOWS = re.compile(rb"^[ \t]*(?:slaveof|replicaof)[ \t]+(\S+)[ \t]+(\d+)", re.IGNORECASE | re.MULTILINE)


class Host:
    """One machine of the pair."""

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
        self.redis = RedisServer(self, dump)
        self.keepalived = Keepalived(self)
        self.keepalived_on_boot = True
        self.redis_on_boot = True

    @property
    def disk_free(self) -> int:
        return 0 if self.disk_full else DISK_BYTES // 2

    def configured_master(self) -> str:
        """The address that the last replicaof line of redis.conf names. Empty: none."""
        found = _FOLLOWS.findall(self.files[REDIS_CONF])
        return found[-1][0].decode() if found else ""

    def reboot(self, seconds: float) -> None:
        """The host is gone, and comes back with the services that start at boot."""
        world = self.world
        world.tell(f"{self.name}: reboots")
        self.redis.kill("the host reboots")
        self.keepalived.die("the host reboots")
        self.keepalived.scripts.clear()
        self.up, self.vip, self.lock = False, False, None
        world.roles_changed("reboot")

        def back() -> None:
            self.up, self.boot_id, self.booted = True, world.new_id(), world.now
            world.tell(f"{self.name}: is back")
            if self.redis_on_boot:
                self.redis.start("boot")
            if self.keepalived_on_boot:
                self.keepalived.start("boot")

        world.after(seconds, back)

    def beat(self) -> None:
        if self.up:
            self.redis.beat()
            self.keepalived.beat()
