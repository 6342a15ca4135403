"""Scripts with fixed sleeps, and syncs that take longer than a sleep: what the scripts are about to do to the data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.conditions.servers import role_in_words
from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import RESOLVE, advise
from console.core.diagnosis.roles import diverged
from console.core.diagnosis.rule import FindingRule, Match
from console.core.keepalived.running_scripts import PendingLine, in_seconds, loss_window, pending_lines, whole_seconds
from console.core.model import ActionKind, ClusterState, NodeState
from console.core.model.facts import every_name_of, link_in_words, source_of

_PROMOTED = re.compile(r"MASTER MODE enabled", re.IGNORECASE)
_BEGAN = re.compile(r"Connecting to MASTER ?(\S*)", re.IGNORECASE)
_REFUSED = re.compile(r"Error condition on socket|Unable to connect to MASTER", re.IGNORECASE)
_ENDED = re.compile(r"Finished with success|successful partial resync", re.IGNORECASE)
_SERVED = re.compile(
    r"Synchronization with (?:slave|replica)(?: (\S+))? succeeded"
    r"|Partial resynchronization request from (\S+) accepted",
    re.IGNORECASE,
)
"""A master's own line about a replica that has now all that the master has. Redis 2.6 does not name the replica."""
_STARTED = re.compile(r"Server (?:initialized|started)|Ready to accept connections", re.IGNORECASE)


def _loses_writes(state: ClusterState) -> Iterator[Match]:
    """The other node would take over without the master's last writes, because its script lets it follow only later."""
    found = loss_window(state)
    if found is None:
        return
    now, successor = state.observed_at, state.node(found.successor)
    redis = successor.redis.value
    figures = [f"{found.successor}: {role_in_words(redis)}"] if redis is not None else []
    if redis is not None and redis.master is not None:
        figures.append(f"{found.successor}: {link_in_words(redis.master)}")
    figures += [script_in_words(one, now) for one in (found.opens, found.closes) if one is not None]
    left = found.closes.left(now) if found.closes is not None else None
    if found.opens is not None:
        opens = found.opens.left(now)
        when = in_seconds(opens).capitalize()
        lasts = (
            f" for {whole_seconds(left - opens)} s" if left is not None and opens is not None and left > opens else ""
        )
        yield Match(
            (found.master, found.successor),
            f"{when} {found.master} becomes the master; its failure then loses writes{lasts}.",
            tuple(figures),
            advise(f"touch nothing on either node until {found.successor} is in sync with {found.master}"),
            Severity.WARNING,
        )
        return
    until = f"Until the sync of {found.successor} has ended" if found.closes is None else _until(left, found.successor)
    yield Match(
        (found.master, found.successor),
        f"{until} the failure of {found.master} loses writes: {found.successor} would take over without them.",
        tuple(figures),
        advise(f"keep {found.master} running, Redis and keepalived, until {found.successor} is in sync with it"),
    )


def _until(left: float | None, successor: str) -> str:
    """How long the window stays open. The figure comes first, so that a short line does not cut it off."""
    if left is None:
        return f"Until {successor} follows, nobody can tell when,"
    return (
        f"For another {whole_seconds(left)} s" if whole_seconds(left) else f"Until {successor} follows, any moment now,"
    )


def script_in_words(one: PendingLine, now: float) -> str:
    """`redis-a: process 146 (notify_master) sends SLAVEOF NO ONE in 7 s`."""
    who = f"process {one.pid} ({one.trigger})" if one.pid is not None else f"{one.trigger}, by the notify log,"
    return f"{one.node}: {who} sends {one.words(now)}"


def _too_early(state: ClusterState) -> Iterator[Match]:
    """A script promotes, or has promoted, a node before its sync has ended: it takes writes on old data."""
    for node in state.nodes:
        about = next((one for one in pending_lines(state, node) if one.kind is ActionKind.PROMOTES), None)
        redis = node.redis.value
        if redis is None:
            continue
        source = source_of(state, node)
        unsynced = redis.master is not None and (redis.master.sync_in_progress or not redis.master.up)
        if about is not None and source is not None and source.name in state.masters and unsynced:
            assert redis.master is not None
            when = in_seconds(about.left(state.observed_at))
            yield Match(
                (node.name, source.name),
                f"{node.name} is made a master {when}, and its sync has not ended.",
                (
                    f"{node.name}: {role_in_words(redis)}, {link_in_words(redis.master)}",
                    *_scripts(state, node, source),
                ),
                _stop_scripts(state, node, source),
            )
        for first, second, reason in diverged(state):
            other = state.node(second)
            if first == node.name and _promoted_unsynced(node) and not _served_since(node, other):
                yield Match(
                    (first, second),
                    f"{first} was made a master before its sync had ended: {second} may hold what it lacks.",
                    (f"the log of Redis on {first}: {_promotion(node)}", reason, *_scripts(state, node, other)),
                    _stop_scripts(state, other) if pending_lines(state, other) else RESOLVE,
                )


def _scripts(state: ClusterState, *nodes: NodeState) -> Iterator[str]:
    for node in nodes:
        yield from (script_in_words(one, state.observed_at) for one in pending_lines(state, node))


def _stop_scripts(state: ClusterState, *nodes: NodeState) -> NextAction:
    """The commands that stop the scripts. No runbook is fast enough here."""
    commands = [
        f"kill {' '.join(map(str, pids))} on {node.name}"
        for node in nodes
        if (pids := sorted({one.pid for one in pending_lines(state, node) if one.pid is not None}))
    ]
    if not commands:
        return advise("its script cannot be seen; look at what the log of the scripts says")
    return advise(f"end the scripts before they go on: {', '.join(commands)}; what holds the data is not touched then")


def _promotion(node: NodeState) -> str:
    lines = node.redis_log.value.lines if node.redis_log.value is not None else ()
    return next((line for line in reversed(lines) if _PROMOTED.search(line)), "")


def _promoted_unsynced(node: NodeState) -> bool:
    """Whether its own log says that it began to follow, and was promoted before that sync had ended."""
    lines = node.redis_log.value.lines if node.redis_log.value is not None else ()
    promoted = max((place for place, line in enumerate(lines) if _PROMOTED.search(line)), default=-1)
    began = _last_sync(lines[: promoted + 1])
    if began is None or any(_STARTED.search(line) for line in lines[promoted:]):
        return False
    return not any(_ENDED.search(line) for line in lines[began:promoted])


def _served_since(node: NodeState, other: NodeState) -> bool:
    """Whether the other node has copied this one's data since its promotion: it lacked nothing of what was there then.

    Whatever the other node has taken since is a matter of two masters, and not of that promotion.
    """
    lines = node.redis_log.value.lines if node.redis_log.value is not None else ()
    promoted = max((place for place, line in enumerate(lines) if _PROMOTED.search(line)), default=-1)
    names = every_name_of(other)
    for found in filter(None, map(_SERVED.search, lines[promoted + 1 :])):
        whom = found[1] or found[2]
        if whom is None or whom.rpartition(":")[0].strip("[]") in names:
            return True
    return False


def _last_sync(lines: tuple[str, ...]) -> int | None:
    """The place at which the last sync began. None: there was none.

    A master that died refuses the connection. Such attempts do not undo the sync with it that had ended before.
    """
    tries = [(place, found[1]) for place, line in enumerate(lines) if (found := _BEGAN.search(line))]
    if not tries:
        return None
    ends = [place for place, _ in tries[1:]] + [len(lines)]
    with_last = [(place, end) for (place, whom), end in zip(tries, ends, strict=True) if whom == tries[-1][1]]
    answered = [place for place, end in with_last if not any(_REFUSED.search(one) for one in lines[place:end])]
    return answered[-1] if answered else tries[-1][0]


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "promotion-before-sync",
        Severity.CRITICAL,
        "Clients write to old data. The newer data of the other node is thrown away as soon as that node follows.",
        _too_early,
        remedy="end the scripts that still sleep; runbook resolve-dual-master once both are masters and nothing moves",
    ),
    FindingRule(
        "failover-loses-writes",
        Severity.CRITICAL,
        "What clients wrote since the promotion is on one node only. The other node would serve without it.",
        _loses_writes,
        remedy="keep the master running until the other node is in sync; the finding says for how many seconds",
    ),
)
