"""One short history, played in the laboratory and in the model, and compared wherever nothing moves any more."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lab.polling import inspector_of
from simulation.histories.acts import Act, do_in_model
from simulation.histories.facts import seen
from simulation.nights.kinds.kind import NightKind
from simulation.ports.inspector import ModelInspector
from simulation.world.world import World

from console.core.model import ClusterState
from console.lab.assembly.laboratory import Laboratory
from console.lab.options import LabOptions
from console.lab.sessions.build import laboratory

AGREED = 1.5
"""Seconds for which the laboratory stays as the model is, before the next act: more than a check and an advert."""


@dataclass(frozen=True)
class HistoryKind:
    """Histories of one kind of cluster. Each begins with the healthy one."""

    night: NightKind
    scenario: str
    """Of the laboratory."""
    options: LabOptions
    acts: Mapping[str, Act]
    length: int
    """Acts of a history."""
    patience: float
    """Seconds that the laboratory is given to become as the model is."""
    model_quiet: float
    """Seconds after which nothing moves any more in the model."""
    races: tuple[str, ...] = ()
    """Ends of facts that are not compared: two real servers differ in them from one time to the next."""
    prepare: Callable[[World, Laboratory], object] = lambda _world, _lab: None
    """What both get beyond the healthy cluster."""

    def seen(self, state: ClusterState) -> dict[str, str]:
        return {fact: value for fact, value in seen(state).items() if not fact.endswith(self.races)}

    def acts_of(self, seed: int) -> list[tuple[str, str, str]]:
        """Word, host, and the host after it."""
        chance, hosts = random.Random(seed), self.night.hosts
        found = []
        for _ in range(self.length):
            word, name = chance.choice(list(self.acts)), chance.choice(hosts)
            found.append((word, name, hosts[(hosts.index(name) + 1) % len(hosts)]))
        return found


@dataclass
class Difference:
    """A quiet point at which the two worlds differ."""

    history: str
    acts: list[str]
    facts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Fact → in the laboratory, in the model."""

    def __str__(self) -> str:
        lines = [f"{fact}: laboratory {real}, model {modelled}" for fact, (real, modelled) in self.facts.items()]
        return f"{self.history}: {'; then '.join(self.acts) or 'the beginning'}\n  " + "\n  ".join(lines)


def compared(kind: HistoryKind, seed: int) -> tuple[int, Difference | None]:
    """Plays one history in both worlds. How many quiet points agreed, and the first one that did not."""
    night, options = kind.night, kind.options
    times = {"notify_sleep": options.notify_sleep, "copy_seconds": 0.6, "load_seconds": 0.1}
    world = World(seed, system=night.system, **times, options=options)
    world.writing = False
    night.scenarios["healthy"](world)
    model = ModelInspector(world, night.cluster, lambda _: None)
    agreed, done = 0, []
    with laboratory(kind.scenario, options) as lab:
        kind.prepare(world, lab)
        real = inspector_of(lab)
        try:
            for word, name, other in [("", "", ""), *kind.acts_of(seed)]:
                if word:
                    done.append(f"{word} {name}")
                    kind.acts[word].in_lab(lab, name, other)
                    do_in_model(kind.acts[word], world, name, other)
                world.advance(kind.model_quiet)
                modelled = kind.seen(model.observe(fresh=True))
                facts = _when_quiet(lambda: kind.seen(real.observe(fresh=True)), modelled, kind.patience)
                wrong = {
                    fact: (facts.get(fact, "-"), modelled.get(fact, "-"))
                    for fact in sorted({*facts, *modelled})
                    if facts.get(fact) != modelled.get(fact)
                }
                if wrong:
                    return agreed, Difference(f"{night.name} {seed}", done, wrong)
                agreed += 1
        finally:
            real.close()
    return agreed, None


def _when_quiet(look: Callable[[], dict[str, str]], expected: dict[str, str], patience: float) -> dict[str, str]:
    """The facts that have stayed the same for a while. As long as they are not as expected, that is waited for."""
    end = time.monotonic() + patience
    last, since = look(), time.monotonic()
    while time.monotonic() < end and (last != expected or time.monotonic() - since < AGREED):
        time.sleep(0.3)
        now = look()
        if now != last:
            last, since = now, time.monotonic()
    return last
