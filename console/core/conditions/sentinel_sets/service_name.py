"""Conditions about the service name in Consul: whom it leads to, and who is kept out of it (H24)."""

from __future__ import annotations

from console.core.conditions.servers import role_in_words
from console.core.conditions.spec import (
    ArgumentSpec,
    ArgumentType,
    Ask,
    PredicateSpec,
    UnreadError,
    decided,
    fails,
    holds,
    need,
    unknown,
)
from console.core.conditions.switching import writes_paused
from console.core.model import ConsulInstance, ConsulState, NodeState, ProblemKind, Role
from console.core.model.facts import named, proved_down
from console.core.model.verdict import Check
from console.core.watchers.service_name import full_name, in_words, instance_of, passing, resolved, whose

_NO_CONSUL = "no Consul points clients at this cluster"


def consul_of(ask: Ask) -> ConsulState:
    """Raises UnreadError where the cluster has none."""
    if ask.state.consul is None:
        raise UnreadError(_NO_CONSUL)
    return ask.state.consul


def _instance(ask: Ask) -> ConsulInstance:
    """The node's registration. Raises UnreadError where Consul could not be read or has none."""
    consul = consul_of(ask)
    need(consul.instances, f"the service {consul.service} in Consul")
    found = instance_of(ask.state, ask.node)
    if found is None:
        raise UnreadError(f"Consul has no instance of {consul.service} at {ask.node.address}:{ask.node.redis_port}")
    return found


def held_from_name(ask: Ask) -> Check:
    """Whatever its own check says meanwhile, Consul leads nobody to a service in maintenance."""
    found = _instance(ask)
    statement = f"Consul keeps {ask.name} out of {full_name(consul_of(ask))}"
    if found.held is None:
        return fails(statement, f"{found.service_id}: {in_words(found)}", "put its service into maintenance first")
    return holds(statement, f"{found.service_id}: {in_words(found)}")


def not_held(ask: Ask) -> Check:
    found = _instance(ask)
    statement = f"{ask.name} is in no maintenance in Consul"
    return decided(found.held is None, statement, f"{found.service_id}: {in_words(found)}")


def not_in_name(ask: Ask) -> Check:
    """H24: neither the checks nor DNS lead anybody to the node."""
    consul = consul_of(ask)
    statement = f"{full_name(consul)} does not lead to {ask.name}"
    leads = _by_checks(ask, consul)
    by_dns = _by_dns(ask, consul)
    said = _said(consul, leads, by_dns)
    return decided(ask.name not in (*leads, *by_dns), statement, said, f"keep {ask.name} out of it, or wait")


def only_in_name(ask: Ask) -> Check:
    """H24: the checks and DNS lead to the node, and nowhere else."""
    consul = consul_of(ask)
    statement = f"{full_name(consul)} leads to {ask.name} only"
    leads = _by_checks(ask, consul)
    by_dns = _by_dns(ask, consul)
    right = leads == (ask.name,) and (not _asked_by_dns(consul) or by_dns == (ask.name,))
    return decided(right, statement, _said(consul, leads, by_dns), "see what the checks say, and who is a master")


def check_agrees(ask: Ask) -> Check:
    """The service's own checks say of the node what its Redis says: passing on a master, else not."""
    found = _instance(ask)
    statement = f"Consul's check of {ask.name} says what its Redis says"
    let_in = not any(one.status == "critical" for one in found.own_checks)
    if proved_down(ask.node):
        return decided(not let_in, statement, f"Redis does not run; {found.service_id}: {in_words(found)}")
    redis = need(ask.node.redis, f"Redis on {ask.name}")
    evidence = f"{role_in_words(redis)}; {_checks_in_words(found)}"
    return decided(let_in is (redis.role is Role.MASTER), statement, evidence, "wait for the next run of the check")


def another_master(ask: Ask) -> Check:
    """H24: a name without an address serves nobody."""
    statement = f"clients have another master than {ask.name}"
    others = [one for one in ask.state.masters if one != ask.name]
    if others:
        return holds(statement, f"{' and '.join(others)} is a master")
    unread = [one.name for one in ask.state.nodes if one is not ask.node and not one.redis.ok and not proved_down(one)]
    if unread:
        return unknown(statement, f"Redis on {' and '.join(unread)} could not be read")
    return fails(statement, "no other node is a master", "promote another one first: SENTINEL FAILOVER")


def alone_in_name(ask: Ask) -> Check:
    """H24: whoever is let in again is no second one there."""
    statement = f"{ask.name} is in the name with no other master beside it"
    quiet = takes_no_writes(ask)
    if quiet.holds:
        return holds(statement, quiet.evidence)
    others = [one for one in ask.state.masters if one != ask.name]
    evidence = f"{' and '.join(others)} is a master too" if others else "it is the only master"
    return decided(not others, statement, evidence, "make it a replica first")


def comes_back_unresolved(ask: Ask) -> Check:
    """H24: what starts as a master is in the name with the next run of its check, beside the one that serves."""
    state = ask.state
    statement = f"{ask.name} comes back without being in the name that clients resolve"
    if state.consul is None:
        return holds(statement, _NO_CONSUL)
    others = [one for one in state.masters if one != ask.name]
    if not others:
        return holds(statement, "no other node is a master: there is nobody to be beside")
    found = instance_of(state, ask.node)
    if found is not None and found.held is not None:
        return holds(statement, f"{found.service_id}: {in_words(found)}")
    if found is None and state.consul.instances.ok:
        return holds(statement, f"Consul has no instance of {state.consul.service} at {ask.node.address}")
    follows = _follows_by_file(ask.node)
    if any(_means(ask, follows, one) for one in others):
        return holds(statement, f"by its configuration file it starts as a replica of {follows}")
    said = in_words(found) if found is not None else f"Consul could not be read: {state.consul.instances.problem}"
    advice = "put its service into maintenance first (hold-service), or make it start as a replica (set-replicaof)"
    return fails(
        statement, f"{' and '.join(others)} is the master; it starts as a master too, and Consul: {said}", advice
    )


def starts_as_replica(ask: Ask) -> Check:
    """By the configuration file: what is told by SLAVEOF alone is forgotten at the next start."""
    source = ask.other("source")
    statement = f"{ask.name} starts as a replica of {source.name}"
    file = need(ask.node.redis_file, f"the configuration file of Redis on {ask.name}")
    follows = _follows_by_file(ask.node)
    evidence = f"{file.path}: {f'follows {follows}, line {file.line}' if follows else 'it follows nobody'}"
    return decided(_means(ask, follows, source.name), statement, evidence)


def takes_no_writes(ask: Ask) -> Check:
    """Down, or a replica."""
    statement = f"{ask.name} takes no writes of its own"
    if proved_down(ask.node):
        return holds(statement, "its Redis does not run")
    redis = need(ask.node.redis, f"Redis on {ask.name}")
    return decided(redis.role is Role.REPLICA, statement, role_in_words(redis))


def acknowledges_nothing(ask: Ask) -> Check:
    """What `takes_no_writes` says, or a master that was told to hold its writes back: by a run that was left there."""
    statement = f"{ask.name} acknowledges no writes"
    quiet = takes_no_writes(ask)
    found = quiet if quiet.holds else writes_paused(ask)
    return Check(found.verdict, statement, found.evidence, found.advice)


def sentinels_allow(ask: Ask) -> Check:
    """H21: no Sentinel names another master, or is in the middle of a failover. One whose port refuses does not run."""
    statement = f"no Sentinel has another master than {ask.name} in mind"
    said = []
    for one in ask.state.sentinels:
        sentinel, problem = one.sentinel.value, one.sentinel.problem
        if sentinel is None:
            if problem is None or problem.kind is not ProblemKind.REFUSED:
                return unknown(statement, f"{one.name} could not be read: {problem}")
            said.append(f"{one.name} does not run")
            continue
        if sentinel.master is None:
            return fails(statement, f"{one.name} knows no master {ask.state.master_name}")
        if sentinel.master.failing_over:
            return fails(statement, f"{one.name} is failing over", "wait for its end, and look again")
        if named(ask.state, sentinel.master.host, sentinel.master.port) is not ask.node:
            return fails(statement, f"{one.name} names {sentinel.master.address}", f"{ask.name} is not the master")
        said.append(f"{one.name} names {sentinel.master.address}")
    return holds(statement, "; ".join(said) or "there are none")


def _follows_by_file(node: NodeState) -> str:
    file = node.redis_file.value
    return "" if file is None else ":".join(file.master.split())


def _means(ask: Ask, address: str, node: str) -> bool:
    host, _, port = address.rpartition(":")
    found = named(ask.state, host, int(port)) if port.isdigit() else None
    return found is not None and found.name == node


def _by_checks(ask: Ask, consul: ConsulState) -> tuple[str, ...]:
    need(consul.instances, f"the service {consul.service} in Consul")
    return tuple(whose(ask.state, one) for one in passing(consul))


def _asked_by_dns(consul: ConsulState) -> bool:
    return consul.dns.problem is None or consul.dns.problem.kind is not ProblemKind.NOT_CONFIGURED


def _by_dns(ask: Ask, consul: ConsulState) -> tuple[str, ...]:
    if _asked_by_dns(consul):
        need(consul.dns, f"what {full_name(consul)} resolves to")
    return resolved(ask.state)


def _said(consul: ConsulState, leads: tuple[str, ...], by_dns: tuple[str, ...]) -> str:
    dns = f", DNS says {' and '.join(by_dns) or 'nobody'}" if _asked_by_dns(consul) else ", DNS is not asked"
    return f"checks pass for {' and '.join(leads) or 'nobody'}{dns}"


def _checks_in_words(found: ConsulInstance) -> str:
    return "; ".join(f"{one.check_id} {one.status} ({one.output})" for one in found.own_checks) or "it has no check"


_MASTER = ArgumentSpec("source", ArgumentType.ROLE, "The node to follow.")

ROWS: tuple[PredicateSpec, ...] = (
    PredicateSpec("held-from-name", "The node's service in Consul is in maintenance.", held_from_name, hazard="H24"),
    PredicateSpec("not-held", "The node's service in Consul is in no maintenance.", not_held),
    PredicateSpec(
        "not-in-name",
        "The service name in Consul does not lead to the node: neither by its checks, nor by DNS.",
        not_in_name,
        hazard="H24",
    ),
    PredicateSpec(
        "only-in-name",
        "The service name in Consul leads to the node and nowhere else, by its checks and by DNS.",
        only_in_name,
        hazard="H24",
    ),
    PredicateSpec(
        "check-agrees",
        "The node's own checks in Consul pass if its Redis is a master, and are critical else.",
        check_agrees,
        hazard="H24",
    ),
    PredicateSpec(
        "alone-in-name", "The node takes no writes, or no other node is a master.", alone_in_name, hazard="H24"
    ),
    PredicateSpec("another-master", "Another node is a master.", another_master, hazard="H24"),
    PredicateSpec(
        "comes-back-unresolved",
        "No Consul, no other master, or the node's service is in maintenance, or its file makes it a replica.",
        comes_back_unresolved,
        hazard="H24",
    ),
    PredicateSpec(
        "starts-as-replica",
        "The configuration file of the node's Redis makes it a replica of the source.",
        starts_as_replica,
        (_MASTER,),
    ),
    PredicateSpec("takes-no-writes", "Redis on the node does not run, or is a replica.", takes_no_writes),
    PredicateSpec(
        "acknowledges-nothing",
        "Redis on the node does not run, is a replica, or takes no writes until they are resumed (`pause-writes`).",
        acknowledges_nothing,
    ),
    PredicateSpec(
        "sentinels-allow",
        "No Sentinel names another master than the node, or is failing over; one whose port refuses does not run.",
        sentinels_allow,
        hazard="H21",
    ),
)
"""Their part of the vocabulary."""
