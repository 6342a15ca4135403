"""Plays one night: a cluster in some state, runs of the real engine on it, an operator, and what goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulation.nights.faults import ConsoleDiedError
from simulation.nights.invariants import Invariants, Violation
from simulation.nights.kinds.all_kinds import KINDS
from simulation.nights.operators import CALM, TEMPERS, ModelOperator, Temper
from simulation.nights.plan import Plan
from simulation.nights.records import Records
from simulation.nights.troubles import Troubles
from simulation.ports.actuator import Kept, ModelActuator
from simulation.ports.inspector import ModelInspector
from simulation.ports.locks import ModelLocks
from simulation.world.timeline import VirtualClock
from simulation.world.world import World

from console.core.inventory import Inventory
from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model import ClusterState
from console.core.runbooks.binding import Unbound, bind_roles
from console.core.runbooks.document import Condition, Runbook
from console.core.runbooks.vocabulary import evaluate
from console.core.runs.state import RunState
from console.engine.ports import ArmingError, ConsoleContext
from console.engine.sessions.arming import ClusterRunStarter

WAYS_HOME = 8
"""Runs and works by hand after the night at most, until the cluster is protected again."""
CALM_SECONDS = 70.0
"""After the night everything that was planned has ended."""


@dataclass
class Result:
    """What came of one night."""

    plan: Plan
    violations: list[Violation]
    story: list[tuple[float, str]]
    outcomes: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    """With which each run ended."""
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
        """`home`: whether the cluster is brought back to protected afterwards, by what the findings advise."""
        self.plan = plan
        self._home = home
        self.kind = KINDS[plan.kind]
        self.world = World(
            plan.seed,
            system=self.kind.system,
            version=plan.version,
            notify_sleep=plan.notify_sleep,
            copy_seconds=plan.copy_seconds,
            load_seconds=self.kind.load_seconds(plan.copy_seconds),
        )
        self.kept = Kept()
        self.invariants = Invariants(self)
        self.actuator = ModelActuator(self.world, self.touch, self.kept)
        self.records = Records(lambda: self.world.now, self.touch)
        self.troubles = Troubles(self)
        self.operator = ModelOperator(self.world, CALM, self.touch)
        self.result = Result(plan, self.invariants.found, self.world.story, judged=self.invariants.judged)
        self._runbook = ""
        self.inspector = ModelInspector(self.world, self.kind.cluster, self.touch)
        context = ConsoleContext(
            Inventory("inventory.yaml", (self.kind.cluster,)),
            tuple(self.kind.runbooks.values()),
            lambda _: self.inspector,
            VirtualClock(self.world),
        )
        self.starter = ClusterRunStarter(
            context,
            lambda _: self.actuator,
            self.records.open_journal,
            self.records.reopen_journal,
            make_locks=lambda _: ModelLocks(self.world, self.touch),
        )

    # --- the night --------------------------------------------------------------------------------------------------

    def play(self) -> Result:
        plan = self.plan
        self.kind.scenarios[plan.scenario](self.world)
        self.invariants.began = self.world.now
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
            began = self._one_run(CALM, advised)
            if not began or not self.records.sent_something:
                tried.append(advised)
                self.result.useless[advised] += 1
            else:
                tried.clear()
            self.world.advance(5.0)
        why = "; ".join(protection(self.inspector.observe(fresh=True)).sentences)
        home = self._protected()
        self.invariants.must(home, "a way home", f"not protected after {WAYS_HOME} runs: {why}")
        if home:
            self.invariants.judge_protection()

    def _protected(self) -> bool:
        return evaluate(Condition(self.kind.protected, ""), self.inspector.observe(fresh=True), {}).holds

    def _advised(self, state: ClusterState, tried: Sequence[str] = ()) -> str:
        """The runbook of the worst finding that names one. One that has just led nowhere is not tried at once again."""
        named = [one.next.runbook for one in diagnose(state, self.world.now) if one.next.runbook]
        return next((one for one in named if one in self.kind.runbooks and one not in tried), "")

    def _by_hand(self) -> None:
        """What the first finding without a runbook that leads on advises is done by hand, or waited for."""
        for one in diagnose(self.inspector.observe(fresh=True), self.world.now):
            act = self.kind.hand_work.get(one.code)
            hosts = [self.world.host_of(name) for name in one.nodes]
            if one.next.advice and act is not None and act(self.world, hosts):
                self.world.tell(f"by hand, as {one.code} advises: {one.next.advice}")
                self.result.by_hand[one.code] += 1
                break
        self.world.advance(30.0)

    def _one_run(self, temper: Temper, name: str) -> bool:
        """False: it could not begin."""
        state = self.inspector.observe(fresh=True)
        name = name or self._advised(state) or self.kind.otherwise
        runbook = self.kind.runbooks[name]
        roles = self._roles(runbook, state)
        if roles is None:
            self.result.outcomes.append(f"{name}: roles not bound")
            self.world.tell(f"{name}: its roles cannot be bound")
            self.world.advance(20.0)
            return False
        self._runbook = name
        self.troubles.begin(name, [one for one in self.plan.faults if one.run == self._run])
        self.operator = ModelOperator(self.world, temper, self.touch)
        self.world.tell(f"run {name}: {', '.join(f'{role}={node}' for role, node in roles.items())}")
        self._execute(lambda: self.starter.arm("cache", runbook, roles))
        return True

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
                run_id = self.records.journal.run_id
            self._ended(run_id, run)
            if run is not None:
                return
            self.world.advance(self.world.chance.uniform(2.0, 30.0))
            if not (self.plan.resumes and self.records.journal.entries):
                return
            self.world.tell(f"run {run_id} is resumed")
            self.operator = ModelOperator(self.world, TEMPERS[self.plan.temper], self.touch)
            self.troubles.resume()

            def prepare(run_id=run_id):
                return self.starter.resume(run_id)

    def _ended(self, run_id: str, run: RunState | None) -> None:
        self.invariants.look()
        self.records.add(run_id, self.operator.digests, self.actuator.sent)
        self.actuator.line = None
        if run is None:
            self.result.outcomes.append(f"{self._runbook}: died")
            return
        self.troubles.end()
        self.world.tell(f"{self._runbook} ended: {run.outcome.value}: {run.message[:300]}")
        self.result.outcomes.append(f"{self._runbook}: {run.outcome.value}")
        self.result.messages.append(run.message)
        self.invariants.judge_run(self.records.journal.entries, run.message)

    def touch(self, call: str) -> None:
        """Called at each call of a port: the rules are asked, and faults come."""
        self.invariants.look()
        if call in ("send", "sent"):
            self.invariants.sends()
        self.troubles.touch(call)
