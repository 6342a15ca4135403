"""Every half-done state of the runbooks for sets that Sentinels steer has a way out, on real servers.

The operator gives up at each step in turn that asks, and begins again: the run skips what stands. And a console that
is killed right after a command that cannot be taken back is gone on with.
"""

from __future__ import annotations

import contextlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from lab.giving_up import asking, give_up_everywhere, named
from lab.name_clients import NameWriter, Watch
from lab.plain import run_plain, status
from lab.test_crash import Deaths, flat
from lab.test_sentinel_runbooks import new_client, settled, weights
from lab.writer import Writer

from console.lab.scenarios.sentinel_consul import passing, resolved
from console.lab.scenarios.sentinel_vip import DIRECTORS, MASTER, REDIS_HOSTS, master_named_by, master_of, take_vip
from console.lab.systems import sentinel_consul as consul
from console.lab.systems.sentinel_vip import OUTSIDE, READ_VIP, WRITE_VIP

pytestmark = pytest.mark.lab

APP01, APP02 = consul.FIRST, consul.SECOND


def lead_astray(host, vip):
    """The neighbour cache of clients has this host for the address, and keeps it."""
    mac = host.run("cat /sys/class/net/eth2/address").stdout.strip()
    subprocess.run([*neighbour("replace", vip), "lladdr", mac, "nud", "permanent"], check=True)


def neighbour(verb, vip):
    route = subprocess.run(["ip", "-o", "route", "get", vip], capture_output=True, text=True, check=True).stdout
    return ["ip", "neigh", verb, vip, "dev", route.split(" dev ")[1].split()[0]]


def weigh_nothing(lab, name):
    """Somebody takes it out of the read VIP by hand."""
    lab.wait(lambda: all(OUTSIDE[name] in table for table in weights(lab).values()), 20, f"{name} is in the tables")
    for director in DIRECTORS:
        real = ["-t", f"{READ_VIP}:6379", "-r", f"{OUTSIDE[name]}:6379", "-g", "-w", "0"]
        lab.host(director).run(["ipvsadm", "-e", *real], check=True)


@pytest.mark.long
def test_sentinel_return_old_master(pair, tmp_path):
    """From a state in which no step is skipped: what it lacks for that goes wrong while the run is under way."""
    lab = pair("sentinel-vip-on-two", redis="6.2")
    old, new = lab.host(MASTER), master_of(lab)

    def by_hand(step):
        if step == "remove-address":
            lead_astray(old, WRITE_VIP)
        if step == "announce":
            subprocess.run(neighbour("del", WRITE_VIP), check=True)
        if step == "start-sentinels":
            weigh_nothing(lab, MASTER)

    book = "sentinel-return-old-master"
    with Writer(new.address, password=lab.options.password) as writer:
        seen = give_up_everywhere(lab, book, "--bind", f"returning={MASTER}", state=tmp_path, by_hand=by_hand)
        writer.wait_for(50, 10)
    needless = {"save", "stop", "sentinels"}
    left = [step for step in asking(book) if step not in needless]
    assert seen.asked == left, "its Redis is down, and the inventory names the service of the Sentinels"
    assert master_named_by(old) == new.address, "it has heard from the others"
    assert writer.lost() == 0
    assert settled(lab).name == new.name
    assert all(table[OUTSIDE[MASTER]] == 1 for table in weights(lab).values())


@pytest.mark.long
def test_sentinel_repair_write_vip(pair, tmp_path):
    lab = pair("sentinel-vip-on-none", redis="8.0")
    book, master = "sentinel-repair-write-vip", master_of(lab)
    stray = next(lab.host(name) for name in REDIS_HOSTS if name not in (MASTER, master.name))
    take_vip(stray)
    with Writer(lab.vip, password=lab.options.password) as writer:
        seen = give_up_everywhere(lab, book, state=tmp_path)
        writer.wait_for(50, 10)
        # With the address in its place nothing is left to do. It goes astray again: the last step is left at, too.
        master.run(["ip", "addr", "flush", "to", f"{WRITE_VIP}/32"], check=True)
        take_vip(stray)
        give_up_everywhere(lab, book, state=tmp_path, seen=seen)
        writer.wait_for(50, 10)
    assert seen.asked == asking(book)
    assert writer.lost() == 0
    assert lab.vip_holders() == [master.name]


@pytest.mark.long
def test_sentinel_switchover_and_the_way_back_out_of_it(pair, tmp_path):
    lab = pair("sentinel-healthy", redis="7.0")
    book, back, old = "sentinel-switchover", "sentinel-resume-writes", lab.host(MASTER)
    password = lab.options.password
    with (
        Writer(lab.vip, password=password) as writer,
        Writer(old.address, password=password, key="writer:direct") as direct,
    ):
        direct.wait_for(50, 10)
        cut = run_plain(lab, book, state=tmp_path, typed=MASTER)
        assert (cut.outcome, named(cut)) == ("aborted", [back]), cut.text
        called_off = give_up_everywhere(lab, back, state=tmp_path)
        assert called_off.asked == asking(back)
        direct.wait_for(50, 10)
        seen = give_up_everywhere(lab, book, "--bind", f"old-master={MASTER}", state=tmp_path)
        writer.wait_for(50, 10)
    assert seen.asked == asking(book)
    assert writer.lost() == 0
    new = settled(lab)
    assert new.name != MASTER
    again = run_plain(lab, book, "--bind", f"old-master={MASTER}", state=tmp_path)
    assert (again.outcome, again.confirmed, again.gates) == ("done", 0, []), again.text
    with new_client(lab, new) as client:
        assert int(client.ask("GET", "writer:direct")) >= direct.acknowledged, "what was acknowledged past the VIP"


def test_lvs_drain_replica(pair, tmp_path):
    """What keeps it from its master is mended while the run waits for that."""
    lab = pair("sentinel-stale-reads", redis="6.2")
    book, stale = "lvs-drain-replica", lab.host(REDIS_HOSTS[-1])

    def mend():
        drained = {0}
        lab.wait(lambda: {table[OUTSIDE[stale.name]] for table in weights(lab).values()} == drained, 60, "it is out")
        stale.redis("CONFIG", "SET", "masterauth", lab.options.password)

    with ThreadPoolExecutor(1) as somebody:
        mended = somebody.submit(mend)
        seen = give_up_everywhere(lab, book, "--bind", f"replica={stale.name}", state=tmp_path)
        mended.result(timeout=10)
    assert seen.asked == asking(book)
    assert all(table[OUTSIDE[stale.name]] == 1 for table in weights(lab).values())
    settled(lab)


@pytest.mark.long
def test_consul_return_old_master(pair, tmp_path):
    """From two masters in the name: as soon as clients are led to one of them only, they lose nothing."""
    lab = pair("consul-second-master")
    lab.host(APP01).redis("SET", "only:here", "1")
    book, writer, watch = "consul-return-old-master", NameWriter(), Watch(consul.ADDRESSES[APP02])
    with contextlib.ExitStack() as clients:

        def by_hand(step):
            if step == "hold-writes":
                clients.enter_context(watch)
                clients.enter_context(writer)
                writer.wait_for(20, 10)

        seen = give_up_everywhere(lab, book, "--bind", f"writable={APP02}", state=tmp_path, by_hand=by_hand)
        writer.wait_for(20, 10)
    left = [step for step in asking(book) if step != "sentinel"]
    assert seen.asked == left, "the inventory names its service: nothing is left to do by hand"
    last = {"release", "start-sentinels", "proved"}
    assert {step for step, runbooks in seen.named.items() if runbooks != [book]} <= last
    assert watch.wrong == (0.0, 0.0), watch.tally
    assert writer.lost() == 0
    assert set(writer.by_address) == {consul.ADDRESSES[APP02]}
    exports = [one.read_text(encoding="utf-8") for one in tmp_path.rglob("keys-of-app01.jsonl")]
    assert [one for one in exports if "only:here" in one]
    assert status(lab)["health"] == "healthy"
    assert passing(lab) == resolved() == [consul.ADDRESSES[APP02]]


@pytest.mark.parametrize(
    ("scenario", "book", "step", "sent"),
    [
        ("sentinel-healthy", "sentinel-switchover", "4 failover", "SENTINEL FAILOVER"),
        ("consul-failed-over", "consul-return-old-master", "10 start", "service redis-server start"),
    ],
    ids=["sentinel-switchover", "consul-return-old-master"],
)
def test_a_console_that_is_killed_right_after_what_it_sent(pair, tmp_path, scenario, book, step, sent):
    lab = pair(scenario, redis="8.0")
    deaths = Deaths(lab, tmp_path)
    writer = NameWriter() if not lab.vip else Writer(lab.vip, password=lab.options.password)
    with writer:
        writer.wait_for(20, 10)
        deaths.rebuild(f"before result {step.split()[0]}", runbook=book, deadline=90)
        writer.wait_for(20, 10)
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert writer.lost() == 0
    assert f"{step}: UNKNOWN: sent, or may have been" in flat(deaths.text)
    assert [times for line, times in deaths.sent.items() if sent in line] == [1]
    assert max(deaths.sent.values()) == 1, "nothing is sent again"
    lab.wait(lambda: status(lab)["health"] == "healthy", 30, "the set is healthy")
