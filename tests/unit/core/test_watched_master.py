"""Sentinels that watch another server than the master protect nothing: a finding says so, and what helps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.diagnosis.finding import Severity
from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model import ProblemKind, unread
from console.core.model.facts import node_by_address
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Action, Condition, Step
from console.core.runbooks.vocabulary import VOCABULARY, evaluate
from console.core.runs.by_hand import hand_work
from console.engine.steps.remedies import trouble_in_words
from console.tui.present.clusters.kinds.sentinels import sentinel_summary, sentinels

SETS = {"sentinel-vip": sets.sentinel_vip_set(), "sentinel-consul": sets.sentinel_consul_set()}
STRANGER = "10.9.9.9"


def watching(state, *hosts):
    """Each Sentinel watches the address that is next in `hosts`; None: nothing of this name."""

    def one(sentinel, host):
        master = None if host is None else replace(sentinel.sentinel.value.master, host=host)
        return replace(sentinel, sentinel=sentinel.sentinel.map(lambda value: replace(value, master=master)))

    return replace(state, sentinels=tuple(map(one, state.sentinels, hosts)))


def places(kind):
    state = SETS[kind]
    hosts = [node.address for node in state.nodes] + [STRANGER, None]
    return [
        pytest.param(kind, chosen, id=f"{kind}-{'-'.join(map(str, chosen))}")
        for chosen in itertools.product(hosts, repeat=len(state.sentinels))
    ]


@pytest.mark.parametrize(("kind", "hosts"), [one for kind in SETS for one in places(kind)])
def test_only_sentinels_that_all_watch_the_master_protect_it(kind, hosts):
    state = watching(SETS[kind], *hosts)
    (master,) = state.masters
    right = all(host is not None and node_by_address(state, host, 6379) is state.node(master) for host in hosts)
    assert (protection(state).verdict is Verdict.HOLDS) is right
    assert evaluate(Condition("set-protected"), state, {}).holds is right
    critical = [one for one in diagnose(state, samples.NOW) if one.severity is Severity.CRITICAL]
    assert bool(critical) is not right
    assert ("✓" in sentinel_summary(state, 200).plain) is right


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("where", ["a replica", "a stranger", "nothing"])
def test_the_finding_names_what_is_watched_and_the_commands_that_help(kind, where):
    healthy = SETS[kind]
    (master,) = healthy.masters
    other = next(node for node in healthy.nodes if node.name != master)
    host = {"a replica": other.address, "a stranger": STRANGER, "nothing": None}[where]
    state = watching(healthy, *[host] * len(healthy.sentinels))
    (found,) = [one for one in diagnose(state, samples.NOW) if one.code == "sentinel-wrong-master"]
    assert found.severity is Severity.CRITICAL
    assert {"a replica": other.name, "a stranger": STRANGER, "nothing": "no master"}[where] in found.summary
    advice = found.next.advice or ""
    address = healthy.node(master).address
    assert f"SENTINEL MONITOR {state.master_name} {address} 6379" in advice
    assert (f"SENTINEL REMOVE {state.master_name}" in advice) is (host is not None)
    work = hand_work(Step("s", "title", "why", "it", action=Action("sentinels-by-hand")), state, {})
    assert len(work) == len(state.sentinels)
    assert all(f"SENTINEL MONITOR {state.master_name} {address} 6379" in one.command for one in work)
    proof = evaluate(Condition("set-protected"), state, {})
    assert "SENTINEL MONITOR" in trouble_in_words(Step("s", "t", "w", "it"), None, [proof])
    assert not any("✓" in one.plain for one in sentinels(state, samples.NOW, 200))


def test_during_a_failover_it_is_not_told():
    state = SETS["sentinel-consul"]
    away = watching(state, state.nodes[0].address)
    first = away.sentinels[0]
    busy = replace(first.sentinel.value.master, failover_state="reconf_slaves")
    now = replace(first, sentinel=first.sentinel.map(lambda value: replace(value, master=busy)))
    assert "sentinel-wrong-master" not in {one.code for one in diagnose(replace(away, sentinels=(now,)), samples.NOW)}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("problem", [ProblemKind.REFUSED, ProblemKind.TIMEOUT, ProblemKind.NOT_PERMITTED])
def test_no_condition_says_what_sentinels_name_that_nobody_has_read(kind, problem):
    """A sentence about all Sentinels needs each of them; one about those that run says so, and that others do not."""
    silent = unread(problem, "no answer", samples.NOW)
    state = replace(
        SETS[kind], sentinels=tuple(replace(one, sentinel=silent, start="x") for one in SETS[kind].sentinels)
    )
    roles = {"it": state.masters[0], "other": next(one.name for one in state.nodes if one.name not in state.masters)}
    for spec in VOCABULARY.values():
        arguments = {one.name: "other" if one.is_role else one.default for one in spec.arguments}
        if any(value is None for value in arguments.values()):
            continue
        check = evaluate(Condition(spec.name, "it" if spec.subject else None, arguments), state, roles)
        if "Sentinel" in check.statement and check.holds:
            assert "Sentinel that runs" in check.statement, (spec.name, check)
            assert "not known" in check.evidence, (spec.name, check)
