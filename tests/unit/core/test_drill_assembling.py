"""A capture from what was read: secrets that are equal stay equal, and what is missing says what that means."""

from __future__ import annotations

import dataclasses
import json

import pytest
import samples
from fakes import CLUSTER, A, B

from console.core.drills import assembling
from console.core.drills.capture import CapturedProcess, CapturedUser, HostFacts, HostText, Part
from console.core.drills.differences import called_programs, missing_programs
from console.core.inventory import ServiceSpec
from console.core.model import ProblemKind
from console.core.model.reading import unread
from console.drill.check_text import check_text

CONF = "/etc/keepalived/keepalived.conf"
SCRIPT = "/etc/keepalived/scripts/redis_master.sh"
ENDLESS = "#!/usr/bin/tclsh9\nwhile {1} {}\n"


def ok(path, text, owner="root:root"):
    return HostText(path, "ok", 0o755, owner, text)


def facts(name):
    users = (CapturedUser("root", 0, 0, "/root", "/bin/sh"), CapturedUser("games", 5, 60, "/", "/bin/false"))
    processes = (CapturedProcess("keepalived", "keepalived -D --secret s3cret-word", "root"),) * 2
    return HostFacts(name, "Debian", users, {}, processes, ())


def captured(**more):
    conf = f'vrrp_script c {{\n script "{SCRIPT} s3cret-word"\n}}\n'
    texts = {
        A: [(ok(CONF, conf), Part.KEEPALIVED), (ok(SCRIPT, ENDLESS), Part.SCRIPT)],
        B: [(ok(CONF, f"{conf}auth_pass s3cret-word\n"), Part.KEEPALIVED), *more.get("other", [])],
    }
    hosts = {name: (facts(name), texts[name]) for name in (A, B) if name not in more.get("silent", {})}
    return assembling.assemble(
        CLUSTER, samples.healthy_pair(), hosts, {A: "s3cret-word", B: "another-one"}, more.get("silent", {})
    )


def test_equal_secrets_of_two_hosts_get_the_same_stand_in():
    made = captured()
    a, b = made.host(A), made.host(B)
    assert a.redis.password != b.redis.password
    for host in (a, b):
        assert "s3cret-word" not in str(host)
        assert a.redis.password in host.file(CONF).text
        assert a.redis.password in host.processes[0].command
        assert len(host.processes) == 1
    assert made.notes[0].startswith("2 secrets replaced")
    assert [one.name for one in a.users] == ["root"]
    assert (a.redis.role, b.redis.role) == ("replica", "master")
    assert a.interfaces
    assert made.vip not in str(a.interfaces)


def test_what_could_not_be_read_says_what_that_means():
    unread = [
        (HostText("/etc/keepalived/more.conf", "denied", 0o600, "root:root"), Part.INCLUDE),
        (HostText(SCRIPT, "hidden"), Part.SCRIPT),
        (HostText("/opt/gone.sh", "missing"), Part.CALLED),
        (HostText("/usr/bin/logger", "binary", 0o755, "root:root"), Part.CALLED),
        (HostText("/etc/default/redis", "missing"), Part.SERVICE),
        (HostText("/etc/keepalived/conf.d/*.conf", "missing"), Part.INCLUDE),
    ]
    made = captured(other=unread)
    told = {one.what: f"{one.why}; {one.means}" for one in made.unread}
    assert set(told) == {"/etc/keepalived/more.conf", SCRIPT, "/opt/gone.sh"}
    assert told["/etc/keepalived/more.conf"].startswith("this login may not read it; keepalived of the rehearsal")
    assert "what your script does is not rehearsed" in told[SCRIPT]
    silent = captured(silent={B: "refused"})
    assert [(one.node, one.what, one.why) for one in silent.unread] == [(B, "the whole host", "refused")]


SERVICE_FILES = {
    "/etc/init.d/redis-server": '#!/bin/sh\nPORT=7000\nCONF="/etc/redis/${PORT}.conf"\nEXEC=/opt/redis-server\n'
    "# /etc/redis/old.conf\n$EXEC $CONF\n",
    "/etc/systemd/system/redis-server@7000.service": "[Service]\nExecStart=/usr/bin/redis-server /etc/redis/%i.conf\n",
    "/usr/lib/systemd/system/redis-server.service": "ExecStart=/usr/bin/redis-server /etc/redis/7000.conf -v\n",
    "/etc/default/redis-server": "DAEMON=/usr/bin/redis-server\nDAEMON_ARGS=/etc/redis/7000.conf\n",
}


@pytest.mark.parametrize("path", SERVICE_FILES)
def test_the_configuration_of_a_redis_that_does_not_run_is_found_by_its_service(path):
    service = ServiceSpec(systemd="redis-server@7000" if "@" in path else "redis-server")
    cluster = with_service(service)
    assert path in {one for one, _ in assembling.first_paths(cluster, B, without_redis(), facts(B))}
    texts = [(ok(path, SERVICE_FILES[path]), Part.SERVICE)]
    assert assembling.redis_paths(cluster, B, texts, set()) == [("/etc/redis/7000.conf", Part.REDIS)]
    assert assembling.redis_paths(cluster, B, texts, {"/etc/redis/7000.conf"}) == []
    found = [*texts, (ok("/etc/redis/7000.conf", "dir /data/r\ndbfilename d.rdb\n"), Part.REDIS)]
    assert assembling.redis_paths(cluster, B, found, set()) == []
    made = assembled_without_redis(cluster, found)
    redis = made.host(B).redis
    assert (redis.config, redis.dir, redis.dbfilename) == ("/etc/redis/7000.conf", "/data/r", "d.rdb")
    assert made.guesses == ()
    assert [one.what for one in made.unread] == ["what Redis says of itself"]


def test_the_own_command_of_the_inventory_and_usual_services_are_looked_at_too():
    own = with_service(ServiceSpec(start="/opt/redis-server /data/own.conf", stop="x"))
    assert assembling.redis_paths(own, B, [], set()) == [("/data/own.conf", Part.REDIS)]
    paths = {one for one, _ in assembling.first_paths(with_service(ServiceSpec()), B, without_redis(), facts(B))}
    assert {"/etc/init.d/redis-server", "/etc/systemd/system/redis.service"} <= paths


def test_a_node_of_which_nothing_is_known_stands_on_a_guess_and_that_is_said():
    made = assembled_without_redis(CLUSTER, [])
    assert [one.node for one in made.unread] == [B, B]
    assert "neither the inventory nor its service names it" in str(made.unread)
    (guess,) = made.guesses
    assert guess.startswith(f"{B} stands on a guess")
    text = check_text([], [], "table", made.guesses)
    assert f"NOT PASSED: {B} stands on a guess" in text
    assert json.loads(check_text([], [], "json", made.guesses))["passed"] is False


def without_redis():
    state = samples.healthy_pair()
    silent = unread(ProblemKind.REFUSED, "connection refused", 1.0)
    nodes = tuple(dataclasses.replace(one, redis=silent) if one.name == B else one for one in state.nodes)
    return dataclasses.replace(state, nodes=nodes)


def with_service(service):
    nodes = tuple(dataclasses.replace(one, redis=dataclasses.replace(one.redis, service=service, config=""))
                  for one in CLUSTER.nodes)  # fmt: skip
    return dataclasses.replace(CLUSTER, nodes=nodes)


def assembled_without_redis(cluster, texts):
    return assembling.assemble(cluster, without_redis(), {name: (facts(name), texts) for name in (A, B)}, {}, {})


def test_an_interpreter_that_the_laboratory_does_not_have_is_told():
    made = captured()
    assert "/usr/bin/tclsh9" in called_programs(made)
    (line,) = missing_programs(made, {})
    assert line == f"{A}: {SCRIPT} calls /usr/bin/tclsh9: the laboratory does not have it"
