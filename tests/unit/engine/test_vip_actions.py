from __future__ import annotations

import pytest
import samples
from fakes import CLUSTER, A, B, node_spec

from console.core.command import KeyExport, ShellCommand
from console.core.inventory import KeepalivedSpec, ServiceSpec
from console.core.model import InterfaceAddress, ProblemKind, unread
from console.core.runbooks.document import Action, Step
from console.engine.actions.commands import CommandContext, PlanError, plan_commands

WORK = CommandContext(CLUSTER, {"master": A, "other": B}, "RUN-1", "20261121T034000Z")


def commands(verb, state, role="other", work=WORK):
    return plan_commands(Step("s", "title", "why", role, action=Action(verb)), state, work)


def test_the_very_address_is_taken_off_the_very_interface():
    (planned,) = commands("remove-vip", samples.split_brain(), role="master")
    assert (planned.node, planned.render()) == (A, f"ip addr del {samples.VIP}/32 dev eth2")


def test_an_address_that_is_not_there_or_there_twice_is_not_removed():
    with pytest.raises(PlanError, match="on 0 interfaces of redis-b"):
        commands("remove-vip", samples.failed_over_pair())
    state = samples.split_brain()
    twice = (*state.node(B).addresses.value, InterfaceAddress("eth3", samples.VIP, 24))
    with pytest.raises(PlanError, match="on 2 interfaces of redis-b"):
        commands("remove-vip", samples.with_node(state, B, addresses=samples.read(twice, samples.NOW)))
    unreadable = samples.with_node(state, B, addresses=unread(ProblemKind.TIMEOUT, "no answer in 5 s"))
    with pytest.raises(PlanError, match="no answer in 5 s"):
        commands("remove-vip", unreadable)


def test_a_keepalived_that_runs_is_stopped_before_it_is_started():
    running = samples.with_keepalived(samples.healthy_pair(), B, running=True)
    assert [one.render() for one in commands("restart-keepalived", running)] == [
        "systemctl stop keepalived",
        "systemctl start keepalived",
    ]
    stopped = samples.with_keepalived(samples.healthy_pair(), B, running=False)
    assert [one.render() for one in commands("restart-keepalived", stopped)] == ["systemctl start keepalived"]
    unknown = samples.with_node(stopped, B, keepalived=unread(ProblemKind.TIMEOUT))
    with pytest.raises(PlanError, match="not known whether keepalived runs"):
        commands("restart-keepalived", unknown)


def test_the_holder_announces_the_address_by_arping_or_by_its_own_keepalived():
    own = node_spec(B, keepalived=KeepalivedSpec(service=ServiceSpec(sysv="keepalived")))
    work = CommandContext(samples.replace(CLUSTER, nodes=(own,)), {"other": B}, "RUN-1", "20261121T034000Z")
    (planned,) = commands("announce-vip", samples.healthy_pair(), work=work)
    assert isinstance(planned.command, ShellCommand)
    assert f"arping -U -c 3 -I eth2 {samples.VIP}\n" in planned.command.script
    assert "service keepalived stop && service keepalived start" in planned.command.script


def test_an_export_names_both_servers_and_the_file_in_the_folder_of_the_run():
    work = CommandContext(CLUSTER, {"keeper": A, "loser": B}, "RUN-1", "20261121T034000Z", None, "/runs/RUN-1")
    step = Step("s", "title", "why", "loser", action=Action("export-differences", {"other": "keeper"}))
    (planned,) = plan_commands(step, samples.split_brain(), work)
    assert isinstance(planned.command, KeyExport)
    assert (planned.node, planned.command.other_run_id) == (B, samples.RUN_ID[A])
    assert planned.render().endswith(
        "on redis-a; what differs is written to /runs/RUN-1/keys-of-redis-b.jsonl (or the next free name)"
    )
    silent = samples.with_node(samples.split_brain(), A, redis=unread(ProblemKind.TIMEOUT, "silent"))
    with pytest.raises(PlanError, match="redis-a could not be read: silent"):
        plan_commands(step, silent, work)
