"""A capture from what was read: secrets that are equal stay equal, and what is missing says what that means."""

from __future__ import annotations

import samples
from fakes import CLUSTER, A, B

from console.core.drills import assembling
from console.core.drills.capture import CapturedProcess, CapturedUser, HostFacts, HostText, Part
from console.core.drills.differences import called_programs, missing_programs

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


def test_an_interpreter_that_the_laboratory_does_not_have_is_told():
    made = captured()
    assert "/usr/bin/tclsh9" in called_programs(made)
    (line,) = missing_programs(made, {})
    assert line == f"{A}: {SCRIPT} calls /usr/bin/tclsh9: the laboratory does not have it"
