"""Plays one night: a pair in some state, runs of the real engine on it, an operator, and what goes wrong meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from simulation.nights.by_hand import HAND_WORK
from simulation.nights.faults import FAULTS, ConsoleDiedError
from simulation.nights.invariants import Invariants, Violation
from simulation.nights.operators import CALM, TEMPERS, ModelOperator, Temper
from simulation.nights.plan import Moment, Plan, PlannedFault
from simulation.nights.scenarios import SCENARIOS
from simulation.ports.actuator import Kept, ModelActuator, Sent
from simulation.ports.inspector import ModelInspector
from simulation.ports.journal import MemoryJournal
from simulation.ports.locks import ModelLocks
from simulation.world.host import FOLDER, KEEPALIVED_CONF, REDIS_CONF
from simulation.world.pair import World
from simulation.world.timeline import VirtualClock

from console.core.conditions.pair_protection import protection_checks
from console.core.inventory import ClusterSpec, Inventory, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.kinds.diagnose import diagnose
from console.core.model import ClusterState
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.document import Condition, Runbook
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.state import Outcome, RunState
from console.documents.runbook import load_runbook
from console.engine.ports import ArmingError, ConsoleContext
from console.engine.sessions.arming import ClusterRunStarter
from console.lab.systems.keepalived_pair import ADDRESSES, VIP

ROOT = Path(__file__).parents[3]
WAYS_HOME = 8
"""Runs and works by hand after the night at most, until the pair is protected again."""
CALM_SECONDS = 70.0
"""After the night everything that was planned has ended."""


def _node(name: str) -> NodeSpec:
    redis = RedisSpec(dir=FOLDER, dbfilename="dump6379.rdb", config=REDIS_CONF)
    return NodeSpec(name, ADDRESSES[name], SshSpec(user="ops"), redis, KeepalivedSpec(config=KEEPALIVED_CONF))


CLUSTER = ClusterSpec("cache", "keepalived", VIP, tuple(map(_node, ADDRESSES)))


@cache
def runbooks() -> dict[str, Runbook]:
    """The shipped runbooks for a pair."""
    found = [load_runbook(path) for path in sorted((ROOT / "runbooks").glob("*.yaml"))]
    return {one.name: one for one in found if one.kind == CLUSTER.kind}


@dataclass
class Result:
    """What came of one night."""

    plan: Plan
    violations: list[Violation]
    story: list[tuple[float, str]]
    outcomes: list[str] = field(default_factory=list)
    fired: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """(runbook, step, kind of fault, moment) → how often."""
    judged: dict[str, int] = field(default_factory=dict)
    useless: Counter[str] = field(default_factory=Counter)
    """Runbooks that a finding named after the night, and whose run sent nothing."""
    by_hand: Counter[str] = field(default_factory=Counter)
    """Findings whose advice had to be followed by hand, as no runbook led on."""
    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(runbook, step) → how often it was begun."""


class Night:
    """One night. `play` returns what came of it."""

    def __init__(self, plan: Plan, *, home: bool = True) -> None:
        """`home`: whether the pair is brought back to protected afterwards, by what the findings advise."""
        self.plan = plan
        self._home = home
        self.world = World(plan.seed, notify_sleep=plan.notify_sleep, copy_seconds=plan.copy_seconds)
        self.kept = Kept()
        self.invariants = Invariants(self)
        self.actuator = ModelActuator(self.world, self.touch, self.kept)
        self.journal = MemoryJournal("none", lambda: self.world.now, self.touch)
        self.operator = ModelOperator(self.world, CALM, self.touch)
        self.result = Result(plan, self.invariants.found, self.world.story, judged=self.invariants.judged)
        self._journals: dict[str, MemoryJournal] = {}
        self._yes: dict[str, set[str]] = {}
        self._sent: dict[str, list[Sent]] = {}
        self._run = -1
        self._step = -1
        self._looks = 0
        self._waiting: list[PlannedFault] = []
        self._runbook = ""
        self.inspector = ModelInspector(self.world, CLUSTER, self.touch)
        context = ConsoleContext(
            Inventory("inventory.yaml", (CLUSTER,)),
            tuple(runbooks().values()),
            lambda _: self.inspector,
            VirtualClock(self.world.timeline),
        )
        self.starter = ClusterRunStarter(
            context,
            lambda _: self.actuator,
            self._open_journal,
            self._reopen_journal,
            make_locks=lambda _: ModelLocks(self.world, self.touch),
        )

    # --- the night --------------------------------------------------------------------------------------------------

    def play(self) -> Result:
        plan = self.plan
        SCENARIOS[plan.scenario](self.world)
        self.world.tell(f"— the night begins: {plan.scenario}, operator {plan.temper}")
        for number in range(plan.runs):
            self._run = number
            if self._protected() and number:
                break
            self._one_run(TEMPERS[plan.temper], plan.runbook if number == 0 else "")
            self.invariants.judge_findings()
            self.world.advance(5.0)
        self._run = -1
        if self._home:
            self._bring_home()
        self.invariants.look()
        return self.result

    def _bring_home(self) -> None:
        """Every night ends in a state from which some runbook leads to protected."""
        self.world.tell("— the night is over: everything else has ended, and a calm operator follows the findings")
        self.world.advance(CALM_SECONDS)
        tried: list[str] = []
        for _ in range(WAYS_HOME):
            if self._protected():
                break
            advised = self._advised(self.inspector.observe(fresh=True), tried)
            if not advised:
                self._by_hand()
                tried.clear()
                continue
            self._one_run(CALM, advised)
            if self.journal.run_id and not any(one.kind == "intent" for one in self.journal.entries):
                tried.append(advised)
                self.result.useless[advised] += 1
            else:
                tried.clear()
            self.world.advance(5.0)
        why = "; ".join(one.statement for one in protection_checks(self.inspector.observe(fresh=True)) if not one.holds)
        home = self._protected()
        self.invariants.must(home, "a way home", f"not protected after {WAYS_HOME} runs: {why}")
        if home:
            self.invariants.judge_protection()

    def _protected(self) -> bool:
        return evaluate(Condition("pair-protected", ""), self.inspector.observe(fresh=True), {}).holds

    def _advised(self, state: ClusterState, tried: Sequence[str] = ()) -> str:
        """The runbook of the worst finding that names one. One that has just led nowhere is not tried at once again."""
        named = [one.next.runbook for one in diagnose(state, self.world.now) if one.next.runbook]
        return next((one for one in named if one in runbooks() and one not in tried), "")

    def _by_hand(self) -> None:
        """What the first finding without a runbook that leads on advises is done by hand, or waited for."""
        for one in diagnose(self.inspector.observe(fresh=True), self.world.now):
            act = HAND_WORK.get(one.code)
            if one.next.advice and act is not None and act(self.world, [self.world.hosts[name] for name in one.nodes]):
                self.world.tell(f"by hand, as {one.code} advises: {one.next.advice}")
                self.result.by_hand[one.code] += 1
                break
        self.world.advance(30.0)

    def _one_run(self, temper: Temper, name: str) -> None:
        state = self.inspector.observe(fresh=True)
        name = name or self._advised(state) or "one-shot-rebuild"
        runbook = runbooks()[name]
        roles = self._roles(runbook, state)
        if roles is None:
            self.result.outcomes.append(f"{name}: roles not bound")
            self.world.tell(f"{name}: its roles cannot be bound")
            self.world.advance(20.0)
            return
        self._runbook, self._step, self._looks = name, -1, 0
        self._waiting = [one for one in self.plan.faults if one.run == self._run]
        self.operator = ModelOperator(self.world, temper, self.touch)
        self.world.tell(f"run {name}: {', '.join(f'{role}={node}' for role, node in roles.items())}")
        self._execute(lambda: self.starter.arm("cache", runbook, roles))

    def _roles(self, runbook: Runbook, state: ClusterState) -> dict[str, str] | None:
        """The roles as the operator gives them: any candidate where the console asks."""
        chosen: dict[str, str] = {}
        for _ in runbook.roles:
            bound = bind_roles(runbook, state, chosen)
            if not isinstance(bound, Unbound):
                return dict(bound)
            if not bound.candidates:
                return None
            chosen[bound.role] = bound.candidates[len(self.result.outcomes) % len(bound.candidates)]
        bound = bind_roles(runbook, state, chosen)
        return None if isinstance(bound, Unbound) else dict(bound)

    def _execute(self, prepare) -> None:
        """Runs, and resumes as often as the console dies."""
        while True:
            run: RunState | None = None
            run_id = ""
            self.actuator.sent = []
            try:
                armed = prepare()
                run_id = armed.state.run_id
                self.operator.stop_waiting = armed.stop_waiting
                run = armed.execute(self.operator)
            except ArmingError as error:
                self.world.tell(f"not armed: {error}")
                self.result.outcomes.append("not armed")
                self.world.advance(20.0)
                return
            except ConsoleDiedError:
                self.world.tell("the console dies")
                run_id = self.journal.run_id
            self._ended(run_id, run)
            if run is not None:
                return
            self.world.advance(self.world.chance.uniform(2.0, 30.0))
            if not (self.plan.resumes and self.journal.entries):
                return
            self.world.tell(f"run {run_id} is resumed")
            self.operator = ModelOperator(self.world, TEMPERS[self.plan.temper], self.touch)
            self._step = -1

            def prepare(run_id=run_id):
                return self.starter.resume(run_id)

    def _ended(self, run_id: str, run: RunState | None) -> None:
        self.invariants.look()
        self._yes.setdefault(run_id, set()).update(self.operator.digests)
        self._sent.setdefault(run_id, []).extend(self.actuator.sent)
        self.actuator.line = None
        self._waiting = [] if run is not None else self._waiting
        if run is None:
            self.result.outcomes.append(f"{self._runbook}: died")
            return
        self.world.tell(f"{self._runbook} ended: {run.outcome.value}: {run.message[:300]}")
        self.result.outcomes.append(f"{self._runbook}: {run.outcome.value}")
        self.invariants.judge_run(self.journal.entries, run.message)
        if run.outcome is Outcome.DONE:
            self.invariants.must(run.current is None or run.message, "an end says something", "no message")

    # --- for the invariants -----------------------------------------------------------------------------------------

    def accepted_loss(self) -> bool:
        """Whether the operator typed the sentence of the last run that began a replication or started a server."""
        return any(one.kind == "overridden" for one in self._deciding().entries)

    def _deciding(self) -> MemoryJournal:
        """The journal of that run: a copy may be complete when another run is under way."""
        acts = ("replicate", "start-redis")
        for journal in reversed(self._journals.values()):
            if any(one.kind == "intent" and one.data["verb"] in acts for one in journal.entries):
                return journal
        return self.journal

    def loss_was_named(self) -> bool:
        """Whether the last preview of this run said that something of the target is, or may be, lost."""
        previews = [one.data["preview"] for one in self._deciding().entries if one.kind == "preview"]
        if not previews:
            return False
        last = previews[-1]
        words = " ".join((*last["lines"], *last["warnings"]))
        return any(
            word in words for word in ("would be lost", "is not known", "keys that differ", "are not on", "is not on")
        )

    def yes_of_run(self) -> set[str]:
        return self._yes[self.journal.run_id]

    def sent_of_run(self) -> list[Sent]:
        return self._sent[self.journal.run_id]

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def touch(self, call: str) -> None:
        """Called at each call of a port. Faults come at their moment of their step."""
        self.invariants.look()
        if call in ("send", "sent"):
            self.invariants.console_acted = self.world.now
        run = self.operator.run
        index = run.current if run is not None and run.current is not None else -1
        if index != self._step:
            self._step, self._looks = index, 0
            if run is not None and index >= 0:
                self.result.steps[self._runbook, run.runbook.steps[index].id] += 1
        if index < 0 or run is None:
            return
        if call == "observe":
            self._looks += 1
        if call == "journaled verified" and (action := run.runbook.steps[index].action) and action.verb == "backup":
            self.invariants.judge_backup(run.steps[index].node)
        if self._waiting:
            self._fire(call, index, run)

    def _fire(self, call: str, index: int, run: RunState) -> None:
        sends = run.runbook.steps[index].action is not None
        moment = None
        if call == "observe" and self._looks == 1:
            moment = Moment.BEFORE
        elif call == "send" or (call == "observe" and not sends and self._looks == 2):
            moment = Moment.DURING
        elif call == "sent" or (call == "observe" and not sends and self._looks == 3):
            moment = Moment.AFTER
        if moment is None:
            return
        count = len(run.runbook.steps)
        due = [one for one in self._waiting if one.step % count == index and one.moment is moment]
        for one in due:
            self._waiting.remove(one)
            key = (self._runbook, run.runbook.steps[index].id, one.kind, moment.value)
            self.result.fired[key] += 1
            self.world.tell(f"FAULT {one.kind} on {one.host} for {one.seconds:.0f} s, {moment.value} {key[1]}")
            self.invariants.others_acted = self.world.now + one.seconds
            FAULTS[one.kind](self, self.world.hosts[one.host], one.seconds)

    # --- journals ---------------------------------------------------------------------------------------------------

    def _open_journal(self, run_id: str) -> MemoryJournal:
        self.journal = self._journals[run_id] = MemoryJournal(run_id, lambda: self.world.now, self.touch)
        return self.journal

    def _reopen_journal(self, run_id: str):
        self.journal = self._journals[run_id]
        past = self.journal.reopened()
        if past.why_not:
            raise OSError(past.why_not)
        return self.journal, past, None
