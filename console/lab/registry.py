"""Every scenario there is. A system's module brings its own; here they are only put side by side."""

from __future__ import annotations

from collections.abc import Mapping

from console.lab import consul_scenarios, password_pair, preempting, scenarios, sentinel_scenarios
from console.lab.layout import Scenario
from console.lab.options import LabError

SCENARIOS: Mapping[str, Scenario] = {
    **scenarios.SCENARIOS,
    **password_pair.SCENARIOS,
    **sentinel_scenarios.SCENARIOS,
    **preempting.SCENARIOS,
    **consul_scenarios.SCENARIOS,
}
"""Name → scenario, in the order in which they are listed."""


def named(name: str) -> Scenario:
    """The scenario of this name. Raises LabError where there is none."""
    if name not in SCENARIOS:
        raise LabError(f"no scenario {name}: there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
