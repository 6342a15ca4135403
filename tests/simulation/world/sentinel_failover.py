"""A failover as one Sentinel leads it, and its vote for another one's.

Sources, of Redis 7.0 sentinel.c: sentinelCheckObjectivelyDown, sentinelStartFailoverIfNeeded, sentinelVoteLeader,
sentinelGetLeader, sentinelSelectSlave, sentinelFailoverStateMachine and the functions of its states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.world.sentinel import Seen, Sentinel

DOWN_AFTER, FAILOVER_TIMEOUT = 5.0, 30.0
"""As console.lab.options has them."""
INFO_PERIOD = 10.0
ASK_PERIOD = 1.0
ANSWER_COUNTS = 5.0
ELECTION_TIMEOUT = 10.0
RECONF_TIMEOUT = 10.0
PARALLEL_SYNCS = 1
DESYNC = 1.0
"""SENTINEL_MAX_DESYNC: Sentinels begin at times that differ by up to so many seconds."""


class Failover:
    """States, as SENTINEL MASTER prints them: `none`, `wait_start`, … `reconf_slaves`."""

    def __init__(self, sentinel: Sentinel) -> None:
        self._sentinel = sentinel
        self._world = sentinel.world
        self.began = -1e9
        """failover_start_time: also set by a vote for another one."""
        self.forget()

    def forget(self) -> None:
        self.state = "none"
        self.epoch = 0
        self.cause = "sentinels"
        self.forced = False
        self.objectively_down = False
        self.promoted: Seen | None = None
        self._changed = 0.0
        self._next_ask = 0.0
        self._answers: dict[str, tuple[float, bool, str, int]] = {}
        """Host of a Sentinel → when it answered, whether it counts the master as down, its vote and the epoch of it."""

    def announced(self) -> tuple[str, int, str]:
        """sentinelGetCurrentMasterAddress: the promoted replica as soon as it is a master."""
        config = self._sentinel.config
        if self.promoted is not None and self.state in ("reconf_slaves", "update_config"):
            return self.promoted.address, config.epoch, config.cause
        return config.master, config.epoch, config.cause

    # --- asked by others --------------------------------------------------------------------------------------------

    def begin_by_hand(self, cause: str) -> str:
        """SENTINEL FAILOVER: without the consent of the others."""
        if self.state != "none":
            return "-INPROG Failover already in progress"
        if self._best_replica() is None:
            return "-NOGOODSLAVE No suitable replica to promote"
        self._begin()
        self.forced, self.cause = True, cause
        return "OK"

    def vote(self, epoch: int, candidate: str) -> tuple[bool, str, int]:
        """is-master-down-by-addr: whether the master is down here, and the vote. The first one in an epoch gets it."""
        sentinel, config = self._sentinel, self._sentinel.config
        if candidate:
            config.current_epoch = max(config.current_epoch, epoch)
            if config.leader_epoch < epoch and config.current_epoch <= epoch:
                config.leader, config.leader_epoch = candidate, config.current_epoch
                if candidate != config.my_id:
                    self.began = self._world.now + self._world.chance.uniform(0.0, DESYNC)
        down = sentinel.master.down and not sentinel.tilt
        return down, config.leader, config.leader_epoch

    # --- time -------------------------------------------------------------------------------------------------------

    def beat(self) -> None:
        """sentinelHandleRedisInstance, of the master."""
        master, now = self._sentinel.master, self._world.now
        counted = [down for at, down, _, _ in self._answers.values() if now - at < ANSWER_COUNTS]
        self.objectively_down = master.down and 1 + sum(counted) >= self._world.system.quorum
        if self.objectively_down and self.state == "none" and now - self.began >= 2 * FAILOVER_TIMEOUT:
            self._begin()
            self._next_ask = now
        _STATES[self.state](self)
        if self.state != "none" or master.down:
            self._ask_others()

    def _begin(self) -> None:
        """sentinelStartFailover."""
        config = self._sentinel.config
        config.current_epoch += 1
        self.epoch, self.forced, self.cause = config.current_epoch, False, "sentinels"
        self.began = self._world.now + self._world.chance.uniform(0.0, DESYNC)
        self._go("wait_start")
        self._world.tell(f"{self._sentinel.host.name}: its Sentinel begins failover {self.epoch}")

    def _go(self, state: str) -> None:
        self.state, self._changed = state, self._world.now

    def _abort(self, why: str) -> None:
        self._world.tell(f"{self._sentinel.host.name}: its Sentinel gives failover {self.epoch} up: {why}")
        self.state, self.promoted, self.forced = "none", None, False

    def _ask_others(self) -> None:
        """sentinelAskMasterStateToOtherSentinels. With a failover under way it asks for votes."""
        if self._world.now < self._next_ask:
            return
        self._next_ask = self._world.now + ASK_PERIOD
        sentinel = self._sentinel
        candidate = sentinel.config.my_id if self.state != "none" else ""
        for peer in sentinel.reachable_peers():
            if peer.config.master == sentinel.config.master:
                down, leader, epoch = peer.failover.vote(sentinel.config.current_epoch, candidate)
                self._answers[peer.host.name] = (self._world.now, down, leader, epoch)

    def _is_leader(self) -> bool:
        """sentinelGetLeader: the majority of all that are known, and the quorum."""
        sentinel, config = self._sentinel, self._sentinel.config
        votes: dict[str, int] = {}
        for _, _, leader, epoch in self._answers.values():
            if leader and epoch == config.current_epoch:
                votes[leader] = votes.get(leader, 0) + 1
        winner = max(sorted(votes), key=lambda one: votes[one], default=config.my_id)
        _, mine, epoch = self.vote(self.epoch, winner)
        if mine and epoch == self.epoch:
            votes[mine] = votes.get(mine, 0) + 1
        return votes.get(config.my_id, 0) >= max(sentinel.majority(), self._world.system.quorum)

    # --- states -----------------------------------------------------------------------------------------------------

    def _wait_start(self) -> None:
        if self.forced or self._is_leader():
            self._go("select_slave")
        elif self._world.now - self.began > ELECTION_TIMEOUT:
            self._abort("not elected")

    def _select(self) -> None:
        self.promoted = self._best_replica()
        if self.promoted is None:
            self._abort("no good replica")
        else:
            self._go("send_slaveof_noone")

    def _best_replica(self) -> Seen | None:
        """sentinelSelectSlave: by priority, offset and run id. A master may be chosen, too."""
        now, master = self._world.now, self._sentinel.master
        oldest_info = 5.0 if master.down else 3 * INFO_PERIOD
        longest_link_down = (now - master.down_since if master.down else 0.0) + 10 * DOWN_AFTER
        good = [
            one
            for one in self._sentinel.replicas
            if not one.down
            and one.connected
            and now - one.last_ok <= ANSWER_COUNTS
            and one.info_at
            and now - one.info_at <= oldest_info
            and (one.role == "master" or one.link_up or now - one.link_down_since <= longest_link_down)
        ]
        return min(good, key=lambda one: (one.priority, -one.offset, one.run_id), default=None)

    def _promote(self) -> None:
        assert self.promoted is not None
        host = self._sentinel.reaches(self.promoted.address)
        if host is not None:
            self._sentinel.make_follow(host, "", self.cause)
            self._go("wait_promotion")
        elif self._world.now - self._changed > FAILOVER_TIMEOUT:
            self._abort("the chosen replica gives no answer")

    def _wait_promotion(self) -> None:
        if self._world.now - self._changed > FAILOVER_TIMEOUT:
            self._abort("the chosen replica was not promoted in time")

    def saw(self, one: Seen) -> bool:
        """Takes an answer to INFO. True: it belonged to this failover."""
        sentinel, config = self._sentinel, self._sentinel.config
        if one is self.promoted:
            if self.state == "wait_promotion" and one.role == "master":
                config.epoch, config.cause = self.epoch, self.cause
                self._go("reconf_slaves")
                self._world.tell(f"{sentinel.host.name}: its Sentinel sees {one.address} promoted")
                sentinel.run_script(one.address)
                sentinel.say_hello()
            return True
        if self.promoted is not None and one.reconf == "sent" and one.master == self.promoted.address:
            one.reconf = "inprog"
        if one.reconf == "inprog" and one.link_up:
            one.reconf = "done"
        return False

    def _reconfigure(self) -> None:
        assert self.promoted is not None
        sentinel, now = self._sentinel, self._world.now
        others = [one for one in sentinel.replicas if one is not self.promoted]
        late = now - self._changed > FAILOVER_TIMEOUT
        under_way = sum(one.reconf in ("sent", "inprog") for one in others)
        for one in others:
            if one.reconf == "sent" and now - one.reconf_at > RECONF_TIMEOUT:
                one.reconf, under_way = "", under_way - 1
            host = sentinel.reaches(one.address)
            if host is None or one.reconf or (under_way >= PARALLEL_SYNCS and not late):
                continue
            sentinel.make_follow(host, self.promoted.address, self.cause)
            one.reconf, one.reconf_at, under_way = "sent", now, under_way + 1
        if late or all(one.reconf == "done" or one.down for one in others):
            sentinel.switch_to(self.promoted.address)


_STATES = {
    "none": lambda _: None,
    "wait_start": Failover._wait_start,
    "select_slave": Failover._select,
    "send_slaveof_noone": Failover._promote,
    "wait_promotion": Failover._wait_promotion,
    "reconf_slaves": Failover._reconfigure,
}
