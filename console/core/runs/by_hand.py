"""What a step asks of a human: where, what, and the command to type there.

Screen, plain mode and plan show the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.core.model import ClusterState, NodeState, SentinelState, WatchedMaster
from console.core.model.facts import serving_master, vip_holders_in_words, vip_reached_in_words
from console.core.runbooks.document import GateKind, Step
from console.core.runbooks.naming import with_names
from console.core.typed_commands import place_of_work
from console.core.watchers.sentinels import (
    astray,
    monitor_anew,
    monitor_commands,
    named_masters_in_words,
    proved_silent,
    readable_sentinels,
    watched_in_words,
)

BY_HAND = frozenset({"manual", "sentinels-by-hand"})
"""Verbs that send nothing and wait for a human."""

DONE = "Done, look again"
"""What the operator chooses then."""
WHEN_DONE = f'Then choose "{DONE}": nothing is sent, and the run looks whether it is so.'
DECISION = "DECIDE"
WORK = "BY HAND"


@dataclass(frozen=True, slots=True)
class HandWork:
    """One thing that a human does. The journal keeps it: its names are keys there."""

    host: str
    """Name of the node; of a Sentinel on another host its own name."""
    address: str
    what: str
    command: str = ""
    """To be typed on that host. Empty: nobody can tell the exact command."""
    decision: bool = False
    """It is something to decide: the answer is the name that is typed, and nothing is done on a host."""

    @property
    def heading(self) -> str:
        """`BY HAND on web-1 (192.168.1.1)`."""
        return DECISION if self.decision else f"{WORK} on {place_of_work(self.host, self.address)}"


def hand_work(step: Step, state: ClusterState, roles: Mapping[str, str]) -> tuple[HandWork, ...]:
    """What the step asks for by this observation. Empty: it is no step for a human, or nothing is left to do."""
    if step.action is None or step.action.verb not in BY_HAND:
        return ()
    if step.action.verb == "sentinels-by-hand":
        return _of_sentinels(state)
    node = state.node(roles[step.role])
    given = step.action.arguments
    decision = step.gate is GateKind.TYPE_NAME
    what, command = with_names(" ".join(str(given["instruction"]).split()), roles), str(given.get("command", ""))
    pair = decides_between(step, roles)
    if pair is not None:
        what = f"{what} {_where_clients_are(state)} {_to_keep_the_other(state, pair[1])}"
    return (HandWork(node.name, node.address, what, command, decision),)


def _where_clients_are(state: ClusterState) -> str:
    """Whom clients write to by this observation: it may be the node whose data goes."""
    held = f"{state.vip} is {vip_holders_in_words(state)}"
    reached = state.vip_reaches
    if reached is None:
        return f"Whom clients write to now is not known: {held} and reaches {vip_reached_in_words(state)}."
    sure = state.vip_holders == (reached,) and not state.vip_unread
    return f"Clients of {state.vip} write to {reached} now{'' if sure else f', though {held}'}."


def _to_keep_the_other(state: ClusterState, goes: str) -> str:
    """The way to the other answer: the address has to lead to the node whose data is kept."""
    keep, again = f"To keep the data of {goes}, stop here", "begin this runbook again"
    if state.vip_reaches == goes and state.vip_holders == (goes,) and not state.vip_unread:
        return f"{keep}, {again}, and choose {goes} there."
    may_hold = goes in (*state.vip_holders, *state.vip_unread)
    there = f"see that {state.vip} is on {goes} alone" if may_hold else f"move {state.vip} to {goes} by hand"
    return f"{keep} and {there}, which no runbook does. Then {again} and choose {goes}."


def decides_between(step: Step, roles: Mapping[str, str]) -> tuple[str, str] | None:
    """The node whose data stays and the one whose data goes, where the step lets the operator decide that."""
    if step.action is None or step.action.verb != "manual" or step.gate is not GateKind.TYPE_NAME:
        return None
    asked = next((one for one in step.require if one.predicate == "histories-compared"), None)
    if asked is None:
        return None
    stays, goes = roles.get(asked.subject), roles.get(str(asked.arguments.get("other")))
    return (stays, goes) if stays and goes else None


def is_work(work: tuple[HandWork, ...]) -> bool:
    """Whether something is to be done, and not only decided: then the servers change before the answer comes."""
    return any(not one.decision for one in work)


def _of_sentinels(state: ClusterState) -> tuple[HandWork, ...]:
    silent = [one for one in state.sentinels if not one.sentinel.ok]
    if silent:
        return tuple(_silent(one, state) for one in silent)
    master = serving_master(state)
    if master is not None and (elsewhere := astray(state, master)):
        return tuple(_astray(one, watched, state, master) for one, watched in elsewhere)
    return tuple(
        _work(
            one,
            state,
            f"Make {one.name} able to fail over, and agree with the others. It says: {said.quorum_text or 'nothing'}."
            f" As a whole: {named_masters_in_words(state)}.",
            f"redis-cli -h {one.address} -p {one.port} SENTINEL CKQUORUM {state.master_name}",
        )
        for one, said in readable_sentinels(state)
    )


def _astray(one: SentinelState, watched: WatchedMaster | None, state: ClusterState, master: NodeState) -> HandWork:
    what = (
        f"Make {one.name} watch {master.name}, the master: it watches {watched_in_words(state, watched)}. In words:"
        f" {monitor_anew(state, [one.name], master)}."
    )
    command = " && ".join(
        f"redis-cli -h {one.address} -p {one.port} {words}" for words in monitor_commands(state, watched, master)
    )
    return _work(one, state, what, command)


def _silent(one: SentinelState, state: ClusterState) -> HandWork:
    if not proved_silent(one):
        what = f"Find out why {one.name} does not answer: {one.sentinel.problem}."
        return _work(one, state, what, f"redis-cli -h {one.address} -p {one.port} PING")
    what = f"Start {one.name}, which does not run: {one.sentinel.problem}."
    if one.start:
        return _work(one, state, what, one.start)
    advice = " The inventory does not name its service: with `service` there, the console starts it."
    return _work(one, state, what + advice, "systemctl start redis-sentinel")


def _work(one: SentinelState, state: ClusterState, what: str, command: str) -> HandWork:
    """On the host that the inventory names for it, else on the one at its address."""
    addresses = {node.name: node.address for node in state.nodes}
    addresses |= {director.name: director.address for director in state.directors}
    names = {address: name for name, address in addresses.items()}
    host = one.host or names.get(one.address, one.name)
    return HandWork(host, addresses.get(host, one.address), what, command)
