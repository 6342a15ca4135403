"""What the next start of a Redis makes of it, and who decides that: its file, scripts of keepalived, Sentinels.

A role that only SLAVEOF has set is lost at the next start. Where nobody but an operator changes roles, the file can
keep it. A script that promotes does not edit the file: a promoted node would then start as a replica and drop its data.
"""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.predicate import Question, UnreadError, fails, holds, holds_if, value_of
from console.core.conditions.sentinel_sets.service_name import starts_as_replica
from console.core.conditions.vrrp import instance_of
from console.core.keepalived.script_calls import ScriptCall, script_calls
from console.core.model import ActionKind, ClusterState, NodeState, ProblemKind
from console.core.model.verdict import Check

_ROLES = frozenset({ActionKind.PROMOTES, ActionKind.FOLLOWS})
_LASTING = frozenset({ProblemKind.NOT_CONFIGURED, ProblemKind.NOT_AVAILABLE, ProblemKind.NOT_PERMITTED})
"""Problems of a file that another look does not solve."""


def starts_as_master(question: Question) -> Check:
    """A Redis without a replicaof line starts as a master."""
    statement = f"{question.name} starts as a master"
    file = value_of(question.node.redis_file, f"the configuration file of Redis on {question.name}")
    if file.includes:
        raise UnreadError(f"{file.path} includes {', '.join(file.includes)}, which is not read")
    evidence = f"{file.path}: {f'follows {file.master}, line {file.line}' if file.master else 'it follows nobody'}"
    return holds_if(not file.master, statement, evidence)


def start_needs_no_edit(question: Question) -> Check:
    """Whether there is no edit to offer, and why. What could not be read for now is UNKNOWN."""
    source = str(question.arguments.get("source", ""))
    role = f"a replica of {source}" if source else "a master"
    if reason := others_decide(question.state) or _no_file(question.node):
        return _left_alone(question, reason)
    file = value_of(question.node.redis_file, f"the configuration file of Redis on {question.name}")
    if file.includes:
        return _left_alone(question, f"{file.path} includes {', '.join(file.includes)}, which is not read")
    found = starts_as_replica(question) if source else starts_as_master(question)
    return Check(found.verdict, f"{question.name} starts as {role} by its file", found.evidence, found.advice)


def _left_alone(question: Question, reason: str) -> Check:
    """No edit is offered. That does not mean that the file gives the right role: what it gives is said, too."""
    node = question.node
    file = node.redis_file.value
    if file is None or file.includes:
        then = ""
    elif file.master:
        then = f"; by its file, the next start makes {node.name} a replica of {file.master}"
    else:
        then = f"; by its file, the next start makes {node.name} a master"
    return holds(f"this run leaves the configuration file of Redis on {node.name} alone", f"{reason}{then}")


def no_script_steers(question: Question) -> Check:
    """H10: the roles of the nodes are changed by nobody but an operator."""
    statement = "no script of keepalived makes a Redis a master or a replica"
    found = _steering(question.state)
    if found:
        return fails(statement, "; ".join(found), "the scripts decide the roles: leave the files alone")
    return holds(statement, "the notify scripts of all nodes have no such line")


def others_decide(state: ClusterState) -> str:
    """Who decides the roles of this cluster, so that no file should. Empty: the file of each Redis does."""
    if state.sentinels or state.master_name:
        return (
            "Sentinels decide. After each failover they send SLAVEOF and CONFIG REWRITE, which writes the file. A line"
            " by hand would be wrong after the next failover"
        )
    lines = _steering(state)
    if not lines:
        return ""
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    return (
        f"scripts of keepalived decide the roles and take no line out: a promoted node would start as a replica"
        f" and drop its data ({lines[0]}{more})"
    )


def _no_file(node: NodeState) -> str:
    """Why the file can never be edited. Empty: it can, or that is not known now."""
    problem = node.redis_file.problem
    if problem is None or problem.kind not in _LASTING:
        return ""
    if problem.kind is ProblemKind.NOT_CONFIGURED and not node.redis.ok:
        return ""  # Redis names its file when it runs
    return f"it could not be read: {problem}"


def _steering(state: ClusterState) -> list[str]:
    """The lines of all nodes' scripts that change a role, and scripts of which that is not known."""
    return [line for node in state.nodes for line in _steering_of(state, node)]


def _steering_of(state: ClusterState, node: NodeState) -> Iterator[str]:
    for call in script_calls(node, instance_of(Question(state, node, {}), node.name)):
        if call.trigger.startswith("check ") and not call.actions:
            continue
        yield from (
            f"{node.name}: {where} ({call.trigger}): {action.text}"
            for where, action in call.actions
            if action.kind in _ROLES
        )
        if reason := _not_read(call):
            yield f"{node.name}: {call.path} ({call.trigger}) {reason}"


def _not_read(call: ScriptCall) -> str:
    """Why it is not known what a script does. Empty: it is, or there is no such file."""
    if not call.path or (call.file is not None and not call.file.exists):
        return ""
    if call.file is None or not call.file.readable:
        return "could not be read"
    return call.file.not_understood
