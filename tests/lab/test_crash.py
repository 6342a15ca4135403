"""A console that is killed at any moment of a rebuild: the run is gone on with, and nothing is lost or done twice.

How it is killed stands in `dying_console.py`. A moment is after an entry of the journal, or between a command that was
carried out and its answer's entry; before an entry is the same as after the one before it, or as a send's end. No other
state can be left on the disk but half a line, which has a test of its own. What belongs to a command is died at in each
step. Looks, answers, proofs and ends of steps are written by the same code in each: they are died at in three steps
that send something and in three that send nothing, and their repeats within one step in two steps. Each moment of each
step is died at in the model (tests/unit/engine/test_resume.py).
"""

from __future__ import annotations

import json
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from lab.plain import ASKED, GATE, LAST, STUCK, assert_healthy_and_protected, console, environment, status
from lab.writer import Writer

from console.lab.assembly.laboratory import Laboratory

pytestmark = pytest.mark.lab

A, B = "redis-a", "redis-b"
DYING = str(Path(__file__).with_name("dying_console.py"))
RESUME = ("runs", "resume", "--plain")
PATIENT = 20
"""Times that one looks again at what blocks a step."""


class Deaths:
    """A rebuild by consoles that die, one after the other, and an operator who says yes and tries again."""

    def __init__(self, lab: Laboratory, state: Path, between: Callable[[], object] = lambda: None) -> None:
        """`between` is done after each death, before the next console is called."""
        self.lab, self.state, self.between = lab, state, between
        self.file = state / "moments"
        self.text = ""
        self.outcome = ""
        self.retried: list[str] = []
        self.looks = 0

    def rebuild(self, where: str, *, runbook: str = "one-shot-rebuild", deadline: float = 60) -> None:
        """By as many consoles as it takes: at `everywhere` they come by themselves, else it is one after the other."""
        first = ("run", runbook, self.lab.cluster, "--plain")
        if where == "everywhere":
            self._call(where, *first, "--", *RESUME, deadline=deadline)
            return
        self._call(where, *first, deadline=deadline)
        assert not self.outcome, f"it did not die before its end: {self.text[-4000:]}"
        self.between()
        self._call(where, *RESUME, deadline=deadline)

    def rebuild_on(self) -> None:
        """Resumes the run, and lives."""
        self._call("nowhere", *RESUME, deadline=60)

    def _call(self, where: str, *words: str, deadline: float) -> None:
        terminal = pexpect.spawn(
            sys.executable, [DYING, str(self.file), where, *words], env=environment(self.lab, self.state),
            encoding="utf-8", timeout=deadline, dimensions=(24, 100),
        )  # fmt: skip
        terminal.delaybeforesend = None
        try:
            while (found := terminal.expect([ASKED, GATE, STUCK, LAST, pexpect.EOF])) != 4:
                self.text += str(terminal.before) + str(terminal.after)
                if found == 3:
                    self.outcome = terminal.match.group(2)
                else:
                    terminal.sendline(self._answer(found, terminal))
        finally:
            terminal.close()

    def _answer(self, found: int, terminal: pexpect.spawn) -> str:
        if found == 2 and "Blocked" in str(terminal.after) and self.looks < PATIENT:
            self.looks += 1  # servers under load take a moment: an operator looks again before giving up
            return "look"
        if found == 2:
            self.retried.append(str(terminal.before))
            return "retry" if "retry" in str(terminal.after) else "abort"
        return "y" if found == 0 else str(terminal.match.group(1))

    @property
    def moments(self) -> list[str]:
        return self.file.read_text().splitlines()

    @property
    def sent(self) -> Counter[str]:
        return Counter(Path(f"{self.file}.sent").read_text().splitlines())

    @property
    def entries(self) -> list[dict]:
        (journal,) = self.state.glob("redis-ha-console/runs/*/journal.jsonl")
        return [json.loads(line) for line in journal.read_text("utf-8").splitlines()]


@pytest.mark.long
@pytest.mark.timeout(900)  # a machine that is three times slower
def test_a_console_that_is_killed_at_every_moment_of_a_rebuild(pair, tmp_path):
    """One rebuild by dozens of consoles. Each kind of entry, and each command, was the last one of some of them."""
    lab = pair("failed-over")
    deaths = Deaths(lab, tmp_path)
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        deaths.rebuild("everywhere")
        writer.wait_for(100, 10)
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, A)
    entries = deaths.entries
    assert_every_moment_was_died_at(entries, deaths)
    assert_nothing_was_sent_twice(lab, deaths)
    assert_what_died_is_unknown(entries, deaths)
    verified = console(lab, "runs", "verify", state=tmp_path)
    assert verified.returncode == 0, verified.stderr


@pytest.mark.parametrize(
    ("moment", "asked"),
    [
        ("after intent 9 1", True),
        ("sent redis-b> SLAVEOF 10.77.0.11 6379", False),
        ("within result 9", False),
    ],
    ids=["before SLAVEOF is sent", "after SLAVEOF was sent", "in the middle of its answer's line"],
)
def test_a_console_that_dies_at_slaveof(pair, tmp_path, moment, asked):
    """What was not carried out is asked for again, what was carried out is seen; and writers lose nothing by either."""
    lab = pair("failed-over")
    deaths = Deaths(lab, tmp_path)
    moment = re.sub(r"SLAVEOF \S+", f"SLAVEOF {address_of(lab, A)}", moment)
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        deaths.rebuild(moment)
        writer.wait_for(100, 10)
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, A)
    assert bool(deaths.retried) is asked
    assert "9 replicate: UNKNOWN: sent, or may have been" in flat(deaths.text)
    assert_nothing_was_sent_twice(lab, deaths)
    assert_what_died_is_unknown(deaths.entries, deaths)
    verified = console(lab, "runs", "verify", state=tmp_path)
    assert verified.returncode == 0, verified.stderr
    assert ("moved here at" in verified.stdout) is moment.startswith("within")


@pytest.mark.parametrize("moment", ["after result 2", "after result 4"], ids=["half of the pause", "nobody serves"])
def test_a_console_that_dies_in_a_switchover(pair, tmp_path, moment):
    """While clients wait: after the first of the two commands that hold writes back, and after the VIP was given up."""
    lab = pair("healthy", redis_config=("min-slaves-max-lag 10",))
    deaths = Deaths(lab, tmp_path)
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        deaths.rebuild(moment, runbook="planned-switchover")
        writer.wait_for(100, 10)
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert writer.lost() == 0
    assert not [line for line, times in deaths.sent.items() if times > 1]
    assert_healthy_and_protected(lab, A)


def test_a_console_that_dies_while_it_mends_the_virtual_ip(pair, tmp_path):
    """The keepalived of the master was started, and its answer not written down: that it runs is seen."""
    lab = pair("healthy")
    for name in (A, B):
        lab.fault("stop", name, "keepalived")
    lab.wait(lambda: lab.vip_holders() == [], 60)
    deaths = Deaths(lab, tmp_path)
    deaths.rebuild("before result 4", runbook="repair-vip")
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert lab.vip_holders() == [B]
    assert not deaths.retried
    assert not [line for line, times in deaths.sent.items() if times > 1]


def test_a_node_that_reboots_while_the_console_is_dead(pair, tmp_path):
    """Its Redis was started by the run, and is down again: the run sees that, and begins anew where that is."""
    lab = pair("failed-over")

    def reboot() -> None:
        lab.fault("kill", B)
        lab.fault("start", B)
        lab.wait(lambda: lab.host(B).running("sshd"), 60, "sshd is back")

    deaths = Deaths(lab, tmp_path, reboot)
    with Writer(lab.vip) as writer:
        writer.wait_for(100, 10)
        deaths.rebuild("after result 6")
        writer.wait_for(100, 10)
    assert deaths.outcome == "done", deaths.text[-4000:]
    assert writer.lost() == 0
    assert_healthy_and_protected(lab, A)


def test_a_terminal_that_goes_away_and_a_console_that_is_terminated(pair, tmp_path):
    """SIGTERM and SIGHUP leave the run open; who comes next sees it in the list and goes on with it."""
    lab = pair("failed-over")
    words = ["-m", "console", "run", "one-shot-rebuild", lab.cluster, "--plain"]
    for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGHUP, "HUP")):
        terminal = pexpect.spawn(sys.executable, words, env=environment(lab, tmp_path), encoding="utf-8", timeout=60)
        terminal.expect([ASKED, GATE])
        terminal.sendline("y")
        terminal.expect([ASKED, GATE])
        if name == "HUP":
            terminal.ptyproc.fileobj.close()  # as when the connection to this machine is lost
        else:
            terminal.kill(number)
            terminal.expect("is not over: `runs resume` goes on with it")
            terminal.expect(pexpect.EOF)
        terminal.ptyproc.wait()
        assert terminal.ptyproc.signalstatus == number
        (run,) = json.loads(console(lab, "runs", "list", "--format", "json", state=tmp_path).stdout)["runs"]
        assert (run["standing"], run["outcome"], run["unanswered"]) == ("died", None, [])
        words = ["-m", "console", *RESUME]
    seen = Deaths(lab, tmp_path)
    seen.rebuild_on()
    assert seen.outcome == "done", seen.text[-4000:]
    assert_healthy_and_protected(lab, A)
    (run,) = json.loads(console(lab, "runs", "list", "--format", "json", state=tmp_path).stdout)["runs"]
    assert (run["standing"], run["outcome"], run["resumed"]) == ("closed", "done", 2)


def assert_every_moment_was_died_at(entries: list[dict], deaths: Deaths) -> None:
    """Enumerated from the journal itself: whatever kind of entry stands in it at whatever step, and every command."""
    from lab.dying_console import OF_NO_COMMAND, STEPS_OF_A_KIND, STEPS_OF_REPEATS, repeats  # the whole console

    died = {moment.rpartition(" #")[0] for moment in deaths.moments}
    sending = {entry["data"]["step"] for entry in entries if entry["kind"] == "intent"}
    stand, of_no_command = set(), {}
    for entry in entries:
        data = entry["data"]
        what = " ".join(str(data[key]) for key in ("step", "place") if key in data)
        moment = f"after {entry['kind']}{' on resume' if data.get('on_resume') else ''} {what}".rstrip()
        if entry["kind"] in OF_NO_COMMAND:
            of_no_command.setdefault((entry["kind"], data["step"] in sending), set()).add(moment)
        else:
            stand.add(moment)
    assert stand - died == {"after opened", "after closed"}
    assert {kind for kind, _ in of_no_command} == set(OF_NO_COMMAND)
    assert min(len(found & died) for found in of_no_command.values()) >= STEPS_OF_A_KIND
    again = repeats(deaths.moments)
    assert again["decided #2"] == again["observed #2"] == STEPS_OF_REPEATS
    resumed = [entry for entry in entries if entry["kind"] == "resumed"]
    assert len(resumed) == len(deaths.moments), "each death was followed by a console that went on"


def address_of(lab: Laboratory, name: str) -> str:
    return str(next(node["address"] for node in status(lab)["nodes"] if node["name"] == name))


def flat(text: str) -> str:
    return " ".join(text.split())


def assert_nothing_was_sent_twice(lab: Laboratory, deaths: Deaths) -> None:
    """But what only its answer proves, and the operator said that it may be sent again: it writes a proof, or reads."""
    twice = {line for line, times in deaths.sent.items() if times > 1}
    assert not [
        line
        for line in twice
        if not re.search(r"> (SET|GET) redis-ha-console:proof:|> # SCAN, DUMP and PTTL here", line)
    ]
    stats = lab.host(B).redis("INFO", "commandstats")
    assert "cmdstat_slaveof:calls=1," in stats or "cmdstat_replicaof:calls=1," in stats


def assert_what_died_is_unknown(entries: list[dict], deaths: Deaths) -> None:
    """Each intent that its console did not outlive is marked, once; every other one has its own answer."""
    marked = [entry for entry in entries if entry["data"].get("on_resume")]
    assert {entry["data"]["answer"]["kind"] for entry in marked} == {"unknown"}
    of_intent = [moment for moment in deaths.moments if moment.startswith(("after intent", "sent ", "within result"))]
    assert len(marked) == len(of_intent)
    intents = [entry for entry in entries if entry["kind"] == "intent"]
    results = [entry for entry in entries if entry["kind"] == "result"]
    assert len(intents) == len(results)
