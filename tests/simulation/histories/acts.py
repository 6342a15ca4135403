"""What can be done to a host of either world: of the laboratory, and of the model."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulation.world.host import Host
from simulation.world.sentinel import Sentinel
from simulation.world.world import World

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.redis_client import RefusedError
from console.lab.scenarios.sentinel_consul import api
from console.lab.systems import sentinel_vip
from console.lab.systems.sentinel_consul import FIRST, INSTANCES, MASTER_NAME, SECOND
from console.lab.systems.sentinel_service import ask_sentinel

CAUSE = "act"


@dataclass(frozen=True)
class Act:
    """One act. The last word of each call is the next host: the other one of a pair."""

    in_lab: Callable[[Laboratory, str, str], object]
    in_model: Callable[[Host, Host], object]


def _write(lab: Laboratory, name: str, _other: str) -> None:
    for number in range(3):
        lab.host(name).redis("SET", f"write:{time.monotonic()}:{number}", "v")


def _write_in_model(host: Host, _other: Host) -> None:
    for _ in range(3):
        if not host.redis.refusal():
            host.redis.write(host.world.new_pid())


def _follow(host: Host, master: str) -> None:
    if host.redis.process is not None:
        host.redis.replicaof(master, CAUSE)


def _save(host: Host, _other: Host) -> None:
    if host.redis.process is not None:
        host.redis.begin_save()


def _service(service: str, action: str) -> Callable[[Laboratory, str, str], object]:
    return lambda lab, name, _: lab.host(name).run(["service", service, action])


def _kill(service: str, process: str) -> Callable[[Laboratory, str, str], object]:
    return lambda lab, name, _: lab.host(name).running(process) and lab.fault("kill", name, service)


def _to_redis(*words: str) -> Callable[[Laboratory, str, str], object]:
    return lambda lab, name, _: lab.host(name).redis(*words)


def _slaveof(lab: Laboratory, name: str, other: str) -> None:
    lab.host(name).redis("SLAVEOF", lab.host(other).address, "6379")


def _ask(word: str, master: str = sentinel_vip.MASTER_NAME) -> Callable[[Laboratory, str, str], object]:
    def ask(lab: Laboratory, name: str, _other: str) -> None:
        if lab.host(name).running("redis-sentinel"):
            with contextlib.suppress(RefusedError):  # no good replica, or one is in progress: the model refuses, too
                ask_sentinel(lab.host(name), "SENTINEL", word, master)

    return ask


def _fail_over(host: Host, _other: Host) -> None:
    if host.sentinel is not None and host.sentinel.answers:
        host.sentinel.failover.begin_by_hand(CAUSE)


def _forget(host: Host, _other: Host) -> None:
    if host.sentinel is not None and host.sentinel.answers:
        host.sentinel.reset()


OF_REDIS: Mapping[str, Act] = {
    "write to": Act(_write, _write_in_model),
    "kill Redis on": Act(_kill("redis", "redis-server"), lambda host, _: host.redis.kill(CAUSE)),
    "stop Redis on": Act(_service("redis-server", "stop"), lambda host, _: host.redis.stop()),
    "start Redis on": Act(_service("redis-server", "start"), lambda host, _: host.redis.start(CAUSE)),
    "make follow the next": Act(_slaveof, lambda host, other: _follow(host, other.address)),
    "promote": Act(_to_redis("SLAVEOF", "NO", "ONE"), lambda host, _: _follow(host, "")),
    "save on": Act(_to_redis("BGSAVE"), _save),
}
OF_KEEPALIVED: Mapping[str, Act] = {
    "stop keepalived on": Act(_service("keepalived", "stop"), lambda host, _: host.keepalived.stop(CAUSE)),
    "start keepalived on": Act(_service("keepalived", "start"), lambda host, _: host.keepalived.start(CAUSE)),
}
OF_SENTINELS: Mapping[str, Act] = {
    "kill the Sentinel on": Act(
        _kill("sentinel", "redis-sentinel"), lambda host, _: host.sentinel and host.sentinel.kill(CAUSE)
    ),
    "start the Sentinel on": Act(
        _service("redis-sentinel", "start"), lambda host, _: host.sentinel and host.sentinel.start(CAUSE)
    ),
    "fail over by the Sentinel on": Act(_ask("FAILOVER"), _fail_over),
    "reset the Sentinel on": Act(_ask("RESET"), _forget),
}


def _only_sentinel(host: Host) -> Sentinel:
    sentinel = host.world.hosts[SECOND].sentinel
    assert sentinel is not None
    return sentinel


def _maintain(query: str) -> Callable[[Laboratory, str, str], object]:
    def ask(lab: Laboratory, name: str, _other: str) -> None:
        if lab.host(FIRST).running("consul"):
            api(lab, f"/v1/agent/service/maintenance/{INSTANCES[name]}?{query}", {})

    return ask


def _maintain_in_model(reason: str) -> Callable[[Host, Host], object]:
    def maintain(host: Host, _other: Host) -> None:
        consul = host.world.consul
        if consul is not None and consul.answers:
            consul.maintain(INSTANCES[host.name], reason, CAUSE)

    return maintain


OF_CONSUL: Mapping[str, Act] = {
    "kill the only Sentinel, asked for on": Act(
        lambda lab, _, other: _kill("sentinel", "redis-sentinel")(lab, SECOND, other),
        lambda host, _: _only_sentinel(host).kill(CAUSE),
    ),
    "start the only Sentinel, asked for on": Act(
        lambda lab, _, other: _service("redis-sentinel", "start")(lab, SECOND, other),
        lambda host, _: _only_sentinel(host).start(CAUSE),
    ),
    "fail over, asked for on": Act(
        lambda lab, _, other: _ask("FAILOVER", MASTER_NAME)(lab, SECOND, other),
        lambda host, other: _fail_over(host.world.hosts[SECOND], other),
    ),
    "begin maintenance of": Act(_maintain("enable=true&reason=act"), _maintain_in_model("act")),
    "end maintenance of": Act(_maintain("enable=false"), _maintain_in_model("")),
    "stop Consul, asked for on": Act(
        lambda lab, _, other: _service("consul", "stop")(lab, FIRST, other),
        lambda host, _: host.world.consul and host.world.consul.kill(CAUSE),
    ),
    "start Consul, asked for on": Act(
        lambda lab, _, other: _service("consul", "start")(lab, FIRST, other),
        lambda host, _: host.world.consul and host.world.consul.start(CAUSE),
    ),
}


def do_in_model(act: Act, world: World, name: str, other: str) -> None:
    act.in_model(world.hosts[name], world.hosts[other])
