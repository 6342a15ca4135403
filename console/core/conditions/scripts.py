"""H10: steps that the scripts of keepalived would fight, told from the scripts' own lines.

Lines are read as text: what only runs under an `if` counts like any other. A script that is called by a script is not
followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.core.conditions.spec import Ask, UnreadError, fails, holds, keepalived_of, need, redis_of
from console.core.conditions.vrrp import instance_of
from console.core.keepalived.named_scripts import Use, uses
from console.core.model import ActionKind, NodeState, Role, ScriptAction
from console.core.model.facts import named, source_of
from console.core.model.verdict import Check

_TARGET = re.compile(r"\b(?:slaveof|replicaof)\b[\s\"']+([^\s\"');&|`]+)[\s\"']*([^\s\"');&|`]*)", re.IGNORECASE)
_RESTART = re.compile(r"restart|force-reload", re.IGNORECASE)
_DISTURBS = frozenset(
    {ActionKind.STOPS_REDIS, ActionKind.STOPS_KEEPALIVED, ActionKind.RESTARTS_NETWORK, ActionKind.EMPTIES}
)
_CHECK_FIGHTS = frozenset({ActionKind.STARTS_REDIS, ActionKind.STOPS_REDIS, ActionKind.STOPS_KEEPALIVED})
_GENERIC = "notify"
_OF_TAKEOVER = {"notify_master", _GENERIC}
_ADVICE = "take the line out, as it is a human who decides here, or have whoever owns the script correct it"


def scripts_agree(ask: Ask) -> Check:
    """The scripts of the states that keepalived goes through on its start: BACKUP always, MASTER where Redis is one."""
    redis = redis_of(ask.node)
    master = redis.role is Role.MASTER
    states = {"notify_backup", _GENERIC} | ({"notify_master"} if master else set())
    if keepalived_of(ask.node).running:  # started anew: it is stopped first
        states.add("notify_stop")
    statement = f"no notify script on {ask.name} undoes that it is {'the master' if master else 'a replica'}"
    wrong: list[str] = []
    unclear: list[str] = []
    seen: list[str] = []
    for use in _uses(ask, states):
        seen.append(use.what)
        understood = use.file is None or not use.file.exists or use.file.understood
        if not understood:
            unclear.append(f"{use.path} ({use.what}): not understood, no plain shell script")
        for where, action in use.actions:
            line = f"{where} ({use.what}): {action.text}"
            verdict = _verdict(ask, action, master=master)
            if verdict and use.what == _GENERIC:
                unclear.append(f"{line}: not understood, in which state it does that")
            elif verdict == _UNCLEAR or (verdict and not understood):
                unclear.append(f"{line}: {verdict}")
            elif verdict:
                wrong.append(f"{line}: {verdict}")
    if wrong:
        return fails(statement, "; ".join(wrong), _ADVICE)
    return holds(statement, "; ".join(unclear) or f"{', '.join(seen) or 'none is named'}: no line that would")


_UNCLEAR = "not understood, whom it follows"


def _verdict(ask: Ask, action: ScriptAction, *, master: bool) -> str:
    """What a line would undo, in words; empty: nothing."""
    if action.kind in _DISTURBS or (action.kind is ActionKind.STARTS_REDIS and _RESTART.search(action.text)):
        return f"it {action.kind.value}"
    if action.kind is ActionKind.PROMOTES:
        return "" if master else "it makes a second master"
    if action.kind is not ActionKind.FOLLOWS:
        return ""
    if master:
        return "the master would follow another"
    source = source_of(ask.state, ask.node)
    return max(_followed(ask, source, action), key=lambda one: (bool(one), one != _UNCLEAR))


def _followed(ask: Ask, source: NodeState | None, action: ScriptAction) -> list[str]:
    """What each node that the line names would undo; the line may name several."""
    told = [[*action.target.split(), ""][:2]] if action.target else _TARGET.findall(action.text)
    return [_follows(ask, source, host, port) for host, port in told] or [_UNCLEAR]


def _follows(ask: Ask, source: NodeState | None, host: str, port: str) -> str:
    if (host.lower(), port.lower()) == ("no", "one"):
        return ""
    if source is None:
        return f"{ask.name} follows none of the nodes now"
    if not re.fullmatch(r"[\w.:-]+", host) or (port and not port.isdigit()):
        return _UNCLEAR
    meant = named(ask.state, host, int(port) if port else source.redis_port)
    return "" if meant is source else f"that is not {source.name}, its master"


def takes_over_well(ask: Ask) -> Check:
    """What the script of a new master does before it promotes: some follow the other node first, whatever it is."""
    statement = f"the notify script that makes {ask.name} a master promotes it, and changes nothing else"
    wrong = undone_by_takeover(ask)
    if wrong:
        return fails(statement, wrong, _ADVICE)
    lines = [
        f"{where} ({use.what}): {action.text}"
        for use in _uses(ask, _OF_TAKEOVER)
        for where, action in use.actions
        if action.kind is ActionKind.PROMOTES
    ]
    if not lines:
        return fails(statement, "no line of it sends SLAVEOF NO ONE", "nobody would promote it: give it such a line")
    return holds(statement, "; ".join(lines))


def undone_by_takeover(ask: Ask) -> str:
    """What the script of a new master would undo on this node, with its lines; empty: nothing."""
    redis_of(ask.node)
    source = source_of(ask.state, ask.node)
    wrong: list[str] = []
    for use in _uses(ask, _OF_TAKEOVER):
        for where, action in use.actions:
            verdict = f"it {action.kind.value}" if action.kind in _DISTURBS else ""
            if action.kind is ActionKind.FOLLOWS:
                verdict = max(_followed(ask, source, action), key=bool)
            wrong += [f"{where} ({use.what}): {action.text}: {verdict}"] if verdict else []
    return "; ".join(wrong)


def checks_agree(ask: Ask) -> Check:
    """A check that restarts Redis by itself, or kills keepalived when Redis does not answer."""
    statement = f"no check of keepalived fights over the Redis of {ask.name}"
    if not keepalived_of(ask.node).running:
        return holds(statement, "no keepalived process")
    wrong = [
        f"{where} ({use.what}): {action.text}"
        for use in _uses(ask, None)
        for where, action in use.actions
        if action.kind in _CHECK_FIGHTS
    ]
    return (
        fails(statement, "; ".join(wrong), f"stop keepalived on {ask.name} first")
        if wrong
        else holds(statement, "no check does anything but ask")
    )


def _uses(ask: Ask, states: set[str] | None) -> Iterator[Use]:
    """The notify scripts of these states; None: the checks. Raises UnreadError where one could not be read (H28)."""
    instance = instance_of(ask, ask.name)
    chosen = [
        use for use in uses(ask.node, instance) if (use.what in states if states else use.what.startswith("check "))
    ]
    if any(use.path for use in chosen):
        need(ask.node.scripts, f"the scripts of {ask.name}")
    for use in chosen:
        if use.path and (use.file is None or (use.file.exists and not use.file.readable)):
            raise UnreadError(f"{use.path} ({use.what}) on {ask.name} could not be read by this account")
        yield use
