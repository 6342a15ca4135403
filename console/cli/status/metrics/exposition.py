"""`status --format openmetrics`: an observation for a monitoring system. A value that was not read has no sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.family import Family, Sample, Value
from console.cli.status.metrics.table import EXPORTER, FAMILIES
from console.core.inventory import UnusableCluster
from console.core.visible import visible

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def as_openmetrics(
    seen: Sequence[ClusterStatus],
    unusable: Sequence[UnusableCluster] = (),
    exporter: Mapping[Family, Value] | None = None,
) -> str:
    """The whole exposition, `# EOF` included. `exporter`: the values of what only a server of metrics knows."""
    lines: list[str] = []
    for family in FAMILIES:
        samples = [sample for one in seen for sample in family.of(one)]
        samples += [sample for one in unusable for sample in family.of_unusable(one)]
        lines += _family(family, samples)
    for family in EXPORTER:
        lines += _family(family, [((), (exporter or {}).get(family))])
    return "\n".join((*lines, "# EOF", ""))


def _family(family: Family, samples: Iterable[Sample]) -> Iterator[str]:
    """The lines of a family; none if it has no sample. The format requires that its samples stand together."""
    lines = [line for labels, value in samples if value is not None for line in _sample(family, labels, value)]
    if not lines:
        return
    yield f"# TYPE {family.full_name} {family.kind}"
    if family.unit:
        yield f"# UNIT {family.full_name} {family.unit}"
    yield f"# HELP {family.full_name} {_escaped(family.help)}"
    yield from lines


def _sample(family: Family, values: tuple[str, ...], value: float | str) -> Iterator[str]:
    labels = tuple(zip(family.labels, values, strict=True))
    if family.states:
        for state in family.states:
            yield f"{family.sample_name}{_labels((*labels, (family.full_name, state)))} {int(state == value)}"
        return
    assert not isinstance(value, str)
    number = int(value) if float(value).is_integer() else value
    yield f"{family.sample_name}{_labels(labels)} {number}"


def _labels(labels: Sequence[tuple[str, str]]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(visible(value))}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
