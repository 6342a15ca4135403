"""A soak of one console that lives on: random faults while clients write, screens look and rebuilds are run.

It is a kind of `make soak` (`tests/soak/`), for its memory, its threads and its descriptors. The same seed gives the
same rounds in the same order.
"""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lab.journals import broken_chains, journals, sent_twice
from lab.polling import SLACK, Screen, inspector_of, well
from lab.soak_parts import (
    LONGEST,
    RELAYED,
    Autopilot,
    Gauges,
    Trouble,
    descriptors,
    faults_of_relays,
    faults_of_servers,
    zombies,
)
from lab.writer import Writer

from console.__main__ import ADAPTERS
from console.cli.context import CliContext
from console.core.runbooks.binding import bind_roles
from console.core.runs.state import Outcome
from console.engine.ports import ArmingError
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.relay import Relay
from console.lab.scenarios import keepalived_pair as scenarios
from console.transport.inspector import ANSWER_DEADLINE

RUNBOOK = "one-shot-rebuild"
REBUILDS = 0.4
"""Part of the rounds that are a failover and its rebuild."""
ATTEMPTS = 6
"""Times that a rebuild is begun at most before it counts as one that cannot be done."""
WARM_UP = 0.2
"""Part of the time after which memory has to stay what it is."""
GROWTH = 0.10
"""How much larger the process may be late than it was early."""
SHORT = 180.0
"""Seconds below which memory says nothing: the libraries still fill their caches."""
OURS = ("open ", "SSH ", "look at ", "observe", "Thread-", "run ", "screen", "trouble")


@dataclass
class Report:
    """What was done in a soak and what came of it."""

    seed: int
    seconds: float = 0.0
    rounds: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    put_back: int = 0
    """Times that the pair itself had moved under a fault, and was put back by hand before the next round."""
    problems: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)

    def must(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)

    def text(self) -> str:
        wide = max(len(name) for name, _ in self.lines)
        table = "\n".join(f"{name:{wide}}  {value}" for name, value in self.lines)
        verdict = "\n".join(f"WRONG: {one}" for one in self.problems) or "nothing lost, nothing leaked, nothing raised"
        return f"{table}\n{verdict}"


class Soak:
    """One soak of one pair."""

    def __init__(self, lab: Laboratory, seed: int, journal_folder: Path, tell: Callable[[str], None]) -> None:
        self.lab, self.seed, self.folder, self.tell = lab, seed, journal_folder, tell
        self.report = Report(seed)
        self.trouble = Trouble()
        self.gauges = Gauges()
        self.serving = scenarios.MASTER
        self.context = CliContext(ADAPTERS, inventory=lab.inventory)
        self.console_context = self.context.console_context(screen=True)
        self.run_starter = self.context.run_starter(self.console_context)
        self.relays = {
            (host.name, part): Relay(host, *ports, seed=seed)
            for host in lab.hosts.values()
            for part, ports in RELAYED.items()
        }
        through = {f"{part}_port": ports[0] for part, ports in RELAYED.items()}
        _trust_relays(lab)
        self.screens = [Screen(self.console_context.inspector(lab.cluster)), Screen(inspector_of(lab, **through))]
        self.writer = Writer(lab.vip, password=lab.options.password or None)

    @property
    def other(self) -> str:
        return next(name for name in self.lab.hosts if name != self.serving)

    def run(self, seconds: float) -> Report:
        end = time.monotonic() + seconds
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._gauged())
            for screen in self.screens:
                stack.enter_context(screen)
            stack.enter_context(self.writer)
            self.writer.wait_for(20, 20)
            number = 0
            while time.monotonic() < end and not self.report.problems:
                self._round(number)
                number += 1
        self.report.seconds = time.monotonic() - self.gauges.began
        self._judge()
        return self.report

    def close(self) -> None:
        self.context.close()
        self.screens[1].inspector.close()
        for relay in self.relays.values():
            relay.close()

    def _round(self, number: int) -> None:
        chance = random.Random(f"{self.seed}:{number}")
        # The first two are one of each, so that a short soak has seen both.
        rebuild = number % 4 == 1 if number < 4 else chance.random() < REBUILDS
        what = "failover and rebuild" if rebuild else "faults"
        self.tell(
            f"round {number}: {what}; {self.serving} serves; {self.writer.acknowledged} acknowledged; {self.gauges}"
        )
        before = self.writer.acknowledged
        try:
            (self._failover_and_rebuild if rebuild else self._faults)(chance)
            self._settle()
        except Exception as error:  # noqa: BLE001 - the table has to be printed whatever went wrong
            self.report.problems.append(f"round {number}, {what}: {type(error).__name__}: {str(error)[:2000]}")
            return
        self.report.rounds[what] += 1
        self.report.must(self.writer.acknowledged > before, f"round {number}: no write was acknowledged")

    def _faults(self, chance: random.Random) -> None:
        servers, relays = faults_of_servers(self.lab, self.serving), faults_of_relays(self.relays)
        for _ in range(chance.randint(1, 3)):
            both = (chance.choice(servers), chance.choice(relays))
            seconds = chance.uniform(0.3, LONGEST)
            threads = [
                threading.Thread(target=self.trouble.hit, args=(fault, seconds), name="trouble")
                for fault in chance.choice((both[:1], both[1:], both))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _failover_and_rebuild(self, chance: random.Random) -> None:
        self._fail_over()
        ended = threading.Event()
        faults = faults_of_servers(self.lab, self.serving)
        thread = self.trouble.during(faults, chance, ended)
        try:
            for attempt in range(ATTEMPTS):
                if attempt == ATTEMPTS // 2:
                    ended.set()  # from now on it has to work: all that was broken is mended
                    thread.join(60)
                outcome = self._rebuild(chance, patient=attempt >= ATTEMPTS // 2)
                self.report.runs[outcome] += 1
                if outcome == Outcome.DONE:
                    return
                time.sleep(1.0)
            self.report.problems.append(f"{RUNBOOK} could not be completed in {ATTEMPTS} attempts")
        finally:
            ended.set()
            thread.join(60)

    def _fail_over(self) -> None:
        """The master's Redis dies. Writes wait for it until the replica has all: what it loses is not the console's."""
        lab, old, new = self.lab, self.lab.host(self.serving), self.lab.host(self.other)
        with self.writer.held():
            lab.wait(lambda: scenarios.in_sync(lab, new, old), 30, "the replica has every write")
            lab.fault("kill", old.name, "redis")
            lab.wait(lambda: lab.vip_holders() == [new.name], 40, f"the VIP moves to {new.name}")
            lab.wait(lambda: scenarios.role(lab, new) == "master", 30, f"{new.name} is promoted")
            lab.wait(lambda: not new.running("redis_master.sh"), 30, "the notify script ends")
        self.serving = new.name

    def _rebuild(self, chance: random.Random, *, patient: bool) -> str:
        inspector = self.console_context.inspector(self.lab.cluster)
        runbook = next(one for one in self.console_context.runbooks if one.name == RUNBOOK)
        state = inspector.observe(fresh=True)
        roles = bind_roles(runbook, state, {})
        if not isinstance(roles, dict):
            return "not bound"
        try:
            armed = self.run_starter.arm(self.lab.cluster, runbook, roles)
        except ArmingError as error:
            self.tell(f"  not armed: {error}")
            return "not armed"
        pilot = Autopilot(chance, patient=patient)
        pilot.stop_waiting = armed.stop_waiting
        ended = armed.execute(pilot)
        self.tell(f"  {ended.outcome.value}: {ended.message[:160]}")
        self.report.must(
            "Traceback" not in ended.message and "mistake in this program" not in ended.message, ended.message
        )
        return ended.outcome.value

    def _settle(self) -> None:
        """After a round the pair is whole, and every screen sees it."""
        lab = self.lab
        serving, other = lab.host(self.serving), lab.host(self.other)
        lab.wait(lambda: lab.vip_holders() == [self.serving], 40, f"{self.serving} holds the VIP alone")
        lab.wait(lambda: not other.running("redis_master.sh"), 30, "the notify script ends")
        if scenarios.role(lab, other) == "master":  # it heard no advertisement, and promoted itself
            self.report.put_back += 1
            other.redis("SLAVEOF", serving.address, "6379")
        with self.writer.held():
            lab.wait(lambda: scenarios.in_sync(lab, other, serving), 40, f"{other.name} is in sync")
        for screen in self.screens:
            screen.inspector.reconnect()
            screen.until(lambda state: well(state) and state.vip_reaches == self.serving, "a whole pair", 90)

    @contextlib.contextmanager
    def _gauged(self) -> Iterator[None]:
        end = threading.Event()

        def work() -> None:
            while not end.wait(1.0):
                self.gauges.read()

        thread = threading.Thread(target=work, name="gauges", daemon=True)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def _judge(self) -> None:
        """Fills the table, and says what is wrong."""
        report, writer = self.report, self.writer
        lost = writer.lost()
        twice = [one for journal in journals(self.folder).values() for one in sent_twice(journal)]
        chains = broken_chains(self.folder)
        slowest = max(screen.longest for screen in self.screens) / ANSWER_DEADLINE
        looks = sum(screen.count for screen in self.screens)
        raised = [one for screen in self.screens for one in screen.failures]
        wrong = sorted(set().union(*(screen.wrong for screen in self.screens)))
        report.must(lost == 0, f"{lost} acknowledged increments were lost")
        report.must(not twice, f"sent twice: {twice}")
        report.must(not chains, f"journals: {chains}")
        report.must(slowest < SLACK, f"an observation took {slowest:.1f} times its deadline")
        report.must(not raised, f"observations that raised: {raised[:3]}")
        report.must(not wrong, f"readings: {wrong}")
        report.lines += [
            ("seed, time", f"{self.seed}, {report.seconds:.0f} s"),
            *((f"rounds: {name}", str(count)) for name, count in sorted(report.rounds.items())),
            *((f"runs: {name}", str(count)) for name, count in sorted(report.runs.items())),
            *((f"fault: {name}", str(count)) for name, count in sorted(self.trouble.counts.items())),
            ("faults that made no sense then", str(self.trouble.impossible.total())),
            ("replicas that promoted themselves", str(report.put_back)),
            ("observations", f"{looks}, slowest {slowest:.2f} of its deadline, {len(raised)} raised"),
            ("increments", f"{writer.acknowledged} acknowledged, {lost} lost"),
            ("increments without a yes", f"{writer.unanswered} unanswered, {writer.refused} refused"),
            ("journals", f"{len(journals(self.folder))}, {len(chains)} broken, {len(twice)} commands sent twice"),
        ]  # fmt: skip
        self._judge_memory()

    def _judge_memory(self) -> None:
        report = self.report
        early, late = self.gauges.growth(report.seconds * WARM_UP)
        change = f"{late / early - 1:+.1%}; at most {GROWTH:+.0%} after {report.seconds * WARM_UP:.0f} s"
        report.lines.append(("memory", f"{early:.1f} MB early, {late:.1f} MB late ({change})"))
        if report.seconds >= SHORT:
            report.must(late <= early * (1 + GROWTH), f"memory grew from {early:.1f} to {late:.1f} MB")


def soak(lab: Laboratory, seconds: float, seed: int, folder: Path, tell: Callable[[str], None] | None = None) -> Report:
    """The whole of it; `folder` is where the journals are written."""
    warm = inspector_of(lab)
    others = set(threading.enumerate())

    def lingering() -> list[str]:
        return [one.name for one in threading.enumerate() if one not in others and one.name.startswith(OURS)]

    warm.observe(fresh=True)
    warm.compare(*lab.hosts)
    warm.close()
    _wait_until(lambda: not lingering(), 30)
    before = descriptors()
    one = Soak(lab, seed, folder, tell or say)
    try:
        report = one.run(seconds)
    finally:
        one.close()
    _wait_until(lambda: not lingering() and descriptors() <= before and not zombies(), 40)
    after = descriptors()
    report.must(not lingering(), f"threads left: {lingering()}")
    report.must(after <= before, f"descriptors: {before} before, {after} after")
    report.must(not zombies(), f"zombies: {zombies()}")
    most = max(threads for _, _, threads, _ in one.gauges.samples)
    report.lines.append(("threads", f"{most} at most, {len(lingering())} left"))
    report.lines.append(("descriptors", f"{before} before, {max(one.gauges.samples)[3]} at the end, {after} after"))
    report.lines.append(("zombies", str(len(zombies()))))
    return report


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _wait_until(condition: Callable[[], object], deadline: float) -> None:
    end = time.monotonic() + deadline
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)


def _trust_relays(lab: Laboratory) -> None:
    """The relays' port is another one to SSH: the same keys stand for it."""
    lines = []
    for host in lab.hosts.values():
        kind, key = host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2]
        lines.append(f"[{host.address}]:{RELAYED['ssh'][0]} {kind} {key}\n")
    with (lab.folder / "known_hosts").open("a", encoding="ascii") as known:
        known.writelines(lines)
