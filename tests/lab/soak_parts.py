"""What a soak is made of: faults that lose nothing by themselves, an operator who always says yes, and gauges."""

from __future__ import annotations

import gc
import os
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.core.model import ClusterState
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.state import RunState
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.relay import Mode, Relay
from console.lab.options import LabError

LONGEST = 4.0
"""Seconds that a fault lasts at most."""
MOST_LOOKS = 60
MOST_TROUBLES = 4
PATIENCE = 15
"""Seconds for which a proof is awaited before something else is tried."""
GIVES_UP = 0.08
RELAYED = {"ssh": (2222, 22), "redis": (7379, 6379)}


@dataclass(frozen=True)
class Fault:
    """Something that can be done to a pair, and undone, without any client's losing what was acknowledged."""

    kind: str
    begin: Callable[[], object]
    end: Callable[[], object]


def _lab_fault(lab: Laboratory, host: str, words: tuple[str, str, str, str | None]) -> Fault:
    name, kind, mend, service = words
    return Fault(name, lambda: lab.fault(kind, host, service), lambda: lab.fault(mend, host, service))


ANYWHERE = (
    ("sshd killed", "kill", "start", "sshd"),
    ("sshd stands still", "freeze", "thaw", "sshd"),
    ("host key changed", "rekey", "heal", "sshd"),
    ("clock an hour ahead", "clock", "heal", None),
)
"""Clients do not notice: what is read over SSH goes wrong, or stops."""
BESIDE = (
    ("Redis stands still", "freeze", "thaw", "redis"),
    ("Redis takes another password", "password", "heal", "redis"),
    ("no cable", "cut", "heal", None),
    ("a bad line", "slow", "heal", None),
    ("disk full", "fill", "heal", None),
)
"""Clients do not notice them on the node that does not serve. On the one that does they mean a failover, which loses
what was not replicated yet: that loss would be keepalived's and not the console's."""


def faults_of_servers(lab: Laboratory, serving: str) -> list[Fault]:
    """For a pair of which this node serves: what a run feels, and who looks."""
    return [
        _lab_fault(lab, host, words)
        for host in lab.hosts
        for words in (ANYWHERE if host == serving else (*ANYWHERE, *BESIDE))
    ]


def faults_of_relays(relays: dict[tuple[str, str], Relay]) -> list[Fault]:
    """What only those feel who look through the relays."""
    modes = {
        Mode.HALF: "half an answer", Mode.MUTE: "never an answer", Mode.GARBAGE: "garbage",
        Mode.FLOOD: "garbage without end", Mode.DROPS: "a byte at a time",
    }  # fmt: skip
    return [_relay_fault(f"{part}: {words}", relay, mode)
            for (_, part), relay in relays.items() for mode, words in modes.items()]  # fmt: skip


def _relay_fault(kind: str, relay: Relay, mode: Mode) -> Fault:
    return Fault(kind, lambda: setattr(relay, "mode", mode), lambda: setattr(relay, "mode", Mode.THROUGH))


class Trouble:
    """Begins and ends faults, counts them, and never leaves one behind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.impossible: Counter[str] = Counter()
        """Kinds that made no sense where they hit: a service to be stopped that did not run."""

    def hit(self, fault: Fault, seconds: float, ended: threading.Event | None = None) -> None:
        """The fault for so long, or until `ended`."""
        try:
            fault.begin()
        except LabError:
            self.impossible[fault.kind] += 1
            return
        self.counts[fault.kind] += 1
        (ended or threading.Event()).wait(seconds)
        for _ in range(3):
            try:
                fault.end()
            except LabError:  # a thaw of what has died meanwhile, a start of what runs
                time.sleep(0.2)
            else:
                return

    def during(self, faults: list[Fault], chance: random.Random, ended: threading.Event) -> threading.Thread:
        """Faults one after the other, with pauses, in a thread of their own, until `ended`."""

        def work() -> None:
            while not ended.wait(chance.uniform(0.2, 1.5)):
                self.hit(chance.choice(faults), chance.uniform(0.3, LONGEST), ended)

        thread = threading.Thread(target=work, name="trouble", daemon=True)
        thread.start()
        return thread


class Autopilot:
    """Implements the engine's Operator: says yes to what is asked, looks again where the run is stuck.

    `patient`: not now and then gives up there. Nobody waits for long: what a proof waits for may have been killed.
    """

    stop_waiting: Callable[[], None]
    """Of the run that it steers."""

    def __init__(self, chance: random.Random, *, patient: bool) -> None:
        self._chance = chance
        self._patient = patient
        self._looks = self._troubles = 0
        self._waits_since: float | None = None

    def decide(self, question: Question) -> Decision:
        if question.kind in (QuestionKind.CONFIRM, QuestionKind.TYPE_NAME):
            time.sleep(self._chance.uniform(0.0, 0.4))
            return Decision(Choice.RUN, question.digest, question.node)
        time.sleep(0.3)
        return Decision(self._way_out(question), question.digest, question.node)

    def _way_out(self, question: Question) -> Choice:
        """A step in trouble is tried again where that is safe, else looked at once more: each look awaits its proof."""
        self._looks += 1
        if question.kind is QuestionKind.TROUBLE:
            self._troubles += 1
            if self._troubles > MOST_TROUBLES:
                return Choice.ABORT
            return Choice.RUN if Choice.RUN in question.choices else Choice.LOOK_AGAIN
        gives_up = not self._patient and self._chance.random() < GIVES_UP
        return Choice.ABORT if gives_up or self._looks > MOST_LOOKS else Choice.LOOK_AGAIN

    def tell(self, run: RunState) -> None:
        if run.waiting_until is None:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = time.monotonic()

    def show(self, state: ClusterState) -> None:
        if self._waits_since is not None and time.monotonic() - self._waits_since > PATIENCE:
            self.stop_waiting()


@dataclass
class Gauges:
    """This process's own size over time."""

    began: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, float, int, int]] = field(default_factory=list)
    """Seconds since the beginning, MB of memory, threads, descriptors."""

    def read(self) -> None:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        self.samples.append((time.monotonic() - self.began, memory, threading.active_count(), descriptors()))

    def __str__(self) -> str:
        if not self.samples:
            return "not read yet"
        _, memory, threads, files = self.samples[-1]
        return f"{memory:.0f} MB, {threads} threads, {files} descriptors"

    def growth(self, warm_up: float) -> tuple[float, float]:
        """MB early and late: medians of the first and the last fifth of what follows the warm-up."""
        after = [memory for at, memory, _, _ in self.samples if at >= warm_up]
        part = max(1, len(after) // 5)
        return statistics.median(after[:part]), statistics.median(after[-part:])


def descriptors() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def zombies() -> list[str]:
    """Children of this process that nobody has waited for."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        state, parent = text[text.rindex(")") + 2 :].split()[:2]
        if state == "Z" and int(parent) == os.getpid():
            found.append(text[: text.rindex(")") + 1])
    return found
