"""Whether data would be lost for good if a node lost all of its own, and whether it serves clients now."""

from __future__ import annotations

from datetime import UTC, datetime

from console.core.conditions import replication
from console.core.conditions.backups import backed_up
from console.core.conditions.dump_copies import dump_kept, starts_from_dump
from console.core.conditions.predicate import Question, UnreadError
from console.core.conditions.taking_over import WITHIN
from console.core.model import Backup, ClusterState, NodeState, Redis, Role
from console.core.model.facts import clock_ahead, proved_down, started_at
from console.core.model.verdict import Check, Verdict
from console.core.quantities import counted
from console.core.replication.backups import SLACK, stamp_of
from console.core.replication.history import compare_histories
from console.core.watchers.service_name import dns_nodes, node_label, passing_instances

STAMP = len("20261121T034000Z")
ADVICE = "put steps with the verbs save-dump and backup before this one"


def served_in_words(state: ClusterState, node: NodeState) -> str:
    """Whether clients are served on the node now: a part of a sentence."""
    served = _serves(state, node)
    if served is None:
        return "it is not known whether clients are served there now"
    return "clients are served there now" if served else "no clients are served there now"


def served_in_short(state: ClusterState, node: NodeState) -> str:
    """The same for a sentence that is typed: with usual names it fits into a field of 80 columns."""
    served = _serves(state, node)
    return "may serve clients" if served is None else "serves clients" if served else "serves no clients"


def _serves(state: ClusterState, node: NodeState) -> bool | None:
    if proved_down(node):
        return False
    if state.consul is not None:
        if not state.consul.instances.ok:
            return None
        return node.name in {*(node_label(state, one) for one in passing_instances(state.consul)), *dns_nodes(state)}
    held = node.holds(state.vip)
    if held or state.vip_reaches == node.name:
        return True
    return None if held is None and state.vip_reach.value is None else False


def kept(state: ClusterState, node: NodeState, run_id: str) -> Check:
    """Whether the data of the node is also somewhere else: on another node, or in a backup of this run."""
    statement = f"another node, or a backup of this run, has the data of {node.name}"
    if copy := _copy_of_this_run(state, node, run_id):
        return Check(Verdict.HOLDS, statement, f"this run has made {copy.path}{_not_in_it(node)}", hazard="H25")
    try:
        verdict, evidence = _elsewhere(state, node)
    except UnreadError as unread:
        verdict, evidence = Verdict.UNKNOWN, str(unread)
    return Check(verdict, statement, evidence, "" if verdict is Verdict.HOLDS else ADVICE, hazard="H25")


def _copy_of_this_run(state: ClusterState, node: NodeState, run_id: str) -> Backup | None:
    """A backup that the run has made of what the node held during the run. None: there is none."""
    begun = _begin(run_id)
    if begun is None:
        return None
    copies = [one for one in node.backups.value or () if not one.origin and stamp_of(one.path) >= run_id[:STAMP]]
    if not copies:
        return None
    saved = [one for one in copies if one.modified - clock_ahead(node) >= begun - SLACK]
    if saved and not _may_hold_other_data(node, saved[-1]):
        return saved[-1]
    question = Question(state, node, {})
    try:  # an older dump counts if it is still all that the node holds
        whole = dump_kept(question) if proved_down(node) else backed_up(question)
    except UnreadError:
        return None
    return copies[-1] if whole.holds else None


def _may_hold_other_data(node: NodeState, copy: Backup) -> bool:
    """Whether what Redis holds now may be another data set than the one that was saved for the copy."""
    redis, start = node.redis.value, started_at(node)
    if redis is None or start is None:
        return False
    return redis.role is Role.REPLICA or start > copy.modified + SLACK


def _not_in_it(node: NodeState) -> str:
    """What has changed since the last save. Empty: nothing, or it is not counted (with an append-only file)."""
    redis = node.redis.value
    changes = redis.persistence.changes_since_save if redis is not None and not redis.persistence.aof else None
    return (
        f"; {counted(changes, 'change')} since the last save {'is' if changes == 1 else 'are'} not in it"
        if changes
        else ""
    )


def _begin(run_id: str) -> float | None:
    """When the run began, by its id. None: no run is armed."""
    try:
        return datetime.strptime(run_id[:STAMP], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _elsewhere(state: ClusterState, node: NodeState) -> tuple[Verdict, str]:
    redis = node.redis.value
    if redis is None:
        return _of_one_that_is_down(state, node)
    if redis.loading:
        return Verdict.UNKNOWN, "it is still loading its data"
    if redis.total_keys == 0:
        return Verdict.HOLDS, "it holds no keys"
    found = [_compared(state, other, node) for other in state.nodes if other is not node]
    for verdict, evidence in found:
        if verdict is Verdict.HOLDS:
            return verdict, evidence
    worst = Verdict.UNKNOWN if any(verdict is Verdict.UNKNOWN for verdict, _ in found) else Verdict.FAILS
    return worst, "; ".join((f"it holds {counted(redis.total_keys, 'key')}", *(evidence for _, evidence in found)))


def _compared(state: ClusterState, other: NodeState, node: NodeState) -> tuple[Verdict, str]:
    """Whether the other node has everything that this one has."""
    there = other.redis.value
    if there is None:
        words = "does not run" if proved_down(other) else f"could not be read: {other.redis.problem}"
        return (Verdict.FAILS if proved_down(other) else Verdict.UNKNOWN), f"Redis on {other.name} {words}"
    if _incomplete(there):
        return Verdict.FAILS, f"{other.name} is loading its data"
    following = replication.in_sync(Question(state, other, {"source": node.name, "within_bytes": WITHIN}))
    if following.holds:
        return Verdict.HOLDS, f"{other.name} follows it and is in sync: {following.evidence}"
    history = compare_histories(state, other, node)
    return history.verdict, f"{other.name}: {history.reason}"


def _incomplete(redis: Redis) -> bool:
    return redis.loading or (redis.master is not None and redis.master.sync_in_progress)


def _of_one_that_is_down(state: ClusterState, node: NodeState) -> tuple[Verdict, str]:
    """Its data is on its disk: a dump with a copy, or nothing at all."""
    if not proved_down(node):
        return Verdict.UNKNOWN, f"Redis on {node.name} could not be read: {node.redis.problem}"
    question = Question(state, node, {})
    from_dump = starts_from_dump(question)
    if not from_dump.holds:
        return Verdict.UNKNOWN, f"it does not run, and may have an append-only file: {from_dump.evidence}"
    copied = dump_kept(question)
    return copied.verdict, f"it does not run; {copied.evidence}"
