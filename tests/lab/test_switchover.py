"""The roles changed on purpose while clients write, through the virtual IP and past it: nothing is lost."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from lab.plain import assert_fails_over_again, assert_healthy_and_protected, console, run_plain, status
from lab.writer import Writer

pytestmark = pytest.mark.lab

OLD, NEW = "redis-b", "redis-a"


def own_runbook(lab, *changes):
    """The shipped one with its numbers changed, under the name `switch`."""
    text = files("console.runbooks").joinpath("planned-switchover.yaml").read_text(encoding="utf-8")
    for old, new in (("name: planned-switchover", "name: switch"), *changes):
        assert old in text
        text = text.replace(old, new)
    folder = lab.folder / "runbooks"
    folder.mkdir()
    (folder / "switch.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("version", "seconds"), [("7.0", 120), ("6.2", 1)], ids=["as shipped", "the pause runs out"])
def test_no_acknowledged_write_is_lost_and_the_pair_is_protected_the_other_way_round(pair, tmp_path, version, seconds):
    lab = pair("healthy", redis=version, redis_config=("min-slaves-max-lag 10",))
    own_runbook(lab, ("seconds: 120", f"seconds: {seconds}"))
    with Writer(lab.vip) as writer, Writer(lab.host(OLD).address, key="writer:direct") as direct:
        writer.wait_for(100, 10)
        direct.wait_for(100, 10)
        run = run_plain(lab, "switch", state=tmp_path)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(100, 10)
    assert run.gates == [OLD, OLD], "typed where clients begin to wait, and at SLAVEOF"
    assert writer.lost() == 0
    assert direct.lost() == 0, "what was acknowledged past the virtual IP is on the new master too"
    assert direct.refused > 0
    told = re.search(
        r"Clients\s+could\s+not\s+write\s+for\s+([\d.]+)\s+s,\s+then\s+redis-a\s+took\s+their\s+writes", run.text
    )
    assert told, run.text
    assert 0 < float(told[1]) < 60
    reported = console(lab, "runs", "report", state=tmp_path).stdout
    assert f"Clients could not write for {told[1]} s, from 20" in reported
    assert lab.host(OLD).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "0"
    assert_healthy_and_protected(lab, NEW)
    if seconds == 1:
        assert_fails_over_again(lab, NEW)


def test_a_switchover_that_nobody_promotes_is_called_off(pair, tmp_path):
    lab = pair("healthy")
    lab.host(NEW).redis("CONFIG", "SET", "min-slaves-to-write", "1")
    refused = console(lab, "plan", "planned-switchover", "cache", state=tmp_path)
    assert refused.returncode == 1, refused.stdout
    assert "redis-a would accept writes as the next master: min-replicas-to-write 1" in " ".join(refused.stdout.split())
    lab.host(NEW).redis("CONFIG", "SET", "min-slaves-to-write", "0")
    lab.host(OLD).redis("CONFIG", "SET", "min-slaves-to-write", "1")
    lab.host(NEW).run("sed -i /notify_master/d /etc/keepalived/keepalived.conf")
    lab.host(NEW).service("keepalived", "reload")
    own_runbook(lab, ("within: 120", "within: 4"))
    cut = run_plain(lab, "switch", state=tmp_path)
    assert cut.outcome == "failed", cut.text
    assert "redis-a is a master" in " ".join(cut.stuck.split()), "nobody promotes it"
    assert "writes-refused" in [one["code"] for one in status(lab)["findings"]]
    lab.host(OLD).service("keepalived", "start")
    lab.wait(lambda: lab.vip_holders() == [OLD], 60)
    back = run_plain(lab, "resume-writes", state=tmp_path)
    assert (back.outcome, back.gates) == ("done", []), back.text
    assert lab.host(OLD).redis("CONFIG", "GET", "min-slaves-to-write").split()[-1] == "1", "as it was before"
    assert lab.host(OLD).redis("SET", "key", "value") == "OK"
    assert console(lab, "plan", "resume-writes", "cache", "--bind", f"paused={OLD}", state=tmp_path).returncode == 0
