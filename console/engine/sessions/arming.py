"""Arms and resumes runs. From here on a server can be changed. One armed run has one journal."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version

from console.core.inventory import ClusterSpec
from console.core.model import RunLock
from console.core.runbooks.document import Runbook
from console.core.runs.past.kept_keys import KeptKeys
from console.core.runs.past.past_run import PastRun, UnfinishedLine
from console.core.runs.state import Outcome, RunState, new_run
from console.engine.actions.commands import CommandContext
from console.engine.ports import (
    Actuator,
    ArmedRun,
    ArmingError,
    ConsoleContext,
    Journal,
    NameSampler,
    NodeLocks,
    Operator,
    Takeover,
)
from console.engine.sessions.resumption import addresses, require_unchanged, resumed_run, unknown_result
from console.engine.sessions.runner import Runner
from console.engine.sessions.whose_runs import is_of
from console.engine.steps.kept_journal import KeptJournal
from console.engine.steps.name_watch import NameWatch
from console.engine.steps.run_context import RunContext
from console.engine.steps.run_guard import RunGuard


class ClusterRunStarter:
    """Arms runs on the clusters of an inventory."""

    def __init__(
        self,
        console_context: ConsoleContext,
        make_actuator: Callable[[ClusterSpec], Actuator],
        open_journal: Callable[[str], Journal],
        reopen_journal: Callable[[str], tuple[Journal, PastRun, UnfinishedLine | None]] | None = None,
        *,
        make_locks: Callable[[ClusterSpec], NodeLocks],
        make_sampler: Callable[[ClusterSpec], NameSampler | None] = lambda _: None,
    ) -> None:
        """`open_journal` makes a new journal for a run id. `reopen_journal` opens one again. Both raise OSError."""
        self._console_context = console_context
        self._make_actuator = make_actuator
        self._open_journal = open_journal
        self._reopen_journal = reopen_journal
        self._make_locks = make_locks
        self._make_sampler = make_sampler

    def arm(
        self, cluster: str, runbook: Runbook, roles: Mapping[str, str], takeover: Takeover | None = None
    ) -> ArmedRun:
        """Opens journal and connections, and locks the nodes. Sends no step yet. Raises ArmingError, in one line."""
        spec = self._cluster(cluster, runbook, roles)
        clock = self._console_context.clock
        try:
            journal = new_journal(self._open_journal, clock.now(), cluster, runbook.name)
        except OSError as error:
            raise ArmingError(
                f"the journal cannot be opened, so nothing may be sent: {_os_error_in_words(error)}"
            ) from None
        run = new_run(journal.run_id, cluster, runbook, dict(roles), journal=journal.path)
        try:
            journal.append("opened", self._opening(spec, runbook))
            journal.append("bound", {"roles": dict(roles)})
            actuator = self._make_actuator(spec)
            guard = RunGuard(self._make_locks(spec), self._claim(spec, runbook, journal.run_id))
            guard.arm(journal.append, takeover=takeover)
        except ArmingError as refused:
            with contextlib.suppress(OSError):
                journal.append("closed", {"outcome": Outcome.REFUSED, "message": str(refused)})
            journal.close()
            raise
        except Exception as error:
            journal.close()
            raise ArmingError(f"the run {journal.run_id} cannot begin, and nothing was sent: {error}") from error
        return PreparedRun(run, self._context(spec, roles, journal, actuator, guard), journal)

    def resume(self, run_id: str) -> ArmedRun:
        """Resumes a run whose console died. Sends nothing yet. Raises ArmingError with one line of text."""
        if self._reopen_journal is None:
            raise ArmingError(f"the run {run_id} cannot be resumed: there are no journals here")
        try:
            reopened, past, cut = self._reopen_journal(run_id)
        except OSError as error:
            raise ArmingError(str(error)) from None
        journal = KeptJournal(reopened, past.entries)
        try:
            spec, runbook = require_unchanged(past, self._console_context)
            journal.append("resumed", {**who(), "entries": past.chain.entries, "cut": cut, "cluster": spec.name})
            for command in past.unanswered:
                journal.append("result", unknown_result(past, command))
            actuator = self._make_actuator(spec)
            guard = RunGuard(self._make_locks(spec), self._claim(spec, runbook, run_id))
            guard.arm(journal.append, resumed=True)
        except Exception as error:
            journal.close()
            if isinstance(error, ArmingError):
                raise
            raise ArmingError(f"the run {run_id} cannot go on: {error}") from error
        run = resumed_run(past, runbook, journal.path)
        return PreparedRun(
            run, self._context(spec, past.roles, journal, actuator, guard), journal, past, self._other_runs
        )

    def _other_runs(self) -> tuple[PastRun, ...]:
        """The recorded runs on this machine, without those of laboratories that are gone."""
        archive = self._console_context.archive
        return tuple(one for one in archive.summaries() if not archive.laboratory_is_gone(one)) if archive else ()

    def _claim(self, spec: ClusterSpec, runbook: Runbook, run_id: str) -> RunLock:
        return claim(run_id, spec, runbook.name, self._console_context)

    def _context(
        self, spec: ClusterSpec, roles: Mapping[str, str], journal: Journal, actuator: Actuator, guard: RunGuard
    ) -> RunContext:
        clock = self._console_context.clock
        at = stamp(clock.now())
        command_context = CommandContext(spec, dict(roles), journal.run_id, at, actuator.read_file, journal.path)
        sampler = self._make_sampler(spec)
        watch = NameWatch(sampler, clock) if sampler is not None else None
        inspector = self._console_context.inspector(spec.name)
        earlier = partial(self._earlier_exports, spec)
        return RunContext(inspector, actuator, clock, command_context, guard, watch, earlier)

    def _earlier_exports(self, spec: ClusterSpec) -> tuple[KeptKeys, ...]:
        """What runs on the same servers have exported, the oldest first."""
        inventory = self._console_context.inventory
        same = {one.run_id for one in self._other_runs() if one.cluster == spec.name and is_of(one, inventory)}
        archive = self._console_context.archive
        return tuple(one for one in archive.kept_keys() if one.run_id in same and not one.replaced) if archive else ()

    def _cluster(self, name: str, runbook: Runbook, roles: Mapping[str, str]) -> ClusterSpec:
        try:
            spec = self._console_context.inventory.cluster(name)
            for role in runbook.roles:
                spec.node(roles[role.name])
        except KeyError as error:
            raise ArmingError(f"{runbook.name} on {name}: there is no cluster, role or node {error}") from None
        if runbook.kind != spec.kind:
            raise ArmingError(f"{runbook.name} is for clusters of kind {runbook.kind}, and {name} is {spec.kind}")
        return spec

    def _opening(self, spec: ClusterSpec, runbook: Runbook) -> dict[str, object]:
        return {
            **opening(spec, self._console_context),
            "runbook": runbook.name,
            "runbook_title": runbook.title,
            "runbook_sha256": runbook.digest,
            "runbook_path": runbook.path,
            "steps": [step.id for step in runbook.steps],
        }


class PreparedRun:
    """An armed run. It is executed once, and then closed."""

    def __init__(
        self,
        run: RunState,
        context: RunContext,
        journal: KeptJournal,
        past: PastRun | None = None,
        others: Callable[[], tuple[PastRun, ...]] = tuple,
    ) -> None:
        """`past`: a run that is resumed, as its journal tells it. `others`: the recorded runs on this machine."""
        self._run = run
        self._context = context
        self._journal = journal
        self._past = past
        self._others = others
        self._runner: Runner | None = None

    @property
    def state(self) -> RunState:
        return self._runner.state if self._runner else self._run

    def stop_waiting(self) -> None:
        if self._runner is not None:
            self._runner.stop_waiting()

    def execute(self, operator: Operator) -> RunState:
        """Runs to the end in the caller's thread, and closes journal and connections. A second call runs nothing."""
        if self._runner is not None:
            return self.state
        self._runner = Runner(self._run, self._context, self._journal, operator, self._past, self._others)
        try:
            return self._runner.execute()
        finally:
            for close in (self._context.guard.release, self._context.actuator.close, self._journal.close):
                with contextlib.suppress(Exception):
                    close()


def opening(spec: ClusterSpec, console_context: ConsoleContext) -> dict[str, object]:
    """What every journal begins with: the operator, and the cluster as the inventory has it."""
    return {
        **who(),
        "cluster": spec.name,
        "kind": spec.kind,
        "nodes": addresses(spec),
        "vip": spec.vip,
        "inventory": console_context.inventory.path,
    }


def claim(run_id: str, spec: ClusterSpec, runbook: str, console_context: ConsoleContext) -> RunLock:
    """What the notes on the nodes tell a second operator about this run."""
    operator, now = who(), console_context.clock.now()
    terminal = str(operator["terminal"] or "")
    return RunLock(run_id, spec.name, runbook, str(operator["operator"]), now, terminal=terminal)


def new_journal(open_journal: Callable[[str], Journal], now: float, cluster: str, runbook: str) -> KeptJournal:
    """Under a name of its own: two runs of one second may have drawn the same one. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        return KeptJournal(open_journal(make_run_id(now, cluster, runbook)))
    return KeptJournal(open_journal(make_run_id(now, cluster, runbook)))


def make_run_id(now: float, cluster: str, runbook: str) -> str:
    """`20261121T034000Z-cache-one-shot-rebuild-3f2a`: it sorts by time, and is the name of a folder."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{cluster}-{runbook}")
    return f"{stamp(now)}-{name}-{secrets.token_hex(2)}"


def stamp(now: float) -> str:
    """UTC to the second, without separators."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def who() -> dict[str, object]:
    """Who arms or resumes a run, with which program version, and from where."""
    return {
        "program": f"redis-ha-console {_version()}",
        "operator": f"{_user()}@{socket.gethostname()}",
        "user": _user(),
        "host": socket.gethostname(),
        **_terminal(),
    }


def _os_error_in_words(error: OSError) -> str:
    """The file, and what is wrong with it."""
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)


@cache
def _version() -> str:
    try:
        return version("redis-ha-console")
    except PackageNotFoundError:
        return "of an unknown version"


def _terminal() -> dict[str, str | None]:
    """The operator's terminal, and the address from which its SSH login came, as far as this process can tell."""
    try:
        terminal = os.ttyname(0)
    except OSError:
        terminal = None
    came_from = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    return {"terminal": terminal, "terminal_from": came_from or None}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
