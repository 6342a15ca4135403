"""What a laboratory pair is made with. The defaults are those of the documented pair; `quick` is for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


class LabError(Exception):
    """The laboratory cannot do what was asked. Its text is one line that says why and what to do.

    `log`: the last lines of the log of the server concerned, where there is one. They are also a note of the exception,
    so that a failed test shows them.
    """

    def __init__(self, text: str, log: str = "") -> None:
        super().__init__(text)
        self.log = log
        if log:
            self.add_note(log)


@dataclass(frozen=True, slots=True)
class LabOptions:
    """How the two hosts are configured."""

    redis: str = "7.0"
    """Version of Redis, as in `console.lab.servers.versions`."""
    redis_of: Mapping[str, str] = field(default_factory=dict)
    """Host → another version."""
    redis_config: tuple[str, ...] = ()
    """More lines for redis.conf of both hosts."""
    password: str = ""
    """Redis password of both hosts; empty: none."""
    keys: int = 5000
    value_bytes: int = 100
    sync_delay: int = 5
    """repl-diskless-sync-delay, seconds."""
    vrrp_version: int = 2
    """2 has authentication; 3 allows advert intervals below a second."""
    advert_interval: float = 1
    """Seconds."""
    check_interval: int = 2
    """Seconds between two runs of the check script."""
    notify_sleep: float = 10
    """Seconds that the notify script of a new master waits before it sends SLAVEOF NO ONE."""
    weight: int = -10
    priorities: tuple[int, int] = (138, 139)
    """Of redis-a and redis-b."""
    down_after: int = 5000
    """down-after-milliseconds of the Sentinels."""
    failover_timeout: int = 30000
    """failover-timeout of the Sentinels, milliseconds."""
    disk: str = "256m"
    """Size of each host's /data, as tmpfs takes it."""

    @classmethod
    def quick(cls, **changes: Any) -> LabOptions:
        """For tests: VRRPv3 with short adverts, short sleeps, no delay before a sync."""
        quick = cls(
            vrrp_version=3, advert_interval=0.2, check_interval=1, notify_sleep=1, sync_delay=0, keys=1000, disk="64m",
            down_after=2000, failover_timeout=10000,
        )  # fmt: skip
        return replace(quick, **changes)

    def version_for(self, host: str) -> str:
        return self.redis_of.get(host, self.redis)
