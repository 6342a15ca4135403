"""The model is held to reality: the same short histories in the laboratory and in the model, compared at quiet points.

PYTHONPATH=tests python -m simulation.reality [--histories N] [--seed N], as `make reality`. Exit code 1: they differ.
A history begins with the healthy pair. After each of its acts both worlds are given time until nothing moves any more.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.polling import inspector_of
from simulation.nights.kinds.pairs import KIND, healthy
from simulation.ports.inspector import ModelInspector
from simulation.world.world import World

from console.core.model import ClusterState, NodeState
from console.core.model.facts import source_of
from console.core.replication.history import compare_histories
from console.core.replication.resync import predict_resync
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.namespaces import enter_namespaces
from console.lab.options import LabOptions
from console.lab.sessions.build import laboratory

ACTS = 4
QUIET = 2.5
"""Seconds without a change after which the laboratory counts as quiet: more than a check, an advert and a retry."""
LONGEST = 40.0
MODEL_QUIET = 60.0
HOSTS = ("redis-a", "redis-b")
OPTIONS = LabOptions.quick(keys=60)


def acts_of(chance: random.Random) -> list[tuple[str, str]]:
    return [(chance.choice(list(ACTS_ON)), chance.choice(HOSTS)) for _ in range(ACTS)]


@dataclass(frozen=True)
class Act:
    """Something that can be done to a host of either world."""

    in_lab: Callable[[Laboratory, str], object]
    in_model: Callable[[World, str], object]


def _write(lab: Laboratory, name: str) -> None:
    for number in range(3):
        lab.host(name).redis("SET", f"write:{time.monotonic()}:{number}", "v")


def _write_in_model(world: World, name: str) -> None:
    for _ in range(3):
        if not world.hosts[name].redis.refusal():
            world.hosts[name].redis.write(world.new_pid())


def _service(service: str, action: str) -> Callable[[Laboratory, str], object]:
    return lambda lab, name: lab.host(name).run(["service", service, action])


def _other(name: str) -> str:
    return next(one for one in HOSTS if one != name)


def _slaveof(lab: Laboratory, name: str) -> None:
    lab.host(name).redis("SLAVEOF", lab.host(_other(name)).address, "6379")


def _slaveof_in_model(world: World, name: str) -> None:
    if world.hosts[name].redis.process is not None:
        world.hosts[name].redis.replicaof(world.hosts[_other(name)].address, "act")


def _promote_in_model(world: World, name: str) -> None:
    if world.hosts[name].redis.process is not None:
        world.hosts[name].redis.replicaof("", "act")


def _save_in_model(world: World, name: str) -> None:
    if world.hosts[name].redis.process is not None:
        world.hosts[name].redis.begin_save()


def _kill_redis(lab: Laboratory, name: str) -> None:
    if lab.host(name).running("redis-server"):
        lab.fault("kill", name, "redis")


ACTS_ON: dict[str, Act] = {
    "write to": Act(_write, _write_in_model),
    "kill Redis on": Act(_kill_redis, lambda world, name: world.hosts[name].redis.kill("act")),
    "stop Redis on": Act(_service("redis-server", "stop"), lambda world, name: world.hosts[name].redis.stop()),
    "start Redis on": Act(_service("redis-server", "start"), lambda world, name: world.hosts[name].redis.start("act")),
    "stop keepalived on": Act(
        _service("keepalived", "stop"), lambda world, name: world.hosts[name].keepalived.stop("act")
    ),
    "start keepalived on": Act(
        _service("keepalived", "start"), lambda world, name: world.hosts[name].keepalived.start("act")
    ),
    "make follow the other": Act(_slaveof, _slaveof_in_model),
    "promote": Act(lambda lab, name: lab.host(name).redis("SLAVEOF", "NO", "ONE"), _promote_in_model),
    "save on": Act(lambda lab, name: lab.host(name).redis("BGSAVE"), _save_in_model),
}


# --- what is compared -----------------------------------------------------------------------------------------------


def seen(state: ClusterState) -> dict[str, str]:
    """What an observation says that must not depend on which world it is of: roles, addresses, histories."""
    one, other = state.nodes
    facts = {f"{node.name} {key}": value for node in state.nodes for key, value in _of_node(state, node).items()}
    facts["VIP on"] = ", ".join(state.vip_holders)
    facts["VIP reaches"] = str(state.vip_reaches)
    for source, target in ((one, other), (other, one)):
        name = f"{target.name} after {source.name}"
        facts[f"{name}: history"] = compare_histories(state, source, target).verdict.value
        facts[f"{name}: resync"] = predict_resync(state, source, target)[0].value
    if one.redis.value is not None and other.redis.value is not None:
        facts["keys"] = f"{one.redis.value.total_keys - other.redis.value.total_keys:+} on {one.name}"
        facts["same history"] = str(one.redis.value.replid == other.redis.value.replid)
    return facts


def _of_node(state: ClusterState, node: NodeState) -> dict[str, str]:
    redis, keepalived = node.redis.value, node.keepalived.value
    facts = {
        "keepalived": keepalived.state.value if keepalived is not None else "unread",
        "scripts": str(len(node.processes.value.scripts)) if node.processes.value is not None else "unread",
        "dump": "there" if node.dump.value is not None else "absent",
    }
    if redis is None:
        return {**facts, "Redis": str(node.redis.problem.kind.value if node.redis.problem else "")}
    source = source_of(state, node)
    follows = f"{source.name if source else '?'}, {'up' if redis.master.up else 'down'}" if redis.master else "nobody"
    return {
        **facts,
        "Redis": redis.role.value,
        "follows": follows,
        "backlog": str(redis.backlog is not None and redis.backlog.active),
        "second history": str(redis.second_offset is not None and redis.second_offset > 0),
        "unsaved": str(bool(redis.persistence.changes_since_save)),
    }


@dataclass
class Difference:
    """A quiet point at which the two worlds differ."""

    seed: int
    acts: list[str]
    facts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Fact → in the laboratory, in the model."""

    def __str__(self) -> str:
        lines = [f"{fact}: laboratory {real}, model {modelled}" for fact, (real, modelled) in self.facts.items()]
        return f"history {self.seed}: {'; then '.join(self.acts)}\n  " + "\n  ".join(lines)


def compared(seed: int) -> tuple[int, Difference | None]:
    """Plays one history in both worlds. How many quiet points agreed, and the first one that did not."""
    chance = random.Random(seed)
    world = World(seed, notify_sleep=OPTIONS.notify_sleep, copy_seconds=0.5, options=OPTIONS)
    world.writing = False
    healthy(world)
    model = ModelInspector(world, KIND.cluster, lambda _: None)
    agreed, done = 0, []
    with laboratory("healthy", OPTIONS) as lab:
        real = inspector_of(lab)
        try:
            for word, name in [("", ""), *acts_of(chance)]:
                if word:
                    done.append(f"{word} {name}")
                    ACTS_ON[word].in_lab(lab, name)
                    ACTS_ON[word].in_model(world, name)
                world.advance(MODEL_QUIET)
                facts = _when_quiet(lambda: seen(real.observe(fresh=True)))
                modelled = seen(model.observe(fresh=True))
                wrong = {
                    fact: (facts.get(fact, "-"), modelled.get(fact, "-"))
                    for fact in sorted({*facts, *modelled})
                    if facts.get(fact) != modelled.get(fact)
                }
                if wrong:
                    return agreed, Difference(seed, done, wrong)
                agreed += 1
        finally:
            real.close()
    return agreed, None


def _when_quiet(look: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The facts that have stayed the same for a while."""
    end = time.monotonic() + LONGEST
    last, since = look(), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < QUIET:
        time.sleep(0.3)
        now = look()
        if now != last:
            last, since = now, time.monotonic()
    return last


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    enter_namespaces()
    points, differences = 0, []
    for seed in range(chosen.seed, chosen.seed + chosen.histories):
        agreed, difference = compared(seed)
        points += agreed
        if difference is not None:
            differences.append(difference)
            sys.stdout.write(f"{difference}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{chosen.histories} histories, {points} quiet points agree, {len(differences)} differ\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
