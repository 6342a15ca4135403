"""Where the virtual IP is, and what clients find there."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.pair_protection import answer_or_unknown
from console.core.conditions.predicate import Question
from console.core.conditions.scripts import promoted_at_takeover
from console.core.conditions.servers import role_in_words
from console.core.conditions.virtual_ip import SILENT
from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import REBUILD, RESOLVE, advise, break_loop_or, build_or_rebuild, repair_vip_or
from console.core.diagnosis.rule import FindingRule, Match, listed, node_names
from console.core.diagnosis.waiting import wait_or
from console.core.model import ClusterState, NodeState, ProblemKind, Role
from console.core.model.facts import (
    does_not_answer,
    link_in_words,
    notify_scripts,
    proved_down,
    reaches_stranger,
    source_of,
    unread_redis,
    vip_reached_in_words,
)
from console.core.model.verdict import Verdict
from console.core.typed_commands import command_on, redis_command
from console.core.watchers.sentinels import named_masters_in_words


def _states(state: ClusterState, nodes: tuple[str, ...]) -> list[str]:
    """What moves the address: where Sentinels do it, whom they name."""
    if state.sentinels:
        return [named_masters_in_words(state)]
    words = []
    for name in nodes:
        keepalived = state.node(name).keepalived.value
        words.append(f"{name}: keepalived {keepalived.state.value if keepalived else 'not readable'}")
    return words


def _missing(state: ClusterState) -> Iterator[Match]:
    """No node holds the virtual IP."""
    if state.vip_holders or state.vip_unread:
        return
    everyone = node_names(list(state.nodes))
    next_action = repair_vip_or(state, REBUILD if state.masters else build_or_rebuild(state))
    evidence = (f"{state.vip} is on no interface of {listed(everyone)}", *_states(state, everyone))
    yield Match(everyone, f"No node holds {state.vip}.", evidence, next_action)


def _duplicate(state: ClusterState) -> Iterator[Match]:
    """Several nodes hold the virtual IP at once."""
    holders = state.vip_holders
    if len(holders) > 1:
        yield Match(
            holders,
            f"{state.vip} is on {listed(holders)} at once.",
            (*_states(state, holders), f"from here it reaches {vip_reached_in_words(state)}"),
            repair_vip_or(state, _ending_the_split(state)),
        )


def _ending_the_split(state: ClusterState) -> NextAction:
    """A keepalived that was killed gives no address back, and cannot be told to: VRRP has nothing to do with it."""
    dead = [node for node in _holders(state) if _is_left_by_dead_keepalived(state, node)]
    if dead and len(state.masters) > 1:
        return RESOLVE
    if dead:
        return advise(taking_away(state, dead[0]))
    return advise("see whether VRRP (protocol 112) passes between them; stop keepalived on the node that should yield")


def _is_left_by_dead_keepalived(state: ClusterState, node: NodeState) -> bool:
    """Whether the node has the virtual IP and no keepalived that could give it up. Sentinels move it without one."""
    keepalived = node.keepalived.value
    return bool(node.holds(state.vip)) and not state.sentinels and keepalived is not None and not keepalived.running


def taking_away(state: ClusterState, node: NodeState) -> str:
    """The command that takes the virtual IP away from a node, in words."""
    held = node.held(state.vip)
    assert held is not None, "it is asked of holders only"
    delete = command_on(node.name, f"ip address del {held.address}/{held.prefix} dev {held.interface}")
    return f"its keepalived does not run and left the address: {delete}"


def _on_replica(state: ClusterState) -> Iterator[Match]:
    """The holder of the virtual IP is a replica."""
    for node in _holders(state):
        redis = node.redis.value
        if redis is not None and redis.role is Role.REPLICA:
            running = [f"still running: {one.command}" for one in notify_scripts(node)]
            yield Match(
                (node.name,),
                f"{node.name} holds {state.vip}, but it is a replica.",
                (role_in_words(redis), *running),
                advise("wait for its notify script")
                if running
                else break_loop_or(state, repair_vip_or(state, advise(_promoting(state, node)))),
            )


def _promoting(state: ClusterState, node: NodeState) -> str:
    """Why the holder of the virtual IP was not promoted, and the command that does it, with what speaks against it."""
    source, redis = source_of(state, node), node.redis.value
    unread = [one.name for one in unread_redis(state)]
    if unread:
        return f"promote nothing yet: {listed(unread)} could not be read, and may be a master"
    if state.sentinels:
        return f"see why the Sentinels did not promote it: {named_masters_in_words(state)}"
    promoted = answer_or_unknown(promoted_at_takeover, Question(state, node, {}))
    cause = {
        Verdict.FAILS: f"nothing promotes it by itself ({promoted.evidence}):",
        Verdict.HOLDS: f"its script should have promoted it ({promoted.evidence}); its log says why it did not:",
        Verdict.UNKNOWN: "",
    }[promoted.verdict]
    link = redis.master if redis is not None else None
    had = (
        f"{link_in_words(link)} to {source.name}"
        if source is not None and link is not None
        else "its link is not known"
    )
    command = redis_command(node.address, node.redis_port, "SLAVEOF NO ONE")
    return f"{cause} if it is to be the master ({had}), promote it by hand: {command}".strip()


def _on_dead(state: ClusterState) -> Iterator[Match]:
    """The holder of the virtual IP has a Redis that does not run, or does not answer."""
    for node in _holders(state):
        hung = does_not_answer(node)
        if proved_down(node) or hung:
            yield Match(
                (node.name,),
                f"{node.name} holds {state.vip}, but its Redis {'does not answer' if hung else 'does not run'}.",
                (f"Redis on {node.name}: {node.redis.problem}", *_states(state, (node.name,))),
                repair_vip_or(
                    state,
                    advise(
                        wait_or(
                            state,
                            f"start Redis on {node.name} if it holds the newest data, or let the other node take the"
                            " VIP",
                        )
                    ),
                ),
                why="Clients wait for an answer until they time out." if hung else None,
            )


def _stranger(state: ClusterState) -> Iterator[Match]:
    """Clients reach another server through the virtual IP than the addresses on the nodes say."""
    reach = state.vip_reach.value
    if reach is None:
        return
    reached = state.vip_reaches
    figures = f"run_id {reach.run_id[:12]} answers at {state.vip} ({reach.route})"
    if reached is None:
        if reaches_stranger(state):
            yield Match(
                (),
                f"{state.vip} reaches a Redis that is not one of the nodes.",
                (figures,),
                advise("find the machine that answers there: an old host, or a second cluster with the same address"),
            )
    elif reached not in state.vip_holders and not state.vip_unread:
        where = f"on {listed(state.vip_holders)}" if state.vip_holders else "on no interface of the nodes"
        yield Match(
            (reached, *state.vip_holders),
            f"{state.vip} is {where}, but clients reach {reached}.",
            (figures, *_states(state, (reached, *state.vip_holders))),
            advise(
                "an old ARP entry or a route: send gratuitous ARP from the holder (arping -U)"
                if state.vip_holders
                else "find what forwards that address: a router, a proxy, or an interface that is not shown"
            ),
        )


def _silent(state: ClusterState) -> Iterator[Match]:
    """The master holds the virtual IP and answers at its own address, but nothing answers at the virtual IP."""
    problem, holders = state.vip_reach.problem, _holders(state)
    if problem is None or problem.kind not in _NO_ANSWER or len(holders) != 1 or state.vip_unread:
        return
    (node,) = holders
    redis, held = node.redis.value, node.held(state.vip)
    if redis is None or redis.role is not Role.MASTER or held is None or not _answers_meanwhile(state, node):
        return
    yield Match(
        (node.name,),
        f"{node.name} holds {state.vip} and is the master, but there was no answer from {state.vip}.",
        (f"{state.vip}: {problem}", f"{node.address}: {role_in_words(redis)}"),
        advise(
            "an old ARP entry, a filter or a route between here and there; it may pass within a minute. "
            f"If it stays: {command_on(node.name, f'arping -U -c 3 -I {held.interface} {state.vip}')}"
        ),
    )


def _answers_meanwhile(state: ClusterState, node: NodeState) -> bool:
    """Whether the node's Redis has answered at its own address for some seconds of that silence.

    A Redis that dies is silent at both. Which of the two is noticed first is chance, and an old answer proves nothing.
    """
    problem = state.vip_reach.problem
    return problem is None or problem.since is None or node.redis.at >= problem.since + SILENT_SECONDS


SILENT_SECONDS = 3.0
"""So long both are watched before a virtual IP counts as silent while its Redis answers."""
_NO_ANSWER = frozenset({*SILENT, ProblemKind.CLOSED, ProblemKind.BAD_ANSWER})


def _holders(state: ClusterState) -> list[NodeState]:
    return [state.node(name) for name in state.vip_holders]


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "vip-duplicate",
        Severity.CRITICAL,
        "Some clients write to one node, some to the other.",
        _duplicate,
        remedy="runbook repair-vip; see whether VRRP passes between them",
    ),
    FindingRule(
        "vip-missing",
        Severity.CRITICAL,
        "Clients reach nothing.",
        _missing,
        remedy="runbook repair-vip, or initial-build where nothing runs",
    ),
    FindingRule(
        "vip-on-dead-redis",
        Severity.CRITICAL,
        "Clients are refused.",
        _on_dead,
        remedy="runbook repair-vip where another node is the master; else start it if it holds the newest data",
    ),
    FindingRule(
        "vip-on-replica",
        Severity.CRITICAL,
        "Clients can read, and every write is refused with READONLY.",
        _on_replica,
        remedy="wait for its notify script, else runbook repair-vip",
    ),
    FindingRule(
        "vip-reaches-stranger",
        Severity.CRITICAL,
        "Clients write to a server that you are not looking at.",
        _stranger,
        remedy="find who answers; send gratuitous ARP from the holder",
    ),
    FindingRule(
        "vip-silent",
        Severity.WARNING,
        "Clients may reach nothing, or only you do.",
        _silent,
        remedy="send gratuitous ARP from the holder; see filters and routes",
    ),
)
