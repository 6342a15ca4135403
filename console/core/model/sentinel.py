"""What Sentinels say, each for itself: they can disagree, and that is what one looks for."""

from __future__ import annotations

from dataclasses import dataclass

from console.core.model.reading import Reading


@dataclass(frozen=True, slots=True)
class KnownReplica:
    """A replica as one Sentinel knows it (`SENTINEL REPLICAS`, before 5.0 `SENTINEL SLAVES`)."""

    host: str
    port: int
    flags: frozenset[str]
    """`slave`, and `s_down`, `disconnected`… where it is in trouble."""
    link_up: bool
    """`master-link-status` is ok."""
    master: str
    """`HOST:PORT` that the replica itself names."""
    offset: int | None
    """`slave-repl-offset`, bytes of the stream."""
    priority: int | None
    """0: never promoted."""

    @property
    def down(self) -> bool:
        """Whether this Sentinel holds it for down, or has no connection to it."""
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
        """Whether this Sentinel has lost it."""
        return bool(self.flags & {"s_down", "o_down", "disconnected"})


@dataclass(frozen=True, slots=True)
class WatchedMaster:
    """The master that one Sentinel names, and how it sees it (`SENTINEL MASTER`)."""

    host: str
    port: int
    flags: frozenset[str]
    """`master`, and `s_down`, `o_down`, `failover_in_progress`… where it is so."""
    quorum: int
    config_epoch: int
    """The higher one is the newer configuration: Sentinels with different ones have not agreed yet."""
    failover_state: str = ""
    """Empty: no failover is under way by this Sentinel."""
    down_after: float | None = None
    """Seconds of silence after which it counts as down (`down-after-milliseconds`)."""

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def failing_over(self) -> bool:
        """Whether a failover is under way as this Sentinel sees it."""
        return "failover_in_progress" in self.flags or self.failover_state not in {"", "none"}


@dataclass(frozen=True, slots=True)
class Sentinel:
    """One Sentinel's own account."""

    run_id: str
    """Its Sentinel ID (`SENTINEL MYID` from 6.2); empty where it cannot tell."""
    version: str
    tilt: bool
    """In TILT mode it watches and acts on nothing: its clock jumped, or it was stopped for a while."""
    master: WatchedMaster | None
    """None: it does not watch a master of this name."""
    replicas: tuple[KnownReplica, ...] = ()
    peers: tuple[KnownSentinel, ...] = ()
    """The other Sentinels that it knows; itself is not among them."""
    quorum_ok: bool | None = None
    """`SENTINEL CKQUORUM`; None: this version has no such command (2.6)."""
    quorum_text: str = ""
    """Its answer, word for word."""
    process_run_id: str = ""
    """The run_id of INFO, which every version has: another one after each start (H07)."""


@dataclass(frozen=True, slots=True)
class SentinelState:
    """One Sentinel of the inventory as it was last seen."""

    name: str
    address: str
    port: int
    sentinel: Reading[Sentinel]
