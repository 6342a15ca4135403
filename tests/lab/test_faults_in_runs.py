"""Faults in the middle of a rebuild under writing clients: it stops or goes on, says the truth, and loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab.journals import broken_chains, journals, sent_twice
from lab.late_answers import through_relay
from lab.plain import Prompt, assert_healthy_and_protected, run_plain
from lab.writer import Writer

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.relay import Mode, Relay

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
MOST_LOOKS = 40


def slaveof_calls(lab: Laboratory, host: str) -> int:
    lines = lab.host(host).redis("INFO", "commandstats").splitlines()
    return sum(
        int(line.split("calls=")[1].split(",")[0])
        for line in lines
        if line.startswith(("cmdstat_slaveof:", "cmdstat_replicaof:"))
    )


def assert_all_is_well(lab: Laboratory, writer: Writer, folder: Path) -> None:
    assert writer.lost() == 0
    for journal in journals(folder).values():
        assert not sent_twice(journal)
    assert not broken_chains(folder)
    assert slaveof_calls(lab, B) == 1
    assert_healthy_and_protected(lab, A)


Step = tuple[Callable[[], object], str, Callable[[], object]]


class Trouble:
    """Breaks something at a prompt, and mends it when the run says what it is stuck at."""

    def __init__(self, faults: dict[str, Step]) -> None:
        self.faults = dict(faults)
        self.said: dict[str, str] = {}
        self.looks = 0
        self._now: Step | None = None

    def __call__(self, prompt: Prompt) -> str:
        if prompt.kind == "stuck":
            self.said[prompt.step] = text = " ".join(prompt.text.split())
            if self._now is not None and self._now[1] in text:
                self._now[2]()
                self._now = None
            self.looks += 1
            return "look" if self.looks < MOST_LOOKS else "abort"
        if prompt.step in self.faults:
            self._now = self.faults.pop(prompt.step)
            self._now[0]()
        return ""


def test_before_the_gates(pair, tmp_path):
    """What was shown no longer holds: nothing is sent, it is said why, and after the fault the same run goes on."""
    lab = pair("failed-over", password="s3cret")

    def both(kind: str, said: str, mend: str, host: str, service: str | None = None) -> Step:
        return (lambda: lab.fault(kind, host, service)), said, (lambda: lab.fault(mend, host, service))

    faults = {
        "stop-keepalived": both("kill", "refuses connections", "start", B, "sshd"),
        "backup": both("fill", "room", "heal", B),
        "replicate": both("password", "invalid username-password", "heal", A, "redis"),
        "priorities": both("rekey", "the host key", "heal", B, "sshd"),
        "start-keepalived-on-replica": both("freeze", "Redis on redis-a could not be read", "thaw", A, "redis"),
    }
    trouble = Trouble(faults)
    with Writer(lab.vip, password="s3cret") as writer:
        writer.wait_for(50, 10)
        run = run_plain(lab, state=tmp_path, at=trouble)
        assert (run.outcome, run.code) == ("done", 0), run.text
        writer.wait_for(50, 10)
    assert set(trouble.said) == set(faults)
    assert "Traceback" not in run.text
    assert_all_is_well(lab, writer, tmp_path)


def later(lab: Laboratory, when: Callable[[], object], begin: Callable[[], object], end: Callable[[], object]):
    """Breaks something at a moment of the run that no prompt marks, and mends it after a while."""

    def work() -> None:
        lab.wait(when, 30, "the moment of the fault")
        begin()
        time.sleep(2.0)
        end()

    thread = threading.Thread(target=work, name="fault")
    thread.start()
    return thread


@pytest.mark.parametrize("what", ["sshd dies with the send", "half an answer to the send", "no cable in the sync"])
def test_while_it_is_sent_and_proved(pair, tmp_path, what):
    """The answer is lost, or the proof is held up; the run looks on until it is proved, and sends nothing again."""
    lab = pair("failed-over")
    lab.host(A).redis("CONFIG", "SET", "rdb-key-save-delay", "2000")  # a sync that takes its time
    relay = Relay(lab.host(B), 2222, 22)
    if what.startswith("half"):
        through_relay(lab, B)
    started = lambda: lab.host(B).running("redis-server")  # noqa: E731
    syncing = lambda: "master_sync_in_progress:1" in lab.host(B).redis("INFO", "replication")  # noqa: E731
    threads = {
        "sshd dies with the send": ("start-returning", started, lambda: lab.fault("kill", B, "sshd"),
                                    lambda: lab.fault("start", B, "sshd")),
        "half an answer to the send": ("start-returning", started, lambda: setattr(relay, "mode", Mode.HALF),
                                       lambda: setattr(relay, "mode", Mode.THROUGH)),
        "no cable in the sync": ("replicate", syncing, lambda: lab.fault("cut", B), lambda: lab.fault("heal", B)),
    }  # fmt: skip
    at_step, when, begin, end = threads[what]
    broken: list[threading.Thread] = []

    def at(prompt: Prompt) -> str:
        if prompt.kind == "stuck":
            return "look"
        if prompt.step == at_step and not broken:
            broken.append(later(lab, when, begin, end))
        return ""

    try:
        with Writer(lab.vip) as writer:
            writer.wait_for(50, 10)
            run = run_plain(lab, state=tmp_path, at=at)
            broken[0].join(30)
            assert (run.outcome, run.code) == ("done", 0), run.text
            writer.wait_for(50, 10)
        assert_all_is_well(lab, writer, tmp_path)
    finally:
        relay.close()


def test_given_up_and_run_again(pair, tmp_path):
    """A fault that stays: a wrong password between the two. The operator ends the wait; later the runbook completes."""
    lab = pair("failed-over", password="s3cret")
    b = lab.host(B)

    def at(prompt: Prompt) -> str:
        if prompt.kind == "stuck":
            return "abort"
        if (prompt.step, prompt.kind) == ("replicate", "gate"):
            b.redis("CONFIG", "SET", "masterauth", "another")
            following = lambda: "master_link_status:down" in b.redis("INFO", "replication")  # noqa: E731
            later(lab, following, lambda: None, prompt.terminal.sendintr)
        return ""

    with Writer(lab.vip, password="s3cret") as writer:
        writer.wait_for(50, 10)
        run = run_plain(lab, state=tmp_path, at=at)
        assert run.outcome == "failed", run.text
        assert run.code != 0
        assert "Done so far: stop-keepalived" in " ".join(run.text.split())
        b.redis("CONFIG", "SET", "masterauth", "s3cret")
        again = run_plain(lab, state=tmp_path)
        assert (again.outcome, again.code) == ("done", 0), again.text
        writer.wait_for(50, 10)
    assert "Traceback" not in run.text + again.text
    assert_all_is_well(lab, writer, tmp_path)
