"""One night: a cluster in some state, runs of the console on it, what goes wrong meanwhile, and the way home."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soak import pilot
from soak.clients import Clients
from soak.faults import CONSOLE_DIES, Planned, Troubles, faults_of
from soak.ground import Ground
from soak.home import WayHome, findings_of
from soak.kinds import Kind
from soak.rules import (
    journal_files,
    judge_backups,
    judge_journals,
    judge_losses,
    judge_sends,
    judge_serving,
)
from soak.starts import Scene, starts_of
from soak.tally import Story, Tally, Violation, keep
from soak.truth import told

from console.core.diagnosis.finding import Finding
from console.core.model import ClusterState
from console.engine.ports import Inspector
from console.lab.assembly.laboratory import Laboratory

MOST_FAULTS = 5
LONGEST = 8.0
"""Seconds that a fault lasts at most."""
ENTRIES = 60
"""A fault comes within so many entries of the journal: most runs have that many."""
STRANGE = 0.12
"""Share of the runs of a runbook that does not fit."""
RESUMES = 0.7
"""Share of the consoles that were killed whose run is resumed. Else a new one is begun."""
PROVES = 0.35
"""Share of the nights after which the master dies, to prove the protection."""
LIMIT = 300.0
"""Seconds after which a run counts as stuck: nobody waits for that long in any step."""


class Night:
    """One night in a laboratory."""

    def __init__(
        self, lab: Laboratory, kind: Kind, ground: Ground, clients: Clients, inspector: Inspector, *,
        seed: str, folder: Path, tally: Tally, story: Story, place: Path,
    ) -> None:  # fmt: skip
        """`folder`: for this night's files. `place`: where they are kept if something is wrong."""
        self.lab, self.kind, self.ground, self.clients = lab, kind, ground, clients
        self.tally, self.seed, self.folder, self.story, self.place = tally, seed, folder, story, place
        self.chance = random.Random(seed)
        self.tell = story.tell
        self.troubles = Troubles(ground, story.tell, tally.faults, tally.impossible)
        self.broken: list[tuple[str, str]] = []
        self._inspector = inspector
        self._runs = 0
        self._home = WayHome(self)

    def play(self, name: str) -> bool:
        """From this start. Whether the laboratory can be used for the next night."""
        starts, chance = starts_of(self.kind), self.chance
        temper = chance.choice(list(pilot.TEMPERS))
        runs = chance.choice((1, 2, 2))
        faults = [[self._fault() for _ in range(chance.randint(0, MOST_FAULTS))] for _ in range(runs)]
        proves = chance.random() < PROVES
        first = chance.choice(starts[name].fitting if chance.random() > STRANGE else sorted(self.kind.runbooks))
        self.tell(
            f"— {name}, a {temper} operator, {first}, {sum(map(len, faults))} faults; Redis {self.lab.options.redis}"
        )
        self.tally.starts[self.kind.name, name] += 1
        self._begin(name)
        for number in range(runs):
            self.troubles.plan(faults[number])
            self.one_run(first if number == 0 else self._another(), temper=temper)
        self.troubles.end_all()
        home = self._come_home()
        if home and proves:
            self._home.prove()
            home = self._come_home()
        self._judge()
        return home and not self.broken

    def _begin(self, name: str) -> None:
        serving = [one for one in self.ground.reached() if one in self.ground.masters()] or self.ground.masters()
        master = serving[0] if serving else self.kind.nodes[0]
        self.troubles.acted(f"start: {name}; {master} serves")
        scene = Scene(self.ground, self.clients, self.troubles, master)
        self.clients.wait_for(20, 10)
        starts_of(self.kind)[name].build(scene)
        self.troubles.acted("the start is made")
        self._target = scene.others[-1]

    def _fault(self) -> Planned:
        chance = self.chance
        kind = chance.choice([*faults_of(self.kind), CONSOLE_DIES, CONSOLE_DIES, CONSOLE_DIES])
        hosts = self._hosts_of(kind)
        return Planned(
            kind, chance.choice(hosts), chance.randint(2, ENTRIES), chance.random(), chance.uniform(1, LONGEST)
        )

    def _hosts_of(self, kind: str) -> Sequence[str]:
        from soak.faults import FAULTS

        return ("",) if kind == CONSOLE_DIES else FAULTS[kind].hosts(self.kind)

    def _another(self) -> str:
        """What the operator begins next: what is advised, or something else."""
        advised = [one.next.runbook for one in self.findings() if one.next.runbook in self.kind.runbooks]
        if advised and self.chance.random() < 0.6:
            return str(advised[0])
        return self.chance.choice(sorted(self.kind.runbooks))

    # --- runs ---------------------------------------------------------------------------------------------------------

    def one_run(self, runbook: str, *, temper: str = "", calm: bool = False) -> bool:
        """One run, resumed as often as its console dies. Whether it has sent anything."""
        resume, sent = "", False
        while True:
            self._runs += 1
            folder = self.folder / f"run-{self._runs}"
            folder.mkdir(parents=True)
            known = set(journal_files(self.folder))
            roles = (
                {"target": self._target} if "target" in {one.name for one in self.kind.runbooks[runbook].roles} else {}
            )
            job = pilot.Job(
                folder, str(self.lab.inventory), self.lab.cluster, temper or pilot.CALM,
                f"{self.seed}:{self._runs}", runbook, roles, resume,
            )  # fmt: skip
            self.tell(f"run {runbook}{f', resumed: {resume}' if resume else ''}")
            ended = self._play(job, known)
            journal = next((one for one in journal_files(self.folder) if one not in known), None)
            run_id = resume or (journal.parent.name if journal else "")
            sent = self._after(folder, runbook, ended, run_id) or sent
            if ended["outcome"] != CONSOLE_DIES or not run_id or self.chance.random() > RESUMES:
                return sent
            resume = run_id
            time.sleep(self.chance.uniform(0.0, 4.0))

    def _play(self, job: pilot.Job, known: set[Path]) -> dict[str, Any]:
        process = pilot.CONTEXT.Process(target=pilot.play, args=(job,), daemon=True)
        process.start()
        end, killed = time.monotonic() + LIMIT, False
        while process.is_alive():
            if self.troubles.step(self._entries(job, known)) or time.monotonic() > end:
                killed = time.monotonic() <= end
                process.kill()
                process.join()
            time.sleep(0.05)
        result = job.folder / pilot.RESULT
        if result.exists():
            return dict(json.loads(result.read_text(encoding="utf-8")))
        if killed:
            self.troubles.counts[CONSOLE_DIES] += 1
            return {"outcome": CONSOLE_DIES, "message": ""}
        stuck = time.monotonic() > end
        return {"outcome": "stuck" if stuck else "crashed", "message": f"exit code {process.exitcode}"}

    def _entries(self, job: pilot.Job, known: set[Path]) -> int:
        files = [one for one in journal_files(self.folder) if one not in known or one.parent.name == job.resume]
        return sum(one.read_bytes().count(b"\n") for one in files)

    def _after(self, folder: Path, runbook: str, ended: dict[str, Any], run_id: str) -> bool:
        for one in pilot.notes(folder / pilot.STORY):
            self.story.quietly(one["at"], one["line"])
        sends = [one for one in pilot.notes(folder / pilot.SENT) if "sent" in one]
        for one in sends:
            self.story.quietly(one["at"], f"SENT {one['node']}> {one['sent']}")
        outcome, message = str(ended["outcome"]), str(ended["message"])
        must = self.must
        must(outcome not in ("stuck", "crashed"), "runs end", f"{runbook} is {outcome}: {message}")
        wrong = "Traceback" in message or "mistake in this program" in message
        must(not wrong, "no mistake", f"{runbook}: {message}")
        judge_sends(folder, set(ended.get("digests", ())), must)
        judge_serving(self.ground, [one["at"] for one in sends], self.troubles.others_acted, must)
        journal = next((one for one in journal_files(self.folder) if one.parent.name == run_id), None)
        if journal is not None:
            judge_backups(self.ground, journal, must)
        if outcome == "done" and self._home.protected(2.0):
            outcome = "protected"
        self.tell(f"{runbook}: {outcome}: {message[:220]}")
        self.tally.ended(self.kind.name, runbook, outcome, message)
        if outcome != CONSOLE_DIES:
            self._judge_findings()
        return bool(sends)

    # --- looking ------------------------------------------------------------------------------------------------------

    def observe(self) -> ClusterState:
        return self._inspector.observe(fresh=True)

    def findings(self) -> list[Finding]:
        return findings_of(self)

    def _judge_findings(self) -> None:
        """No finding states what is false. What changes while it is looked at is not judged."""
        first = self.findings()
        before = told(self.ground, first)
        findings = self.findings()
        again = {(one.code, one.nodes) for one in findings}
        after = told(self.ground, first)
        for place, one in enumerate(first):
            if place in before and before[place] == after[place] and (one.code, one.nodes) in again:
                self.must(before[place], "findings are true", f"{one.code}: {one.summary}")

    # --- the end ------------------------------------------------------------------------------------------------------

    def _come_home(self) -> bool:
        self.tell("— a calm operator follows the findings")
        home = self._home.walk()
        why = "" if home else ", ".join(f"{one.code}: {one.summary}" for one in self.findings())
        self.must(home, "a way home", f"not protected: {why}")
        return home

    def _judge(self) -> None:
        self.ground.settle()
        judge_journals(self.folder, [self.lab.options.password], self.must)
        with self.clients.held():
            self.ground.settle()
            by_servers = judge_losses(self.ground, self.folder, self.troubles.others_acted, self.must)
            gone = set(self.clients.acknowledged) - self.ground.held_anywhere()
            self.clients.forget(gone)
        self.tally.writes["lost by the servers themselves: faults, failovers, scripts"] += by_servers
        self.tally.writes["of the lost: kept in exports, backups or on disks"] += len(gone) - by_servers

    def must(self, holds: object, rule: str, text: str) -> None:
        self.tally.judged[rule] += 1
        if holds:
            return
        if (rule, text) not in self.broken:
            self.broken.append((rule, text))
        self.tell(f"VIOLATION {rule}: {text}")

    def report(self) -> None:
        """Keeps the night's files where something is wrong."""
        if not self.broken:
            return
        kept = keep(self.folder, self.place, self.story, self.lab.logs())
        for rule, text in self.broken:
            self.tally.violations.append(Violation(rule, text, f"{self.kind.name} {self.seed}", kept))
