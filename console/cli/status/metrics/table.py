"""All metrics, by subject. Names are public: families and labels may be added, never renamed."""

from __future__ import annotations

from console.cli.status.metrics import (
    cluster_families,
    host_families,
    keepalived_families,
    redis_families,
    watcher_families,
)
from console.cli.status.metrics.family import Family

SUBJECTS = (
    ("The cluster", cluster_families.FAMILIES),
    ("Redis", redis_families.FAMILIES),
    ("keepalived", keepalived_families.FAMILIES),
    ("The host", host_families.FAMILIES),
    ("Sentinels, directors and Consul", watcher_families.FAMILIES),
)


def _of_exporter(name: str, text: str, unit: str = "") -> Family:
    return Family(name, text, (), lambda _: (), unit=unit)


OBSERVATION_AGE = _of_exporter(
    "observation_age_seconds", "Since the observation that these samples are from.", "seconds"
)
OBSERVATION_DURATION = _of_exporter("observation_duration_seconds", "How long that observation took.", "seconds")
EXPORTER = (OBSERVATION_AGE, OBSERVATION_DURATION)
"""What only `status --listen` adds."""
FAMILIES = tuple(family for _, families in SUBJECTS for family in families)
