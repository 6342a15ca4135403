"""The virtual IP on none, on both, or left behind: brought to the master and to nowhere else, on real servers."""

from __future__ import annotations

import pytest
from lab.plain import console, run_plain, status

pytestmark = pytest.mark.lab

MASTER, OTHER = "redis-b", "redis-a"
CONFIG = "/etc/keepalived/keepalived.conf"


def on_none(lab):
    for name in (OTHER, MASTER):
        lab.fault("stop", name, "keepalived")
    lab.wait(lambda: lab.vip_holders() == [], 60)


def on_both(lab):
    """The two do not hear each other, and the other one's notify script does not promote."""
    edit = "s/virtual_router_id .*/virtual_router_id 77/; /notify_master/d"
    lab.host(OTHER).run(["sed", "-i", edit, CONFIG], check=True)
    lab.host(OTHER).service("keepalived", "reload")
    lab.wait(lambda: len(lab.vip_holders()) == 2, 60)


def left_behind(lab):
    """keepalived was killed with the address on its host; the master's keepalived lost it behind its back."""
    lab.fault("stop", OTHER, "keepalived")
    interface = lab.host(OTHER).run("ip -o route get 192.168.100.1 | sed 's/.* dev \\([^ ]*\\).*/\\1/'").stdout.strip()
    lab.host(OTHER).run(["ip", "addr", "add", f"{lab.vip}/32", "dev", interface], check=True)
    lab.fault("kill", MASTER, "keepalived")
    lab.host(MASTER).run(["ip", "addr", "flush", "to", f"{lab.vip}/32"], check=True)
    lab.wait(lambda: lab.vip_holders() == [OTHER], 60)


@pytest.mark.parametrize(
    ("break_it", "finding", "gates"),
    [(on_none, "vip-missing", []), (on_both, "vip-duplicate", []), (left_behind, "vip-on-replica", [OTHER])],
)
def test_the_vip_is_brought_to_the_master(pair, tmp_path, break_it, finding, gates):
    lab = pair("healthy")
    run_id = status(lab)["nodes"][1]["redis"]["run_id"]
    break_it(lab)
    before = status(lab)
    assert finding in [one["code"] for one in before["findings"]]
    run = run_plain(lab, "repair-vip", state=tmp_path)
    assert (run.outcome, run.code) == ("done", 0), run.text
    assert run.gates == gates, "the name is typed where an address is taken away"
    after = status(lab)
    assert (after["vip"]["holders"], after["vip"]["reaches"]) == ([MASTER], MASTER)
    assert lab.vip_holders() == [MASTER]
    assert f"run_id:{run_id}" in lab.host(OTHER).run(f"redis-cli -h {lab.vip} INFO server").stdout
    assert not lab.host(OTHER).running("keepalived"), "it would take the address again"
    assert [one["redis"]["role"] for one in after["nodes"]] == ["replica", "master"]
    again = console(lab, "plan", "repair-vip", "cache", state=tmp_path)
    assert again.returncode == 0
    assert "nothing would be sent" in again.stdout


def test_two_masters_are_no_matter_of_the_address(pair, tmp_path):
    lab = pair("split-brain")
    refused = run_plain(lab, "repair-vip", state=tmp_path)
    assert refused.code != 0
    assert lab.host(OTHER).running("keepalived")
    assert lab.host(MASTER).running("keepalived")
