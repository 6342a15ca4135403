"""Facts of a gate beside those of the nodes: the virtual IP, the Sentinels, the directors, Consul."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.model import ClusterState, Sentinel
from console.core.model.facts import NOT_KNOWN, vip_reached_in_words

_HELD = {True: "yes", False: "no", None: NOT_KNOWN}


def virtual_ip_facts(state: ClusterState) -> Mapping[str, str]:
    """Which nodes hold the virtual IP, which node it reaches, and which process answers there.

    The process is a fact of its own: it is known also where no node is known to be its host.
    """
    held = {f"{node.name}: holds the VIP": _HELD[node.holds(state.vip)] for node in state.nodes}
    reach = state.vip_reach.value
    answers = NOT_KNOWN if reach is None else f"run_id {reach.run_id[:12]}"
    return {**held, "VIP reaches": vip_reached_in_words(state), "VIP answers with": answers}


def sentinel_facts(state: ClusterState) -> Mapping[str, str]:
    """The master that each Sentinel names, and whether it is failing over."""
    return {f"{one.name}: master": _named_by(one.sentinel.value) for one in state.sentinels}


def _named_by(sentinel: Sentinel | None) -> str:
    if sentinel is None:
        return NOT_KNOWN
    if sentinel.master is None:
        return "none of this name"
    state = ", failing over" if sentinel.master.failing_over else ""
    tilt = ", TILT" if sentinel.tilt else ""
    return f"{sentinel.master.address}, config epoch {sentinel.master.config_epoch}{state}{tilt}"


def director_facts(state: ClusterState) -> Mapping[str, str]:
    """Who holds the read VIP, and the weights on each director. Connection counts are left out: they always change."""
    facts = {}
    for one in state.directors:
        service = one.service(state.read_vip)
        servers = service.servers if service is not None else ()
        table = ", ".join(sorted(f"{real.address}:{real.port} weight {real.weight}" for real in servers)) or "nothing"
        facts[f"{one.name}: readers go to"] = table if one.services.ok else NOT_KNOWN
        facts[f"{one.name}: holds the read VIP"] = _HELD[one.holds(state.read_vip)]
    return facts


def consul_facts(state: ClusterState) -> Mapping[str, str]:
    """What the service name resolves to, by the checks and by DNS."""
    if state.consul is None:
        return {}
    instances, dns = state.consul.instances.value, state.consul.dns.value
    passing = sorted(f"{one.address}:{one.port}" for one in instances or () if one.passing)
    return {
        "Consul: passing": NOT_KNOWN if instances is None else ", ".join(passing) or "none",
        "Consul: DNS": NOT_KNOWN if dns is None else ", ".join(sorted(dns.addresses)) or "no address",
    }
