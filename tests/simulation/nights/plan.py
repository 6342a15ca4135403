"""What a night is made of, all of it from one seed. A smaller plan plays the same night with less."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from simulation.nights.faults import FAULTS
from simulation.nights.operators import TEMPERS
from simulation.nights.scenarios import SCENARIOS

HOSTS = ("redis-a", "redis-b")
REBUILDS = ("one-shot-rebuild", "safe-return", "recover-from-rdb")
FITTING = {
    # Scenario → runbooks that a human would begin there. Others are begun now and then: they must refuse.
    "healthy": ("planned-switchover", "planned-switchover", "restore-backup"),
    "failed-over": REBUILDS,
    "just-failing": REBUILDS,
    "lost-writes": REBUILDS,
    "stale-master-back": (*REBUILDS, "resolve-dual-master"),
    "dual-master": ("resolve-dual-master",),
    "parted": ("resolve-dual-master", "repair-vip"),
    "loop": ("break-replication-loop",),
    "nothing-runs": ("initial-build", "one-shot-rebuild"),
    "fresh": ("initial-build",),
    "no-vip": ("initial-build", "one-shot-rebuild", "repair-vip"),
    "left-address": ("repair-vip", "resolve-dual-master"),
    "paused": ("resume-writes",),
    "old-line": REBUILDS,
    "has-backups": (*REBUILDS, "restore-backup"),
}
STRANGE = 0.1
"""Share of the nights that begin with a runbook that does not fit."""
MOST_FAULTS = 3
LONGEST = 45.0
"""Seconds that a fault lasts at most."""


class Moment(StrEnum):
    """When in a step a fault comes."""

    BEFORE = "before"
    """At its first look: nothing is shown yet."""
    DURING = "during"
    """Between the intent and the send; where nothing is sent, at a later look."""
    AFTER = "after"
    """Between the send and its proof; where nothing is sent, at the last look."""


@dataclass(frozen=True)
class PlannedFault:
    """A fault, and the moment of a run at which it comes."""

    kind: str
    host: str
    run: int
    """Of the night, from 0."""
    step: int
    """Index of the step, modulo their number."""
    moment: Moment
    seconds: float


@dataclass(frozen=True)
class Plan:
    """One night."""

    seed: int
    scenario: str
    temper: str
    notify_sleep: float
    copy_seconds: float
    runbook: str
    """The first runbook. Empty: what the findings advise."""
    faults: tuple[PlannedFault, ...]
    runs: int
    resumes: bool
    """Whether a run whose console died is resumed, or a new one begun."""


def plan_of(seed: int, runbooks: tuple[str, ...]) -> Plan:
    """The night of this seed. `runbooks`: the names that the first run is chosen from."""
    chance = random.Random(seed)
    scenario = chance.choice(list(SCENARIOS))
    choice = chance.random()
    fitting = FITTING[scenario] if choice > STRANGE else runbooks
    faults = tuple(
        PlannedFault(
            kind=chance.choice(list(FAULTS)),
            host=chance.choice(HOSTS),
            run=chance.choice((0, 0, 0, 1)),
            step=chance.randrange(34),
            moment=chance.choice(list(Moment)),
            seconds=chance.uniform(2.0, LONGEST),
        )
        for _ in range(chance.randint(0, MOST_FAULTS))
    )
    return Plan(
        seed=seed,
        scenario=scenario,
        temper=chance.choice(list(TEMPERS)),
        notify_sleep=chance.choice((1.0, 3.0, 8.0)),
        copy_seconds=chance.choice((1.0, 4.0, 12.0)),
        runbook="" if choice > 0.7 else chance.choice(fitting),
        faults=faults,
        runs=chance.choice((1, 2, 2)),
        resumes=chance.random() < 0.7,
    )
