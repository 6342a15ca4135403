"""keepalived: running, agreeing, and able to fail over to data that is there."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.pair_protection import part_in_words, protection_checks
from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import REBUILD, RESOLVE, advise, break_loop_or, build_or_rebuild, repair_vip_or
from console.core.diagnosis.races import script_in_words
from console.core.diagnosis.roles import diverged
from console.core.diagnosis.rule import FindingRule, Match, listed, node_names
from console.core.diagnosis.virtual_ip import taking_away
from console.core.keepalived.preempting import takes_back_from
from console.core.keepalived.priority import effective, pair_rule_holds, rule_in_words
from console.core.keepalived.running_scripts import pending_lines
from console.core.keepalived.script_calls import script_calls
from console.core.model import ActionKind, ClusterState, NodeState, VrrpInstance, VrrpState
from console.core.model.facts import notify_scripts, serving_master, source_of, vrrp_instance
from console.core.model.verdict import Verdict


def _down(state: ClusterState) -> Iterator[Match]:
    """No keepalived runs on a node."""
    off = [node for node in state.nodes if node.keepalived.value is not None and not node.keepalived.value.running]
    if off:
        names_ = node_names(off)
        yield Match(
            names_,
            f"keepalived does not run on {listed(names_)}.",
            tuple(line for node in off for line in (f"{node.name}: no keepalived process", *_killed(node))),
            _starting(state),
        )


def _killed(node: NodeState) -> Iterator[str]:
    """A check that ends keepalived where Redis does not answer: it would end it again."""
    instance = vrrp_instance(node)
    for call in script_calls(node, instance) if instance is not None else ():
        for where, action in call.actions:
            if action.kind is ActionKind.STOPS_KEEPALIVED and call.trigger.startswith("check "):
                yield f"its own check ends it where Redis does not answer: {where}: {action.text}"


def _starting(state: ClusterState) -> NextAction:
    """A pair that serves or replicates was built before: the rebuild finishes what was left half done."""
    if diverged(state):
        return RESOLVE
    known = serving_master(state) is not None or any(source_of(state, node) is not None for node in state.nodes)
    return break_loop_or(state, REBUILD if known else build_or_rebuild(state))


def _unprotected(state: ClusterState) -> Iterator[Match]:
    """The pair would not survive the failure of its master: the evidence says what is missing."""
    master = serving_master(state)
    if master is None:
        return
    missing = [check for check in protection_checks(state) if check.verdict is Verdict.FAILS]
    if missing:
        yield Match(
            node_names(list(state.nodes)),
            f"The pair would not survive the failure of {master.name}.",
            tuple(part_in_words(check) for check in missing),
            _restoring(state),
        )


def _restoring(state: ClusterState) -> NextAction:
    if diverged(state):
        return RESOLVE
    if len(state.vip_holders) <= 1 or len(state.masters) > 1:
        return REBUILD  # between two masters that is the runbook that makes one of them
    return repair_vip_or(state, advise("first end the split: see the finding about the VIP"))


def _would_preempt(state: ClusterState) -> Iterator[Match]:
    """The keepalived of a node with old data would take the virtual IP as soon as Redis there passes its check."""
    for node in state.nodes:
        master = takes_back_from(state, node)
        ours, theirs = vrrp_instance(node), vrrp_instance(master) if master is not None else None
        if master is None or ours is None or theirs is None or node.keepalived.value is None:
            continue
        mine, its = effective(ours, check_ok=True), effective(theirs, check_ok=True)
        passes = "its check succeeds" if node.redis.ok else "Redis there answers"
        yield Match(
            (node.name, master.name),
            f"keepalived on {node.name} takes the VIP as soon as {passes}, with old data.",
            (
                f"priority {mine} on {node.name} with its check good, {its} on {master.name}",
                f"keepalived on {node.name} runs, now {node.keepalived.value.state.value}",
            ),
            REBUILD,
        )


def _pair(state: ClusterState) -> tuple[NodeState, VrrpInstance, NodeState, VrrpInstance] | None:
    """The master and the replica that follows it, with their instances; None where this is not certain."""
    master = serving_master(state)
    replica = next((node for node in state.nodes if master is not None and source_of(state, node) is master), None)
    if master is None or replica is None:
        return None
    m, s = vrrp_instance(master), vrrp_instance(replica)
    if m is None or s is None or not all(one.tells("priority", "state", "track_script") for one in (m, s)):
        return None
    return (master, m, replica, s)


def _rule_broken(state: ClusterState) -> Iterator[Match]:
    """The master's priority is not above the replica's, by less than the weight of the check."""
    pair = _pair(state)
    if pair is None:
        return
    master, m, replica, s = pair
    if m.priority != s.priority and m.weight and s.weight and not pair_rule_holds(m, s):
        yield Match(
            (master.name, replica.name),
            f"The priorities do not fit: {replica.name} must stand below {master.name}, by less than the weight.",
            (rule_in_words(master.name, m, replica.name, s), _figures(pair)),
            REBUILD,
        )


def _equal(state: ClusterState) -> Iterator[Match]:
    """Both nodes have the same priority."""
    pair = _pair(state)
    if pair is not None and pair[1].priority == pair[3].priority:
        yield Match(
            (pair[0].name, pair[2].name),
            "Both nodes have the same priority: the higher address decides.",
            (_figures(pair),),
            REBUILD,
        )


def _figures(pair: tuple[NodeState, VrrpInstance, NodeState, VrrpInstance]) -> str:
    master, m, replica, s = pair
    first = f"priority {m.priority} on {master.name} ({_line(m)})"
    second = f"{s.priority} on {replica.name} ({_line(s)})"
    return f"{first}, {second}, weight {m.weight} and {s.weight}"


def _line(instance: VrrpInstance) -> str:
    return f"line {instance.priority_line}" if instance.priority_line else "the default"


def _notify(state: ClusterState) -> Iterator[Match]:
    """A notify script of keepalived is running."""
    for node in state.nodes:
        scripts, soon = notify_scripts(node), pending_lines(state, node)
        if scripts or soon:
            does = f": {soon[0].words(state.observed_at)}" if soon else ""
            yield Match(
                (node.name,),
                f"A notify script of keepalived is running on {node.name}{does}.",
                (
                    *(f"process {one.pid}: {one.command}" for one in scripts),
                    *(script_in_words(one, state.observed_at) for one in soon),
                ),
                advise("wait until it has ended"),
            )


def _dual(state: ClusterState) -> Iterator[Match]:
    """Several nodes' keepaliveds are MASTER."""
    masters = [
        node for node in state.nodes if node.keepalived.value and node.keepalived.value.state is VrrpState.MASTER
    ]
    if len(masters) > 1:
        yield Match(
            node_names(masters),
            f"keepalived on {listed(node_names(masters))} is MASTER at once.",
            tuple(f"{node.name}: by {node.keepalived.value.state_source}" for node in masters if node.keepalived.value),
            advise("see whether VRRP (protocol 112) passes between them, and whether vrid and version agree"),
        )


def _disagrees(state: ClusterState) -> Iterator[Match]:
    """What keepalived believes of itself and what the kernel holds contradict each other."""
    for node in state.nodes:
        keepalived, held = node.keepalived.value, node.holds(state.vip)
        if keepalived is None or held is None or keepalived.state is VrrpState.UNKNOWN:
            continue
        if held == (keepalived.state is VrrpState.MASTER):
            continue
        has = "holds" if held else "does not hold"
        left = held and not keepalived.running
        yield Match(
            (node.name,),
            f"keepalived on {node.name} {'does not run' if left else 'is ' + keepalived.state.value},"
            f" and the kernel {has} {state.vip}.",
            (f"state by {keepalived.state_source}", f"{state.vip}: {'there' if held else 'not there'}"),
            _left_address(state, node)
            if left
            else advise("look again in a moment; if it stays, believe the kernel and read keepalived's log"),
            Severity.CRITICAL if left else Severity.WARNING,
        )


def _left_address(state: ClusterState, node: NodeState) -> NextAction:
    """The only master may keep an address that its dead keepalived left: only its keepalived is missing there."""
    if state.vip_holders == (node.name,) and state.masters == (node.name,):
        return _starting(state)
    return repair_vip_or(state, RESOLVE if len(state.masters) > 1 else advise(taking_away(state, node)))


RULES: tuple[FindingRule, ...] = (
    # The danger of the night: the one thing that must not be done is to start Redis there.
    FindingRule(
        "would-preempt-stale",
        Severity.CRITICAL,
        "Acknowledged writes would be lost.",
        _would_preempt,
        remedy="the rebuild, which stops keepalived there first",
    ),
    FindingRule(
        "failover-unprotected",
        Severity.WARNING,
        "The next failure is an outage.",
        _unprotected,
        remedy="the runbook of the rebuild",
        superseded_by=("no-master",),
    ),
    FindingRule(
        "vrrp-dual-master",
        Severity.CRITICAL,
        "Both claim the VIP, and each promotes its Redis.",
        _dual,
        remedy="see whether VRRP passes, and whether vrid and version agree",
        superseded_by=("vip-duplicate",),
    ),
    FindingRule(
        "vrrp-state-disagrees",
        Severity.WARNING,
        "What keepalived believes is not what clients get.",
        _disagrees,
        remedy="believe the kernel; read its log",
    ),
    FindingRule(
        "keepalived-down",
        Severity.WARNING,
        "Nothing moves the VIP when the master fails.",
        _down,
        remedy="runbook one-shot-rebuild where Redis serves or replicates already, initial-build where nothing runs",
    ),
    FindingRule(
        "priority-equal",
        Severity.WARNING,
        "Which node gets the VIP is left to chance.",
        _equal,
        remedy="the runbook that changes one of them",
    ),
    FindingRule(
        "priority-rule-broken",
        Severity.WARNING,
        "The replica takes the VIP, or the master keeps it when it fails.",
        _rule_broken,
        remedy="the runbook that changes one of them",
    ),
    FindingRule(
        "notify-in-progress",
        Severity.INFO,
        "It will change replication in some seconds.",
        _notify,
        remedy="wait until it has ended",
    ),
)
