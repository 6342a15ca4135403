"""The facts that must not change between showing and sending, and how they differ (H07, H08).

Offsets, operations and numbers of keys change all the time and are not among them. Whether a data set is empty is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from console.core.command import Identity
from console.core.kinds import kind_of
from console.core.kinds.gate_facts import consul_facts, sentinel_facts
from console.core.model import ClusterState, NodeState, Problem, Redis
from console.core.model.facts import NOT_KNOWN, notify_scripts, proved_down, vip_holders_in_words, vip_reached_in_words
from console.core.quantities import counted, size, span
from console.core.runbooks.document import Step


def material(state: ClusterState, roles: Mapping[str, str]) -> Mapping[str, str]:
    """Fact → value, both text, for the nodes of these roles and for the virtual IP."""
    facts = dict(kind_of(state.kind).facts(state))
    for name in sorted(set(roles.values())):
        facts.update(_node_facts(state.node(name)))
    return facts


def _node_facts(node: NodeState) -> dict[str, str]:
    facts = {"SSH": "readable" if node.ssh.ok else _unread(node.ssh.problem)}
    if node.ssh.value is not None:
        facts |= {"hostname": node.ssh.value.hostname, "boot_id": node.ssh.value.boot_id}
    redis = node.redis.value
    if redis is None:
        facts["Redis"] = "does not run" if proved_down(node) else _unread(node.redis.problem)
    else:
        facts |= _redis_facts(redis)
    keepalived = node.keepalived.value
    if keepalived is None:
        facts["keepalived"] = _unread(node.keepalived.problem)
    else:
        facts["keepalived"] = f"running, {keepalived.state.value}" if keepalived.running else "stopped"
        facts["priority"] = str(keepalived.instance.priority) if keepalived.instance else NOT_KNOWN
    scripts = ", ".join(sorted(one.command for one in notify_scripts(node))) if node.processes.ok else NOT_KNOWN
    facts["scripts running"] = scripts or "none"
    config = node.keepalived_config.value
    facts["keepalived.conf"] = f"SHA-256 {config.file.digest[:12]}" if config is not None else NOT_KNOWN
    return {f"{node.name}: {fact}": value for fact, value in facts.items()}


def _redis_facts(redis: Redis) -> dict[str, str]:
    link = redis.master
    return {
        "Redis": "loading" if redis.loading else "answers",
        "run_id": redis.run_id,
        "config_file": redis.config_file or "none",
        "role": redis.role.value,
        "follows": f"{link.host}:{link.port}" if link else "nobody",
        "data set": "empty" if redis.total_keys == 0 else "holds keys",
    }


def _unread(problem: Problem | None) -> str:
    return f"{NOT_KNOWN}: {problem.kind.value}" if problem is not None else NOT_KNOWN


def digest(material: Mapping[str, str]) -> str:
    """SHA-256 over the facts in alphabetical order, in hex."""
    lines = "\n".join(f"{key}\x1f{material[key]}" for key in sorted(material))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def differences(shown: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """What changed, a plain line each: `redis-b: role: was master, is replica now`.

    A fact that could not be read, then or now, is no difference: see `unread_facts`.
    """
    if shown == now:
        return ()
    both = sorted(key for key in shown if known(shown, key) and known(now, key))
    return tuple(f"{key}: was {shown[key]}, is {now[key]} now" for key in both if shown[key] != now[key])


def unread_facts(shown: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Facts that are known on one side only, a plain line each. Nothing is sent while there are any (H08).

    A fact that is not there because another one changed (a server that does not run has no role) is none of them.
    """
    if shown == now:
        return ()
    lines = []
    for key in sorted({*shown, *now}):
        if known(shown, key) and key in now and not known(now, key):
            lines.append(f"{key}: was {shown[key]}, could not be read again ({now[key]})")
        elif known(now, key) and key in shown and not known(shown, key):
            lines.append(f"{key}: was {shown[key]}, is {now[key]} now")
    return tuple(lines)


def known(facts: Mapping[str, str], key: str) -> bool:
    """Whether the fact is there, and was read."""
    return key in facts and not facts[key].startswith(NOT_KNOWN)


def identity(node: NodeState) -> Identity:
    """Who must answer when something is sent to this node. What was not read stays empty."""
    host, redis = node.ssh.value, node.redis.value
    return Identity(
        hostname=host.hostname if host else "",
        boot_id=host.boot_id if host else "",
        run_id=redis.run_id if redis else "",
        config_file=redis.config_file if redis else "",
    )


def identities(state: ClusterState) -> dict[str, Identity]:
    """The identity of every node, director and Sentinel that was read."""
    found = {node.name: identity(node) for node in state.nodes}
    for one in state.directors:
        if one.ssh.value is not None:
            found[one.name] = Identity(hostname=one.ssh.value.hostname, boot_id=one.ssh.value.boot_id)
    for watcher in state.sentinels:
        if watcher.sentinel.value is not None:
            found[watcher.name] = Identity(run_id=watcher.sentinel.value.process_run_id)
    return found


def evidence(state: ClusterState, roles: Mapping[str, str], step: Step) -> tuple[str, ...]:
    """What the operator sees before confirming: the nodes by their roles, the target first, with numbers and ages."""
    first = roles.get(step.role, "")
    ordered = sorted(dict.fromkeys(roles.values()), key=lambda name: name != first)
    lines = [
        f"{name} ({', '.join(role for role, node in roles.items() if node == name)}): {words}"
        for name in ordered
        for words in _node_lines(state, state.node(name))
    ]
    if state.vip:
        reached = vip_reached_in_words(state)
        lines.append(f"{state.vip}: {vip_holders_in_words(state)}, reaches {reached}")
    others = {**sentinel_facts(state), **consul_facts(state)}
    lines += [f"{subject}: {value}" for subject, value in others.items()]
    return tuple(lines)


def _node_lines(state: ClusterState, node: NodeState) -> list[str]:
    host, redis, keepalived = node.ssh.value, node.redis.value, node.keepalived.value
    lines = [f"host {host.hostname}, up {span(host.uptime)}" if host else f"SSH: {node.ssh.problem}"]
    if redis is None:
        lines.append(f"Redis {'does not run' if proved_down(node) else 'not readable'}: {node.redis.problem}")
    else:
        follows = f" of {redis.master.host}, link {'up' if redis.master.up else 'down'}" if redis.master else ""
        lines.append(
            f"Redis {redis.version}, {redis.role.value}{follows}, {counted(redis.total_keys, 'key')},"
            f" {size(redis.used_memory)}, offset {NOT_KNOWN if redis.offset is None else redis.offset},"
            f" {redis.ops_per_second} operations/s, up {span(redis.uptime)}, run_id {redis.run_id[:12]},"
            f" read {span(node.redis.age(state.observed_at) or 0)} before"
        )
    held = {True: "holds the VIP", False: "no VIP", None: "VIP not known"}[node.holds(state.vip)]
    if not kind_of(state.kind).keepalived_on_nodes and not (keepalived and keepalived.running):
        lines += [held] if state.vip else []
    elif keepalived is None:
        lines.append(f"keepalived: {node.keepalived.problem}")
    else:
        priority = keepalived.instance.priority if keepalived.instance else NOT_KNOWN
        word = f"runs, {keepalived.state.value}" if keepalived.running else "stopped"
        lines.append(f"keepalived {word}, priority {priority}, {held}")
    lines += [f"running script: {one.command}" for one in notify_scripts(node)]
    return lines
