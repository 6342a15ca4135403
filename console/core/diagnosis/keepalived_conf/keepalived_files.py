"""keepalived.conf of both nodes side by side, and the scripts that it names: what does not fit, with its line."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.pair_protection import answer_or_unknown
from console.core.conditions.predicate import Question
from console.core.conditions.scripts import promoted_at_takeover
from console.core.diagnosis.finding import Severity
from console.core.diagnosis.keepalived_conf.configured_instances import configured_instances
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.keepalived.corrections import NEVER_FILLED_IN
from console.core.keepalived.script_calls import script_calls
from console.core.model import (
    ActionKind,
    ClusterState,
    ScriptAction,
)
from console.core.model.facts import proved_down, source_of
from console.core.model.verdict import Verdict

_INVALID = (
    NEVER_FILLED_IN,
    "keepalived takes",
    "keepalived skips",
    "keepalived refuses it",
    "is not a whole number",
    "is not a number from",
    "is not closed",
    "closing brace",
    "is not a number",
    "there is no vrrp_script",
    "there twice",
    "has no virtual_router_id",
    "is neither 2 nor 3",
)
_PAIR = 2

# --- what has no effect ---------------------------------------------------------------------------------------------


def _nopreempt(state: ClusterState) -> Iterator[Match]:
    """The keyword nopreempt is written where keepalived ignores it, or where it changes nothing."""
    sides = configured_instances(state)
    for side in sides:
        if side.one.nopreempt and side.one.state == "MASTER":
            yield Match(
                (side.name,),
                f"nopreempt has no effect on {side.name}: its initial state is MASTER.",
                (f"{side.one.name}: state MASTER ({side.at('state')}), nopreempt ({side.at('nopreempt')})",),
                advise("write state BACKUP on both nodes"),
            )
    if len(sides) != _PAIR:
        return
    low, high = sorted(sides, key=lambda side: side.one.priority)
    alone = low.one.nopreempt and low.one.state != "MASTER" and not high.one.nopreempt
    if alone and low.one.priority < high.one.priority:
        yield Match(
            (low.name,),
            f"nopreempt has no effect on {low.name}: {high.name} has the higher priority and takes the VIP back.",
            (
                f"nopreempt ({low.at('nopreempt')}), priority {low.one.priority} ({low.at('priority')})",
                f"priority {high.one.priority} ({high.at('priority')}), without nopreempt",
            ),
            advise(f"write nopreempt on {high.name} too, with state BACKUP"),
        )


def _no_effect(state: ClusterState) -> Iterator[Match]:
    """No check of Redis can move the virtual IP."""
    for side in configured_instances(state):
        weights = {script.weight for script in side.one.scripts}
        where = f"{side.config.file.path}: {side.one.name} ({side.at('vrrp_instance')})"
        if not weights and not any("track_" in note for note in side.config.not_understood):
            yield Match(
                (side.name,),
                f"keepalived on {side.name} does not check Redis: only the death of the whole host moves the VIP.",
                (f"{where} tracks no script",),
                advise("add a track_script that asks Redis, with a weight that fits the priorities"),
            )
        elif weights and all(abs(weight) == 1 for weight in weights):
            yield Match(
                (side.name,),
                f"A failed check on {side.name} moves its priority by 1 only: no priorities fit that.",
                (f"{where}: weight {side.one.weight}, priority {side.one.priority}; s < m < s + 1 has no solution",),
                advise("give the check a weight of 2 or more, as far from zero on both nodes"),
            )


# --- what is wrong with a file --------------------------------------------------------------------------------------


def _invalid(state: ClusterState) -> Iterator[Match]:
    """A keepalived.conf has errors, or no instance for this virtual IP."""
    for node in state.nodes:
        config, keepalived = node.keepalived_config.value, node.keepalived.value
        if config is None:
            continue
        wrong = [line for line in config.not_understood if any(word in line for word in _INVALID)]
        if keepalived is not None and keepalived.instance is None:
            there = " ".join(one.name for one in config.instances) or "none"
            wrong.append(f"no vrrp_instance with the inventory's name, and none with {state.vip}: it has {there}")
        if wrong:
            yield Match(
                (node.name,),
                f"The keepalived.conf of {node.name} has errors.",
                tuple(f"{config.file.path}: {line}" for line in wrong),
                advise("correct the file; `keepalived -t` checks it, from version 2 on"),
            )


def _partly_read(state: ClusterState) -> Iterator[Match]:
    """A keepalived.conf has parts that are not evaluated here: included files, conditions, variables."""
    for node in state.nodes:
        config = node.keepalived_config.value
        passed = (
            [line for line in config.not_understood if not any(word in line for word in _INVALID)] if config else []
        )
        if config is not None and passed:
            yield Match(
                (node.name,),
                f"Parts of the keepalived.conf of {node.name} are not evaluated here.",
                tuple(f"{config.file.path}: {line}" for line in passed),
                advise("read these lines yourself before you rely on what is said about priorities and scripts"),
            )


# --- scripts --------------------------------------------------------------------------------------------------------


def _script_missing(state: ClusterState) -> Iterator[Match]:
    """A script that keepalived.conf names is not there, or nobody may execute it."""
    for side in configured_instances(state):
        lines = []
        for call in script_calls(side.node, side.one):
            one = call.file
            if one is None or (one.exists and (one.executable or not call.command.strip("\"' ").startswith(call.path))):
                continue
            state_of_it = f"mode {one.mode:o}: nobody may execute it" if one.exists else "not there"
            lines.append(f"{call.path} ({call.trigger}, {side.config.file.path} line {call.line}): {state_of_it}")
        if lines:
            yield Match(
                (side.name,),
                f"keepalived on {side.name} cannot run {'a script' if len(lines) == 1 else f'{len(lines)} scripts'}"
                " that its configuration names.",
                tuple(lines),
                advise("put the script there, with mode 755, and reload keepalived"),
            )


def _nobody_promotes(state: ClusterState) -> Iterator[Match]:
    """A replica would get the virtual IP, and no script of keepalived would make it a master."""
    for side in configured_instances(state):
        source = source_of(state, side.node)
        promoted = answer_or_unknown(promoted_at_takeover, Question(state, side.node, {}))
        if source is not None and promoted.verdict is Verdict.FAILS:
            gets = "has" if side.node.holds(state.vip) else "gets"
            begin = "" if proved_down(source) else f"If {source.name} fails, "
            yield Match(
                (side.name,),
                f"{begin}{side.name} {gets} the VIP and stays a replica: nothing promotes it.",
                (f"{promoted.evidence} ({side.at('vrrp_instance')})", f"{side.name} follows {source.name}"),
                advise(promoted.advice),
            )


def _fights(state: ClusterState) -> Iterator[Match]:
    """A script that keepalived starts changes replication, or stops servers, by itself."""
    for side in configured_instances(state):
        found = [
            (action.kind, f"{where} ({call.trigger}): {action.text}")
            for call in script_calls(side.node, side.one)
            for where, action in call.actions
            if not _is_its_work(call.trigger, action)
        ]
        if found:
            kinds = listed(list(dict.fromkeys(kind.value for kind, _ in found)))
            yield Match(
                (side.name,),
                f"A script of keepalived on {side.name} {kinds} by itself.",
                tuple(line for _, line in found),
                advise(
                    f"nothing now; before you work on the Redis of {side.name} by hand, stop its keepalived, and"
                    " start it only when both are in sync; take these lines out if a human is to decide"
                ),
            )


def _is_its_work(what: str, action: ScriptAction) -> bool:
    """Promoting is what the notify script of a new master is there for."""
    return action.kind is ActionKind.PROMOTES and what in {"notify_master", "notify"}


RULES: tuple[FindingRule, ...] = (
    # A file with errors before what it seems to say.
    FindingRule(
        "keepalived-config-invalid",
        Severity.WARNING,
        "keepalived may not start again.",
        _invalid,
        remedy="correct the file",
    ),
    FindingRule(
        "check-without-effect",
        Severity.WARNING,
        "When Redis fails, clients stay where they are.",
        _no_effect,
        remedy="track a script that asks Redis, with a fitting weight",
        superseded_by=("keepalived-config-invalid",),
    ),
    FindingRule(
        "script-missing",
        Severity.WARNING,
        "A failure goes unnoticed, or the VIP moves and nobody is promoted: writes are refused.",
        _script_missing,
        remedy="put the script there, executable, and reload",
        mends=True,
    ),
    FindingRule(
        "nobody-promotes",
        Severity.WARNING,
        "After a failover clients get READONLY until a human promotes the replica.",
        _nobody_promotes,
        remedy="name a notify_master, or be ready to promote by hand",
        superseded_by=("keepalived-config-invalid",),
    ),
    # Not critical: it is how such a pair was built. It is said so that nobody works against it at night.
    FindingRule(
        "script-fights-operator",
        Severity.WARNING,
        "It can undo a step of yours, wipe a node's data, or restart a server that you work on.",
        _fights,
        remedy="keep keepalived stopped where you work",
    ),
    FindingRule(
        "nopreempt-ineffective",
        Severity.WARNING,
        "A returning node takes the VIP back at once.",
        _nopreempt,
        remedy="state BACKUP on both, nopreempt on the higher priority",
    ),
    FindingRule(
        "keepalived-config-partly-read",
        Severity.INFO,
        "What is said about priorities, addresses and scripts may be incomplete.",
        _partly_read,
        remedy="read these lines yourself",
    ),
)
