"""The keys of a backup as a file of kept keys: a throw-away server on its node loads a copy, which is compared.

Keys that the master does not have, or has otherwise, come into the file, as from the disk of a dead node. Nothing is
sent to the master for it but what reads.
"""

from __future__ import annotations

from collections.abc import Callable

from console.core.command import DiskKeyExport, Planned
from console.core.inventory import ClusterSpec
from console.core.model import Backup, ClusterState, NodeState
from console.core.quantities import size
from console.core.runs.answer import AnswerKind
from console.core.runs.gate import identity
from console.core.runs.records.exports import DISK_VERB, NOTHING, exports_in
from console.core.runs.records.recorded import command_rows
from console.core.runs.replays.order import LOADS, ReplayOrder
from console.engine.actions.throw_away import throw_away_server
from console.engine.replay.ports import KeyActuator, ReplayQuestion
from console.engine.steps.kept_journal import KeptJournal

FILE = "keys-of-backup-of-{node}.jsonl"
VERB = DISK_VERB


class NoBackupError(Exception):
    """The backup is not there, or cannot be read. The text says why."""


def find_backup(state: ClusterState, order: ReplayOrder) -> Backup:
    """The backup as the node shows it now. Raises NoBackupError."""
    node = state.node(order.node)
    if node.backups.value is None:
        raise NoBackupError(f"the backups of {node.name} could not be read: {node.backups.problem}")
    found = next((one for one in node.backups.value if one.path == order.backup), None)
    if found is None:
        there = ", ".join(one.path for one in node.backups.value) or "none"
        raise NoBackupError(f"{order.backup} is not on {node.name} any more; backups there: {there}")
    return found


def _loading(backup: Backup, spec: ClusterSpec, order: ReplayOrder, master: NodeState, folder: str) -> Planned:
    """The command that loads it and writes the file."""
    server = throw_away_server(backup, spec.node(order.node), order.digest or backup.sha256)
    command = DiskKeyExport(
        server.script,
        sudo=server.sudo,
        timeout=server.timeout,
        other=master.name,
        other_run_id=master.redis.value.run_id if master.redis.value else "",
        path=f"{folder}/{FILE.format(node=order.node)}",
    )
    summary = (
        f"Loads a copy of {backup.path} in a throw-away server on {order.node}, and compares it with {master.name}."
    )
    return Planned(order.node, command, summary)


def _question(backup: Backup, order: ReplayOrder, master: str) -> str:
    """What is asked before it is loaded."""
    return (
        f"A copy of {backup.path} ({size(backup.size)}) would be loaded in a throw-away server on {order.node}, which"
        f" has no port and ends with this run. It takes disk and memory there. All keys that {master} lacks or has"
        " otherwise are then compared, also those that clients have deleted since the backup."
    )


class BackupLoader:
    """Makes the file of kept keys from the backup of an order."""

    def __init__(self, journal: KeptJournal, actuator: KeyActuator, spec: ClusterSpec, order: ReplayOrder) -> None:
        self._journal = journal
        self._actuator = actuator
        self._spec = spec
        self._order = order

    def made_already(self) -> str:
        """The file that this run has made. Empty: there is none."""
        rows = (one for one in command_rows(self._journal.entries, ()) if one["verb"] == VERB)
        return next((one.path for one in exports_in(rows)), "")

    def asked(self, state: ClusterState, master: str) -> ReplayQuestion:
        """What the operator confirms before it is loaded. Raises NoBackupError."""
        text = _question(find_backup(state, self._order), self._order, master)
        return ReplayQuestion(1, len(self._order.steps), LOADS, text, "")

    def load(self, state: ClusterState, master: NodeState, tell: Callable[[str], None]) -> str:
        """Loads and compares. Returns the file; empty: the master has all of it. Raises NoBackupError, OSError."""
        planned = _loading(find_backup(state, self._order), self._spec, self._order, master, self._journal.path)
        who = identity(state.node(self._order.node))
        self._journal.append("intent", {"step": 1, "verb": VERB, "planned": planned, "expecting": who, "place": 1})
        answer = self._actuator.send(planned, who, tell)
        self._journal.append("result", {"step": 1, "node": planned.node, "answer": answer})
        file = self.made_already()
        if answer.kind is not AnswerKind.DONE or not (file or answer.text.startswith(NOTHING)):
            raise NoBackupError(f"the backup could not be compared: {answer.text}")
        return file
