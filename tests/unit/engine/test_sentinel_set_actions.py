"""What is sent to Sentinels and directors, and to a master that the Sentinels watch: word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sample_sets as sets
import samples

from console.core.command import RedisCommand
from console.core.inventory import (
    ClusterSpec,
    DirectorSpec,
    KeepalivedSpec,
    NodeSpec,
    RedisSpec,
    SentinelSpec,
    SshSpec,
)
from console.core.model import ConfigFile, InterfaceAddress, KeepalivedConfig, ProblemKind, read, unread
from console.core.runbooks.document import Action, Step
from console.engine.actions.commands import CommandContext, PlanError, plan_commands

NAMES = (sets.WEB01, sets.WEB02, sets.WEB03)
SPEC = ClusterSpec(
    "sessions",
    "sentinel-vip",
    sets.WRITE_VIP,
    tuple(NodeSpec(one, sets.ADDRESS[one], SshSpec(), RedisSpec(), KeepalivedSpec()) for one in NAMES),
    master_name="master1",
    sentinels=(SentinelSpec("sentinel1", sets.ADDRESS[sets.WEB01]),),
    read_vip=sets.READ_VIP,
    directors=tuple(
        DirectorSpec(one, sets.ADDRESS[one], SshSpec(sudo=one == sets.LB02), KeepalivedSpec())
        for one in (sets.LB01, sets.LB02)
    ),
)
WORK = CommandContext(SPEC, {"it": sets.WEB03, "master": sets.WEB01}, "RUN-1", "20261121T034000Z")
SET = sets.sentinel_vip_set()
SERVER = f"{sets.ADDRESS[sets.WEB03]}:6379"


def commands(verb, state=SET, role="it", **arguments):
    return plan_commands(Step("s", "title", "why", role, action=Action(verb, arguments)), state, WORK)


def texts(planned):
    return [(one.node, one.render()) for one in planned]


def weighing(weight, *directors, state=SET, config=""):
    def changed(director):
        service = director.services.value[0]
        servers = tuple(
            replace(one, weight=weight) if one.address == sets.ADDRESS[sets.WEB03] else one for one in service.servers
        )
        file = ConfigFile("/etc/keepalived/keepalived.conf", config, "0" * 64, 0o644, "root:root", samples.NOW)
        return replace(
            director,
            services=read((replace(service, servers=servers),), samples.NOW),
            keepalived_config=read(KeepalivedConfig(file, ()), samples.NOW),
        )

    return replace(state, directors=tuple(changed(one) if one.name in directors else one for one in state.directors))


def test_readers_are_drained_on_every_director_where_they_are_still_sent():
    edit = f"ipvsadm -e -t {sets.READ_VIP}:6379 -r {SERVER} -g -w 0"
    assert texts(commands("drain-readers")) == [(sets.LB01, edit), (sets.LB02, f"sudo -n sh -c '{edit}'")]
    assert [one.node for one in commands("drain-readers", weighing(0, sets.LB01))] == [sets.LB02]


def test_readers_come_back_with_the_weight_of_the_configuration():
    block = (
        f"virtual_server {sets.READ_VIP} 6379 {{\n real_server {sets.ADDRESS[sets.WEB03]} 6379 {{\n weight 3\n }}\n}}\n"
    )
    both = weighing(0, sets.LB01, state=weighing(0, sets.LB02), config=block)
    first, second = commands("serve-readers", both)
    assert first.render().endswith("-g -w 3")
    assert "-g -w 1" in second.render(), "without a word in the file it is keepalived's own"
    assert commands("serve-readers") == ()


def test_a_table_that_could_not_be_read_is_not_edited():
    lost = replace(SET.directors[0], services=unread(ProblemKind.TIMEOUT, "no answer in 5 s"))
    state = replace(SET, directors=(lost, SET.directors[1]))
    with pytest.raises(PlanError, match="the table of lb01 could not be read: no answer in 5 s"):
        commands("drain-readers", state)


def test_a_failover_is_asked_of_a_sentinel_that_can():
    assert texts(commands("sentinel-failover", role="master")) == [("sentinel1", "SENTINEL FAILOVER master1")]
    first = SET.sentinels[0]
    tilted = replace(first, sentinel=first.sentinel.map(lambda one: replace(one, tilt=True)))
    state = replace(SET, sentinels=(tilted, *SET.sentinels[1:]))
    assert texts(commands("sentinel-failover", state, "master")) == [("sentinel2", "SENTINEL FAILOVER master1")]
    with pytest.raises(PlanError, match="no Sentinel can fail over"):
        commands("sentinel-failover", replace(SET, sentinels=(tilted,)), "master")


def on(*addresses):
    return samples.with_node(SET, sets.WEB01, addresses=read(addresses, samples.NOW))


def test_the_write_vip_is_set_where_its_network_is():
    inside = InterfaceAddress("ens33", "192.168.11.123", 24)
    outside = InterfaceAddress("ens34", "10.18.13.166", 20)
    add, announce = commands("take-vip", on(inside, outside), "master")
    assert add.render() == f"ip addr add {sets.WRITE_VIP}/20 dev ens34"
    assert f"arping -U -c 3 -I ens34 {sets.WRITE_VIP}" in announce.render()
    assert "keepalived" not in announce.render()
    with pytest.raises(PlanError, match="in the network of no interface of web01"):
        commands("take-vip", on(inside), "master")
    with pytest.raises(PlanError, match="in the network of no interface of web01"):
        commands("take-vip", on(InterfaceAddress("ens34", "0.100.125", 24)), "master")


def demanding(replicas):
    config = replace(SET.node(sets.WEB01).redis.value.config, min_replicas_to_write=replicas)
    return samples.with_redis(SET, sets.WEB01, config=config, config_file="/etc/redis.conf")


def test_sentinels_are_not_silenced_while_writes_are_held_back():
    """CLIENT PAUSE stops their PUBLISH, and with it their PING."""
    assert texts(commands("pause-writes", demanding(0), "master", seconds=60)) == [
        (sets.WEB01, "CONFIG SET min-replicas-to-write 1000000")
    ]
    planned = commands("resume-writes", demanding(1_000_000), "master")
    assert [one.render() for one in planned] == ["CONFIG SET min-replicas-to-write 0", "CONFIG REWRITE"]
    assert all(isinstance(one.command, RedisCommand) for one in planned)


def test_every_sentinel_is_asked_to_forget_and_none_by_a_pattern():
    sent = texts(commands("sentinel-forget"))
    assert sent == [(one.name, "SENTINEL RESET master1") for one in SET.sentinels]
    with pytest.raises(PlanError, match="takes a pattern"):
        commands("sentinel-forget", replace(SET, master_name="master*"))


# --- Sentinels that do not run --------------------------------------------------------------------------------------


def without(*names, kind=ProblemKind.REFUSED, state=SET, start="service redis-sentinel start"):
    """The inventory names the service of every Sentinel on its node, and these give no answer."""
    hosts = {node.address: node.name for node in state.nodes}
    problem = unread(kind, "connection refused", samples.NOW)
    return replace(
        state,
        sentinels=tuple(
            replace(
                one,
                host=hosts[one.address] if start else "",
                start=start,
                sentinel=problem if one.name in names else one.sentinel,
            )
            for one in state.sentinels
        ),
    )


def test_each_sentinel_that_does_not_run_is_started_on_its_own_host():
    found = texts(commands("start-sentinels", without("sentinel1", "sentinel3")))
    assert found == [(sets.WEB01, "service redis-sentinel start"), (sets.WEB03, "service redis-sentinel start")]
    assert commands("start-sentinels", without()) == ()
    assert commands("start-sentinels", without("sentinel1", start="")) == (), "nobody knows how"


def test_a_sentinel_that_hangs_is_not_started_a_second_time():
    with pytest.raises(PlanError, match="not proved to be down"):
        commands("start-sentinels", without("sentinel2", kind=ProblemKind.TIMEOUT))


def test_the_host_must_be_known_before_something_is_started_there():
    state = samples.with_node(without("sentinel2"), sets.WEB02, ssh=unread(ProblemKind.TIMEOUT, "silent", samples.NOW))
    with pytest.raises(PlanError, match=f"{sets.WEB02}, the host of sentinel2"):
        commands("start-sentinels", state)
