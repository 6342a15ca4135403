"""Conditions about the service name in Consul: which node it resolves to, and which one is kept out of it (H24)."""

from __future__ import annotations

from console.core.conditions.predicate import (
    ArgumentSpec,
    ArgumentType,
    PredicateSpec,
    Question,
    UnreadError,
    fails,
    holds,
    holds_if,
    unknown,
    value_of,
)
from console.core.conditions.servers import role_in_words
from console.core.conditions.switching import writes_paused
from console.core.model import ConsulInstance, ConsulState, NodeState, ProblemKind, Role
from console.core.model.facts import node_by_address, proved_down, source_by_file, unread_redis
from console.core.model.verdict import Check
from console.core.watchers.sentinels import monitor_anew, proved_silent, watched_in_words
from console.core.watchers.service_name import (
    checks_in_words,
    dns_nodes,
    full_name,
    instance_of,
    node_label,
    passing_instances,
)

_NO_CONSUL = "no Consul points clients at this cluster"


def consul_of(question: Question) -> ConsulState:
    """Raises UnreadError if the cluster has no Consul."""
    if question.state.consul is None:
        raise UnreadError(_NO_CONSUL)
    return question.state.consul


def _instance(question: Question) -> ConsulInstance:
    """The node's registration. Raises UnreadError if Consul could not be read, or has none."""
    consul = consul_of(question)
    value_of(consul.instances, f"the service {consul.service} in Consul")
    found = instance_of(question.state, question.node)
    if found is None:
        raise UnreadError(
            f"Consul has no instance of {consul.service} at {question.node.address}:{question.node.redis_port}"
        )
    return found


def held_from_name(question: Question) -> Check:
    """Consul resolves the name to no service in maintenance, whatever the service's own check says."""
    found = _instance(question)
    statement = f"Consul keeps {question.name} out of {full_name(consul_of(question))}"
    if found.maintenance is None:
        return fails(
            statement, f"{found.service_id}: {checks_in_words(found)}", "put its service into maintenance first"
        )
    return holds(statement, f"{found.service_id}: {checks_in_words(found)}")


def not_held(question: Question) -> Check:
    found = _instance(question)
    statement = f"{question.name} is in no maintenance in Consul"
    return holds_if(found.maintenance is None, statement, f"{found.service_id}: {checks_in_words(found)}")


def not_in_name(question: Question) -> Check:
    """H24: neither the checks nor DNS lead clients to the node."""
    consul = consul_of(question)
    statement = f"{full_name(consul)} does not lead to {question.name}"
    leads = _by_checks(question, consul)
    by_dns = _by_dns(question, consul)
    said = _said(consul, leads, by_dns)
    return holds_if(question.name not in (*leads, *by_dns), statement, said, f"keep {question.name} out of it, or wait")


def only_in_name(question: Question) -> Check:
    """H24: the checks and DNS lead to the node, and nowhere else."""
    consul = consul_of(question)
    statement = f"{full_name(consul)} leads to {question.name} only"
    leads = _by_checks(question, consul)
    by_dns = _by_dns(question, consul)
    right = leads == (question.name,) and (not _asked_by_dns(consul) or by_dns == (question.name,))
    return holds_if(right, statement, _said(consul, leads, by_dns), "see what the checks say, and who is a master")


def check_agrees(question: Question) -> Check:
    """The service's own checks say of the node what its Redis says: passing on a master, else not."""
    found = _instance(question)
    statement = f"Consul's check of {question.name} says what its Redis says"
    let_in = not any(one.status == "critical" for one in found.own_checks)
    if proved_down(question.node):
        return holds_if(not let_in, statement, f"Redis does not run; {found.service_id}: {checks_in_words(found)}")
    redis = value_of(question.node.redis, f"Redis on {question.name}")
    evidence = f"{role_in_words(redis)}; {_checks_in_words(found)}"
    return holds_if(let_in is (redis.role is Role.MASTER), statement, evidence, "wait for the next run of the check")


def another_master(question: Question) -> Check:
    """H24: a name without an address serves no client."""
    statement = f"clients have another master than {question.name}"
    others = [one for one in question.state.masters if one != question.name]
    if others:
        return holds(statement, f"{' and '.join(others)} is a master")
    unread = [one.name for one in unread_redis(question.state) if one is not question.node]
    if unread:
        return unknown(statement, f"Redis on {' and '.join(unread)} could not be read")
    return fails(statement, "no other node is a master", "promote another one first: SENTINEL FAILOVER")


def alone_in_name(question: Question) -> Check:
    """H24: no other node is in the name when this one is let in again."""
    statement = f"{question.name} is in the name, and no other master is"
    quiet = takes_no_writes(question)
    if quiet.holds:
        return holds(statement, quiet.evidence)
    others = [one for one in question.state.masters if one != question.name]
    evidence = f"{' and '.join(others)} is a master too" if others else "it is the only master"
    return holds_if(not others, statement, evidence, "make it a replica first")


def comes_back_unresolved(question: Question) -> Check:
    """H24: a node that starts as a master is in the name after the next run of its check, beside the serving master."""
    state = question.state
    statement = f"{question.name} is not in the name that clients resolve when it comes back"
    if state.consul is None:
        return holds(statement, _NO_CONSUL)
    others = [one for one in state.masters if one != question.name]
    if not others:
        return holds(statement, "no other node is a master")
    found = instance_of(state, question.node)
    if found is not None and found.maintenance is not None:
        return holds(statement, f"{found.service_id}: {checks_in_words(found)}")
    if found is None and state.consul.instances.ok:
        return holds(statement, f"Consul has no instance of {state.consul.service} at {question.node.address}")
    source = source_by_file(state, question.node)
    if source is not None and source.name in others:
        return holds(
            statement, f"by its configuration file it starts as a replica of {_follows_by_file(question.node)}"
        )
    said = (
        checks_in_words(found) if found is not None else f"Consul could not be read: {state.consul.instances.problem}"
    )
    advice = "put its service into maintenance first (hold-service), or make it start as a replica (set-replicaof)"
    return fails(
        statement, f"{' and '.join(others)} is the master; it starts as a master too, and Consul: {said}", advice
    )


def starts_as_replica(question: Question) -> Check:
    """By the configuration file. A role that only SLAVEOF has set is lost at the next start."""
    source = question.node_of("source")
    statement = f"{question.name} starts as a replica of {source.name}"
    file = value_of(question.node.redis_file, f"the configuration file of Redis on {question.name}")
    follows = _follows_by_file(question.node)
    evidence = f"{file.path}: {f'follows {follows}, line {file.line}' if follows else 'it follows nobody'}"
    return holds_if(source_by_file(question.state, question.node) is source, statement, evidence)


def takes_no_writes(question: Question) -> Check:
    """Down, or a replica."""
    statement = f"{question.name} takes no writes of its own"
    if proved_down(question.node):
        return holds(statement, "its Redis does not run")
    redis = value_of(question.node.redis, f"Redis on {question.name}")
    return holds_if(redis.role is Role.REPLICA, statement, role_in_words(redis))


def acknowledges_nothing(question: Question) -> Check:
    """As `takes_no_writes`, or a master whose writes an earlier run has paused and not resumed."""
    statement = f"{question.name} acknowledges no writes"
    quiet = takes_no_writes(question)
    found = quiet if quiet.holds else writes_paused(question)
    return Check(found.verdict, statement, found.evidence, found.advice)


def sentinels_allow(question: Question) -> Check:
    """H21: no Sentinel names another master, or is in the middle of a failover. One whose port refuses does not run.

    One that does not run undoes nothing now. Whom it will name is not known, and the statement does not say it.
    """
    refused = [one for one in question.state.sentinels if proved_silent(one)]
    which = "Sentinel that runs" if refused else "Sentinel"
    statement = f"no {which} names another master than {question.name}"
    said = []
    for one in question.state.sentinels:
        sentinel, problem = one.sentinel.value, one.sentinel.problem
        if sentinel is None:
            if problem is None or problem.kind is not ProblemKind.REFUSED:
                return unknown(statement, f"{one.name} could not be read: {problem}")
            said.append(f"{one.name} does not run, and whom it names after its start is not known")
            continue
        if sentinel.master is None:
            return fails(
                statement, f"{one.name} knows no master {question.state.master_name}", _other(question, one.name)
            )
        if sentinel.master.failing_over:
            return fails(statement, f"{one.name} is failing over", "wait for its end, and look again")
        if node_by_address(question.state, sentinel.master.host, sentinel.master.port) is not question.node:
            return fails(
                statement,
                f"{one.name} names {watched_in_words(question.state, sentinel.master)}",
                _other(question, one.name),
            )
        said.append(f"{one.name} names {sentinel.master.address}")
    return holds(statement, "; ".join(said) or "there are none")


def _other(question: Question, sentinel: str) -> str:
    """What to do where a Sentinel watches another node: which of the two is right is to be decided first."""
    if question.state.masters != (question.name,):
        return f"{question.name} is not the master that it watches"
    return f"if {question.name} is to stay the master, {monitor_anew(question.state, [sentinel], question.node)}"


def _follows_by_file(node: NodeState) -> str:
    file = node.redis_file.value
    return "" if file is None else ":".join(file.master.split())


def _by_checks(question: Question, consul: ConsulState) -> tuple[str, ...]:
    value_of(consul.instances, f"the service {consul.service} in Consul")
    return tuple(node_label(question.state, one) for one in passing_instances(consul))


def _asked_by_dns(consul: ConsulState) -> bool:
    return consul.dns.problem is None or consul.dns.problem.kind is not ProblemKind.NOT_CONFIGURED


def _by_dns(question: Question, consul: ConsulState) -> tuple[str, ...]:
    if _asked_by_dns(consul):
        value_of(consul.dns, f"what {full_name(consul)} resolves to")
    return dns_nodes(question.state)


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
