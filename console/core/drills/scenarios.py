"""What happens in a drill: the faults, and what mends itself after a while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrillScenario:
    """A fault, at a moment that nobody knows."""

    name: str
    text: str
    """What happens, in one line."""
    fault: str
    """As `lab fault` names it."""
    service: str
    """Of `redis`, `keepalived`; empty: the whole host."""
    on: str
    """`master` or `replica`: by the roles before the fault."""
    mended_by: str = ""
    """The fault's opposite, which comes by itself. Empty: nothing mends itself."""
    mends_after: tuple[float, float] = (20.0, 40.0)
    """Seconds after the fault, at random."""


SCENARIOS: tuple[DrillScenario, ...] = (
    DrillScenario("master-redis-dies", "the master's Redis is killed", "kill", "redis", "master"),
    DrillScenario(
        "master-host-dies", "the master's host loses its power, and comes back with nothing started",
        "kill", "", "master", mended_by="start",
    ),
    DrillScenario(
        "partition", "the switch drops every packet of the master's host for a while",
        "isolate", "", "master", mended_by="heal",
    ),
    DrillScenario("keepalived-dies", "keepalived is killed on the master's host", "kill", "keepalived", "master"),
    DrillScenario("replica-dies", "the replica's Redis is killed", "kill", "redis", "replica"),
    DrillScenario(
        "disk-full", "the master's data disk is full for a while", "fill", "", "master", mended_by="heal",
    ),
    DrillScenario(
        "freeze", "the master's Redis stands still for a while, and then goes on",
        "freeze", "redis", "master", mended_by="thaw",
    ),
)  # fmt: skip
"""Every scenario, the most common first."""


def find_scenario(name: str) -> DrillScenario | None:
    """The scenario of this name; None: there is none."""
    return next((one for one in SCENARIOS if one.name == name), None)
