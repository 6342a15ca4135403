"""The Sentinel of one host: what it looks at, what it tells the others, and the replicas that it puts right.

Sources: sentinel.c of Redis 7.0 (sentinelTimer, sentinelCheckTiltCondition, sentinelSendPeriodicCommands,
sentinelRefreshInstanceInfo, sentinelCheckSubjectivelyDown, sentinelProcessHelloMessage). A failover is in
`sentinel_failover`. Sentinels find each other by hello messages through any Redis that both reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulation.world.redis_server import HELLO_BYTES
from simulation.world.sentinel_failover import DOWN_AFTER, FAILOVER_TIMEOUT, INFO_PERIOD, Failover

if TYPE_CHECKING:
    from simulation.world.host import Host

CAUSE = "sentinels"
BEAT = 1.0
"""Its PING period. sentinelTimer itself runs ten times a second."""
PUBLISH_PERIOD = 2.0
TILT_TRIGGER, TILT_PERIOD = 2.0, 30.0
CONVERT_AFTER = 4 * PUBLISH_PERIOD
"""So long a replica that says that it is a master is left alone."""
SCRIPT_SECONDS = 0.3


@dataclass
class Config:
    """What its file keeps, and so survives a restart (sentinelFlushConfig after each change)."""

    my_id: str
    master: str
    """The address of the master."""
    epoch: int = 0
    cause: str = CAUSE
    """Who asked for the failover that made this node the master."""
    current_epoch: int = 0
    leader: str = ""
    leader_epoch: int = 0
    replicas: set[str] = field(default_factory=set)
    peers: set[str] = field(default_factory=set)
    """Hosts of the other Sentinels."""


@dataclass
class Seen:
    """One Redis as this Sentinel sees it (sentinelRedisInstance)."""

    address: str
    last_ok: float
    """Its last valid answer to PING."""
    created: float
    info_at: float = 0.0
    """Its last answer to INFO; 0: none yet."""
    role: str = ""
    role_since: float = 0.0
    master: str = ""
    master_since: float = 0.0
    link_up: bool = False
    link_down_since: float = 0.0
    offset: int = 0
    run_id: str = ""
    priority: int = 100
    """Its replica-priority: the lowest is promoted first."""
    connected: bool = False
    down: bool = False
    down_since: float = 0.0
    """Of the last time, also when it is over; 0: never."""
    reconf: str = ""
    """During a failover: ``, `sent`, `inprog`, `done`."""
    reconf_at: float = 0.0

    def not_down_for(self, seconds: float, now: float) -> bool:
        """sentinelRedisInstanceNoDownFor."""
        return not self.down_since or now - self.down_since > seconds


class Sentinel:
    """A process or none, and what its file keeps."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.world = host.world
        first = next(iter(host.world.system.addresses.values()))
        self.config = Config(host.world.new_id(), first)
        self.run_id = ""
        """Empty: it does not run."""
        self.hangs_until = 0.0
        self.tilt = False
        self.seen: dict[str, Seen] = {}
        """Address → the master and its replicas."""
        self.peers_ok: dict[str, float] = {}
        """Host → when its Sentinel has last answered."""
        self.failover = Failover(self)
        self._tilt_since = self._last_beat = 0.0
        self._next_hello = 0.0

    # --- process ----------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return bool(self.run_id)

    @property
    def answers(self) -> bool:
        return self.running and self.host.up and self.hangs_until <= self.world.now

    def start(self, cause: str) -> None:
        if self.running:
            return
        self.run_id = self.world.new_id()
        self.tilt, self._last_beat = False, self._clock()
        self.peers_ok = dict.fromkeys(self.config.peers, self.world.now)
        self.failover.forget()
        self._look_anew()
        self.world.tell(f"{self.host.name}: its Sentinel starts ({cause})")

    def kill(self, why: str) -> None:
        if self.running:
            self.world.tell(f"{self.host.name}: its Sentinel dies ({why})")
        self.run_id, self.hangs_until = "", 0.0

    def _clock(self) -> float:
        return self.world.now + self.host.clock_ahead

    def _look_anew(self) -> None:
        """sentinelResetMaster: what is known of each Redis begins anew."""
        now = self.world.now
        self.seen = {one: Seen(one, now, now) for one in (self.config.master, *sorted(self.config.replicas))}

    @property
    def master(self) -> Seen:
        return self.seen[self.config.master]

    @property
    def replicas(self) -> list[Seen]:
        return [one for one in self.seen.values() if one.address != self.config.master]

    # --- what others ask --------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """SENTINEL RESET: replicas and other Sentinels are forgotten, and found again."""
        self.config.replicas.clear()
        self.config.peers.clear()
        self.peers_ok.clear()
        self.failover.forget()
        self._look_anew()
        self.world.tell(f"{self.host.name}: its Sentinel forgets what it knows beside the master")

    def monitor(self, address: str) -> None:
        """SENTINEL REMOVE and MONITOR: it knows this master and nothing else."""
        self.config = Config(self.config.my_id, address)
        self.peers_ok.clear()
        self.failover.forget()
        self._look_anew()
        self.world.tell(f"{self.host.name}: its Sentinel is told to watch {address}")

    def usable(self) -> int:
        """Sentinels that it can ask, itself included."""
        return 1 + sum(1 for one in self.config.peers if not self.peer_down(one))

    def peer_down(self, name: str) -> bool:
        return self.world.now - self.peers_ok.get(name, -1e9) > DOWN_AFTER

    def majority(self) -> int:
        return (len(self.config.peers) + 1) // 2 + 1

    def reachable_peers(self) -> list[Sentinel]:
        hosts = [self.world.hosts[name] for name in sorted(self.config.peers)]
        return [
            one.sentinel
            for one in hosts
            if one.sentinel is not None and one.sentinel.answers and self.world.network.joined(self.host, one)
        ]

    def reaches(self, address: str) -> Host | None:
        """The host of a Redis that answers it now."""
        server = self.world.server_at(address)
        if server is None or not server.answers or not self.world.network.joined(self.host, server.host):
            return None
        return server.host

    # --- time -------------------------------------------------------------------------------------------------------

    def beat(self) -> None:
        if not self.answers:
            return
        self._check_tilt()
        for one in list(self.seen.values()):
            host = self.reaches(one.address)
            one.connected = host is not None
            if host is not None:
                if not host.redis.misconf:  # PONG, LOADING and MASTERDOWN are valid answers
                    one.last_ok = self.world.now
                self._ask_info(one, host)
        for peer in self.reachable_peers():
            self.peers_ok[peer.host.name] = self.world.now
        if self.world.now >= self._next_hello:
            self.say_hello()
        if self.tilt:
            return
        for one in self.seen.values():
            self._judge(one)
        self.failover.beat()

    def _check_tilt(self) -> None:
        """sentinelCheckTiltCondition, by the host's own clock. A process that stood still is in TILT, too."""
        passed, self._last_beat = self._clock() - self._last_beat, self._clock()
        if passed < 0 or passed > TILT_TRIGGER:
            self.tilt, self._tilt_since = True, self.world.now
            self.world.tell(f"{self.host.name}: its Sentinel is in TILT mode")
        elif self.tilt and self.world.now - self._tilt_since > TILT_PERIOD:
            self.tilt = False

    def _judge(self, one: Seen) -> None:
        """sentinelCheckSubjectivelyDown."""
        now = self.world.now
        silent = now - one.last_ok > DOWN_AFTER
        turned = (
            one.address == self.config.master
            and one.role == "replica"
            and now - one.role_since > DOWN_AFTER + 2 * INFO_PERIOD
        )
        down = silent or turned
        if down and not one.down:
            one.down_since = now
        one.down = down

    def _ask_info(self, one: Seen, host: Host) -> None:
        often = self.master.down or self.failover.state != "none" or (one.role == "replica" and not one.link_up)
        period = 1.0 if one.address != self.config.master and often else INFO_PERIOD
        if one.info_at and self.world.now - one.info_at < period:
            return
        now, server = self.world.now, host.redis
        process, link = server.process, server.link
        assert process is not None
        role = server.role
        if role != one.role or process.run_id != one.run_id:
            one.role, one.role_since = role, now
        one.run_id, one.info_at, one.offset = process.run_id, now, process.offset
        if role == "replica":
            if link.master != one.master:
                one.master, one.master_since = link.master, now
            one.link_up, one.link_down_since = link.up, link.down_since
            one.priority = host.replica_priority
        elif one.address == self.config.master:
            self._learn([attached.host.address for attached in server.attached()])
        if not self.tilt:
            self._act_on(one, host)

    def _learn(self, addresses: list[str]) -> None:
        """A replica is known once its master has named it."""
        for address in addresses:
            if address not in self.seen:
                self.config.replicas.add(address)
                self.seen[address] = Seen(address, self.world.now, self.world.now)

    def _act_on(self, one: Seen, host: Host) -> None:
        """The acting half of sentinelRefreshInstanceInfo."""
        if one.address == self.config.master or self.failover.saw(one):
            return
        now, sane = self.world.now, self._master_looks_sane()
        if self.failover.state != "none":
            return
        if one.role == "master":
            wrong = one.not_down_for(CONVERT_AFTER, now) and now - one.role_since > CONVERT_AFTER
        else:
            changed = one.master != self.config.master
            wrong = changed and one.not_down_for(FAILOVER_TIMEOUT, now) and now - one.master_since > FAILOVER_TIMEOUT
        if wrong and sane:
            self.make_follow(host, self.config.master)

    def _master_looks_sane(self) -> bool:
        master = self.master
        fresh = master.info_at and self.world.now - master.info_at < 2 * INFO_PERIOD
        return bool(master.role == "master" and not master.down and fresh)

    def make_follow(self, host: Host, master: str, cause: str = "") -> None:
        """sentinelSendSlaveOf: SLAVEOF, CONFIG REWRITE and CLIENT KILL in one transaction. Empty master: NO ONE."""
        if host.redis.process is None or host.redis.process.loading:
            return
        host.redis.replicaof(master, cause or self.config.cause)
        host.rewrite_redis_conf()

    # --- hello ------------------------------------------------------------------------------------------------------

    def say_hello(self) -> None:
        """sentinelSendHello, to servers of all three kinds.

        Whoever reaches a Redis that this one reaches hears it there, and the Sentinels that it knows hear it themselves
        (sentinelPublishCommand).
        """
        known = self.reachable_peers()
        for address in self.seen:
            host = self.reaches(address)
            if host is not None and host.redis.process is not None and not host.redis.process.loading:
                host.redis.feed(HELLO_BYTES)
        self._next_hello = self.world.now + PUBLISH_PERIOD
        for host in self.world.hosts.values():
            other = host.sentinel
            if other is None or other is self or not other.answers:
                continue
            if other in known or any(self._relays(address, other) for address in self.seen):
                other.hear(self)

    def _relays(self, address: str, other: Sentinel) -> bool:
        host = self.reaches(address)
        process = host.redis.process if host is not None else None
        return process is not None and not process.loading and address in other.seen and bool(other.reaches(address))

    def hear(self, other: Sentinel) -> None:
        """sentinelProcessHelloMessage."""
        mine, theirs = self.config, other.config
        mine.peers.add(other.host.name)
        self.peers_ok.setdefault(other.host.name, self.world.now)
        mine.current_epoch = max(mine.current_epoch, theirs.current_epoch)
        address, epoch, cause = other.failover.announced()
        if epoch > mine.epoch:
            mine.epoch, mine.cause = epoch, cause
            if address != mine.master:
                self.switch_to(address)
                self.run_script(address)

    def switch_to(self, address: str) -> None:
        """sentinelResetMasterAndChangeAddress: the old master is a replica from now on."""
        self.config.replicas = {*self.config.replicas, self.config.master} - {address}
        self.config.master = address
        self.failover.forget()
        self._look_anew()
        self.world.tell(f"{self.host.name}: its Sentinel names {address}")

    def run_script(self, address: str) -> None:
        """client-reconfig-script of the documented set: the virtual IP comes to this host, or goes from it."""
        host, world = self.host, self.world
        if not world.system.vip:
            return

        def run() -> None:
            if not host.up:
                return
            host.vip = address == host.address
            if host.vip:
                world.network.announce(host)
            world.roles_changed(self.config.cause)

        world.after(SCRIPT_SECONDS, run)
