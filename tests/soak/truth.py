"""Whether what a finding states is true of the servers now. Codes about texts of files are not in the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from soak.ground import Ground, Seen
from soak.kinds import PAIR

from console.core.diagnosis.finding import Finding

Truth = Callable[[Ground, Sequence[str]], bool]


def _look(ground: Ground, name: str) -> Seen | None:
    return ground.look(name) if name in ground.kind.nodes else None


def _runs(ground: Ground, name: str) -> bool:
    return bool(ground.host(name).pid) and ground.runs(name)


def _master(ground: Ground, name: str) -> bool:
    one = _look(ground, name)
    return one is not None and one.role == "master"


def _replica(ground: Ground, name: str) -> bool:
    one = _look(ground, name)
    return one is not None and one.role == "slave"


def _seen(test: Callable[[Seen], bool]) -> Callable[[Ground, str], bool]:
    def holds(ground: Ground, name: str) -> bool:
        one = _look(ground, name)
        return one is not None and test(one)

    return holds


def _each(test: Callable[[Ground, str], bool]) -> Truth:
    return lambda ground, nodes: all(test(ground, name) for name in nodes)


def _has_vip(ground: Ground, name: str) -> bool:
    return ground.host(name).has_address(ground.lab.vip)


def _masters(ground: Ground) -> list[str]:
    return [name for name in ground.kind.nodes if _master(ground, name)]


def _mutual(ground: Ground, _: Sequence[str]) -> bool:
    names = ground.address_names()
    follows = {name: names.get(one.master) for name in ground.kind.nodes if (one := _look(ground, name))}
    return any(follows.get(other or "") == name for name, other in follows.items())


def _sentinel_gone(ground: Ground, nodes: Sequence[str]) -> bool:
    hosts = [ground.kind.sentinels.get(name, name) for name in nodes]
    return all(not ground.runs(name, "redis-sentinel") for name in hosts)


TRUTHS: dict[str, Truth] = {
    "redis-down": _each(lambda ground, name: not _runs(ground, name)),
    "redis-hung": _each(lambda ground, name: _runs(ground, name) and _look(ground, name) is None),
    "redis-loading": _each(_seen(lambda one: one.loading)),
    "vip-duplicate": lambda ground, nodes: len(nodes) > 1 and all(_has_vip(ground, one) for one in nodes),
    "vip-missing": lambda ground, _: not any(_has_vip(ground, one) for one in ground.kind.nodes),
    "vip-on-dead-redis": _each(lambda ground, name: _has_vip(ground, name) and _look(ground, name) is None),
    "vip-on-replica": _each(lambda ground, name: _has_vip(ground, name) and _replica(ground, name)),
    "mutual-replication": _mutual,
    "no-master": lambda ground, _: not _masters(ground),
    "dual-master": lambda ground, nodes: len(_masters(ground)) > 1 and all(_master(ground, one) for one in nodes),
    "replica-syncing": _each(_seen(lambda one: one.syncing)),
    "replica-link-down": _each(_seen(lambda one: one.role == "slave" and not one.link_up)),
    "keepalived-down": _each(lambda ground, name: not ground.runs(name, "keepalived")),
    "writes-refused": _each(_seen(lambda one: one.refuses or one.role == "slave")),
    "sentinel-unreachable": _sentinel_gone,
    "consul-unreachable": lambda ground, _: not ground.runs(ground.kind.consul, "consul"),
    "consul-none-passing": lambda ground, _: not ground.reached(),
    "consul-several-passing": lambda ground, _: len(ground.reached()) > 1,
}
"""Code → whether it is so of the nodes that the finding names."""


def told(ground: Ground, findings: Sequence[Finding]) -> dict[int, bool]:
    """Place in the list of findings → whether it is true now. Those that no table judges are left out."""
    found = {}
    for place, one in enumerate(findings):
        truth = TRUTHS.get(one.code)
        known = set(one.nodes) <= {*ground.kind.nodes, *ground.kind.sentinels, *ground.kind.directors}
        if truth is not None and (known or ground.kind.of == PAIR):
            found[place] = truth(ground, one.nodes)
    return found
