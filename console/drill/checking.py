"""What runs as PID 1 of the room for `drill check`: scenario after scenario, walked without a human.

What to do comes as JSON in $REDIS_HA_DRILL_CHECK. `console.drill.commands` starts it.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from console.cli.context import APP, INVENTORY_VARIABLE
from console.cli.output import say
from console.core.diagnosis.finding import Finding, Severity
from console.core.drills.capture import Capture
from console.core.drills.scenarios import DrillScenario, scenarios_for
from console.core.drills.walks import AFTER, BEFORE, PASSED, FoundHere, RunbookWalk, Walk, all_passed
from console.core.runs.past.kept_keys import KeptKeys
from console.drill.check_text import check_text
from console.drill.clients import CountingClient
from console.drill.plain_walk import REPLAY, PlainWalk
from console.drill.rebuilt.building import rehearsal
from console.drill.rebuilt.rehearsal import Rehearsal, load_capture
from console.drill.watching import Watcher
from console.lab.options import LabError
from console.lab.sessions.room import EXIT_NO_LABORATORY, run_as_room, timed_report
from console.report.file import write_report
from console.transport.journals.archive import FolderArchive

REQUEST_VARIABLE = "REDIS_HA_DRILL_CHECK"
NOT_PASSED = 1
_FAULT_WITHIN = (1.0, 4.0)
"""Seconds after which the fault comes."""
_MENDS_WITHIN = (10.0, 15.0)
_SETTLES_WITHIN = 40.0
"""Seconds for a failover, and until the findings name a runbook or the cluster is protected again."""
_LAST_LOOK = 5.0
"""Seconds for a cluster that nothing has repaired."""
_FAILOVER_BEGINS = 6.0
"""Seconds after which a lost keepalived, or a Redis that fails its check, has been noticed."""
_MOST_RUNBOOKS = 4
"""Runbooks that a careful operator walks one after the other before help is called."""
_DISTURBED_AFTER = (1.0, 8.0)
_DISTURBED_FOR = 2.0


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What is to be checked."""

    capture: str
    digest: str
    """Of the capture as it was described before."""
    scenarios: list[str]
    runs: int
    keys: int | None
    differences: list[str]
    form: str
    """`table` or `json`."""
    output: str
    """A file for the JSON; empty: none."""
    state: str
    """The folder for the journals of the runs."""
    guesses: list[str] = field(default_factory=list)
    """The nodes of which nothing is known: a check with one of them has not passed."""


class Disturber(threading.Thread):
    """One more short fault while a runbook is walked: a host is cut off, or its Redis stands still."""

    def __init__(self, running: Rehearsal, chance: random.Random) -> None:
        super().__init__(name="disturber", daemon=True)
        self.text = ""
        self._running = running
        self._host = chance.choice([host.name for host in running.capture.hosts])
        self._kind = chance.choice([("isolate", "heal", ""), ("freeze", "thaw", "redis")])
        self._after = chance.uniform(*_DISTURBED_AFTER)
        self._end = threading.Event()

    def run(self) -> None:
        if self._end.wait(self._after):
            return
        begin, undo, service = self._kind
        with suppress(LabError, OSError):  # a Redis that does not run cannot be frozen
            self._running.lab.fault(begin, self._host, service or None)
            self.text = f"{begin} {self._host} {service}".strip() + f" for {_DISTURBED_FOR:g} s"
            self._end.wait(_DISTURBED_FOR)
            self._running.lab.fault(undo, self._host, service or None)

    def stop(self) -> None:
        self._end.set()
        self.join()


class Checker:
    """Checks one captured cluster."""

    def __init__(self, capture: Capture, request: CheckRequest, report: Callable[[str], None]) -> None:
        self._capture = capture
        self._request = request
        self._report = report
        self._chance = random.SystemRandom()

    def check(self, scenario: DrillScenario) -> list[Walk]:
        """Walks the scenario as often as asked, and once more with each other runbook that the findings name."""
        walks: list[Walk] = []
        claims: list[str] = []
        for number in range(1, self._request.runs + 1):
            walk, named = self._walk(scenario, number, "")
            walks.append(walk)
            claims += [one for one in named if one not in claims]
            if walk.not_built:
                return walks
        begun = {walk.runbooks[0].runbook for walk in walks if walk.runbooks}
        for runbook in (one for one in claims if one not in begun):
            walk, _ = self._walk(scenario, len(walks) + 1, runbook)
            walks.append(walk)
        return walks

    def _walk(self, scenario: DrillScenario, number: int, first: str) -> tuple[Walk, list[str]]:
        self._report(f"{scenario.name}, walk {number}{f', beginning with {first}' if first else ''}")
        named: list[str] = []
        logs = ""
        try:
            with rehearsal(self._capture, self._request.keys, lambda _: None) as running:
                walk, named = self._walk_in(running, scenario, number, first)
                logs = "" if walk.outcome in PASSED else running.lab.logs()
        except LabError as error:
            logs = error.log
            walk = Walk(scenario.name, number, "", (), protected=False, lost=None, acknowledged=0, seconds=0.0,
                        not_built=str(error))  # fmt: skip
        self._report(f"  {walk.outcome}{f': {walk.why}' if walk.why else ''}")
        if walk.outcome not in PASSED and logs:
            place = Path(self._request.state) / f"{scenario.name}-{number}.log"
            write_report(place, logs, replace=True)
            self._report(f"  the hosts' logs: {place}")
        return walk, named

    def _walk_in(self, running: Rehearsal, scenario: DrillScenario, number: int, first: str) -> tuple[Walk, list[str]]:
        client, watcher = CountingClient(running.login(), running.find_master), Watcher(running.lab, self._capture)
        client.start()
        found: dict[str, FoundHere] = {}
        _remember(found, watcher.look(fresh=True)[1], BEFORE)
        time.sleep(self._chance.uniform(*_FAULT_WITHIN))
        began = time.monotonic()
        running.break_it(scenario)
        if scenario.mended_by:
            time.sleep(running.lasts(scenario, self._chance.uniform(*_MENDS_WITHIN)))
            running.mend(scenario)
        self._wait_for_failover(running, watcher)
        disturber = Disturber(running, self._chance) if number > 1 else None
        if disturber:
            disturber.start()
        named, walked, by_hand = self._repair(running, watcher, found, first)
        if disturber:
            disturber.stop()
        running.settle()
        hopeful = bool(walked) and walked[-1].ended == "done"
        protected = watcher.wait_for(lambda _, __: watcher.protected[-1][1], _SETTLES_WITHIN if hopeful else _LAST_LOOK)
        client.stop()
        watcher.stop()
        walk = Walk(
            scenario.name, number, disturber.text if disturber else "", tuple(walked), protected=protected,
            lost=client.lost(), acknowledged=len(client.acknowledged), seconds=time.monotonic() - began,
            found=tuple(found.values()), longest_gap=client.longest_gap, by_hand=tuple(by_hand),
        )  # fmt: skip
        return walk, named

    @staticmethod
    def _wait_for_failover(running: Rehearsal, watcher: Watcher) -> None:
        """As a careful operator: what moves by itself ends first. Not every failure has a failover that succeeds."""
        time.sleep(_FAILOVER_BEGINS)
        running.settle()
        watcher.wait_for(lambda state, _: running.serves(state), _SETTLES_WITHIN + running.longest_silence)
        running.settle()

    def _kept_keys(self) -> tuple[KeptKeys, ...]:
        """What runs have kept in files before the data of a node was replaced, and nobody has brought back."""
        return FolderArchive(Path(self._request.state) / APP / "runs").kept_keys()

    def _repair(
        self, running: Rehearsal, watcher: Watcher, found: dict[str, FoundHere], first: str
    ) -> tuple[list[str], list[RunbookWalk], list[str]]:
        """Walks the runbook that the worst finding names, until nothing that the fault has broken names one."""
        environment = os.environ | {
            INVENTORY_VARIABLE: str(running.lab.inventory), "XDG_STATE_HOME": self._request.state,
        }  # fmt: skip
        named: list[str] = []
        walked: list[RunbookWalk] = []
        by_hand: list[str] = []
        while len(walked) < _MOST_RUNBOOKS:
            watcher.wait_for(
                lambda state, findings: (
                    watcher.protected[-1][1] or _runbooks(findings) or running.to_start_by_hand(state, claimed=False)
                ),
                _SETTLES_WITHIN,
            )
            state, findings = watcher.look(fresh=True)
            claims = _claims(found, findings) if watcher.protected[-1][1] else _runbooks(findings)
            _remember(found, findings, AFTER)
            dead = running.to_start_by_hand(state, claimed=bool(claims))
            if dead and len(by_hand) < _MOST_RUNBOOKS:
                for machine, service in dead:
                    running.lab.host(machine).service(service, "start")
                    by_hand.append(f"{service} on {machine} was started by hand")
                    self._report(f"  {by_hand[-1]}")
                watcher.wait_for(lambda state, _: running.serves(state), _SETTLES_WITHIN)
                continue
            if not walked:
                named = claims
            chosen = next((one for one in ([first] if first and not walked else claims)), "")
            before = [one for one in walked if one.runbook == chosen]
            if not chosen or len(before) > 1 or any(not one.ended for one in before):
                break
            self._report(f"  {chosen}")
            walk = PlainWalk(chosen, self._capture.cluster, environment)
            walked.append(walk.walk())
            if walked[-1].ended == "done" and any(one.run_id == walk.run_id for one in self._kept_keys()):
                self._report(f"  {REPLAY}")
                walked.append(PlainWalk(chosen, self._capture.cluster, environment, replayed=walk.run_id).walk())
        return named, walked, by_hand


def _runbooks(findings: tuple[Finding, ...]) -> list[str]:
    """The runbooks that the findings name, those of the worst first."""
    return list(dict.fromkeys(one.next.runbook for one in findings if one.next.runbook))


def _claims(found: Mapping[str, FoundHere], findings: tuple[Finding, ...]) -> list[str]:
    """The runbooks for what was not found before the fault. A set can be protected while a node is still down."""
    before = {one.code for one in found.values() if one.when == BEFORE}
    new = (one for one in findings if one.code not in before and one.severity is not Severity.INFO)
    return _runbooks(tuple(new))


def _remember(found: dict[str, FoundHere], findings: tuple[Finding, ...], when: str) -> None:
    for one in findings:
        if one.severity is not Severity.INFO and one.code not in found:
            evidence = one.evidence[0] if one.evidence else ""
            found[one.code] = FoundHere(one.code, one.severity.value, when, one.summary, evidence)


def check(request: CheckRequest, report: Callable[[str], None]) -> list[Walk]:
    """All walks. Call it in a room of its own. Raises LabError."""
    capture = load_capture(request.capture, request.digest)
    checker = Checker(capture, request, report)
    return [walk for one in scenarios_for(capture) if one.name in request.scenarios for walk in checker.check(one)]


def main() -> int:
    """0: each walk ended with a protected cluster and lost nothing. 1: not so. 3: nothing could be rebuilt."""
    request = CheckRequest(**json.loads(os.environ.pop(REQUEST_VARIABLE)))
    return run_as_room(lambda: _work(request, timed_report()), partial(say, err=True))


def _work(request: CheckRequest, report: Callable[[str], None]) -> int:
    walks = check(request, report)
    if request.output:
        write_report(
            Path(request.output), check_text(walks, request.differences, "json", request.guesses) + "\n", replace=True
        )
    say(check_text(walks, request.differences, request.form, request.guesses))
    if walks and all(one.not_built for one in walks):
        return EXIT_NO_LABORATORY
    return 0 if all_passed(walks) and not request.guesses else NOT_PASSED


def check_request_text(request: CheckRequest) -> str:
    """For the environment of `main`."""
    return json.dumps(asdict(request))


if __name__ == "__main__":
    sys.exit(main())
