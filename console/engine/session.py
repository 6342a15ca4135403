"""Arming: the moment at which looking becomes being able to change something. One armed run is one journal."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from console.core.inventory import ClusterSpec
from console.core.run import RunState, begin
from console.core.runbook import Runbook
from console.engine.actions import Workplace
from console.engine.ports import Actuator, ArmedRun, ArmingError, Desk, Journal, Operator
from console.engine.runner import Runner
from console.engine.step import Hands


class ClusterArmory:
    """Arms runs on the clusters of a desk."""

    def __init__(
        self,
        desk: Desk,
        make_actuator: Callable[[ClusterSpec], Actuator],
        open_journal: Callable[[str], Journal],
    ) -> None:
        """`open_journal` makes a new journal for a run id; raises OSError."""
        self._desk = desk
        self._make_actuator = make_actuator
        self._open_journal = open_journal

    def arm(self, cluster: str, runbook: Runbook, roles: Mapping[str, str]) -> ArmedRun:
        """Opens journal and connections; nothing is sent yet. Raises ArmingError with one line of text."""
        spec = self._cluster(cluster, runbook, roles)
        now = self._desk.clock.now()
        try:
            journal = self._open_journal(make_run_id(now, cluster, runbook.name))
        except OSError as error:
            raise ArmingError(f"the journal cannot be opened, so nothing may be sent: {error}") from None
        run = begin(journal.run_id, cluster, runbook, dict(roles), journal=journal.path)
        try:
            journal.append("opened", self._opening(spec, runbook))
            journal.append("bound", {"roles": dict(roles)})
            actuator = self._make_actuator(spec)
        except Exception as error:
            journal.close()
            raise ArmingError(f"the run {journal.run_id} cannot begin: {error}") from error
        work = Workplace(spec, dict(roles), journal.run_id, stamp(now), actuator.read_file, journal.path)
        hands = Hands(self._desk.inspector(cluster), actuator, self._desk.clock, work)
        return PreparedRun(run, hands, journal)

    def _cluster(self, name: str, runbook: Runbook, roles: Mapping[str, str]) -> ClusterSpec:
        try:
            spec = self._desk.inventory.cluster(name)
            for role in runbook.roles:
                spec.node(roles[role.name])
        except KeyError as error:
            raise ArmingError(f"{runbook.name} on {name}: there is no cluster, role or node {error}") from None
        if runbook.kind != spec.kind:
            raise ArmingError(f"{runbook.name} is for clusters of kind {runbook.kind}, and {name} is {spec.kind}")
        return spec

    def _opening(self, spec: ClusterSpec, runbook: Runbook) -> dict[str, object]:
        return {
            "program": f"redis-ha-console {_version()}",
            "operator": f"{_user()}@{socket.gethostname()}",
            "user": _user(),
            "host": socket.gethostname(),
            **_terminal(),
            "cluster": spec.name,
            "inventory": self._desk.inventory.path,
            "runbook": runbook.name,
            "runbook_title": runbook.title,
            "runbook_sha256": runbook.digest,
            "runbook_path": runbook.path,
            "steps": [step.id for step in runbook.steps],
        }


class PreparedRun:
    """An armed run: executed once, and then closed for good."""

    def __init__(self, run: RunState, hands: Hands, journal: Journal) -> None:
        self._run = run
        self._hands = hands
        self._journal = journal
        self._runner: Runner | None = None

    @property
    def state(self) -> RunState:
        return self._runner.state if self._runner else self._run

    def stop_waiting(self) -> None:
        if self._runner is not None:
            self._runner.stop_waiting()

    def execute(self, operator: Operator) -> RunState:
        """Runs to its end in the caller's thread; closes journal and connections. A second call runs nothing."""
        if self._runner is not None:
            return self.state
        self._runner = Runner(self._run, self._hands, self._journal, operator)
        try:
            return self._runner.execute()
        finally:
            for close in (self._hands.actuator.close, self._journal.close):
                with contextlib.suppress(Exception):
                    close()


def make_run_id(now: float, cluster: str, runbook: str) -> str:
    """`20261121T034000Z-cache-one-shot-rebuild-3f2a`: sorts by time, names a folder."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{cluster}-{runbook}")
    return f"{stamp(now)}-{name}-{secrets.token_hex(2)}"


def stamp(now: float) -> str:
    """UTC to the second, without separators."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")


def _version() -> str:
    try:
        return version("redis-ha-console")
    except PackageNotFoundError:
        return "of an unknown version"


def _terminal() -> dict[str, str | None]:
    """Where the operator sits, as far as this process can tell: the terminal, and whence its SSH login came."""
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
