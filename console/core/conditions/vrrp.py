"""Conditions about keepalived: its state, its scripts, its priorities, and the order of starts."""

from __future__ import annotations

from console.core.conditions.predicate import (
    Question,
    UnreadError,
    fails,
    holds,
    holds_if,
    keepalived_of,
    unknown,
    value_of,
)
from console.core.keepalived.priority import pair_rule_holds, rule_holds, rule_in_words
from console.core.keepalived.running_scripts import in_seconds, pending_lines
from console.core.model import VrrpInstance, VrrpState
from console.core.model.facts import notify_scripts
from console.core.model.verdict import Check


def keepalived_running(question: Question) -> Check:
    return holds_if(
        keepalived_of(question.node).running, f"keepalived runs on {question.name}", process_in_words(question)
    )


def keepalived_stopped(question: Question) -> Check:
    """H01, H14: keepalived must not take the virtual IP while the data is missing."""
    return holds_if(
        not keepalived_of(question.node).running,
        f"keepalived is stopped on {question.name}",
        process_in_words(question),
        f"stop it: it would take the VIP as soon as the check of Redis on {question.name} succeeds",
    )


def process_in_words(question: Question) -> str:
    keepalived, processes = keepalived_of(question.node), question.node.processes.value
    pids = ", ".join(str(one.pid) for one in processes.keepalived) if processes else ""
    if not keepalived.running:
        return "no keepalived process"
    return f"{'process ' + pids if pids else 'it runs'}, state {keepalived.state.value}"


def vrrp_state(question: Question) -> Check:
    wanted = str(question.arguments["is"]).upper()
    statement = f"keepalived on {question.name} is {wanted}"
    keepalived = keepalived_of(question.node)
    if keepalived.state is VrrpState.UNKNOWN:
        return unknown(statement, "no source tells its state")
    return holds_if(
        keepalived.state.value == wanted, statement, f"{keepalived.state.value} by {keepalived.state_source}"
    )


def no_script_running(question: Question) -> Check:
    """H09: a notify script that sleeps will change replication in a few seconds."""
    value_of(question.node.processes, f"the processes of {question.name}")
    scripts = notify_scripts(question.node)
    found = ", ".join(f"{one.pid} {one.command}" for one in scripts)
    soon = pending_lines(question.state, question.node)
    now = question.state.observed_at
    found = "; ".join(filter(None, (found, ", ".join(one.words(now) for one in soon))))
    known = soon[-1].left(now) if soon else None
    advice = "wait until it has ended" if known is None else f"wait until it has ended, {in_seconds(known)}"
    return holds_if(
        not scripts and not soon,
        f"no script of keepalived runs on {question.name}",
        found or f"no such process on {question.name}",
        advice,
    )


def not_told(instance: VrrpInstance, node: str) -> str:
    """Why the text of a keepalived.conf does not tell the priority and the checks for certain. Empty: it does."""
    if instance.tells("priority", "state", "track_script"):
        return ""
    keywords = ", ".join(sorted(instance.uncertain))
    return f"the keepalived.conf of {node} does not tell for certain what {instance.name} has: {keywords}"


def priority_rule(question: Question) -> Check:
    """H15: the priority rule. The subject is the replica."""
    master = question.node_of("master")
    m, s = instance_of(question, master.name), instance_of(question, question.name)
    figures = f"priority {m.priority} on {master.name}, {s.priority} on {question.name}, weight {m.weight}"
    statement = f"the priority of {master.name} is above that of {question.name}, by less than the weight of the check"
    if unclear := not_told(m, master.name) or not_told(s, question.name):
        return unknown(statement, unclear, "read the lines that are conditional, included or variable in these files")
    if not m.scripts:
        return fails(statement, f"no check is tracked on {master.name}: a failure of Redis there is not noticed")
    if m.weight == 0 or s.weight == 0:
        advice = "give the check a weight, or rely on FAULT and make the priorities differ"
        return fails(statement, f"{figures}: with weight 0 a failed check means FAULT", advice)
    if m.weight != s.weight:
        figures += f" and {s.weight}"
    kept = pair_rule_holds(m, s)
    if not kept and m.weight == s.weight and rule_holds(m.priority, s.priority, m.weight):
        figures += " (keepalived limits priorities to 1..254, where both would become equal: choose values in between)"
    return holds_if(
        kept,
        statement,
        f"{figures}: {rule_in_words(master.name, m, question.name, s)}",
        "change a priority: the runbook step computes the smallest change",
    )


def instance_of(question: Question, name: str) -> VrrpInstance:
    """The vrrp_instance of a node. Raises UnreadError if it is not known."""
    instance = keepalived_of(question.state.node(name)).instance
    if instance is None:
        raise UnreadError(f"the vrrp_instance of {name} is not known")
    return instance


def master_first(question: Question) -> Check:
    """H16: the replica's keepalived starts only when the master holds the virtual IP and its scripts have ended."""
    master = question.node_of("master")
    statement = f"{master.name} holds the VIP before keepalived starts on {question.name}"
    keepalived = keepalived_of(master)
    advice = f"start keepalived on {master.name} first and wait for the VIP and its notify script"
    if not keepalived.running:
        return fails(statement, f"keepalived does not run on {master.name}", advice)
    value_of(master.processes, f"the processes of {master.name}")
    scripts = notify_scripts(master)
    if scripts:
        return fails(statement, f"{scripts[0].command} (process {scripts[0].pid}) still runs on {master.name}", advice)
    if not any(
        one.address == question.state.vip for one in value_of(master.addresses, f"the addresses of {master.name}")
    ):
        return fails(statement, f"{master.name} does not hold {question.state.vip}", advice)
    if keepalived.state is VrrpState.UNKNOWN:
        return unknown(statement, f"no source tells the state of keepalived on {master.name}")
    if keepalived.state is not VrrpState.MASTER:
        return fails(statement, f"keepalived on {master.name} is {keepalived.state.value}", advice)
    return holds(statement, f"{master.name} is MASTER, holds {question.state.vip}, and no script runs there")
