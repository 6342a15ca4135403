"""The service name in Consul: which nodes it leads to, by the checks and by DNS."""

from __future__ import annotations

from console.core.model import ClusterState, ConsulInstance, ConsulState, NodeState
from console.core.model.facts import every_name_of, node_by_address
from console.core.numbers import port_number


def full_name(consul: ConsulState) -> str:
    """`redis.service.consul`."""
    return f"{consul.service}.service.consul"


def instance_of(state: ClusterState, node: NodeState) -> ConsulInstance | None:
    """The registration of the node; None: there is none, or Consul could not be read."""
    found = state.consul.instances.value if state.consul is not None else None
    names = every_name_of(node)
    ours = [one for one in found or () if one.port == node.redis_port and one.address in names]
    return ours[0] if ours else None


def passing_instances(consul: ConsulState) -> tuple[ConsulInstance, ...]:
    """The instances whose checks pass, so that the name resolves to them; empty: none, or Consul could not be read."""
    return tuple(one for one in consul.instances.value or () if one.passing)


def node_label(state: ClusterState, instance: ConsulInstance) -> str:
    """The name of the node of an instance, else its address."""
    node = node_by_address(state, instance.address, instance.port)
    return node.name if node is not None else f"{instance.address}:{instance.port}, none of the nodes"


def dns_nodes(state: ClusterState) -> tuple[str, ...]:
    """The nodes in the answer of DNS. An address of another server is returned as it is."""
    answer = state.consul.dns.value if state.consul is not None else None
    return tuple(_node_at(state, address) for address in (answer.addresses if answer is not None else ()))


def _node_at(state: ClusterState, address: str) -> str:
    for node in state.nodes:
        if address in every_name_of(node):
            return node.name
    return address


def checks_in_words(instance: ConsulInstance) -> str:
    """The checks that do not pass, otherwise its own checks: `service:redisnode1 critical (Could not connect…)`."""
    held = instance.maintenance
    if held is not None:
        return f"in maintenance ({held.output or 'without a reason'})"
    shown = [one for one in instance.checks if one.status != "passing"] or list(instance.own_checks)
    said = [f"{one.check_id} {one.status}{f' ({one.output})' if one.output else ''}" for one in shown]
    return "; ".join(said) or "no check at all"


def master_addresses(state: ClusterState) -> tuple[str, ...]:
    """The different addresses that the readable Sentinels name as the master."""
    watched = [one.sentinel.value.master for one in state.sentinels if one.sentinel.value is not None]
    return tuple(sorted({one.address for one in watched if one is not None}))


def writable_master(state: ClusterState) -> NodeState | None:
    """The node that the name should lead to: the only master, or of several masters the one that the Sentinels name."""
    if len(state.masters) == 1:
        return state.node(state.masters[0])
    addresses = master_addresses(state)
    if len(addresses) != 1:
        return None
    host, _, port = addresses[0].rpartition(":")
    number = port_number(port)
    node = node_by_address(state, host, number) if number is not None else None
    return node if node is not None and node.name in state.masters else None


def serving_node(state: ClusterState) -> str | None:
    """The node that clients reach, by the virtual IP or by the name; None: none of the nodes, or not known."""
    return state.vip_reaches or node_by_checks(state)


def node_by_checks(state: ClusterState) -> str | None:
    """The one node that the name leads to by its checks; None: no node, several nodes, or not known."""
    found = {node_label(state, one) for one in passing_instances(state.consul)} if state.consul is not None else set()
    return found.pop() if len(found) == 1 and found <= {node.name for node in state.nodes} else None
