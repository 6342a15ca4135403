"""Pauses and resumes writes for a switchover, and measures how long clients could not write.

CLIENT PAUSE alone is not enough. Before 6.2 it also stops the answers to the console and to keepalived's check. Most
versions do not tell how long it still lasts. When it ends, the old master acknowledges writes that the new one never
gets. So min-replicas-to-write is also raised above the number of replicas. CONFIG GET shows that setting, and it lasts
until it is taken back. There is no gap between the end of the pause and the SLAVEOF that makes the node a replica.

Where Sentinels watch the node, only that setting is used, and clients get NOREPLICAS instead of waiting. CLIENT PAUSE
would also stop the PUBLISH and the PING of the Sentinels, and they would count the node as down.
"""

from __future__ import annotations

from dataclasses import dataclass

from console.core.command import Planned, RedisCommand
from console.core.conditions.switching import PAUSED
from console.core.model import ClusterState, Redis
from console.core.numbers import count, version_of
from console.core.runbooks.document import Condition
from console.core.runbooks.vocabulary import evaluate
from console.core.watchers.service_name import serving_node
from console.engine.actions.request import NotNowError, PlanError, Request, word_of

PAUSES = "pause-writes"
"""The verb that begins the time in which clients cannot write."""
SINCE_MIN_REPLICAS = (2, 8)
SINCE_PAUSE_WRITE = (6, 2)
SINCE_REPLICA_WORDS = (5, 0)


def pause_writes(request: Request) -> tuple[Planned, ...]:
    """First CLIENT PAUSE, so that clients wait. Then the setting, so that no write passes when the pause ends."""
    node, redis, was = request.node, *_setting(request)
    seconds = request.argument("seconds")
    length = count(seconds)
    if not length:
        raise PlanError(f"pause-writes: seconds must be a whole number, and is {seconds!r}")
    if was >= PAUSED:
        raise NotNowError(f"the writes of {node.name} are paused already: min-replicas-to-write is {was}")
    wait = RedisCommand((word_of(node, "CLIENT"), "PAUSE", str(length * 1000), "WRITE"))
    summary = (
        f"Makes clients of {node.name} wait with their writes, for {seconds} s at most; then they are refused, until a"
        " later step resumes writes. Reads go on."
    )
    setting_change = _setting_change(
        request,
        redis,
        was + PAUSED,
        (
            f"Makes {node.name} refuse every write until a later step resumes writes: be ready to confirm the next"
            " steps at once."
        ),
    )
    can_wait = version_of(redis.version) >= SINCE_PAUSE_WRITE and not request.state.sentinels
    return (Planned(node.name, wait, summary), setting_change) if can_wait else (setting_change,)


def resume_writes(request: Request) -> tuple[Planned, ...]:
    """First the setting as it was before, then the end of CLIENT PAUSE."""
    node, redis, now = request.node, *_setting(request)
    if now < PAUSED:
        raise NotNowError(f"the writes of {node.name} are not paused: min-replicas-to-write is {now}")
    setting_change = _setting_change(
        request, redis, now - PAUSED, f"Sets min-replicas-to-write of {node.name} back to the number before the pause."
    )
    if request.state.sentinels:
        # The Sentinels have made the node a replica and had its file written, with the raised setting in it.
        rewrite = RedisCommand((word_of(node, "CONFIG"), "REWRITE"))
        keep = Planned(node.name, rewrite, f"Writes that number to {redis.config_file}, which may have the raised one.")
        return (setting_change, keep) if redis.config_file else (setting_change,)
    go_on = RedisCommand((word_of(node, "CLIENT"), "UNPAUSE"))
    can_wait = version_of(redis.version) >= SINCE_PAUSE_WRITE
    return (setting_change, Planned(node.name, go_on, "Lets waiting clients go on.")) if can_wait else (setting_change,)


def _setting(request: Request) -> tuple[Redis, int]:
    """The server, and its min-replicas-to-write. Raises PlanError."""
    name = request.node.name
    redis = request.state.node(name).redis.value
    if redis is None:
        raise NotNowError(f"Redis on {name} could not be read: {request.state.node(name).redis.problem}")
    if version_of(redis.version) < SINCE_MIN_REPLICAS:
        raise PlanError(f"Redis {redis.version} on {name} cannot pause writes: min-replicas-to-write came with 2.8")
    if redis.config.min_replicas_to_write is None:
        raise PlanError(f"min-replicas-to-write of {name} could not be read: name the alias of CONFIG in the inventory")
    return redis, redis.config.min_replicas_to_write


def _setting_change(request: Request, redis: Redis, number: int, summary: str) -> Planned:
    modern = version_of(redis.version) >= SINCE_REPLICA_WORDS
    key = "min-replicas-to-write" if modern else "min-slaves-to-write"
    words = (word_of(request.node, "CONFIG"), "SET", key, str(number))
    return Planned(request.node.name, RedisCommand(words), summary)


@dataclass(slots=True)
class PauseWatch:
    """How long clients could not write: from the pause to the first observation of a master that accepts writes.

    That is said of the node that the clients reached when its writes were paused. A pause of another node stops nobody.
    """

    node: str = ""
    since: float = 0.0
    """Epoch seconds, as `until`. 0.0: this run has begun no pause."""
    until: float = 0.0
    of_clients: bool = False
    """Clients reached the node when the pause began."""
    resuming_runbook: str = "resume-writes"
    """The runbook that ends the pause."""

    def begin(self, node: str, at: float, serving: str | None) -> None:
        """`serving`: the node that clients reached right before; None: none of the nodes, or not known."""
        if not self.since or (node == serving and not self.of_clients):
            self.node, self.since, self.until, self.of_clients = node, at, 0.0, node == serving

    def look(self, state: ClusterState) -> None:
        """Takes an observation of the run. While it waits for a proof, there is at most one in half a second."""
        if state.consul is not None:
            alone = set(state.masters) == {self.node}
            self.resuming_runbook = "consul-resume-writes" if alone else "consul-return-old-master"
        elif state.sentinels:
            self.resuming_runbook = "sentinel-resume-writes"
        else:  # of two masters, the one that loses must not take writes again
            self.resuming_runbook = "resolve-dual-master" if len(state.masters) > 1 else "resume-writes"
        if not self.since or self.until or state.observed_at <= self.since:
            return
        ended = self._ended_on(state)
        if ended is not None:
            self.node, self.until = ended, state.observed_at

    def _ended_on(self, state: ClusterState) -> str | None:
        """The node on which the pause is over; None: it is not, or that is not known."""
        if not self.of_clients:
            resumed = Condition("writes-not-paused", "paused")
            return self.node if evaluate(resumed, state, {"paused": self.node}).holds else None
        serving = serving_node(state)
        accepted = Condition("writes-accepted", "serving")
        if serving is None or not evaluate(accepted, state, {"serving": serving}).holds:
            return None
        return serving

    def words(self, now: float) -> str:
        """One sentence. Empty if there was no pause, or if one that stopped no client is over."""
        if not self.since:
            return ""
        if not self.until:
            seconds = f" for {now - self.since:.1f} s" if self.of_clients else ""
            return f"Writes have been paused on {self.node}{seconds}: run {self.resuming_runbook}, or go on."
        if not self.of_clients:
            return ""
        return f"Clients could not write for {self.until - self.since:.1f} s, then {self.node} took their writes."
