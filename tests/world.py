"""A pair that does what any of the shipped runbooks sends: roles, addresses and keepalived as two real hosts have them.

Coarse where nothing depends on it: a copy is complete at once, nobody writes, and a notify script has ended when looked
at. What the real servers do is proved in the laboratory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import samples
from fakes import DONE, Pair

from console.core.command import Planned, ShellCommand
from console.core.model import ClusterState, MasterLink, Redis, Role, VipReach, VrrpState, read
from console.engine.ports import Answer, AnswerKind

A, B, VIP = samples.A, samples.B, samples.VIP
NAME_AT = {address: name for name, address in samples.ADDRESS.items()}


@dataclass
class World(Pair):
    """Begins in `state`; see `carry_out` for what it understands."""

    def look(self) -> ClusterState:
        return self.state

    def redis(self, name: str) -> Redis | None:
        return self.state.node(name).redis.value

    def _redis(self, name: str, words: list[str]) -> Answer:
        if self.redis(name) is None:
            return Answer(AnswerKind.NOT_SENT, "connection refused")
        match words:
            case ["SLAVEOF", "NO", "ONE"]:
                self._promote(name)
            case ["SLAVEOF", host, "6379"]:
                self._follow(name, NAME_AT[host])
            case ["CONFIG", "SET", "min-replicas-to-write" | "min-slaves-to-write", number]:
                config = replace(self.redis(name).config, min_replicas_to_write=int(number))
                good = len(self.redis(name).replicas) if int(number) else None
                self.state = samples.with_redis(self.state, name, config=config, good_replicas=good)
                for line in self.redis(name).replicas:  # nobody writes any more: it has caught up
                    self._follow(NAME_AT[line.host], name)
            case ["CLIENT", "PAUSE" | "UNPAUSE", *_] | ["SCAN"]:
                pass
            case _:
                return super()._redis(name, words)
        self._reach()
        return DONE

    def _shell(self, name: str, command: ShellCommand) -> Answer:
        match command.script.split():
            case ["systemctl", "start" | "stop" as verb, "keepalived"]:
                self._keepalived(name, running=verb == "start")
            case ["systemctl", "start", "redis-server"]:
                if self.redis(name) is None:
                    up = samples.stale_master_back().node(B)
                    server = replace(up.redis.value, config=samples.redis(name).config)
                    self.state = samples.with_node(
                        self.state, name, redis=read(server, samples.NOW), processes=up.processes
                    )
            case ["systemctl", "stop", "redis-server"]:
                down = samples.fresh_pair().node(name)
                self.state = samples.with_node(self.state, name, redis=down.redis, processes=down.processes)
            case ["if", "arping", *_]:
                pass
            case ["ip", "addr", "del", *_]:
                self.state = samples.with_vip(self.state, name, held=False)
            case _:
                return super()._shell(name, command)
        self._reach()
        return Answer(AnswerKind.DONE, "", 0)

    def _follow(self, name: str, source: str) -> None:
        master = self.redis(source)
        link = MasterLink(samples.ADDRESS[source], 6379, up=True, sync_in_progress=False, last_io_seconds=0)
        self.state = samples.with_redis(
            self.state, name, role=Role.REPLICA, master=link, replicas=(), offset=master.offset, replid=master.replid,
            keys=master.keys, read_only_replica=True, replica_priority=100,
        )  # fmt: skip
        lines = tuple(one for one in master.replicas if one.host != samples.ADDRESS[name])
        line = samples.attached(name, offset=master.offset)
        self.state = samples.with_redis(self.state, source, replicas=(*lines, line))

    def _promote(self, name: str) -> None:
        before = self.redis(name)
        if before.role is Role.MASTER:
            return
        self.state = samples.with_redis(
            self.state, name, role=Role.MASTER, master=None, read_only_replica=None, replica_priority=None,
            replid=samples.REPLID_PROMOTED, replid2=before.replid, second_offset=(before.offset or 0) + 1,
            backlog=samples.promoted().backlog,
        )  # fmt: skip
        for other in (A, B):
            if other != name and (server := self.redis(other)) is not None:
                lines = tuple(one for one in server.replicas if one.host != samples.ADDRESS[name])
                self.state = samples.with_redis(self.state, other, replicas=lines)

    def _keepalived(self, name: str, *, running: bool) -> None:
        """Who has the VIP keeps it (nopreempt); else the one with the higher priority takes it and is promoted."""
        state = VrrpState.BACKUP if running else VrrpState.STOP
        if self.state.node(name).keepalived.value.running is not running:
            self.state = samples.with_keepalived(self.state, name, running=running, state=state)
            if not running:
                self.state = samples.with_vip(self.state, name, held=False)
        able = [one for one in (A, B) if self.state.node(one).keepalived.value.running and self.redis(one) is not None]
        holders = [one for one in able if self.state.node(one).holds(VIP)]
        if able and not holders:
            taking = max(able, key=lambda one: self.state.node(one).keepalived.value.instance.priority)
            self.state = samples.with_vip(self.state, taking, held=True)
            self._promote(taking)
            holders = [taking]
        for one in holders:
            self.state = samples.with_keepalived(self.state, one, state=VrrpState.MASTER)

    def _reach(self) -> None:
        holder = next(iter(self.state.vip_holders), None)
        server = self.redis(holder) if holder else None
        reach = read(VipReach(server.run_id, server.role, "direct"), samples.NOW) if server else samples.refused()
        self.state = replace(self.state, vip_reach=reach)

    def carry_out(self, planned: Planned) -> Answer:
        return super().carry_out(planned)
