"""keepalived.conf of both nodes side by side, and the scripts that it names: what does not fit, with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.core.diagnosis.finding import Severity
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.keepalived.script_calls import script_calls
from console.core.model import (
    ActionKind,
    ClusterState,
    KeepalivedConfig,
    NodeState,
    ScriptAction,
    VrrpInstance,
)
from console.core.model.facts import source_of

_INVALID = (
    "is not closed",
    "closing brace",
    "is not a number",
    "there is no vrrp_script",
    "there twice",
    "has no virtual_router_id",
    "is neither 2 nor 3",
)
_WITHOUT_AUTHENTICATION = 3
"""VRRP version 3 has no authentication: keepalived ignores the block."""
_PAIR = 2


@dataclass(frozen=True, slots=True)
class _Side:
    """One node's instance and the file it stands in."""

    node: NodeState
    one: VrrpInstance
    config: KeepalivedConfig

    @property
    def name(self) -> str:
        return self.node.name

    def at(self, *keywords: str) -> str:
        """`redis-a line 12`, or `redis-a (default)` where the file does not say."""
        line = next((self.one.lines[word] for word in keywords if self.one.lines.get(word)), 0)
        return f"{self.name} line {line}" if line else f"{self.name}, not set"

    @property
    def sends_from(self) -> set[str]:
        """The addresses that its adverts can come from."""
        if self.one.source_address:
            return {self.one.source_address}
        known = {one.address for one in self.node.addresses.value or ()}
        return (known | {self.node.address}) - set(self.one.virtual_addresses)


def _sides(state: ClusterState) -> list[_Side]:
    found = []
    for node in state.nodes:
        one = node.keepalived.value.instance if node.keepalived.value is not None else None
        if one is not None and node.keepalived_config.value is not None:
            found.append(_Side(node, one, node.keepalived_config.value))
    return found


# --- what both must agree on ----------------------------------------------------------------------------------------

_FACTS: tuple[tuple[str, tuple[str, ...], Callable[[_Side], str]], ...] = (
    ("virtual_router_id", ("virtual_router_id",), lambda side: str(side.one.vrid)),
    ("virtual_ipaddress", ("virtual_ipaddress",), lambda side: " ".join(sorted(side.one.virtual_addresses)) or "none"),
    ("advert_int", ("advert_int",), lambda side: f"{side.one.advert_interval:g}"),
    ("vrrp_version", ("vrrp_version",), lambda side: str(side.config.vrrp_version)),
)


def _mismatch(state: ClusterState) -> Iterator[Match]:
    """The VRRP settings of the two nodes do not agree, or one of them cannot work on its node."""
    sides = _sides(state)
    deaf = [line for label, keys, value in _FACTS if (line := _differs(sides, label, keys, value))]
    deaf += [*_authentication(sides), *_peers(sides), *_interfaces(sides), *_without_vip(state, sides)]
    weight = _differs(sides, "weight of the check", ("track_script",), lambda side: str(side.one.weight))
    lines = [*deaf, *([weight] if weight else [])]
    if lines:
        nodes = tuple(side.name for side in sides)
        yield Match(
            nodes,
            f"The VRRP settings of {listed(nodes)} do not agree.",
            tuple(lines),
            advise("make both keepalived.conf agree, then reload them, the master first"),
            None if deaf else Severity.WARNING,
        )


def _differs(sides: list[_Side], label: str, keys: tuple[str, ...], value: Callable[[_Side], str]) -> str:
    if len({value(side) for side in sides}) <= 1:
        return ""
    return f"{label}: " + ", ".join(f"{value(side)} ({side.at(*keys)})" for side in sides)


def _authentication(sides: list[_Side]) -> Iterator[str]:
    if not sides or all(side.config.vrrp_version == _WITHOUT_AUTHENTICATION for side in sides):
        return
    kind = _differs(sides, "auth_type", ("auth_type",), lambda side: side.one.auth_type or "none")
    if kind:
        yield kind
    elif len({side.one.auth_fingerprint for side in sides}) > 1:
        where = ", ".join(side.at("auth_pass") for side in sides)
        yield f"auth_pass: not the same ({where}); it is compared, and never shown"


def _peers(sides: list[_Side]) -> Iterator[str]:
    if len(sides) != _PAIR:
        return
    unicast = [side for side in sides if side.one.unicast_peers]
    if len(unicast) == 1:
        other = next(side for side in sides if side is not unicast[0])
        yield f"unicast_peer: {unicast[0].at('unicast_peer')}; {other.name} has none and speaks multicast"
        return
    for side, other in ((sides[0], sides[1]), (sides[1], sides[0])):
        if side.one.unicast_peers and not set(side.one.unicast_peers) & other.sends_from:
            peers = " ".join(side.one.unicast_peers)
            sends = " ".join(sorted(other.sends_from))
            yield f"unicast_peer: {peers} ({side.at('unicast_peer')}) is not {other.name}, which sends from {sends}"


def _interfaces(sides: list[_Side]) -> Iterator[str]:
    for side in sides:
        present = {one.interface for one in side.node.addresses.value or ()}
        if present and side.one.interface and side.one.interface not in present:
            where = side.at("interface")
            yield f"interface: {side.one.interface} ({where}) has no address there: it has {' '.join(sorted(present))}"


def _without_vip(state: ClusterState, sides: list[_Side]) -> Iterator[str]:
    for side in sides:
        if side.one.virtual_addresses and state.vip not in side.one.virtual_addresses:
            yield f"virtual_ipaddress: {state.vip} is not among those of {side.at('virtual_ipaddress')}"


# --- what has no effect ---------------------------------------------------------------------------------------------


def _nopreempt(state: ClusterState) -> Iterator[Match]:
    """The keyword nopreempt is written where keepalived ignores it, or where it changes nothing."""
    sides = _sides(state)
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
    for side in _sides(state):
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
            wrong.append(f"no vrrp_instance that the inventory means, and none with {state.vip}: it has {there}")
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
    for side in _sides(state):
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
    for side in _sides(state):
        source = source_of(state, side.node)
        if source is not None and not {"notify_master", "notify"} & set(side.one.notify):
            yield Match(
                (side.name,),
                f"If {source.name} fails, {side.name} gets the VIP and stays a replica: nothing promotes it.",
                (
                    f"{side.config.file.path}: {side.one.name} ({side.at('vrrp_instance')}) names no notify_master",
                    f"{side.name} follows {source.name}",
                ),
                advise(f"name a notify_master that sends SLAVEOF NO ONE, or be ready to promote {side.name} by hand"),
            )


def _fights(state: ClusterState) -> Iterator[Match]:
    """A script that keepalived starts changes replication, or stops servers, by itself."""
    for side in _sides(state):
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
                    f"stop keepalived on {side.name} before any step on its Redis, and start it only when both are in"
                    " sync; take these lines out if a human is to decide"
                ),
            )


def _is_its_work(what: str, action: ScriptAction) -> bool:
    """Promoting is what the notify script of a new master is there for."""
    return action.kind is ActionKind.PROMOTES and what in {"notify_master", "notify"}


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "vrrp-mismatch",
        Severity.CRITICAL,
        "The two do not hear each other, or fail over wrongly.",
        _mismatch,
        remedy="make both files agree, reload, the master first",
    ),
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
