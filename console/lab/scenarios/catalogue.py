"""Every scenario there is. A system's module brings its own; here they are only put side by side."""

from __future__ import annotations

from collections.abc import Mapping

from console.lab.options import LabError
from console.lab.scenarios import keepalived_pair as scenarios
from console.lab.scenarios import password_pair
from console.lab.scenarios import preempting_pair as preempting
from console.lab.scenarios import sentinel_consul as consul_scenarios
from console.lab.scenarios import sentinel_vip as sentinel_scenarios
from console.lab.scenarios.scenario import Scenario

SCENARIOS: Mapping[str, Scenario] = {
    **scenarios.SCENARIOS,
    **password_pair.SCENARIOS,
    **sentinel_scenarios.SCENARIOS,
    **preempting.SCENARIOS,
    **consul_scenarios.SCENARIOS,
}
"""Name → scenario, in the order in which they are listed."""


def find_scenario(name: str) -> Scenario:
    """The scenario of this name. Raises LabError where there is none."""
    if name not in SCENARIOS:
        raise LabError(f"no scenario {name}: there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
