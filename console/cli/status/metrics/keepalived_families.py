"""Metrics of a node's keepalived."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.cli.status.metrics.family import NODE, Family, Value, each_of_reading, flag, of_reading, rounded
from console.core.model import Keepalived, VrrpInstance, VrrpState


def _instance(name: str, text: str, value: Callable[[VrrpInstance], Value], unit: str = "") -> Family:
    """Of its VRRP instance, as keepalived.conf has it."""

    def of(found: Keepalived) -> Value:
        return None if found.instance is None else value(found.instance)

    return Family(f"keepalived_{name}", text, NODE, of_reading("keepalived", of), unit=unit)


def _program(found: Keepalived) -> Iterator[tuple[tuple[str, ...], Value]]:
    instance = found.instance
    named = (instance.name, instance.interface, instance.state) if instance is not None else ("", "", "")
    yield (found.version or "", *named, found.state_source), 1


FAMILIES = (
    Family(
        "keepalived_up",
        "1 if keepalived is running.",
        NODE,
        of_reading("keepalived", lambda found: flag(found.running)),
    ),
    Family(
        "keepalived_state",
        "VRRP state.",
        NODE,
        of_reading("keepalived", lambda found: found.state.value),
        states=tuple(VrrpState),
    ),
    Family(
        "keepalived_state_since_timestamp_seconds",
        "When it came into this state, on the node's clock. Absent: no log has it.",
        NODE,
        of_reading("keepalived", lambda found: rounded(found.since)),
        unit="seconds",
    ),
    Family(
        "keepalived",
        "Its version and VRRP instance, and where its state is known from.",
        (*NODE, "version", "instance", "interface", "initial_state", "state_source"),
        each_of_reading("keepalived", _program),
        is_info=True,
    ),
    _instance("priority", "Configured priority.", lambda one: one.priority),
    Family(
        "keepalived_effective_priority",
        "Priority with the weight of its check.",
        NODE,
        of_reading("keepalived", lambda found: found.effective_priority),
    ),
    _instance("weight", "What a failed or successful check adds to the priority.", lambda one: one.weight),
    _instance("vrid", "Virtual router id.", lambda one: one.vrid),
    _instance("advert_interval_seconds", "Between two adverts.", lambda one: one.advert_interval, "seconds"),
    _instance("preempts", "1 if it takes the virtual IP back from a lower priority.", lambda one: flag(one.preempts)),
    Family(
        "keepalived_config_modified_timestamp_seconds",
        "When keepalived.conf was changed, on the node's clock.",
        NODE,
        of_reading("keepalived_config", lambda config: rounded(config.file.modified)),
        unit="seconds",
    ),
)
