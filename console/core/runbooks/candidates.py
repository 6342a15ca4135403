"""What an operator needs to choose the node of a role: the facts of each candidate, and whether they decide.

The choice is judged by the same conditions as the roles that were chosen (`console.core.runbooks.role_choice`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.core.conditions.servers import role_in_words
from console.core.model import ClusterState, NodeState, Redis, Role
from console.core.model.facts import NOT_KNOWN, age_at, proved_down
from console.core.model.verdict import Verdict
from console.core.quantities import counted, span
from console.core.replication.disk_data import UnreadDataError, newest_data
from console.core.replication.history import compare_histories
from console.core.runbooks.binding import Unbound, roles_so_far
from console.core.runbooks.consequences import Consequence, consequence
from console.core.runbooks.document import RoleSpec, Runbook
from console.core.runbooks.role_choice import choices_with, what_fails
from console.core.watchers.service_name import node_label, passing_instances


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that the operator may choose."""

    name: str
    facts: tuple[str, ...]
    """What was read of it that tells whose data is newer, and who is served by it. One a line."""
    against: str
    """What fails with it, however the other roles are chosen; empty: nothing that is known."""
    then: Consequence | None = None
    """What comes of it. None: the runbook makes no pair, or the other roles decide it."""

    @property
    def line(self) -> str:
        """Its facts, what comes of the choice, and what speaks against it."""
        then = (self.then.words,) if self.then is not None else ()
        return "; ".join((*self.facts, *then, *((f"does not fit, {self.against}",) if self.against else ())))


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates, the better one first."""

    of: tuple[Candidate, ...]
    decided: str
    """The one that the facts decide for; empty: they do not, and nobody may choose without looking."""
    reason: str
    """Why they decide, or that they do not. One sentence."""

    others: tuple[str, ...] = ()
    """Why each node that may not be chosen does not fit."""

    @property
    def fitting(self) -> tuple[str, ...]:
        """Those that nothing speaks against, the better one first."""
        return tuple(one.name for one in self.of if not one.against)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line each: each node with its facts and with what speaks against it."""
        return (*(f"{one.name}: {one.line}" for one in self.of), *self.others)


def judged(runbook: Runbook, state: ClusterState, unbound: Unbound, chosen: Mapping[str, str]) -> Candidates:
    """The candidates of a role that is not bound. `chosen`: what the operator has named so far."""
    names, role = unbound.candidates, unbound.role
    choices = {name: {**chosen, role: name} for name in names}
    against = {name: what_fails(runbook, state, choices[name], role) for name in names}
    if all(against.values()):  # no choice is better than another one: only what keeps the run from starting counts
        against = {name: what_fails(runbook, state, choices[name], role, at_the_start=True) for name in names}
    bound = roles_so_far(runbook, state, chosen)
    found = [
        Candidate(
            name,
            tuple(_facts(state, state.node(name))),
            against[name],
            _then(runbook, state, {**bound, **choices[name]}),
        )
        for name in names
    ]
    fitting = [one.name for one in found if not one.against]
    if len(fitting) == 1 and len(found) > 1:
        best, reason = fitting[0], f"Only {fitting[0]} fits."
    else:
        best, reason = _newer(runbook, state, unbound.role, fitting)
        if not best and bound and not _spec(runbook, role).where:  # whose data stays is settled by an earlier role
            best, reason = _promoting([one for one in found if not one.against])
    order = sorted(found, key=lambda one: (bool(one.against), one.name != best))
    if not fitting:
        reason = "No node fits now."
    elif len(found) > 1:
        reason = reason or _undecided(state, fitting or names)
    others = tuple(one.words for one in unbound.reasons if one.node not in unbound.candidates)
    return Candidates(tuple(order), best, reason, others)


def _spec(runbook: Runbook, role: str) -> RoleSpec:
    return next(one for one in runbook.roles if one.name == role)


def _then(runbook: Runbook, state: ClusterState, chosen: Mapping[str, str]) -> Consequence | None:
    """What comes of these roles, where the others cannot change it."""
    every = {consequence(runbook, state, one) for one in choices_with(runbook, state, chosen)}
    return every.pop() if len(every) == 1 else None


def _promoting(fitting: list[Candidate]) -> tuple[str, str]:
    """The one after which keepalived promotes the other node at the next failover; empty: not one alone."""
    good = [(one.name, one.then) for one in fitting if one.then and one.then.promotes is Verdict.HOLDS]
    bad = [(one.name, one.then) for one in fitting if one.then and one.then.promotes is Verdict.FAILS]
    if len(good) != 1 or not bad or len(bad) != len(fitting) - 1:
        return "", ""
    name, then = good[0]
    others = " ".join(f"With {other} one to {ends.replica} promotes nobody." for other, ends in bad)
    return name, f"With {name} a later failover makes {then.replica} the master. {others}"


def _undecided(state: ClusterState, names: Sequence[str]) -> str:
    """What each has that another one lacks, as far as it is known, and which choice is usual."""
    nodes = [state.node(name) for name in names]
    each_way = [(one, other) for one in nodes for other in nodes if one is not other]
    found = [compare_histories(state, one, other) for one, other in each_way]
    lacks = [
        f"{one.name} lacks something of {other.name} ({said.reason})"
        for (one, other), said in zip(each_way, found, strict=True)
        if said.verdict is Verdict.FAILS
    ]
    told = f"{'; '.join(lacks)}." if lacks else ""
    usual = ""
    if state.vip_reaches in names:  # where data would be lost, only the operator knows whose counts more
        reached = state.vip_reaches
        usual = f"Clients reach {reached} now." if lacks else f"Usual is {reached}, which clients reach now."
    return " ".join(filter(None, ("What was read does not decide it: compare these facts, then choose.", told, usual)))


def _newer(runbook: Runbook, state: ClusterState, role: str, names: list[str]) -> tuple[str, str]:
    """The master that has all data of each other one, where it is asked whose data is kept; empty: not decided."""
    spec = _spec(runbook, role)
    if len(names) < 2 or not any(one.predicate == "redis-is-master" for one in spec.where):  # noqa: PLR2004
        return "", ""
    for name in names:
        others = [state.node(one) for one in names if one != name]
        mine = [compare_histories(state, state.node(name), one) for one in others]
        theirs = [compare_histories(state, one, state.node(name)) for one in others]
        if all(one.verdict is Verdict.HOLDS for one in mine) and all(one.verdict is Verdict.FAILS for one in theirs):
            named = " and ".join(one.name for one in others)
            return name, f"{name} has all data of {named}, and not the other way round: {theirs[0].reason}."
    return "", ""


def _facts(state: ClusterState, node: NodeState) -> Iterator[str]:
    redis = node.redis.value
    if redis is None:
        down = proved_down(node)
        yield "Redis does not run" if down else f"Redis could not be read: {node.redis.problem}"
        yield from _disk(state, node)
    else:
        yield role_in_words(redis)
        yield from _stream(redis)
        yield f"{counted(redis.total_keys, 'key')}, up {span(redis.uptime)}{_restarted(state, node, redis)}"
        yield _saved(node, redis)
        yield counted(redis.clients, "client")
    if leads := _led_here(state, node):
        yield leads


def _stream(redis: Redis) -> Iterator[str]:
    at = NOT_KNOWN if redis.offset is None else f"{redis.offset:,}"
    yield f"at byte {at} of history {redis.history[:8]}"
    if redis.role is Role.MASTER and redis.replid2 and redis.second_offset is not None and redis.second_offset > 0:
        yield f"left history {redis.replid2[:8]} at byte {redis.second_offset - 1:,}"


def _restarted(state: ClusterState, node: NodeState, redis: Redis) -> str:
    """That it was started after another master was running already, and has less data than that one."""
    for other in state.nodes:
        theirs = other.redis.value
        if theirs is None or other is node or theirs.role is not Role.MASTER or redis.role is not Role.MASTER:
            continue
        if redis.uptime < theirs.uptime and compare_histories(state, node, other).verdict is Verdict.FAILS:
            return f": it was started while {other.name} ran, with older data"
    return ""


def _saved(node: NodeState, redis: Redis) -> str:
    disk = redis.persistence
    changes = disk.changes_since_save
    since = f", {counted(changes, 'change')} since" if changes is not None else ""
    if disk.rdb_last_save is None:
        return f"last save {NOT_KNOWN}{since}"
    return f"last save {span(age_at(node, node.redis.at, disk.rdb_last_save))} ago{since}"


def _disk(state: ClusterState, node: NodeState) -> Iterator[str]:
    try:
        found = newest_data(node)
    except UnreadDataError as error:
        yield str(error)
        return
    if found is None:
        yield "no data on its disk"
    else:
        yield f"{found.in_words}, written {span(age_at(node, state.observed_at, found.modified))} ago"


def _led_here(state: ClusterState, node: NodeState) -> str:
    """Whom clients reach."""
    if state.vip:
        here = [f"it has {state.vip}"] if node.holds(state.vip) else []
        return "; ".join((*here, *(("clients of it reach this node",) if state.vip_reaches == node.name else ())))
    if state.consul is None or state.consul.instances.value is None:
        return ""
    led = {node_label(state, one) for one in passing_instances(state.consul)}
    others = " and ".join(sorted(led - {node.name}))
    if node.name in led:
        return f"the name leads clients here{f' and to {others}' if others else ' only'}"
    return f"the name does not lead clients here{f', but to {others}' if others else ''}"
