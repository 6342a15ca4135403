"""Step by step what works between this machine and a cluster, by one observation and some trials of its Redis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.core.access.file_steps import file_names, file_steps
from console.core.access.host_steps import Login, addresses_step, host_steps
from console.core.access.keepalived_steps import KEEPALIVED_STEPS, keepalived_steps
from console.core.access.redis_steps import redis_steps
from console.core.access.step import Step, Steps, Subject
from console.core.access.trial import RedisTrial
from console.core.access.watcher_steps import consul_steps, director_steps, sentinel_steps
from console.core.inventory import ClusterSpec, NodeSpec
from console.core.model import ClusterState, NodeState, ProblemKind
from console.core.model.facts import vip_holders_in_words, vip_reached_in_words
from console.core.typed_commands import program_command

KEEPALIVED = "keepalived"
_NO_SHELL = "there is no shell"


def examine(cluster: ClusterSpec, state: ClusterState, trials: Mapping[str, RedisTrial]) -> tuple[Subject, ...]:
    """The nodes, then the virtual IP, then the watchers that the inventory names, each with its steps."""
    return tuple(_subjects(cluster, state, trials))


def _subjects(cluster: ClusterSpec, state: ClusterState, trials: Mapping[str, RedisTrial]) -> Iterator[Subject]:
    for spec in cluster.nodes:
        steps = Steps()
        _node(steps, cluster, spec, state.node(spec.name))
        redis_steps(steps, cluster, spec, state, trials.get(spec.name, RedisTrial()))
        yield Subject(spec.name, "node", spec.address, tuple(steps.taken))
    if cluster.vip:
        yield Subject("virtual IP", "virtual IP", cluster.vip, _vip(cluster, state))
    for sentinel, watched in zip(cluster.sentinels, state.sentinels, strict=False):
        steps = Steps()
        sentinel_steps(steps, cluster, sentinel, watched)
        yield Subject(sentinel.name, "Sentinel", f"{sentinel.address}:{sentinel.port}", tuple(steps.taken))
    for director, seen in zip(cluster.directors, state.directors, strict=False):
        steps = Steps()
        director_steps(steps, cluster, director, seen)
        yield Subject(director.name, "director", director.address, tuple(steps.taken))
    if cluster.consul is not None:
        steps = Steps()
        consul_steps(steps, cluster.consul, state.consul)
        yield Subject("Consul", "Consul", cluster.consul.http, tuple(steps.taken))


def _node(steps: Steps, cluster: ClusterSpec, spec: NodeSpec, node: NodeState) -> None:
    login = Login(spec.name, spec.address, spec.ssh)
    with_keepalived = cluster.kind == KEEPALIVED
    vip = ("virtual IP",) if cluster.vip else ()
    if not host_steps(steps, login, node.ssh):
        names = (*file_names(cluster.kind), *(KEEPALIVED_STEPS if with_keepalived else ()), *vip)
        steps.not_tried(names, _NO_SHELL)
        return
    file_steps(steps, login, cluster.kind, spec, node)
    if with_keepalived:
        processes = node.processes.value
        found = (processes.keepalived if processes is not None else (), node.places.value or ())
        keepalived_steps(steps, spec.name, spec.keepalived, node.keepalived, node.keepalived_config, found)
    if cluster.vip:
        addresses_step(steps, cluster.vip, node.addresses, key="virtual IP")


def _vip(cluster: ClusterSpec, state: ClusterState) -> tuple[Step, ...]:
    """Who holds it, and who answers at it. That nobody does is a state of the cluster, not of the access to it."""
    steps = Steps()
    status = f"see `{program_command(f'status {cluster.name}')}`"
    if state.vip_unread:
        steps.not_tried(["held"], f"the addresses of {' and '.join(state.vip_unread)} could not be read")
    elif len(state.vip_holders) == 1:
        steps.works("held", vip_holders_in_words(state))
    else:
        steps.note("held", vip_holders_in_words(state), f"correct vip of {cluster.name}, or {status}")
    problem = state.vip_reach.problem
    if problem is None:
        steps.works("answers", vip_reached_in_words(state))
    elif problem.kind is ProblemKind.NOT_READ:
        steps.not_tried(["answers"], str(problem))
    else:
        change = f"let this machine reach {cluster.vip}:{cluster.nodes[0].redis.port} as clients do, or {status}"
        steps.note("answers", str(problem), change)
    return tuple(steps.taken)
