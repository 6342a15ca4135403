"""Commands for a human: in a laboratory or drill they lead into it, and never to a machine of the same address."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from holes import STATES, holes

from console.core import typed_commands
from console.core.kinds.diagnose import diagnose
from console.core.model import ProblemKind
from console.core.runs.by_hand import HandWork
from console.core.runs.records.exports import Export, put_back_command

NAME = "drill-1a2b"
WAY_IN = f"redis-ha-console lab enter --in {NAME}"
LEADS_AWAY = re.compile(r"(?<!-- )\b(?:ssh(?: -v)?|redis-cli -h|ssh-copy-id(?: \S+)?) \S*\d+\.\d+\.\d+")
TYPED_ON_A_HOST = re.compile(
    r"(?<!-- )(?<![\w/`-])(?:systemctl \w|service [\w.-]+ (?:re)?(?:start|stop|load)|sysctl -|arping -|journalctl |"
    r"ip (?:a(?:ddr(?:ess)?)?|route|link|neigh) |ch(?:own|mod|grp) |(?:p?kill|killall) |(?:mv|rm|cp) |"
    r"(?:/\S*/)?(?:redis|valkey)-(?:cli|server) [-/\w]+ )"
)
"""Commands that change something on the machine in whose terminal they are typed."""
OWN = re.compile(r"(?<!-- )redis-ha-console (?!lab enter --in)\S+")


@pytest.fixture
def _inside():
    typed_commands.enter_laboratory(NAME)
    yield
    typed_commands.enter_laboratory("")


def texts():
    """Every advice of every sample state, and of every state in which something of it could not be read."""
    for state in (each for make in STATES.values() for each in with_services(make())):
        states = [state, *(hole for kind in ProblemKind for _, hole in holes(state, kind))]
        for one in states:
            for finding in diagnose(one, one.observed_at):
                yield from (finding.next.advice or "", *finding.evidence)


def with_services(state):
    """The state, and where it has Sentinels, once more with the commands of an inventory that start them."""
    yield state
    if state.sentinels:
        started = (replace(one, start=f"service {one.name} start") for one in state.sentinels)
        yield replace(state, sentinels=tuple(started))


@pytest.mark.usefixtures("_inside")
def test_no_advice_of_a_finding_leads_out_of_a_drill():
    found = set(texts())
    assert [one for one in found if WAY_IN in one], "the sweep meets commands"
    leads = (LEADS_AWAY, OWN, TYPED_ON_A_HOST)
    assert not [one for one in found if any(each.search(one) for each in leads)]


def test_the_same_sweep_finds_plain_commands_outside():
    found = set(texts())
    assert [one for one in found if LEADS_AWAY.search(one)]
    assert [one for one in found if OWN.search(one)]
    typed = " ".join(one for one in found if TYPED_ON_A_HOST.search(one))
    for word in ("systemctl start", "service sentinel", "arping -U"):
        assert word in typed, "the sweep meets commands for a host"


@pytest.mark.usefixtures("_inside")
def test_work_by_hand_and_commands_at_the_end_of_a_run_name_the_way():
    assert HandWork("redis-b", "10.0.0.2", "Start it.").heading == f"BY HAND on redis-b ({WAY_IN} redis-b)"
    export = Export("redis-b", "redis-a", "/state/keys", "one key")
    assert put_back_command("r1", export, several=False) == f"{WAY_IN} -- redis-ha-console runs replay r1"
    assert typed_commands.command_on("redis-b", "cp -p a b", "then reload") == (
        f"{WAY_IN} redis-b -- cp -p a b   # then reload"
    )
    assert typed_commands.login_command("root@10.0.0.2", "redis-b", options="-v") == f"{WAY_IN} redis-b"


def test_outside_of_a_laboratory_nothing_is_added():
    assert typed_commands.program_command("status cache") == "redis-ha-console status cache"
    assert typed_commands.login_command("root@10.0.0.2", "redis-b", options="-v") == "ssh -v root@10.0.0.2"
    assert typed_commands.command_on("redis-b", "cp -p a b", "then reload") == "cp -p a b   # on redis-b, then reload"
    assert typed_commands.place_of_work("redis-b", "10.0.0.2") == "redis-b (10.0.0.2)"
