"""What each Sentinel reports. The reports are kept apart, because Sentinels can disagree."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model.reading import Reading


@dataclass(frozen=True, slots=True)
class KnownReplica:
    """A replica as one Sentinel knows it (`SENTINEL REPLICAS`, before 5.0 `SENTINEL SLAVES`)."""

    host: str
    port: int
    flags: frozenset[str]
    """`slave`, and in case of trouble `s_down`, `disconnected` and others."""
    link_up: bool
    """`master-link-status` is ok."""
    master: str
    """`HOST:PORT` of the master that the replica itself names."""
    offset: int | None
    """`slave-repl-offset`, bytes of the stream."""
    priority: int | None
    """0: never promoted."""

    @property
    def down(self) -> bool:
        """Whether this Sentinel considers it down, or has no connection to it."""
        return bool(self.flags & {"s_down", "o_down", "disconnected"})


@dataclass(frozen=True, slots=True)
class KnownSentinel:
    """Another Sentinel as one Sentinel knows it (`SENTINEL SENTINELS`)."""

    run_id: str
    host: str
    port: int
    flags: frozenset[str]
    last_ok_ping: float | None
    """Seconds since its last good answer to PING."""

    @property
    def down(self) -> bool:
        """Whether this Sentinel considers it down, or has no connection to it."""
        return bool(self.flags & {"s_down", "o_down", "disconnected"})


@dataclass(frozen=True, slots=True)
class WatchedMaster:
    """The master that one Sentinel names, and how it sees it (`SENTINEL MASTER`)."""

    host: str
    port: int
    flags: frozenset[str]
    """`master`, and if they apply `s_down`, `o_down`, `failover_in_progress` and others."""
    quorum: int
    config_epoch: int
    """A higher epoch is a newer configuration. Sentinels with different epochs have not agreed yet."""
    failover_state: str = ""
    """Empty: this Sentinel is not failing over."""
    down_after: float | None = None
    """Seconds of silence after which it counts as down (`down-after-milliseconds`)."""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def down(self) -> bool:
        """Whether this Sentinel takes it for down, alone or together with others."""
        return bool(self.flags & {"s_down", "o_down"})

    @property
    def failing_over(self) -> bool:
        """Whether a failover is in progress, according to this Sentinel."""
        return "failover_in_progress" in self.flags or self.failover_state not in {"", "none"}


@dataclass(frozen=True, slots=True)
class Sentinel:
    """What one Sentinel reports."""

    run_id: str
    """Its id (`SENTINEL MYID`, from 6.2 on); empty: this version cannot tell."""
    version: str
    tilt: bool
    """In TILT mode it only watches and does not act. Its clock jumped, or the process was stopped for a while."""
    master: WatchedMaster | None
    """None: it watches no master of this name."""
    replicas: tuple[KnownReplica, ...] = ()
    peers: tuple[KnownSentinel, ...] = ()
    """The other Sentinels that it knows."""
    quorum_ok: bool | None = None
    """`SENTINEL CKQUORUM`; None: this version has no such command (2.6)."""
    quorum_text: str = ""
    """Its answer, word for word."""
    process_run_id: str = ""
    """The run_id of INFO, which every version has. It changes with each start (H07)."""
    config_file: str = ""
    """Its sentinel.conf, as it names it; empty: this version does not tell."""


@dataclass(frozen=True, slots=True)
class SentinelState:
    """One Sentinel of the inventory as it was last seen."""

    name: str
    address: str
    port: int
    sentinel: Reading[Sentinel]
    host: str = ""
    """The node or director that it runs on, as the inventory says; empty: another host."""
    start: str = ""
    """The command that starts it there; empty: the inventory names no service, and it is started by hand."""
