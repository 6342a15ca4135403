"""The console on sample observations: a clock that stands still, inspectors that do as told, a run to drive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest
import samples
from past_runs import FakeArchive
from textual.pilot import Pilot

from console.core.command import Planned, RedisCommand
from console.core.inventory import ClusterSpec, Inventory, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec, UnusableCluster
from console.core.model import ClusterState, RunLock
from console.core.model.verdict import Check, Verdict
from console.core.previews.key_comparison import KeyComparison
from console.core.previews.loss_preview import LossPreview
from console.core.previews.quiescence import TrafficSample
from console.core.replication.resync import ResyncKind
from console.core.runbooks.document import Action, Condition, GateKind, RoleSpec, Runbook, Step, UnusableRunbook
from console.core.runs.past.past_run import PastRun
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.state import Outcome, RunState, StepState, StepStatus
from console.engine.ports import ArmingError, ConsoleContext, LockHeldError, Operator, Takeover
from console.tui.app import ConsoleApp
from console.tui.navigation import routes
from console.tui.widgets.question import QuestionBox


@dataclass
class FakeClock:
    """Moves only when told to."""

    at: float = samples.NOW
    steady: float = 0.0
    """What `monotonic` tells: tests move it apart from the time of day, which stands on the screen."""
    set_seconds: float = 0.0

    def now(self) -> float:
        return self.at

    def set_by(self) -> float:
        return self.set_seconds

    def monotonic(self) -> float:
        return self.steady

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.steady += seconds


@dataclass
class FakeInspector:
    """Answers with `state`; hangs while `open` is not set; fails with `error` where there is one."""

    state: ClusterState
    error: Exception | None = None
    open: threading.Event = field(default_factory=threading.Event)
    observed: int = 0
    reconnected: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    @property
    def cluster(self) -> str:
        return self.state.name

    def observe(self, *, fresh: bool = False) -> ClusterState:
        self.observed += 1
        self.open.wait(30)
        if self.error:
            raise self.error
        return self.state

    def compare(self, source: str, target: str) -> KeyComparison:
        return samples.comparison(source, target)

    @property
    def waits_for(self) -> Mapping[str, str]:
        return {}

    @property
    def traffic_samples(self) -> tuple[TrafficSample, ...]:
        return ()

    def reconnect(self) -> None:
        self.reconnected += 1

    def close(self) -> None:
        self.open.set()


REBUILD = Runbook(
    name="one-shot-rebuild",
    title="Rebuild the pair after a failover",
    summary="Brings the failed node back as a replica and restores the protection, in the documented order.",
    kind="keepalived",
    roles=(
        RoleSpec("survivor", "the node that clients write to", where=(Condition("holds-vip", "survivor"),)),
        RoleSpec("returning", "the node that failed and comes back", other_than="survivor"),
    ),
    steps=(
        Step(
            id="keepalived-off",
            title="Stop keepalived on the returning node",
            why="It would take the VIP with stale data as soon as its Redis answers.",
            role="returning",
            action=Action("stop-keepalived"),
        ),
        Step(
            id="start-redis",
            title="Start Redis on the returning node",
            why="It must answer before it can follow anybody.",
            role="returning",
            action=Action("start-redis"),
        ),
        Step(
            id="replicate",
            title="Make the returning node a replica of the survivor",
            why="From here on it gets every write. Its own data set is replaced.",
            role="returning",
            require=(Condition("redis-is-master", "survivor"),),
            gate=GateKind.TYPE_NAME,
            action=Action("replicate", {"source": "survivor"}),
        ),
        Step(
            id="proof",
            title="Prove that the pair is protected",
            why="The next failure must be survived.",
            role="survivor",
            gate=GateKind.NONE,
        ),
    ),
)
ROLES = {"survivor": samples.A, "returning": samples.B}
SLAVEOF = Planned(
    samples.B,
    RedisCommand(("SLAVEOF", "192.168.100.201", "6379")),
    "redis-b drops its own data and follows redis-a",
)
PREVIEW = LossPreview(
    source=samples.A,
    target=samples.B,
    resync=ResyncKind.FULL,
    reason="redis-b restarted as a master and has a history of its own",
    source_keys={0: 12, 1: 249_931},
    target_keys={0: 10, 1: 249_925},
    lines=(
        "db0: redis-b has 10 keys, redis-a 12",
        "db1: redis-b has 249,925 keys, redis-a 249,931",
        "About 26 MB are sent; redis-a serves 12 operations a second now",
    ),
    warnings=("Everything that only redis-b has is lost.",),
)
CHECKS = (
    Check(Verdict.HOLDS, "redis-a is a master", "role:master", hazard="H05"),
    Check(Verdict.HOLDS, "redis-a is behind the VIP", "192.168.100.123 answers with run_id aaaa…", hazard="H04"),
)


def question(kind: QuestionKind = QuestionKind.TYPE_NAME, index: int = 2, **changes: object) -> Question:
    step = REBUILD.steps[index]
    asked = Question(
        kind=kind,
        index=index,
        step=step,
        node=ROLES[step.role],
        gate=step.gate,
        planned=(SLAVEOF,),
        checks=CHECKS,
        evidence=("redis-b: role master, 249,935 keys, run_id cccc…", "redis-a: role master, holds the VIP"),
        preview=PREVIEW if kind is QuestionKind.TYPE_NAME else None,
        differences=(),
        refused=False,
        digest="digest-of-what-was-shown",
        observed_at=samples.NOW,
        choices=(Choice.ABORT, Choice.RUN),
    )
    return replace(asked, **changes)


def run_state(
    current: int | None = 2,
    outcome: Outcome = Outcome.RUNNING,
    status: StepStatus = StepStatus.ASKING,
    **changes: object,
) -> RunState:
    """Everything before `current` is done, `current` has this status; of a run that ended it is stopped."""
    at = len(REBUILD.steps) if current is None else current
    status = status if outcome is Outcome.RUNNING else StepStatus.STOPPED
    steps = tuple(
        StepState(
            step,
            ROLES[step.role],
            StepStatus.DONE if n < at else status if n == at else StepStatus.WAITING,
            planned=(SLAVEOF,) if n == 2 else (),
            output=("$ service redis start", "redis-b: Starting redis: OK") if n == 1 and n < at else (),
            note="its keepalived was stopped already" if n == 0 and n < at else "",
        )
        for n, step in enumerate(REBUILD.steps)
    )
    state = RunState(
        run_id="20261121-074000-cache",
        cluster="cache",
        runbook=REBUILD,
        roles=ROLES,
        steps=steps,
        current=current,
        outcome=outcome,
        journal="/home/ops/.local/state/redis-ha-console/runs/20261121-074000-cache",
    )
    return replace(state, **changes)


@dataclass
class FakeRun:
    """Asks its questions one after the other and keeps the decisions."""

    questions: tuple[Question, ...]
    decisions: list[Decision] = field(default_factory=list)
    state: RunState = field(default_factory=lambda: run_state(0))
    sending: threading.Event | None = None
    """Where set: what is being sent after the last question, until this opens."""
    waits_ended: int = 0

    def stop_waiting(self) -> None:
        self.waits_ended += 1

    def execute(self, operator: Operator) -> RunState:
        for one in self.questions:
            operator.tell(run_state(one.index))
            decision = operator.decide(one)
            self.decisions.append(decision)
            if decision.choice is Choice.ABORT:
                return run_state(one.index, Outcome.ABORTED, message="You stopped the run.")
        if self.sending is not None:
            operator.tell(run_state(3, status=StepStatus.VERIFYING))
            self.sending.wait(30)
        return run_state(None, Outcome.DONE, message="The pair is protected again.")


@dataclass
class FakeRunStarter:
    """Hands out one run, or refuses."""

    run: FakeRun
    refusal: str = ""
    armed: list[Mapping[str, str]] = field(default_factory=list)

    resumed: list[str] = field(default_factory=list)
    holder: RunLock | None = None
    """Who holds the lock; ends with a takeover."""
    takeovers: list[Takeover] = field(default_factory=list)

    def arm(
        self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None
    ) -> FakeRun:
        if self.refusal:
            raise ArmingError(self.refusal)
        if takeover is not None:
            self.takeovers.append(takeover)
        elif self.holder is not None:
            raise LockHeldError(samples.A, self.holder)
        self.armed.append(roles)
        return self.run

    def resume(self, run_id: str) -> FakeRun:
        if self.refusal:
            raise ArmingError(self.refusal)
        self.resumed.append(run_id)
        return self.run


def spec_of(state: ClusterState) -> ClusterSpec:
    nodes = tuple(NodeSpec(one.name, one.address, SshSpec(), RedisSpec(), KeepalivedSpec()) for one in state.nodes)
    return ClusterSpec(state.name, state.kind, state.vip, nodes)


@dataclass
class Stage:
    """A console on sample clusters, and everything a test may turn."""

    clock: FakeClock
    inspectors: dict[str, FakeInspector]
    app: ConsoleApp
    run_starter: FakeRunStarter | None
    archive: FakeArchive

    @property
    def inspector(self) -> FakeInspector:
        return next(iter(self.inspectors.values()))


def stage(
    *states: ClusterState,
    tags: Mapping[str, tuple[str, ...]] | None = None,
    questions: Iterable[Question] | None = None,
    refusal: str = "",
    runbook: str | None = None,
    sending: threading.Event | None = None,
    runs: Iterable[PastRun] = (),
    app: type[ConsoleApp] = ConsoleApp,
    unusable_clusters: tuple[UnusableCluster, ...] = (),
    unusable_runbooks: tuple[UnusableRunbook, ...] = (),
) -> Stage:
    """The console on these clusters; with `questions` it can arm a run that asks them."""
    clock = FakeClock()
    inspectors = {state.name: FakeInspector(state) for state in states}
    specs = tuple(replace(spec_of(state), tags=(tags or {}).get(state.name, ())) for state in states)
    inventory = Inventory("inventory.yaml", specs, unusable_clusters)
    archive = FakeArchive(list(runs))
    console_context = ConsoleContext(
        inventory, (REBUILD,), lambda name: inspectors[name], clock, archive, unusable_runbooks
    )
    run_starter = None if questions is None else FakeRunStarter(FakeRun(tuple(questions), sending=sending), refusal)
    # the tests tick themselves: a timer of their own would make what is on the screen a matter of chance
    console = app(console_context, run_starter, runbook=runbook, interval=3600)
    return Stage(clock, inspectors, console, run_starter, archive)


async def until(pilot: Pilot[int], holds: Callable[[], object], within: float = 10.0) -> None:
    """Waits for a condition, not for a time."""
    for _ in range(int(within / 0.02)):
        await pilot.pause()
        if holds():
            return
        await pilot.pause(0.02)
    pytest.fail(f"not so after {within} s: {holds}")


async def asked(pilot: Pilot[int], on: Stage) -> QuestionBox:
    """A question is on the screen, and so long that a key may answer it."""
    await until(pilot, lambda: any(box.is_shown for box in on.app.screen.query(QuestionBox)))
    on.clock.steady += 10
    await pilot.pause()
    return on.app.screen.query_one(QuestionBox)


async def asked_again(pilot: Pilot[int], on: Stage) -> QuestionBox:
    """What covered the question is closed. From now on a key may answer it again."""
    await until(pilot, lambda: any(not box.takes_keys for box in on.app.screen.query(QuestionBox)))
    # A button takes no second Enter while it is drawn as pressed.
    await until(pilot, lambda: on.app.focused is not None and not on.app.focused.has_class("-active"))
    return await asked(pilot, on)


async def seen(pilot: Pilot[int], on: Stage) -> None:
    """Every cluster was observed at least once, and the screen shows it."""
    await until(pilot, lambda: all(view.state is not None for view in on.app.views.values()))
    await pilot.pause()


async def stop_and_confirm(pilot: Pilot[int], on: Stage) -> None:
    """Enter on the focused "No, stop the run", and a second time in the dialog that says what stays half done."""
    await pilot.press("enter")
    await until(pilot, lambda: on.app.shows(routes.QUIT.name))
    assert on.app.focused is not None
    assert on.app.focused.id == "stay", "the safe choice has the focus"
    await pilot.press("tab", "enter")
