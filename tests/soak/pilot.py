"""The console of a soak: a process of its own, which can be killed at any moment, with an operator of some temper.

What is shown to the operator and answered, what is sent, and how the run ended is written to files, line by line. So it
is known, whenever the process dies.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulation.nights.operators import ModelOperator, Temper

from console.__main__ import ADAPTERS
from console.cli.context import CliContext
from console.core.runbooks.binding import Unbound, bind_roles
from console.engine.ports import ArmingError

TEMPERS = {
    "careful": Temper((0.2, 1.5), patience=20.0),
    "hasty": Temper((0.0, 0.1), overrides=True, skips=True, looks=2, patience=12.0),
    "absent": Temper((0.2, 1.0), away=0.1, patience=20.0),
    "quitter": Temper((0.1, 0.6), quits=0.1, looks=1, patience=12.0),
}
CALM = "calm"
_CALM = Temper((0.1, 0.3), overrides=True, looks=3, patience=25.0)
LOOK_AGAIN = 1.5
"""Seconds before one looks again, where the model says longer."""
AWAY = 15.0
"""Seconds for which nobody is there, at most."""
STORY, SENT, RESULT = "story.jsonl", "sent.jsonl", "result.json"
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["soak.pilot", "console.transport.actuator",
     "console.transport.inspector", "console.engine.sessions.arming",
     "console.transport.journals.journal_file", "console.transport.locks.node_locks",
     "console.transport.ssh.connection",
     "console.transport.consul.name_sampler", "console.transport.journals.archive", "redis", "paramiko"]
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What one console is started for."""

    folder: Path
    """The files of this run, and its journal below it."""
    inventory: str
    cluster: str
    temper: str
    seed: str
    runbook: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    """What the operator chooses, as far as the seed does not."""
    resume: str = ""
    """The run that is resumed."""


class _Moment:
    """The real time behind an operator that was made for the model's."""

    def __init__(self, chance: random.Random, file: Path) -> None:
        self.chance = chance
        self._file = file

    @property
    def now(self) -> float:
        return time.monotonic()

    def advance(self, seconds: float) -> None:
        time.sleep(min(seconds, AWAY) if seconds > 30.0 else min(seconds, LOOK_AGAIN))

    def tell(self, line: str) -> None:
        note(self._file, {"at": time.time(), "line": line})


def note(file: Path, what: Mapping[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(what) + "\n")


def notes(file: Path) -> list[dict[str, Any]]:
    """What was written. A last line that was cut off is left out."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


class _Watched:
    """Hands, with a record of what they send and of whether its intent was the last entry of the journal then."""

    def __init__(self, hands: Any, file: Path, journals: list[Any]) -> None:
        self._hands, self._file, self._journals = hands, file, journals
        self.read_file = hands.read_file
        self.close = hands.close

    def send(self, planned: Any, expecting: Any, *tell: Any) -> Any:
        last = self._journals[-1].entries[-1]
        first = planned.render().splitlines()[0]
        intended = last.kind == "intent" and (last.data.get("planned") or {}).get("node") == planned.node
        verb = last.data.get("verb") if intended else ""
        digest = last.data.get("digest")
        line = {"at": time.time(), "node": planned.node, "sent": first, "intended": intended, "verb": verb,
                "digest": digest}  # fmt: skip
        note(self._file, line)
        answer = self._hands.send(planned, expecting, *tell)
        note(self._file, {"at": time.time(), "node": planned.node, "answered": answer.kind.value})
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hands, name)


def _watch(job: Job) -> None:
    """From now on what this process sends is written down."""
    from console.engine.sessions import arming
    from console.transport import actuator

    journals: list[Any] = []
    kept, make = arming.KeptJournal, actuator.make_actuator

    def keep(*args: Any) -> Any:
        journals.append(kept(*args))
        return journals[-1]

    arming.KeptJournal = keep  # type: ignore[misc,assignment]
    actuator.make_actuator = lambda *args: _Watched(make(*args), job.folder / SENT, journals)  # type: ignore[assignment]


def play(job: Job) -> None:
    """What the process does: one run, begun or resumed, to its end."""
    os.environ["XDG_STATE_HOME"] = str(job.folder.parent)
    os.environ["XDG_CACHE_HOME"] = str(job.folder.parent / "cache")
    chance = random.Random(job.seed)
    _watch(job)
    context = CliContext(ADAPTERS, inventory=Path(job.inventory))
    operator = ModelOperator(
        _Moment(chance, job.folder / STORY),  # type: ignore[arg-type]
        {**TEMPERS, CALM: _CALM}[job.temper],
        lambda _: None,
    )
    try:
        ended = _run(job, context, operator, chance)
    except ArmingError as error:
        ended = {"outcome": "not armed", "message": str(error)}
    ended["digests"] = sorted(operator.digests)
    (job.folder / RESULT).write_text(json.dumps(ended), encoding="utf-8")
    os._exit(0)  # connections that hang are not waited for


def _run(job: Job, context: CliContext, operator: ModelOperator, chance: random.Random) -> dict[str, Any]:
    console = context.console_context([job.cluster])
    starter = context.run_starter(console)
    if job.resume:
        armed = starter.resume(job.resume)
    else:
        runbook = context.runbook(job.runbook)
        state = console.inspector(job.cluster).observe(fresh=True)
        chosen = dict(job.roles)
        bound = bind_roles(runbook, state, chosen)
        while isinstance(bound, Unbound) and bound.candidates and bound.role not in chosen:
            chosen[bound.role] = chance.choice(bound.candidates)
            bound = bind_roles(runbook, state, chosen)
        if isinstance(bound, Unbound):
            return {"outcome": "not bound", "message": f"{bound.role}: {'; '.join(map(str, bound.reasons))}"}
        note(job.folder / STORY, {"at": time.time(), "line": f"roles {dict(bound)}"})
        armed = starter.arm(job.cluster, runbook, bound)
    operator.stop_waiting = armed.stop_waiting
    run = armed.execute(operator)
    steps = [{"id": one.step.id, "status": one.status.value, "note": one.note} for one in run.steps]
    return {"outcome": run.outcome.value, "message": run.message, "steps": steps, "run": run.run_id}
