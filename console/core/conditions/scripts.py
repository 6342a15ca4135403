"""H10: lines of keepalived's scripts that would undo a step.

Scripts are read as text. Lines inside an `if` count like others. Scripts that a script calls are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.conditions.predicate import (
    Question,
    UnreadError,
    fails,
    holds,
    keepalived_of,
    redis_of,
    unknown,
    value_of,
)
from console.core.conditions.vrrp import instance_of
from console.core.keepalived.script_calls import ScriptCall, script_calls
from console.core.model import ActionKind, NodeState, Role, ScriptAction
from console.core.model.facts import node_by_address, source_of
from console.core.model.verdict import Check
from console.core.numbers import port_number

_TARGET = re.compile(r"\b(?:slaveof|replicaof)\b[\s\"']+([^\s\"');&|`]+)[\s\"']*([^\s\"');&|`]*)", re.IGNORECASE)
_RESTART = re.compile(r"restart|force-reload", re.IGNORECASE)
_DISTURBS = frozenset(
    {ActionKind.STOPS_REDIS, ActionKind.STOPS_KEEPALIVED, ActionKind.RESTARTS_NETWORK, ActionKind.EMPTIES}
)
_CHECK_FIGHTS = frozenset({ActionKind.STARTS_REDIS, ActionKind.STOPS_REDIS, ActionKind.STOPS_KEEPALIVED})
_GENERIC = "notify"
_OF_TAKEOVER = {"notify_master", _GENERIC}
_ADVICE = "remove the line, because the operator decides here, or have the owner of the script correct it"


def scripts_agree(question: Question) -> Check:
    """Checks the scripts of the states of a start: always BACKUP, and MASTER if Redis is a master."""
    redis = redis_of(question.node)
    master = redis.role is Role.MASTER
    states = {"notify_backup", _GENERIC} | ({"notify_master"} if master else set())
    if keepalived_of(question.node).running:  # a restart stops it first
        states.add("notify_stop")
    statement = f"no notify script on {question.name} changes its role as {'the master' if master else 'a replica'}"
    wrong: list[str] = []
    unclear: list[str] = []
    seen: list[str] = []
    for call in _uses(question, states):
        seen.append(call.trigger)
        why = call.file.not_understood if call.file is not None and call.file.exists else ""
        if why:
            unclear.append(f"{call.path} ({call.trigger}): not understood: {why}")
        for where, action in call.actions:
            line = f"{where} ({call.trigger}): {action.text}"
            verdict = _verdict(question, action, master=master)
            if verdict and call.trigger == _GENERIC:
                unclear.append(f"{line}: it is not clear in which state it does that")
            elif verdict == _UNCLEAR or (verdict and why):
                unclear.append(f"{line}: {verdict}")
            elif verdict:
                wrong.append(f"{line}: {verdict}")
    if wrong:
        return fails(statement, "; ".join(wrong), _ADVICE)
    return holds(statement, "; ".join(unclear) or f"{', '.join(seen) or 'no script is named'}: no such line")


_UNCLEAR = "it is not clear which server it follows"


def _verdict(question: Question, action: ScriptAction, *, master: bool) -> str:
    """What the line would undo, in words; empty: nothing."""
    if action.kind in _DISTURBS or (action.kind is ActionKind.STARTS_REDIS and _RESTART.search(action.text)):
        return f"it {action.kind.value}"
    if action.kind is ActionKind.PROMOTES:
        return "" if master else "it creates a second master"
    if action.kind is not ActionKind.FOLLOWS:
        return ""
    if master:
        return "the master would follow another server"
    source = source_of(question.state, question.node)
    return max(_followed(question, source, action), key=lambda one: (bool(one), one != _UNCLEAR))


def _followed(question: Question, source: NodeState | None, action: ScriptAction) -> list[str]:
    """What the line would undo, for each master that it names."""
    told = [[*action.target.split(), ""][:2]] if action.target else _TARGET.findall(action.text)
    return [_follows(question, source, host, port) for host, port in told] or [_UNCLEAR]


def _follows(question: Question, source: NodeState | None, host: str, port: str) -> str:
    if (host.lower(), port.lower()) == ("no", "one"):
        return ""
    if source is None:
        return f"{question.name} follows none of the nodes at present"
    number = port_number(port) if port else source.redis_port
    if not re.fullmatch(r"[\w.:-]+", host) or number is None:
        return _UNCLEAR
    meant = node_by_address(question.state, host, number)
    return "" if meant is source else f"that is not {source.name}, its master"


def takes_over_well(question: Question) -> Check:
    """Checks the script of a new master. Some scripts follow the other node first, whatever its state."""
    statement = f"the notify script for MASTER on {question.name} promotes it, and changes nothing else"
    wrong = undone_by_takeover(question)
    if wrong:
        return fails(statement, wrong, _ADVICE)
    lines = [
        f"{where} ({call.trigger}): {action.text}"
        for call in _uses(question, _OF_TAKEOVER)
        for where, action in call.actions
        if action.kind is ActionKind.PROMOTES
    ]
    if not lines:
        return fails(statement, "no line sends SLAVEOF NO ONE", "nothing would promote the node: add such a line")
    return holds(statement, "; ".join(lines))


def promoted_at_takeover(question: Question) -> Check:
    """Whether keepalived itself makes a master of this replica when it moves the virtual IP to it.

    A script of a new master may do that, or a check that finds a replica behind the address. What could not be read,
    or is no shell script, is not known. Raises UnreadError.
    """
    statement = f"{question.name} is made a master when it gets {question.state.vip}"
    instance = instance_of(question, question.name)
    calls = list(script_calls(question.node, instance))
    ours = [call for call in calls if call.trigger in _OF_TAKEOVER]
    lines = [
        f"{where} ({call.trigger}): {action.text}"
        for call in calls
        if call in ours or call.trigger.startswith("check ")
        for where, action in call.actions
        if action.kind is ActionKind.PROMOTES
    ]
    if lines:
        return holds(statement, "; ".join(lines))
    config = question.node.keepalived_config.value
    where = f"{config.file.path if config is not None else 'keepalived.conf'}: {instance.name}"
    advice = f"name a notify_master there that sends SLAVEOF NO ONE, or be ready to promote {question.name} by hand"
    if not ours:
        if not instance.tells(*_OF_TAKEOVER):
            return unknown(statement, f"{where}: whether it names a notify_master is not certain")
        return fails(statement, f"{where} names no notify_master", advice)
    unclear = [f"{call.path} ({call.trigger}): {why}" for call in ours if (why := _not_clear(question, call))]
    if unclear:
        return unknown(statement, "; ".join(unclear), "read the script yourself")
    named = "; ".join(f"{call.path or call.command} ({call.trigger})" for call in ours)
    return fails(statement, f"{named}: no line of it sends SLAVEOF NO ONE, or keepalived cannot run it", advice)


def _not_clear(question: Question, call: ScriptCall) -> str:
    """Why it is not known what the call does; empty: it is."""
    if not call.path:
        return ""
    if call.file is None:
        return f"not read: {question.node.scripts.problem}" if question.node.scripts.problem else "not read"
    if call.file.exists and not call.file.readable:
        return "not readable"
    return call.file.not_understood if call.file.exists else ""


def undone_by_takeover(question: Question) -> str:
    """What the script of a new master would undo on this node, with the lines; empty: nothing."""
    redis_of(question.node)
    source = source_of(question.state, question.node)
    wrong: list[str] = []
    for call in _uses(question, _OF_TAKEOVER):
        for where, action in call.actions:
            verdict = f"it {action.kind.value}" if action.kind in _DISTURBS else ""
            if action.kind is ActionKind.FOLLOWS:
                verdict = max(_followed(question, source, action), key=bool)
            wrong += [f"{where} ({call.trigger}): {action.text}: {verdict}"] if verdict else []
    return "; ".join(wrong)


def checks_agree(question: Question) -> Check:
    """Finds checks that restart Redis, or that stop keepalived when Redis does not answer."""
    statement = f"no check of keepalived starts or stops Redis or keepalived on {question.name}"
    if not keepalived_of(question.node).running:
        return holds(statement, "no keepalived process")
    wrong = [
        f"{where} ({call.trigger}): {action.text}"
        for call in _uses(question, None)
        for where, action in call.actions
        if action.kind in _CHECK_FIGHTS
    ]
    return (
        fails(statement, "; ".join(wrong), f"stop keepalived on {question.name} first")
        if wrong
        else holds(statement, "the checks only query Redis")
    )


def _uses(question: Question, states: set[str] | None) -> Iterator[ScriptCall]:
    """The notify scripts of these states; None: the checks. Raises UnreadError if one could not be read (H28)."""
    instance = instance_of(question, question.name)
    chosen = [
        call
        for call in script_calls(question.node, instance)
        if (call.trigger in states if states else call.trigger.startswith("check "))
    ]
    if any(call.path for call in chosen):
        value_of(question.node.scripts, f"the scripts of {question.name}")
    for call in chosen:
        if call.path and (call.file is None or (call.file.exists and not call.file.readable)):
            raise UnreadError(f"{call.path} ({call.trigger}) on {question.name} could not be read by this user")
        yield call
