from __future__ import annotations

from dataclasses import replace

import pytest
import samples
from fakes import CLUSTER, CONFIG, PASSWORD, A, B, Pair, node_spec

from console.core.command import ShellCommand
from console.core.inventory import KeepalivedSpec, RedisSpec, ServiceSpec, SshSpec
from console.core.runbooks.document import Action, GateKind, Step
from console.core.runbooks.verbs import VERBS
from console.engine.actions.commands import COMMAND_MAKERS, CommandContext, PlanError, plan_commands
from console.engine.steps.step_view import gate_of

ROLES = {"survivor": A, "returning": B}


def step(verb, role="returning", **arguments):
    return Step("s", "title", "why", role, action=Action(verb, arguments))


def command_context(*nodes, files=None):
    cluster = replace(CLUSTER, nodes=nodes) if nodes else CLUSTER
    read = None if files is None else lambda node, path: files[node, path]
    return CommandContext(cluster, ROLES, "RUN-1", "20261121T034000Z", read)


def texts(one, state=None, work=None):
    return [
        planned.render()
        for planned in plan_commands(one, state or samples.stale_master_back(), work or command_context())
    ]


def test_every_verb_has_a_maker_and_the_other_way_round():
    assert set(COMMAND_MAKERS) == set(VERBS)


@pytest.mark.parametrize(
    ("verb", "text"),
    [
        ("start-redis", "systemctl start redis-server"),
        ("stop-redis", "systemctl stop redis-server"),
        ("start-keepalived", "systemctl start keepalived"),
        ("stop-keepalived", "systemctl stop keepalived"),
        ("reload-keepalived", "systemctl reload keepalived"),
        ("promote", "SLAVEOF NO ONE"),
    ],
)
def test_texts(verb, text):
    assert texts(step(verb)) == [text]


def test_sudo_is_in_the_text_that_is_shown():
    node = node_spec(B, ssh=SshSpec(user="ops", sudo=True))
    assert texts(step("start-redis"), work=command_context(node)) == ["sudo -n sh -c 'systemctl start redis-server'"]


def test_own_commands_and_sysv_services():
    sysv = node_spec(B, redis=RedisSpec(service=ServiceSpec(sysv="redis6379")))
    assert texts(step("stop-redis"), work=command_context(sysv)) == ["service redis6379 stop"]
    own = node_spec(B, redis=RedisSpec(service=ServiceSpec(start="/opt/redis/start.sh")))
    assert texts(step("start-redis"), work=command_context(own)) == ["/opt/redis/start.sh"]
    with pytest.raises(PlanError, match="no stop command for redis on redis-b"):
        texts(step("stop-redis"), work=command_context(own))


def test_slaveof_names_the_node_address_and_the_alias():
    assert texts(step("replicate", source="survivor")) == ["SLAVEOF 192.168.100.201 6379"]
    renamed = node_spec(B, redis=RedisSpec(aliases={"SLAVEOF": "S-7f3a"}))
    assert texts(step("replicate", source="survivor"), work=command_context(node_spec(A), renamed)) == [
        "S-7f3a 192.168.100.201 6379"
    ]


def test_slaveof_never_names_the_vip_or_the_node_itself():
    at_vip = node_spec(A, address=samples.VIP)
    with pytest.raises(PlanError, match="virtual IP"):
        texts(step("replicate", source="survivor"), work=command_context(at_vip, node_spec(B)))
    with pytest.raises(PlanError, match="follow itself"):
        texts(step("replicate", source="returning"))


def test_the_write_proof_goes_through_the_vip_and_is_read_back():
    write, back = plan_commands(step("write-proof", "survivor"), samples.rebuilt_pair(), command_context())
    assert write.render() == "SET redis-ha-console:proof:RUN-1 RUN-1 EX 60"
    assert back.expect == "RUN-1"
    assert write.command.through_vip
    assert back.command.through_vip


def test_a_redis_before_2_6_12_gets_setex():
    state = samples.with_redis(samples.rebuilt_pair(), A, version="2.6.4")
    assert texts(step("write-proof", "survivor"), state)[0] == "SETEX redis-ha-console:proof:RUN-1 60 RUN-1"


def test_a_manual_step_sends_nothing_and_a_shell_step_its_own_text():
    assert texts(step("manual", instruction="plug it in")) == []
    assert texts(step("shell", script="uptime")) == ["uptime"]
    with pytest.raises(PlanError, match="needs the argument script"):
        texts(step("shell"))


def set_priorities():
    return step("set-priorities", master="survivor", replica="returning")


def test_priorities_of_a_running_keepalived_are_reloaded():
    pair = Pair(samples.in_sync_unprotected())
    both = samples.with_keepalived(pair.state, B, running=True)
    edit, reload = plan_commands(set_priorities(), both, command_context(files=pair.files))
    assert edit.node == A
    assert reload.render() == "systemctl reload keepalived"
    assert isinstance(edit.command, ShellCommand)
    assert edit.command.stdin is not None
    assert b"priority 140" in edit.command.stdin
    assert PASSWORD not in edit.render()


def test_nothing_is_planned_where_the_rule_holds():
    assert texts(set_priorities(), samples.rebuilt_pair()) == []


def test_a_file_that_changed_since_it_was_observed_is_not_edited():
    pair = Pair(samples.in_sync_unprotected())
    pair.files[B, CONFIG] = pair.files[B, CONFIG].replace(b"priority 139", b"priority 150")
    with pytest.raises(PlanError, match="changed since it was observed"):
        plan_commands(set_priorities(), pair.state, command_context(files=pair.files))


def test_without_hands_the_observed_text_makes_the_same_script():
    pair = Pair(samples.in_sync_unprotected())
    planned = plan_commands(set_priorities(), pair.state, command_context())
    digest = pair.state.node(B).keepalived_config.value.file.digest
    assert f"before={digest}\n" in planned[0].render()
    assert "+    priority 137" in planned[0].detail


def test_a_reload_without_a_command_is_said_before_anything_is_sent():
    service = ServiceSpec(start="/k start", stop="/k stop")
    node = node_spec(A, keepalived=KeepalivedSpec(service=service))
    pair = Pair(samples.in_sync_unprotected())
    both = samples.with_keepalived(pair.state, B, running=True)
    with pytest.raises(PlanError, match="no reload command for keepalived on redis-a"):
        plan_commands(set_priorities(), both, command_context(node, node_spec(B), files=pair.files))


def test_a_document_cannot_weaken_a_gate():
    assert gate_of(replace(step("replicate", source="survivor"), gate=GateKind.CONFIRM)) is GateKind.TYPE_NAME
    assert gate_of(replace(step("start-redis"), gate=GateKind.NONE)) is GateKind.CONFIRM
    assert gate_of(replace(step("start-redis"), action=None, gate=GateKind.NONE)) is GateKind.NONE
