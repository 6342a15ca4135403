"""Kept keys come back to a real Redis on a unix socket, in this very process: state and locks are stand-ins."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import samples
from dying import DiedError, DyingJournal, Moments
from fakes import CLUSTER, A, FakeInspector, FakeLocks
from real_servers import RealNode

from console.core.inventory import Inventory, RedisSpec
from console.core.model import ClusterState
from console.core.numbers import version_of
from console.core.runs.records.journal import Entry
from console.core.runs.replays.batch import BatchAnswer
from console.core.runs.replays.order import ReplayOrder
from console.core.runs.state import Outcome
from console.engine.ports import ConsoleContext
from console.engine.replay.look import Looked
from console.engine.replay.ports import ReplayPorts, ReplayQuestion
from console.engine.replay.run import ReplayRun
from console.engine.replay.starter import ClusterReplayStarter
from console.transport.clock import SystemClock
from console.transport.journals.journal_file import NAME, open_journal, read_lines, reopen_journal
from console.transport.journals.key_files import LocalKeyFiles
from console.transport.redis.connection import RedisConnection
from console.transport.redis.keys.reader import RedisKeyReader
from console.transport.redis.keys.sender import RedisKeySender
from console.transport.redis.raw_replies import packed

RUN = "20261121T034000Z-cache-resolve-dual-master-3f2a"


def connect(node: RealNode | str) -> RedisConnection:
    """`node`: a server on a unix socket, or the address of one."""

    def dial(timeout: float) -> socket.socket:
        if isinstance(node, str):
            return socket.create_connection((node, 6379), timeout)
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(timeout)
        stream.connect(str(node.socket))
        return stream

    link = RedisConnection(RedisSpec(), None, "127.0.0.1:6379", dial, 10.0, exact=True)
    link.connect()
    return link


def ask(node: RealNode | str, *commands: Sequence[bytes | str | int]) -> list[Any]:
    """The replies to these commands, as bytes."""
    link = connect(node)
    words = [[one if isinstance(one, bytes) else str(one).encode() for one in command] for command in commands]
    try:
        replies = link.exchange([b"".join(packed(*one) for one in words)], len(words), time.monotonic() + 60)
    finally:
        link.close()
    return replies


def export(path: Path, node: RealNode | str, *keys: bytes | str, db: int = 0, at: float | None = None) -> Path:
    """The keys as an export keeps them."""
    now = at or time.time()
    names = [key if isinstance(key, bytes) else key.encode() for key in keys]
    replies = ask(node, ("SELECT", db), *(words for key in names for words in (("DUMP", key), ("PTTL", key))))[1:]
    with path.open("a", encoding="ascii") as file:
        for place, key in enumerate(names):
            dump, pttl = replies[2 * place : 2 * place + 2]
            coded = {"key_base64": base64.b64encode(key).decode(), "dump_base64": base64.b64encode(dump).decode()}
            line = {"db": db, "key": key.decode("utf-8", "replace"), "at": round(now * 1000), "pttl": max(0, pttl)}
            file.write(json.dumps(line | coded) + "\n")
    return path


def kept_run(folder: Path, cluster: str, nodes: dict[str, str], file: Path) -> str:
    """The journal of a run that has exported the keys of the first node into this file. Returns its id."""
    journal = open_journal(folder, RUN, time.time)
    node, other = nodes
    sent = f"SCAN, DUMP and PTTL here and on {other}; what differs is written to {file}"
    planned = {"node": node, "summary": "Exports.", "detail": "", "expect": "", "command": {"sent": sent}}
    keys = len(file.read_text(encoding="utf-8").splitlines())
    said = f"looked at all {keys} keys of {node}: {keys} are not on {other}; written to {file}"
    opening = {"cluster": cluster, "kind": "keepalived", "nodes": nodes, "steps": ["export"]}
    journal.append("opened", {**opening, "runbook": "resolve-dual-master", "operator": "ann@ops1"})
    journal.append("bound", {"roles": {"keeper": other, "loser": node}})
    journal.append("intent", {"step": 1, "verb": "export-differences", "place": 1, "planned": planned})
    journal.append("result", {"step": 1, "node": node, "answer": {"kind": "done", "text": said}})
    journal.append("closed", {"outcome": "done", "message": ""})
    journal.close()
    return RUN


class Typist:
    """The operator: answers by step, and says yes to everything else."""

    def __init__(
        self, answers: dict[str, str] | None = None, at: Callable[[ReplayQuestion], None] | None = None
    ) -> None:
        self.answers = answers or {}
        self.at = at or (lambda _: None)
        self.questions: list[ReplayQuestion] = []
        self.looked: Looked | None = None
        self.wants_to_stop = False

    def show(self, looked: Looked, master: str) -> None:
        self.looked = looked

    def ask(self, question: ReplayQuestion) -> str:
        self.questions.append(question)
        return self.answers.get(question.step, question.sentence or "y")

    def progress(self, what: str, done: int, of: int) -> None: ...

    def doing(self, line: str) -> None: ...

    def end_progress(self) -> None: ...


class DyingSender:
    def __init__(self, sender: RedisKeySender, stage: Stage) -> None:
        self._sender, self._stage = sender, stage

    def send(self, batch: Any, keep: Any, meanwhile: Any) -> BatchAnswer:
        self._stage.moments.pass_by("before sending")
        self._stage.before_sending()
        answer = self._sender.send(batch, keep, meanwhile)
        self._stage.moments.pass_by("after sending")
        return answer

    def close(self) -> None:
        self._sender.close()


class Stage:
    """A master with a real Redis, a folder of journals, and one console after the other."""

    def __init__(self, folder: Path, master: RealNode) -> None:
        self.folder, self.master = folder / "runs", master
        self.clock = SystemClock()
        self.locks = FakeLocks()
        self.moments = Moments()
        self.change: Callable[[ClusterState], ClusterState] = lambda state: state
        """What is different on the next observations."""
        self.before_sending: Callable[[], None] = lambda: None
        self._opened: list[DyingJournal] = []
        (info,) = ask(master, ("INFO", "server"))
        self._server = dict(line.split(":", 1) for line in info.decode().splitlines() if ":" in line)

    def state(self) -> ClusterState:
        """redis-b is the master, with the run_id and version of the real server."""
        own = {"run_id": self._server["run_id"], "version": self._server["redis_version"]}
        state = samples.with_redis(samples.healthy_pair(), samples.healthy_pair().masters[0], **own)
        reach = replace(state.vip_reach, value=replace(state.vip_reach.value, run_id=own["run_id"]))
        return self.change(replace(state, vip_reach=reach))

    def starter(self) -> ClusterReplayStarter:
        inspector: Any = FakeInspector(self.state)
        inspector.read_keys = lambda node: RedisKeyReader(node, connect(self.master), self.clock.now)
        context = ConsoleContext(Inventory("inventory.yaml", (CLUSTER,)), (), lambda _: inspector, self.clock)
        return ClusterReplayStarter(
            context,
            ReplayPorts(LocalKeyFiles(), lambda _: self, lambda _: self.locks),
            lambda run_id: self._dying(open_journal(self.folder, run_id, self.clock.now)),
            self._reopen,
        )

    def open_keys(self, node: str, expecting: Any, server: Any) -> DyingSender:
        version = version_of(server.version)
        return DyingSender(RedisKeySender(node, connect(self.master), "redis", version, self.clock.now), self)

    def close(self) -> None: ...

    def order(self, file: Path, *patterns: str) -> ReplayOrder:
        return ReplayOrder("cache", RUN, A, str(file), patterns, time.time())

    def run(self, order: ReplayOrder, operator: Typist | None = None, at: int | None = None) -> ReplayRun | None:
        """Until its end. None: it died at that moment."""
        return self._execute(at, lambda: self.starter().arm(order), operator)

    def resume(self, operator: Typist | None = None, at: int | None = None) -> ReplayRun | None:
        return self._execute(at, lambda: self.starter().resume(self.run_id), operator)

    def _execute(self, at: int | None, arm: Callable[[], Any], operator: Typist | None) -> ReplayRun | None:
        self.moments = Moments(at)
        try:
            ended: ReplayRun = arm().execute(operator or Typist())
        except DiedError:
            for journal in self._opened:
                journal.close()
            return None
        return ended

    def _reopen(self, run_id: str) -> Any:
        journal, *past = reopen_journal(self.folder, run_id, self.clock.now)
        return self._dying(journal), *past

    def _dying(self, journal: Any) -> DyingJournal:
        dying = DyingJournal(journal, self.moments)
        self._opened.append(dying)
        return dying

    @property
    def run_id(self) -> str:
        return str(self._opened[-1].run_id)

    @property
    def entries(self) -> list[Entry]:
        from console.core.runs.past.replay import replay_run

        past = replay_run(self.run_id, "", read_lines(self.folder / self.run_id / NAME), under_way=False)
        return list(past.entries)

    def left(self) -> dict[str, str]:
        """Key → why it was left, by the list in the folder of the run."""
        path = self.folder / self.run_id / "left.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        return {one["key"]: one["why"] for one in rows}


DONE, FAILED, REFUSED, ABORTED = Outcome.DONE, Outcome.FAILED, Outcome.REFUSED, Outcome.ABORTED
