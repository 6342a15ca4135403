"""Writes held back for a switchover: the commands of it, and how long clients could not write.

CLIENT PAUSE alone will not do. Before 6.2 it silences the console's own questions and keepalived's check with it; most
versions do not say how long it still lasts; when it ends, the old master acknowledges writes that the new one never
sees. So the master is also made to demand more replicas than there are. That is seen in CONFIG GET, and ends only when
it is taken back: there is no gap between the end of the pause and the SLAVEOF that makes the node a replica.

Where Sentinels watch the node there is only that demand, and clients get NOREPLICAS instead of waiting: a pause stops
the PUBLISH of the Sentinels too, and with it their PING, so that they would take the node for down.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.core.command import Planned, RedisCommand
from console.core.conditions.switching import PAUSED
from console.core.model import ClusterState, Redis
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.core.watchers.service_name import node_by_checks
from console.engine.actions.request import PlanError, Request, version_of, word_of

PAUSES = "pause-writes"
"""The verb whose sending begins the time in which clients cannot write."""
SINCE_MIN_REPLICAS = (2, 8)
SINCE_PAUSE_WRITE = (6, 2)
SINCE_REPLICA_WORDS = (5, 0)


def pause_writes(request: Request) -> tuple[Planned, ...]:
    """First the pause, so that clients wait; then the demand, so that its end lets nothing through."""
    node, redis, was = request.node, *_setting(request)
    seconds = request.argument("seconds")
    if not seconds.isdigit() or int(seconds) < 1:
        raise PlanError(f"pause-writes: seconds must be a whole number, and is {seconds!r}")
    if was >= PAUSED:
        raise PlanError(f"the writes of {node.name} are held back already: min-replicas-to-write is {was}")
    wait = RedisCommand((word_of(node, "CLIENT"), "PAUSE", str(int(seconds) * 1000), "WRITE"))
    summary = f"Lets clients of {node.name} wait with their writes, for {seconds} s at most; reads go on."
    demand = _demand(request, redis, was + PAUSED, f"Lets {node.name} acknowledge no write until they are resumed.")
    can_wait = version_of(redis.version) >= SINCE_PAUSE_WRITE and not request.state.sentinels
    return (Planned(node.name, wait, summary), demand) if can_wait else (demand,)


def resume_writes(request: Request) -> tuple[Planned, ...]:
    """The number that stood there before, then the end of the pause: clients find the node as it is then."""
    node, redis, now = request.node, *_setting(request)
    if now < PAUSED:
        raise PlanError(f"the writes of {node.name} are not held back: min-replicas-to-write is {now}")
    demand = _demand(request, redis, now - PAUSED, f"Sets {node.name} back to the number that it had before.")
    if request.state.sentinels:
        # The Sentinels have made the node a replica and its file be written, with the demand in it.
        rewrite = RedisCommand((word_of(node, "CONFIG"), "REWRITE"))
        keep = Planned(
            node.name, rewrite, f"Writes that number to {redis.config_file}, where the demand may stand too."
        )
        return (demand, keep) if redis.config_file else (demand,)
    go_on = RedisCommand((word_of(node, "CLIENT"), "UNPAUSE"))
    can_wait = version_of(redis.version) >= SINCE_PAUSE_WRITE
    return (demand, Planned(node.name, go_on, "Lets waiting clients go on.")) if can_wait else (demand,)


def _setting(request: Request) -> tuple[Redis, int]:
    """The server, and its min-replicas-to-write. Raises PlanError."""
    name = request.node.name
    redis = request.state.node(name).redis.value
    if redis is None:
        raise PlanError(f"Redis on {name} could not be read: {request.state.node(name).redis.problem}")
    if version_of(redis.version) < SINCE_MIN_REPLICAS:
        raise PlanError(f"Redis {redis.version} on {name} cannot hold writes back: that came with 2.8")
    if redis.config.min_replicas_to_write is None:
        raise PlanError(f"min-replicas-to-write of {name} could not be read: name the alias of CONFIG in the inventory")
    return redis, redis.config.min_replicas_to_write


def _demand(request: Request, redis: Redis, number: int, summary: str) -> Planned:
    modern = version_of(redis.version) >= SINCE_REPLICA_WORDS
    key = "min-replicas-to-write" if modern else "min-slaves-to-write"
    words = (word_of(request.node, "CONFIG"), "SET", key, str(number))
    return Planned(request.node.name, RedisCommand(words), summary)


@dataclass(slots=True)
class PauseWatch:
    """How long clients could not write: from the pause to the first look that found a master behind the virtual IP."""

    node: str = ""
    since: float = 0.0
    """Epoch seconds, as `until`; 0.0: no pause was begun by this run."""
    until: float = 0.0
    way_back: str = "resume-writes"
    """The runbook that takes it back."""

    def begin(self, node: str, at: float) -> None:
        if not self.since:
            self.node, self.since = node, at

    def look(self, state: ClusterState) -> None:
        """An observation; made at most once in half a second while a proof is awaited."""
        if state.consul is not None:
            self.way_back = "consul-return-old-master"
        elif state.sentinels:
            self.way_back = "sentinel-resume-writes"
        serving = state.vip_reaches or node_by_checks(state)
        if not self.since or self.until or serving is None or state.observed_at <= self.since:
            return
        accepted = Condition("writes-accepted", "serving")
        if evaluate(accepted, state, {"serving": serving}).holds:
            self.node, self.until = serving, state.observed_at

    def words(self, now: float) -> str:
        """One sentence; nothing where there was no pause."""
        if not self.since:
            return ""
        if not self.until:
            return f"Writes are held back on {self.node} since {now - self.since:.1f} s: run {self.way_back}, or go on."
        return f"Clients could not write for {self.until - self.since:.1f} s, then {self.node} took their writes."
