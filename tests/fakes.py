"""Stand-ins for the engine's ports, and a pair of nodes that changes as the commands say. For unit tests only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import samples

from console.core.command import DiskKeyExport, Identity, Planned, RedisCommand, ShellCommand
from console.core.inventory import ClusterSpec, Inventory, KeepalivedSpec, NodeSpec, RedisSpec, SshSpec
from console.core.model import ClusterState, RunLock, VrrpState, read
from console.core.previews.key_comparison import KeyComparison
from console.core.previews.quiescence import TrafficSample
from console.core.runs.lock import LostLock
from console.core.runs.question import Choice, Decision, Question, QuestionKind
from console.core.runs.records.entry_shape import misfit
from console.core.runs.records.journal import Entry, next_entry, plain
from console.core.runs.state import RunState
from console.documents.runbooks.runbook import load_runbook
from console.engine.ports import Answer, AnswerKind, ConsoleContext
from console.engine.sessions.arming import ClusterRunStarter

A, B, VIP, NOW = samples.A, samples.B, samples.VIP, samples.NOW
CONFIG = "/etc/keepalived/keepalived.conf"
PASSWORD = "s3cret77"
DONE = Answer(AnswerKind.DONE, "OK")


def node_spec(name: str, **changes: Any) -> NodeSpec:
    spec = NodeSpec(name, samples.ADDRESS[name], SshSpec(user="ops"), RedisSpec(), KeepalivedSpec())
    return replace(spec, **changes)


CLUSTER = ClusterSpec("cache", "keepalived", VIP, (node_spec(A), node_spec(B)))


RUNBOOK = load_runbook(Path(__file__).parents[1] / "runbooks" / "one-shot-rebuild.yaml")
ROLES = {"survivor": A, "returning": B}


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def set_by(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class FakeInspector:
    """Shows whatever `look` answers, and counts."""

    def __init__(self, look: Callable[[], ClusterState], cluster: str = "cache") -> None:
        self.look = look
        self.cluster = cluster
        self.observations = 0
        self.compared: list[tuple[str, str]] = []
        self.comparison: KeyComparison | None = None

    def observe(self, *, fresh: bool = False) -> ClusterState:
        self.observations += 1
        return self.look()

    def compare(self, source: str, target: str) -> KeyComparison:
        self.compared.append((source, target))
        return self.comparison or samples.comparison(source, target)

    @property
    def waits_for(self) -> Mapping[str, str]:
        return {}

    @property
    def traffic_samples(self) -> tuple[TrafficSample, ...]:
        return ()

    def reconnect(self) -> None: ...

    def close(self) -> None: ...


class FakeActuator:
    """Records what is sent; answers from a table (part of the text → answers in turn), else carries it out."""

    def __init__(
        self,
        carry_out: Callable[[Planned], Answer] = lambda _: DONE,
        table: Mapping[str, Iterable[Answer]] | None = None,
        files: Mapping[tuple[str, str], bytes] | None = None,
    ) -> None:
        self.carry_out = carry_out
        self.table = {text: list(answers) for text, answers in (table or {}).items()}
        self.files = files or {}
        self.sent: list[tuple[Planned, Identity]] = []
        self.closed = False

    @property
    def texts(self) -> list[str]:
        return [f"{planned.node}> {planned.render()}" for planned, _ in self.sent]

    def send(self, planned: Planned, expecting: Identity, tell: object = None) -> Answer:
        self.sent.append((planned, expecting))
        for text, answers in self.table.items():
            if text in planned.render() and answers:
                answer = answers.pop(0)
                if answer.kind is AnswerKind.DONE or answer.text == "arrived":
                    self.carry_out(planned)
                return answer
        return self.carry_out(planned)

    def read_file(self, node: str, path: str) -> bytes:
        try:
            return self.files[node, path]
        except KeyError:
            raise OSError(f"{path} does not exist") from None

    def close(self) -> None:
        self.closed = True


class FakeLocks:
    """Locks that nobody else wants; `conflict` refuses the next `hold`, `gone` is what was lost since."""

    def __init__(self) -> None:
        self.conflict: Exception | None = None
        self.away: dict[str, str] = {}
        self.gone: list[LostLock] = []
        self.claims: list[tuple[RunLock, str]] = []
        self.steps: list[str] = []
        self.released = False

    def hold(self, claim: RunLock, *, over: str = "") -> Mapping[str, str]:
        self.claims.append((claim, over))
        if self.conflict is not None:
            raise self.conflict
        self.gone.clear()
        return dict(self.away)

    def lost(self) -> tuple[LostLock, ...]:
        return tuple(self.gone)

    def say(self, step: str) -> None:
        self.steps.append(step)

    def release(self) -> None:
        self.released = True


class MemoryJournal:
    """Keeps its entries in a list; `break_at` makes the entry of that kind, and everything after it, fail."""

    def __init__(self, run_id: str = "20261121T034000Z-cache-rebuild-3f2a", *, break_at: str = "") -> None:
        self.run_id = run_id
        self.path = f"memory/{run_id}"
        self.entries: list[tuple[str, Mapping[str, Any]]] = []
        self.break_at = break_at
        self.broken = False
        self.closed = False
        self._last: Entry | None = None

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.entries]

    def append(self, kind: str, data: Mapping[str, object]) -> Entry:
        self.broken = self.broken or kind == self.break_at
        if self.broken:
            raise OSError("the journal cannot be written: No space left on device")
        assert not misfit(kind, plain(data)), "what the console writes fits the shape of its entries"
        self.entries.append((kind, data))
        self._last = next_entry(self._last, kind, data, samples.NOW)
        return self._last

    def close(self) -> None:
        self.closed = True


def agree(question: Question) -> Decision:
    """A yes with the name that is asked for; where no yes is possible, or something may be sent twice, the end."""
    again = question.kind is not QuestionKind.TROUBLE or question.reason.startswith(
        ("nothing was", "the server did not")
    )
    choice = Choice.RUN if Choice.RUN in question.choices and again else Choice.ABORT
    return Decision(choice, question.digest, question.node)


def choose(choice: Choice, typed: str = "") -> Callable[[Question], Decision]:
    return lambda question: Decision(choice, question.digest, typed)


class ScriptedOperator:
    """Answers from a list, then agrees. Keeps what was asked and told."""

    def __init__(self, *answers: Callable[[Question], Decision], by_step: Mapping[str, Any] | None = None) -> None:
        self.answers = list(answers)
        self.by_step = {step: list(given) for step, given in (by_step or {}).items()}
        self.questions: list[Question] = []
        self.told: list[RunState] = []
        self.shown: list[ClusterState] = []

    def decide(self, question: Question) -> Decision:
        self.questions.append(question)
        assert len(self.questions) < 200, "the run asks for ever"
        mine = self.by_step.get(question.step.id)
        if mine:
            return mine.pop(0)(question)
        return self.answers.pop(0)(question) if self.answers else agree(question)

    def tell(self, run: RunState) -> None:
        self.told.append(run)

    def show(self, state: ClusterState) -> None:
        self.shown.append(state)

    def asked(self, step: str, kind: QuestionKind | None = None) -> list[Question]:
        return [one for one in self.questions if one.step.id == step and kind in (None, one.kind)]


@dataclass
class Pair:
    """redis-a survived, redis-b died: two nodes that change as the documented commands would change them."""

    state: ClusterState = field(default_factory=samples.failed_over_pair)
    keys: dict[str, str] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    sync_looks: int = 2
    """Observations until the copy is complete."""

    def __post_init__(self) -> None:
        for name in (A, B):
            text = samples.CONFIG_TEXT.format(node=name, priority=samples.PRIORITY[name])
            self.files[name, CONFIG] = text.replace("••••", PASSWORD).encode()

    def look(self) -> ClusterState:
        if samples.B in self._syncing():
            self.sync_looks -= 1
            if self.sync_looks < 0:
                synced = samples.in_sync_unprotected()
                for name in (A, B):
                    self.state = samples.with_node(self.state, name, redis=synced.node(name).redis)
        return self.state

    def _syncing(self) -> tuple[str, ...]:
        servers = {node.name: node.redis.value for node in self.state.nodes}
        return tuple(name for name, one in servers.items() if one and one.master and not one.master.up)

    def carry_out(self, planned: Planned) -> Answer:
        if isinstance(planned.command, RedisCommand):
            return self._redis(planned.node, [str(word) for word in planned.command.words])
        return self._shell(planned.node, planned.command)

    def _redis(self, name: str, words: list[str]) -> Answer:
        match words:
            case ["SLAVEOF", host, "6379"] if name == B and host == samples.ADDRESS[A]:
                syncing = samples.syncing_pair()
                for one in (A, B):
                    self.state = samples.with_node(self.state, one, redis=syncing.node(one).redis)
            case ["BGSAVE"]:
                self.state = samples.with_save(self.state, name)
            case ["SET", key, value, "EX", _]:
                self.keys[key] = value
            case ["GET", key]:
                return Answer(AnswerKind.DONE, self.keys.get(key, ""))
            case _:
                return Answer(AnswerKind.FAILED, f"ERR unknown command {words[0]}")
        return DONE

    def _shell(self, name: str, command: ShellCommand) -> Answer:
        match command.script:
            case _ if isinstance(command, DiskKeyExport):
                same = f"nothing to keep: all 3 keys of the disk of {name} are on {command.other} with the same value"
                return Answer(AnswerKind.DONE, same)
            case "systemctl stop keepalived":
                self.state = samples.with_keepalived(self.state, name, running=False, state=VrrpState.STOP)
            case "systemctl start keepalived":
                state = VrrpState.MASTER if self.state.node(name).holds(VIP) else VrrpState.BACKUP
                self.state = samples.with_keepalived(self.state, name, running=True, state=state)
            case "systemctl start redis-server":
                back = samples.stale_master_back().node(B)
                self.state = samples.with_node(self.state, B, redis=back.redis, processes=back.processes)
            case "systemctl reload keepalived":
                pass
            case _ if "copy_of=" in command.script:
                self.state = samples.with_backup(self.state, name)
                return Answer(AnswerKind.DONE, samples.BACKUP_ANSWER, 0)
            case _ if "keepalived -t" in command.script:
                return self._replace_file(name, command.stdin or b"")
            case _:
                return Answer(AnswerKind.FAILED, "command not found", 127)
        return Answer(AnswerKind.DONE, "", 0)

    def _replace_file(self, name: str, stdin: bytes) -> Answer:
        _, content = stdin.split(b"\n", 1)
        self.files[name, CONFIG] = content
        found = re.search(rb"priority (\d+)", content)
        assert found
        self.state = samples.with_priority(self.state, name, int(found[1]))
        return Answer(AnswerKind.DONE, f"replaced {CONFIG}", 0)

    def change(self, change: Callable[[ClusterState], ClusterState]) -> None:
        self.state = change(self.state)


def console_context(pair: Pair, clock: FakeClock, cluster: ClusterSpec = CLUSTER) -> ConsoleContext:
    inspector = FakeInspector(pair.look, cluster.name)
    return ConsoleContext(Inventory("inventory.yaml", (cluster,)), (), lambda _: inspector, clock)


def restart_redis(state: ClusterState, name: str) -> ClusterState:
    """The server was restarted by somebody else: another run_id behind the same address."""
    server = state.node(name).redis.value
    assert server
    changed = samples.with_node(state, name, redis=read(replace(server, run_id="f" * 40), state.observed_at))
    if state.vip_reaches != name:
        return changed
    return replace(changed, vip_reach=state.vip_reach.map(lambda reach: replace(reach, run_id="f" * 40)))


class Stage:
    """A pair, and everything that a run of the shipped rebuild on it needs."""

    def __init__(self, table=None, journal=None, pair=None):
        self.pair = pair or Pair()
        self.clock = FakeClock()
        self.journal = journal or MemoryJournal()
        self.actuator = FakeActuator(self.pair.carry_out, table, self.pair.files)
        self.locks = FakeLocks()

    def run(self, operator=None, runbook=RUNBOOK):
        self.operator = operator or ScriptedOperator()
        return self.run_starter().arm("cache", runbook, ROLES).execute(self.operator)

    def run_starter(self, **more):
        return ClusterRunStarter(
            console_context(self.pair, self.clock), lambda _: self.actuator, lambda _: self.journal,
            make_locks=lambda _: self.locks, **more,
        )  # fmt: skip

    def status(self, run, step):
        return next(one for one in run.steps if one.step.id == step)

    def sent(self, text):
        """What was sent that has this text in it."""
        return [line for line in self.actuator.texts if text in line]
