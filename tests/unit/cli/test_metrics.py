"""The metrics: valid by Prometheus' own parser, each in the table and on its page, and none of what was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import sample_races
import sample_sets
import samples
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from console.cli.status.as_json import ClusterStatus
from console.cli.status.metrics.exposition import as_openmetrics
from console.cli.status.metrics.page import as_page
from console.cli.status.metrics.table import EXPORTER, FAMILIES, OBSERVATION_AGE, OBSERVATION_DURATION
from console.core.diagnosis.finding import Health
from console.core.inventory import UnusableCluster
from console.core.kinds.diagnose import diagnose, health
from console.core.model import ClusterState, ProblemKind, Reading, unread

PAGE = Path(__file__).parents[3] / "docs" / "monitoring" / "metrics.md"
STATES = {
    one.__name__: one
    for one in (
        samples.healthy_pair,
        samples.failed_over_pair,
        samples.stale_master_back,
        samples.split_brain,
        samples.syncing_pair,
        samples.unreachable_node,
        sample_races.returning,
        sample_sets.sentinel_vip_set,
        sample_sets.sentinel_consul_set,
    )
}
UNUSABLE = (UnusableCluster("wrong", ("inventory.yaml:3: no",)),)
FULL = {OBSERVATION_AGE: 1.5, OBSERVATION_DURATION: 0.25}


def seen(state: ClusterState, **more: Any) -> ClusterStatus:
    found = diagnose(state, state.observed_at)
    return ClusterStatus(state, found, health(state, found), **more)


def parsed(text: str) -> list[Any]:
    """The families. The parser refuses what is not OpenMetrics: order, types, units, names, escapes, samples twice."""
    return list(text_string_to_metric_families(text))


def samples_of(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {(one.name, frozenset(one.labels.items())): one.value for family in parsed(text) for one in family.samples}


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_openmetrics_and_every_family_is_in_the_table(name):
    text = as_openmetrics([seen(STATES[name](), tags=("prod", "site:berlin"))], UNUSABLE, FULL)
    table = {one.full_name: one for one in (*FAMILIES, *EXPORTER)}
    for family in parsed(text):
        row = table[family.name]
        assert (family.type, family.documentation, family.unit) == (row.kind, row.help, row.unit)
        for sample in family.samples:
            expected = {*row.labels, *([family.name] if row.states else [])}
            assert (sample.name, set(sample.labels)) == (row.sample_name, expected)


def test_many_clusters_stand_together_in_each_family():
    many = [seen(replace(make(), name=f"c{number}")) for number, make in enumerate(STATES.values())]
    families = parsed(as_openmetrics(many, UNUSABLE))
    assert len({one.name for one in families}) == len(families)
    named = {one.labels["cluster"] for family in families for one in family.samples}
    assert named == {one.state.name for one in many} | {"wrong"}


def test_names_are_unique_and_say_their_unit():
    names = [one.full_name for one in (*FAMILIES, *EXPORTER)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    for one in (*FAMILIES, *EXPORTER):
        assert not one.unit or one.name.endswith(f"_{one.unit}")
        assert one.unit or not one.name.endswith(("_seconds", "_bytes")), one.name
        assert not one.name.endswith(("_info", "_total", "_count", "_bucket", "_sum", "_created")), one.name
        assert one.help.endswith(".")


FIRST = """
cluster_health observed_timestamp_seconds vip_holders vip_reaches finding ssh_up redis_up holds_vip clock_offset_seconds
redis_role redis_loading redis_link_up redis_replicas redis_offset_bytes redis_lag_bytes redis_keys
redis_used_memory_bytes redis_ops_per_second keepalived_up keepalived_state keepalived_priority
keepalived_effective_priority
"""


def test_names_that_monitors_use_already_stay():
    assert set(FIRST.split()) <= {one.name for one in FAMILIES}


def test_the_page_is_written_from_the_table():
    assert PAGE.read_text(encoding="utf-8") == as_page()


# --- what could not be read ---------------------------------------------------------------------------------------


def lines_of(state: ClusterState) -> dict[str, str]:
    """Name and labels → value, without what the rules conclude: they are tested elsewhere, and take time."""
    lines = as_openmetrics([ClusterStatus(state, (), Health.WARNING)]).splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {one: value for one, value in found.items() if not one.startswith("redis_ha_survives_next_failure")}


@pytest.mark.parametrize("name", ["failed_over_pair", "syncing_pair", "sentinel_vip_set", "sentinel_consul_set"])
def test_what_could_not_be_read_is_absent_and_said_to_be_unread(name):
    """Each reading of each node in turn. Only what says that it was not read becomes 0; everything else is absent."""
    state = STATES[name]()
    before = lines_of(state)
    for node in state.nodes:
        for field in fields(node):
            reading = getattr(node, field.name)
            if not isinstance(reading, Reading) or not reading.ok:
                continue
            blind = unread(ProblemKind.TIMEOUT, "no answer in time")
            after = lines_of(samples.with_node(state, node.name, **{field.name: blind}))
            where = f'cluster="{state.name}",node="{node.name}"'
            marks = {f'redis_ha_read{{{where},reading="{field.name}"}}'}
            marks |= {f"redis_ha_{field.name}_up{{{where}}}"} if field.name in {"ssh", "redis"} else set()
            for mark in marks:
                assert (before[mark], after[mark]) == ("1", "0")
            told = {one: value for one, value in after.items() if before.get(one) != value and one not in marks}
            assert told == {}, (node.name, field.name)


def test_a_cluster_that_is_not_observed_has_its_health_only():
    found = samples_of(as_openmetrics([], UNUSABLE))
    assert {name for name, _ in found} == {"redis_ha_cluster_health", "redis_ha_cluster_usable"}
    assert found["redis_ha_cluster_usable", frozenset({("cluster", "wrong")})] == 0
    assert parsed(as_openmetrics([])) == []


# --- texts of servers ---------------------------------------------------------------------------------------------

NASTY = st.text(alphabet=st.sampled_from('\\"\n\r\t\x1b{}=,# nä\u202e\ud800ab'), max_size=12)


@given(NASTY)
def test_any_text_of_a_server_is_escaped(text):
    state = samples.healthy_pair()
    first = state.nodes[0]
    named = replace(first, ssh=first.ssh.map(lambda host: replace(host, hostname=f"x{text}")))
    state = samples.with_redis(replace(state, nodes=(named, *state.nodes[1:])), first.name, version=f"7{text}")
    exposed = as_openmetrics([seen(state, tags=(f"t{text}",))])
    exposed.encode("utf-8")
    assert "\x1b" not in exposed
    hosts = {one.labels["hostname"] for family in parsed(exposed) for one in family.samples if "hostname" in one.labels}
    assert len(hosts) == len(state.nodes)
    if text.isprintable():
        assert f"x{text}" in hosts


# --- all that is observed -----------------------------------------------------------------------------------------

NO_METRIC = {
    "arp.announce": "arp_suppressed is made of both",
    "arp.ignore": "arp_suppressed is made of both",
    "clock.remote": "clock_offset_seconds is made of it",
    "disk.path": "a path",
    "dump.path": "a path",
    "keepalived.instance.auth_fingerprint": "never shown",
    "keepalived.instance.auth_type": "findings compare it",
    "keepalived.instance.priority_line": "a line of a file",
    "keepalived.instance.scripts.fall": "findings judge the check",
    "keepalived.instance.scripts.interval": "findings judge the check",
    "keepalived.instance.scripts.line": "a line of a file",
    "keepalived.instance.scripts.name": "a name",
    "keepalived.instance.scripts.rise": "findings judge the check",
    "keepalived.instance.scripts.script": "a command line",
    "keepalived.instance.source_address": "findings compare it",
    "keepalived.instance.virtual_addresses": "the inventory has it; findings compare it",
    "keepalived.instance.vmac": "a name",
    "redis.config.dbfilename": "a path",
    "redis.config.dir": "a path",
    "redis.config.diskless_load": "the preview of a sync uses it",
    "redis.config.diskless_sync": "the preview of a sync uses it",
    "redis.config.maxmemory": "INFO has it too",
    "redis.config.refused": "a text; findings say it",
    "redis.config.save": "findings judge it",
    "redis.config.stop_writes_on_bgsave_error": "findings judge it",
    "redis.config_file": "a path",
    "redis.port": "the inventory has it",
    "redis.process_id": "of use on the node only",
    "redis.replicas.state": "online or not is what counts",
    "redis.total_system_memory": "memory_total_bytes has it",
}


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each plain value in an observation, with its place."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), (*at, field.name))
    elif isinstance(value, tuple):
        for index, one in enumerate(value):
            yield from leaves(one, (*at, index))
    elif isinstance(value, bool | int | float | str | Enum):
        yield at, value


def changed(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    first, *rest = at
    if isinstance(first, int):
        return tuple(changed(one, tuple(rest), new) if index == first else one for index, one in enumerate(value))
    return replace(value, **{first: changed(getattr(value, first), tuple(rest), new)})


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, Enum):
        kinds = list(type(value))
        return kinds[(kinds.index(value) + 1) % len(kinds)]
    return value + 7 if isinstance(value, int | float) else f"{value}x"


MEASURED = ("redis", "keepalived", "clock", "memory", "disk", "dump", "aof", "arp", "ssh")
"""The readings of a node whose plain values are figures. Lists of files, processes and log lines are counted."""


def missing_in(state: ClusterState) -> Iterator[str]:
    """The figures whose change changes no metric: `redis.config.dir`."""
    before = lines_of(state)
    for index, node in enumerate(state.nodes):
        for reading in MEASURED:
            for at, value in leaves(getattr(node, reading).value):
                place = ("nodes", index, reading, "value", *at)
                if lines_of(changed(state, place, other(value))) == before:
                    yield ".".join((reading, *(one for one in at if isinstance(one, str))))


def test_every_figure_that_is_observed_is_in_a_metric_or_has_a_reason_not_to_be():
    figures = {
        one for name in ("healthy_pair", "syncing_pair", "sentinel_vip_set") for one in missing_in(STATES[name]())
    }
    assert figures == set(NO_METRIC)
