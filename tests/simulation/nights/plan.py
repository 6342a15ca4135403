"""What a night is made of, all of it from one seed. A smaller plan plays the same night with less."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from simulation.nights.kinds.all_kinds import KINDS, kind_of_seed
from simulation.nights.operators import TEMPERS

STRANGE = 0.1
"""Share of the nights that begin with a runbook that does not fit."""
MOST_FAULTS = 3
VERSIONS = ("7.0.15", "7.0.15", "8.0.2", "6.2.7", "6.0.16", "5.0.4")
"""Before 7.0 a master that restarts forgets its history; before 6.2 there is no CLIENT PAUSE WRITE."""
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
    kind: str = "keepalived"
    """Of the night."""
    version: str = "7.0.15"
    """Of each Redis."""


def plan_of(seed: int, kind_name: str = "") -> Plan:
    """The night of this seed. `kind_name`: of the night; empty: the seed decides."""
    kind = KINDS[kind_name] if kind_name else kind_of_seed(seed)
    chance = random.Random(seed)
    scenario = chance.choice(list(kind.scenarios))
    choice = chance.random()
    fitting = kind.fitting[scenario] if choice > STRANGE else tuple(kind.runbooks)
    faults = tuple(
        PlannedFault(
            kind=chance.choice(kind.faults),
            host=chance.choice(kind.hosts),
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
        notify_sleep=chance.choice(kind.notify_sleeps),
        copy_seconds=chance.choice(kind.copy_seconds),
        runbook="" if choice > 0.7 else chance.choice(fitting),
        faults=faults,
        runs=chance.choice((1, 2, 2)),
        resumes=chance.random() < 0.7,
        kind=kind.name,
        version=chance.choice(VERSIONS),
    )
