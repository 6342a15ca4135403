"""Consul's service name compared with the roles: catalog, checks, DNS and `role:master` (H24)."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.servers import role_in_words
from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.diagnosis.waiting import wait_or
from console.core.model import ClusterState, ConsulInstance, ConsulState, NodeState, ProblemKind, Role
from console.core.model.consul import NODE_MAINTENANCE
from console.core.model.facts import node_by_address, proved_down
from console.core.watchers.sentinels import named_masters_in_words, proved_silent, starting
from console.core.watchers.service_name import (
    checks_in_words,
    dns_nodes,
    full_name,
    instance_of,
    node_label,
    passing_instances,
    writable_master,
)

RETURN = NextAction(runbook="consul-return-old-master")
_NOT_KNOWN = (ProblemKind.NOT_READ, ProblemKind.CONNECTING, ProblemKind.NOT_CONFIGURED)


def _unreachable(state: ClusterState) -> Iterator[Match]:
    """Consul, or the name server in front of it, does not answer."""
    consul = state.consul
    if consul is None:
        return
    problems = [one.problem for one in (consul.instances, consul.dns) if one.problem is not None]
    told = [one for one in problems if one.kind not in _NOT_KNOWN]
    if told:
        refused = consul.instances.problem is not None and consul.instances.problem.kind is ProblemKind.REFUSED
        yield Match(
            (),
            f"What {full_name(consul)} leads to could not be read.",
            tuple(str(one) for one in told),
            advise("see whether the Consul agent runs there: without it clients find no address"),
            Severity.CRITICAL if refused and consul.dns.value is None else None,
        )


def told_nothing(state: ClusterState) -> str:
    """Why Consul's checks could not be read. Empty: they were, or nobody has asked yet."""
    problem = state.consul.instances.problem if state.consul is not None else None
    return "" if problem is None or problem.kind in _NOT_KNOWN else str(problem)


def _none(state: ClusterState) -> Iterator[Match]:
    """No check passes: the service name has no address."""
    consul = state.consul
    if consul is None or consul.instances.value is None or passing_instances(consul):
        return
    master = writable_master(state)
    if not consul.instances.value:
        then = advise(f"register {consul.service} in Consul, or name a consul.token that may read it")
    elif master is not None and instance_of(state, master) is None:
        then = advise(f"register {master.address}:{master.redis_port} as {consul.service}")
    elif master is None:
        then = advise(wait_or(state, f"bring back a master first: {_why_no_master(state)}"))
    else:
        mend = advise(f"{master.name} is the master: see what its check says, and mend the check")
        then = _end_of_maintenance(instance_of(state, master)) or mend
    yield Match(_registered(state), f"{full_name(consul)} leads nowhere.", _side_by_side(state, consul), then)


def _why_no_master(state: ClusterState) -> str:
    """What stands in the way of a master: Sentinels that do not run promote nobody."""
    down = [one for one in state.sentinels if proved_silent(one)]
    if down:
        return "; ".join(starting(one) for one in down)
    unread = [one.name for one in state.sentinels if not one.sentinel.ok]
    if unread:
        return f"{listed(unread)} could not be read, and may be failing over"
    named = named_masters_in_words(state)
    if all(map(proved_down, state.nodes)):
        return f"no Redis runs: start the one that holds the newest data; {named}"
    return f"see why the Sentinels promoted nobody: {named}"


def _several(state: ClusterState) -> Iterator[Match]:
    """The checks of several nodes pass at once."""
    consul = state.consul
    found = passing_instances(consul) if consul is not None else ()
    if consul is None or len({(one.address, one.port) for one in found}) <= 1:
        return
    nodes = tuple(node_label(state, one) for one in found)
    yield Match(
        tuple(one for one in nodes if one in {node.name for node in state.nodes}),
        f"{full_name(consul)} leads to {listed(nodes)} at once.",
        _side_by_side(state, consul),
        RETURN,
    )


def _disagrees(state: ClusterState) -> Iterator[Match]:
    """A check passes where no master is, or is critical where the master is."""
    consul = state.consul
    if consul is None or consul.instances.value is None:
        return
    for one in passing_instances(consul):
        node = node_by_address(state, one.address, one.port)
        if node is None:
            where = f"{one.address}:{one.port}"
            summary = f"{full_name(consul)} leads to {where}, which is none of the nodes."
            yield Match(
                (), summary, _side_by_side(state, consul), advise(f"deregister {one.service_id}, or name that node")
            )
        elif node.name not in state.masters and (node.redis.ok or proved_down(node)):
            what = "is a replica" if node.redis.ok else "does not run"
            summary = f"{full_name(consul)} leads to {node.name}, whose Redis {what}."
            yield Match((node.name,), summary, _side_by_side(state, consul), _late(node))
    master = writable_master(state)
    if master is None:
        return
    found = instance_of(state, master)
    if found is None:
        summary = f"{master.name} is the master, and Consul has no {consul.service} there."
        then = advise(f"register {master.address}:{master.redis_port} as {consul.service}")
        yield Match((master.name,), summary, _side_by_side(state, consul), then)
    elif not found.passing:
        summary = f"{master.name} is the master, but {full_name(consul)} does not lead to it."
        then = _end_of_maintenance(found) or _late(master)
        yield Match((master.name,), summary, _side_by_side(state, consul), then)


def _end_of_maintenance(master: ConsulInstance | None) -> NextAction | None:
    """What ends the maintenance of the master's service. None: it is in none.

    A run that was given up leaves one, and the Sentinels may promote that node afterwards.
    """
    held = master.maintenance if master is not None else None
    if master is None or held is None:
        return None
    which = "" if held.check_id == NODE_MAINTENANCE else f" -service={master.service_id}"
    return advise(f"end the maintenance of {master.service_id}: consul maint -disable{which}")


def _held_replica(state: ClusterState) -> Iterator[Match]:
    """A run was given up while it held a replica from the name. Nobody finds that node after the next failover."""
    consul = state.consul
    if consul is None:
        return
    for node in state.nodes:
        redis, found = node.redis.value, instance_of(state, node)
        if redis is None or redis.role is not Role.REPLICA or found is None or found.maintenance is None:
            continue
        summary = f"{node.name} is in maintenance in Consul: promoted, it would not be in {full_name(consul)}."
        yield Match((node.name,), summary, (f"{found.service_id}: {checks_in_words(found)}",), RETURN)


def _late(node: NodeState) -> NextAction:
    return advise(f"wait for the next run of the check of {node.name}; where it stays so, run its script by hand")


def _dns(state: ClusterState) -> Iterator[Match]:
    """DNS and the checks disagree."""
    consul = state.consul
    answer = consul.dns.value if consul is not None else None
    if consul is None or answer is None or consul.instances.value is None:
        return
    by_checks = tuple(sorted({one.address for one in passing_instances(consul)}))
    if answer.addresses == by_checks:
        return
    nodes = dns_nodes(state)
    master = writable_master(state)
    wrong = tuple(one for one in nodes if master is None or one != master.name)
    kept = f"the answer may be kept for {answer.ttl} s" if answer.ttl else "it may not be kept (TTL 0)"
    yield Match(
        tuple(one for one in nodes if one in {node.name for node in state.nodes}),
        f"DNS leads clients of {answer.name} to {listed(nodes) or 'nobody'}, but Consul's checks do not.",
        (f"DNS: {', '.join(answer.addresses) or 'no address'}, {kept}", *_side_by_side(state, consul)),
        advise("see which name server was asked and what it keeps; clients on it go on being led there"),
        None if wrong or not nodes else Severity.WARNING,
    )


def _registered(state: ClusterState) -> tuple[str, ...]:
    return tuple(node.name for node in state.nodes if instance_of(state, node) is not None)


def _side_by_side(state: ClusterState, consul: ConsulState) -> tuple[str, ...]:
    """A line for each node: its role, and what Consul says of it; then DNS."""
    lines = []
    for node in state.nodes:
        redis, found = node.redis.value, instance_of(state, node)
        role = role_in_words(redis) if redis is not None else node.redis.problem_of("Redis")
        said = f"{found.service_id}: {checks_in_words(found)}" if found is not None else "Consul has no instance there"
        lines.append(f"{node.name}: {role}; {said}")
    if consul.dns.value is not None:
        lines.append(f"DNS: {', '.join(consul.dns.value.addresses) or 'no address'}")
    return tuple(lines)


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "consul-unreachable",
        Severity.WARNING,
        "Whether clients find the master is not known; where no agent runs, they find nobody.",
        _unreachable,
        remedy="see whether the Consul agent runs",
    ),
    FindingRule(
        "consul-several-passing",
        Severity.CRITICAL,
        "Each client is led to one of them at random. What it writes there is not on the other.",
        _several,
        remedy="runbook consul-return-old-master",
    ),
    FindingRule(
        "consul-none-passing",
        Severity.CRITICAL,
        "Clients cannot find any Redis.",
        _none,
        remedy="bring back a master, or mend its check",
    ),
    FindingRule(
        "consul-disagrees",
        Severity.CRITICAL,
        "Clients are led to a server that refuses their writes, or away from the one that takes them.",
        _disagrees,
        remedy="wait for the next run of the check; else run its script by hand",
        superseded_by=("consul-several-passing", "consul-none-passing"),
    ),
    FindingRule(
        "consul-replica-held",
        Severity.WARNING,
        "After a failover to it clients find no master.",
        _held_replica,
        remedy="runbook consul-return-old-master",
    ),
    FindingRule(
        "consul-dns-disagrees",
        Severity.CRITICAL,
        "Clients ask DNS, and DNS leads them to other nodes than Consul's checks would.",
        _dns,
        remedy="see which name server keeps the old answer",
    ),
)
