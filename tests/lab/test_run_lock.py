"""The run's lock on real nodes (H26): two operators on one pair, and everything that may end a lock's holder."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pexpect
import pytest
from lab.plain import ASKED, STUCK, console, environment, status

from console.core.model import RunLock
from console.core.runs.lock import HeldElsewhereError
from console.documents.inventories.inventory import load_inventory
from console.transport.locks import shell_programs as node_lock_program
from console.transport.locks.node_locks import SshNodeLocks

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
ANN = RunLock("20261121T031200Z-cache-rebuild-aaaa", "cache", "rebuild", "ann@ops1", 1795230720.0)
BOB = RunLock("20261121T031300Z-cache-rebuild-bbbb", "cache", "rebuild", "bob@ops2", 1795230780.0)
TAKE_OVER = r'Type "(I end the run of [^"]+)" to take over, anything else cancels: '
LEASE = 5.0


@pytest.fixture
def locks():
    """Locks of one console each, on a laboratory's nodes; they let go of a node sooner than the product's."""
    made = []

    def make(lab):
        spec = load_inventory(lab.inventory).clusters[0]
        nodes = tuple(replace(one, ssh=replace(one.ssh, connect_timeout=2.0)) for one in spec.nodes)
        made.append(SshNodeLocks(replace(spec, nodes=nodes), heartbeat=0.5, lease=LEASE, answer=2.0))
        return made[-1]

    yield make
    for one in made:
        one.release()


@pytest.fixture
def operators():
    """`operators(lab, folder, name)`: this operator's console, at plain prompts, with a journal folder of its own."""
    with contextlib.ExitStack() as stack:

        def sit_down(lab, folder, name):
            folder.mkdir(exist_ok=True)
            terminal = pexpect.spawn(
                sys.executable, ["-m", "console", "run", "one-shot-rebuild", lab.cluster, "--plain"],
                env=environment(lab, folder) | {"LOGNAME": name, "COLUMNS": "200"}, encoding="utf-8", timeout=60,
                dimensions=(50, 200),
            )  # fmt: skip
            stack.callback(terminal.close, force=True)
            return terminal

        yield sit_down


def note(lab, name):
    """The holder's note on a host, as far as its process lives."""
    text = lab.host(name).read("/run/redis-ha-console/holder")
    found = re.search(r"^pid=(\d+)$", text, re.MULTILINE)
    return text if found and alive(lab, name, int(found[1])) else ""


def alive(lab, name, pid):
    return lab.host(name).run(f"grep -q {node_lock_program.TITLE} /proc/{pid}/cmdline").returncode == 0


def holders(lab, name):
    """The pids of all the holders on a host, by what they are called in its list of processes."""
    title = node_lock_program.TITLE
    found = lab.host(name).run(f"grep -ls '[{title[0]}]{title[1:]}' /proc/[0-9]*/cmdline").stdout
    return [int(path.split("/")[2]) for path in found.split()]


def kill_holder(lab, name):
    (pid,) = re.findall(r"^pid=(\d+)$", note(lab, name), re.MULTILINE)
    lab.host(name).run(["kill", "-KILL", pid], check=True)


def loses_it_and_takes_it_again(lab, terminal):
    """The holder on redis-b is killed while a question stands: nothing is sent, and looking again makes a new one."""
    kill_holder(lab, B)
    terminal.sendline("y")
    terminal.expect(STUCK)
    assert "the run's lock on redis-b is lost" in words(terminal.before)
    terminal.sendline("look")
    terminal.expect(ASKED)
    assert note(lab, B)


def words(text):
    return " ".join(str(text).split())


def test_the_second_operator_is_told_of_the_first_and_takes_over_by_a_sentence(pair, operators, tmp_path):
    lab = pair("failed-over")
    ann = operators(lab, tmp_path / "ann", "ann")
    ann.expect(ASKED)
    seen = status(lab)["runs"]
    assert [(one["operator"].split("@")[0], one["nodes"], one["runbook"]) for one in seen] == [
        ("ann", [A, B], "one-shot-rebuild")
    ]
    assert re.match(r"\d+/\d+ [\w-]+$", seen[0]["step"])
    assert seen[0]["from"]
    planned = console(lab, "plan", "one-shot-rebuild", "cache")
    assert planned.returncode == 1
    assert "plan: blocked by another run: ann@" in words(planned.stdout)

    bob = operators(lab, tmp_path / "bob", "bob")
    bob.expect(TAKE_OVER)
    told = words(bob.before)
    assert re.search(rf"{A} is locked: ann@\S+ runs one-shot-rebuild on cache since \d\d:\d\d UTC \(step \d", told)
    assert f"from {seen[0]['from']}" in told
    assert f"runs show {seen[0]['run']}" in told
    bob.sendline("yes")
    bob.expect("that is not the sentence")
    bob.expect(pexpect.EOF)
    assert "ann@" in note(lab, A)

    bob = operators(lab, tmp_path / "bob", "bob")
    bob.expect(TAKE_OVER)
    bob.sendline(bob.match.group(1))
    bob.expect(ASKED)
    assert "bob@" in note(lab, A)
    assert "bob@" in note(lab, B)
    ann.sendline("y")
    ann.expect(r"run [\w-]+: refused")
    assert "the run's lock was taken over; redis-" in words(ann.before)
    assert "bob@" in words(ann.before)
    entries = [line for one in (tmp_path / "ann").rglob("journal.jsonl") for line in one.read_text().splitlines()]
    assert not [line for line in entries if '"kind":"intent"' in line]
    kept = json.dumps([one.read_text() for one in (tmp_path / "bob").rglob("journal.jsonl")])
    assert "taken-over" in kept
    (his,) = status(lab)["runs"]
    report = words(console(lab, "runs", "report", his["run"], state=tmp_path / "bob").stdout)
    assert f"ends the run {seen[0]['run']} of ann@" in report

    loses_it_and_takes_it_again(lab, bob)
    bob.sendline("abort")
    bob.expect(r"run [\w-]+: aborted")
    bob.expect(pexpect.EOF)
    assert status(lab)["runs"] == []
    assert [holders(lab, name) for name in (A, B)] == [[], []]


def test_of_two_who_arm_at_once_exactly_one_gets_every_node(pair, locks):
    lab = pair("healthy")
    for _ in range(4):
        sides, start = (locks(lab), locks(lab)), threading.Barrier(2)

        def arm(side, claim, start=start):
            start.wait()
            try:
                return side.hold(claim)
            except HeldElsewhereError as held:
                return held

        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(arm, sides, (ANN, BOB)))
        refused = [one for one in answers if isinstance(one, HeldElsewhereError)]
        assert len(refused) == 1, answers
        winner = 0 if isinstance(answers[1], HeldElsewhereError) else 1
        assert answers[winner] == {}
        assert refused[0].node == A, "the first one in the inventory decides"
        assert refused[0].holder.run_id == (ANN, BOB)[winner].run_id
        assert sides[winner].lost() == ()
        assert all((ANN, BOB)[winner].operator in note(lab, name) for name in (A, B))
        for side in sides:
            side.release()
        assert [holders(lab, name) for name in (A, B)] == [[], []], "whoever comes next finds the nodes free"


def test_no_lock_outlives_its_console(pair, locks, operators, tmp_path):
    lab = pair("failed-over")
    ann = operators(lab, tmp_path / "ann", "ann")
    ann.expect(ASKED)
    assert "ann@" in note(lab, B)
    subprocess.run(["kill", "-KILL", str(ann.pid)], check=True)
    lab.wait(lambda: not note(lab, A) and not note(lab, B), 10, "the locks of a killed console are gone")
    bob = locks(lab)
    assert bob.hold(BOB) == {}

    lab.fault("isolate", B)
    cut = time.monotonic()
    (lost,) = bob.lost()
    assert lost.node == B
    lab.wait(lambda: not note(lab, B), 30, "a holder that hears nothing ends")
    assert time.monotonic() - cut > LEASE / 2
    assert bob.hold(BOB).keys() == {B}, "what cannot be reached is not locked, and is said to be so"
    lab.fault("heal", B)
    lab.wait(lambda: bob.hold(BOB) == {}, 20, "it is locked again as soon as it can be reached")
    assert bob.lost() == ()
    assert holders(lab, B)

    lab.fault("kill", A, "sshd")
    (lost,) = bob.lost()
    assert lost.node == A
    lab.wait(lambda: not note(lab, A), 10, "the holder ends with its sshd")
    lab.fault("start", A, "sshd")
    lab.wait(lambda: bob.hold(BOB) == {}, 20)

    lab.fault("kill", B)
    assert [one.node for one in bob.lost()] == [B]
    assert bob.hold(BOB).keys() == {B}
    assert bob.lost() == ()
    lab.fault("start", B)
    lab.wait(lambda: bob.hold(BOB) == {}, 20, "a node that was rebooted is locked again")
    assert "bob@ops2" in note(lab, B)


def test_consoles_with_and_without_root_exclude_each_other(pair, locks):
    lab = pair("healthy")

    def as_nobody(seconds):
        """An operator whose login may not write to /run, for some seconds: what the holder answers."""
        lab.host(A).write("/tmp/program", node_lock_program.hold("n", BOB, 30))
        shell = f"setpriv --reuid 65534 --regid 65534 --clear-groups sh -s {node_lock_program.TITLE} {BOB.run_id}"
        return lab.host(A).run(f"(cat /tmp/program; sleep {seconds}) | {shell}").stdout

    with ThreadPoolExecutor(1) as other:
        held = other.submit(as_nobody, 5)
        lab.wait(lambda: "bob@ops2" in lab.host(A).read("/tmp/redis-ha-console-65534/holder"), 10)
        with pytest.raises(HeldElsewhereError, match=r"redis-a is locked: bob@ops2"):
            locks(lab).hold(ANN)
        assert "@n held" in held.result(20)
    ann = locks(lab)
    assert ann.hold(ANN) == {}
    told = as_nobody(0)
    assert "operator=ann@ops1" in told
    assert told.endswith("@n busy\n")
    ann.release()
    assert "@n held" in as_nobody(0)
