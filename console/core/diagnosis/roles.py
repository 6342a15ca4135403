"""Which nodes are masters, which node follows which, and whether both have the same data."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.pair_protection import answer_or_unknown
from console.core.conditions.predicate import Question
from console.core.conditions.replication import refuses_writes, would_accept_writes
from console.core.conditions.servers import role_in_words
from console.core.conditions.switching import paused, resumes_alone
from console.core.diagnosis.finding import Severity
from console.core.diagnosis.next_actions import (
    REBUILD,
    RESOLVE,
    RESUME,
    advise,
    break_loop,
    break_loop_or,
    build_or_rebuild,
)
from console.core.diagnosis.rule import FindingRule, Match, listed, node_names
from console.core.diagnosis.waiting import wait_or
from console.core.keepalived.takeovers import takeovers_in_words
from console.core.model import ClusterState, NodeState, Role
from console.core.model.facts import (
    NOT_KNOWN,
    proved_down,
    replica_links,
    serving_master,
    source_of,
    vip_reached_in_words,
)
from console.core.model.verdict import Verdict
from console.core.quantities import counted
from console.core.replication.history import compare_histories
from console.core.typed_commands import redis_command
from console.core.watchers.sentinels import named_masters_in_words, proved_silent, starting
from console.core.watchers.service_name import full_name, node_label, passing_instances


def _no_master(state: ClusterState) -> Iterator[Match]:
    """No node is a master, and that is proved: each one answered or is proved down."""
    if state.masters or not all(node.redis.ok or proved_down(node) for node in state.nodes):
        return
    running = [node for node in state.nodes if node.redis.ok]
    evidence = [
        f"{node.name}: {role_in_words(node.redis.value) if node.redis.value else 'Redis does not run'}"
        for node in state.nodes
    ]
    summary = "No node is a master." if running else "Redis runs on no node."
    yield Match(
        node_names(list(state.nodes)),
        summary,
        tuple(evidence),
        break_loop_or(
            state,
            advise(wait_or(state, _promoting(state))),
        )
        if running
        else build_or_rebuild(state),
    )


def _promoting(state: ClusterState) -> str:
    """Whom to promote, where the offsets of one history tell it; and what must not happen before."""
    after = "its old master must not start before: the replica would drop its data for what that one loads"
    if state.sentinels:
        down = [starting(one) for one in state.sentinels if proved_silent(one)]
        words = f"{'; '.join(down)}: the Sentinels promote the replica" if down else "the Sentinels promote a replica"
        by_hand = "whoever promotes by hand lets each Sentinel watch that node afterwards (SENTINEL REMOVE, MONITOR)"
        return f"{words}: {named_masters_in_words(state)}; {by_hand}; {after}"
    known = [(node, node.redis.value) for node in state.nodes if node.redis.value is not None]
    histories = {redis.history for _, redis in known}
    offsets = [redis.offset for _, redis in known if redis.offset is not None]
    newest = [node for node, redis in known if redis.offset == max(offsets, default=None)]
    if len(known) > 1 and (len(histories) > 1 or len(offsets) < len(known)):
        return f"promote the replica with the newest data (SLAVEOF NO ONE): compare their data first; {after}"
    one = newest[0] if newest else known[0][0]
    others = f", at offset {max(offsets)}," if len(known) > 1 else ""
    command = redis_command(one.address, one.redis_port, "SLAVEOF NO ONE")
    return f"promote {one.name}, the replica with the newest data{others} by {command}; {after}"


def _dual_master(state: ClusterState) -> Iterator[Match]:
    """Several nodes are masters."""
    if len(state.masters) < 2:  # noqa: PLR2004 - two are one too many
        return
    aside = others_are_aside(state)
    figures = [
        f"{name}: {role_in_words(redis)}, {counted(redis.total_keys, 'key')}"
        for name in state.masters
        if (redis := state.node(name).redis.value) is not None
    ]
    yield Match(
        state.masters,
        f"{listed(state.masters)} are both masters.",
        (*figures, *_where_clients_are_led(state), *filter(None, (takeovers_in_words(state),))),
        REBUILD if aside else RESOLVE,
        Severity.WARNING if aside else Severity.CRITICAL,
    )


def _where_clients_are_led(state: ClusterState) -> tuple[str, ...]:
    """By the virtual IP, or by the name in Consul. Empty: this cluster has neither."""
    if state.vip:
        return (f"{state.vip} reaches {vip_reached_in_words(state)}",)
    if state.consul is None:
        return ()
    led = [node_label(state, one) for one in passing_instances(state.consul)]
    words = listed(led) or "nobody" if state.consul.instances.ok else NOT_KNOWN
    return (f"{full_name(state.consul)} leads to {words}",)


def others_are_aside(state: ClusterState) -> bool:
    """Whether all masters but the serving one are out of the way, and hold nothing that it lacks.

    The rebuild can make them its replicas then. Otherwise it would be refused, and the split has to be ended first.
    """
    master = serving_master(state)
    others = [state.node(name) for name in state.masters if master is None or name != master.name]
    return master is not None and not diverged(state) and all(_set_aside(state, node) for node in others)


def _set_aside(state: ClusterState, node: NodeState) -> bool:
    keepalived = node.keepalived.value
    return node.holds(state.vip) is False and keepalived is not None and not keepalived.running


def diverged(state: ClusterState) -> list[tuple[str, str, str]]:
    """Pairs of masters in which the second may hold data that the first lacks, with the reason."""
    master = serving_master(state)
    if master is None:
        return []
    others = [state.node(name) for name in state.masters if name != master.name]
    found = [(master.name, node.name, compare_histories(state, master, node)) for node in others]
    return [(first, second, one.reason) for first, second, one in found if one.verdict is Verdict.FAILS]


def _histories_diverged(state: ClusterState) -> Iterator[Match]:
    """A second master may hold writes that the serving one lacks, by its replication history and its last save."""
    for first, second, reason in diverged(state):
        yield Match(
            (first, second),
            f"{second} may hold writes that {first} does not have.",
            (reason,),
            RESOLVE,
        )


def _mutual(state: ClusterState) -> Iterator[Match]:
    """Two nodes follow each other."""
    for node, _, link in replica_links(state):
        other = source_of(state, node)
        if other is None or source_of(state, other) is not node:
            continue
        if state.nodes.index(node) < state.nodes.index(other):
            yield Match(
                (node.name, other.name),
                f"{node.name} and {other.name} follow each other: nobody is the master.",
                (f"{node.name} follows {link.host}:{link.port}", _follows(other)),
                break_loop(state),
            )


def _follows(node: NodeState) -> str:
    redis = node.redis.value
    return f"{node.name}: {role_in_words(redis)}" if redis else node.name


def _empty_master(state: ClusterState) -> Iterator[Match]:
    """A master holds no keys while another node does."""
    full = [node for node in state.nodes if node.redis.value and node.redis.value.total_keys]
    for name in state.masters:
        redis = state.node(name).redis.value
        if redis is not None and not redis.loading and redis.total_keys == 0 and full:
            seen = [(node.name, node.redis.value) for node in full]
            held = [f"{other} holds {counted(server.total_keys, 'key')}" for other, server in seen if server]
            yield Match(
                (name,),
                f"{name} is a master without any data, while another node has some.",
                (f"{name} holds no keys, up {redis.uptime} s", *held),
                advise(f"make nobody follow {name}: it would be wiped"),
            )


def _writes_refused(state: ClusterState) -> Iterator[Match]:
    """A master refuses writes because it has too few good replicas, or a replica would as the next master."""
    for name in state.masters:
        refusal = refuses_writes(state.node(name))
        if refusal is not None and "NOREPLICAS" in refusal[0]:
            # Held back on purpose. Beside another master that clients can reach, what is acknowledged here is lost.
            alone = answer_or_unknown(resumes_alone, Question(state, state.node(name), {}))
            redis, resumed = state.node(name).redis.value, RESUME if alone.holds else REBUILD
            action = resumed if redis is not None and paused(redis) else advise(refusal[1])
            yield Match((name,), f"{name} refuses every write.", (refusal[0],), action)
    for node in state.nodes:
        redis = node.redis.value
        if redis is None or redis.role is not Role.REPLICA:
            continue
        check = would_accept_writes(Question(state, node, {}))
        if not check.holds and "NOREPLICAS" in check.evidence:
            held = paused(redis)
            why = ": its writes are paused" if held else ""
            summary = f"{node.name} would refuse every write after a failover{why}."
            action = RESUME if held else advise(check.advice)
            yield Match((node.name,), summary, (check.evidence,), action, Severity.WARNING)


RULES: tuple[FindingRule, ...] = (
    # Loops and strangers explain a missing master better than its absence does.
    FindingRule(
        "mutual-replication",
        Severity.CRITICAL,
        "No node takes writes, and a full sync may loop.",
        _mutual,
        remedy="runbook break-replication-loop",
    ),
    FindingRule(
        "no-master",
        Severity.CRITICAL,
        "No write is accepted.",
        _no_master,
        remedy="runbook break-replication-loop where both are replicas, initial-build where nothing runs, the rebuild"
        " where only Redis does not",
        superseded_by=("mutual-replication",),
    ),
    FindingRule(
        "histories-diverged",
        Severity.CRITICAL,
        "A node that follows the other one loses its own writes.",
        _histories_diverged,
        remedy="runbook resolve-dual-master, which exports and backs up before it wipes",
    ),
    FindingRule(
        "dual-master",
        Severity.CRITICAL,
        "Clients may write to either, and one of them will be wiped.",
        _dual_master,
        remedy="runbook resolve-dual-master; the rebuild where one is set aside without writes of its own",
    ),
    FindingRule(
        "empty-master",
        Severity.CRITICAL,
        "A replica that follows it loses all its data.",
        _empty_master,
        remedy="make nobody follow it",
    ),
    FindingRule(
        "writes-refused",
        Severity.CRITICAL,
        "Clients can read but not write, now or after the next failover.",
        _writes_refused,
        remedy="CONFIG SET the minimum, or bring the replica back; runbook resume-writes after an abandoned switchover",
        mends=True,
    ),
)
