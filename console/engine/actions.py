"""From a step's action to the exact commands: what a gate shows is what is sent, word for word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.core.command import Planned, RedisCommand, ShellCommand
from console.core.inventory import ClusterSpec, NodeSpec
from console.core.keepalived_conf import parse, with_priority
from console.core.model import ClusterState
from console.core.priority import smallest_change
from console.core.runbook import Action, Step
from console.engine.config_edit import replace_file, sha256, shown_diff

SERVICE_TIMEOUT = 90.0
"""Seconds: systemd itself waits up to 90 for a service to stop."""
PROOF_SECONDS = 60
"""How long the key of the write proof lives."""
SET_WITH_EX = (2, 6, 12)
"""The first Redis whose SET takes EX; before it SETEX does the same."""


class PlanError(Exception):
    """The commands of a step cannot be made: the inventory lacks a command, a file cannot be read. One line."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the commands of a run are made from, beside the observation."""

    cluster: ClusterSpec
    roles: Mapping[str, str]
    run_id: str
    stamp: str
    """UTC, for the names of copies: stays the same between showing and sending."""
    read_file: Callable[[str, str], bytes] | None = None
    """Node and path → its bytes on the node right now. None: nobody is armed; the observed text has to do."""

    def node_of(self, role: str) -> NodeSpec:
        """The node that a role is bound to. Raises PlanError where it is bound to none."""
        try:
            return self.cluster.node(self.roles[role])
        except KeyError:
            raise PlanError(f"the role {role} is bound to no node of {self.cluster.name}") from None


@dataclass(frozen=True, slots=True)
class _Request:
    """One action on one node, with everything that its text depends on."""

    node: NodeSpec
    action: Action
    state: ClusterState
    work: Workplace

    def argument(self, name: str) -> str:
        try:
            return str(self.action.arguments[name])
        except KeyError:
            raise PlanError(f"{self.action.verb} needs the argument {name}: see `runbooks check`") from None

    def role(self, name: str) -> NodeSpec:
        return self.work.node_of(self.argument(name))


def plan_commands(step: Step, state: ClusterState, work: Workplace) -> tuple[Planned, ...]:
    """The commands of the step, in order; empty where it sends nothing. Raises PlanError, in one line."""
    if step.action is None:
        return ()
    make = MAKERS.get(step.action.verb)
    if make is None:
        raise PlanError(f"{step.action.verb} is no verb that this console knows")
    return make(_Request(work.node_of(step.role), step.action, state, work))


def _service(service: str, action: str) -> Callable[[_Request], tuple[Planned, ...]]:
    def make(request: _Request) -> tuple[Planned, ...]:
        return (service_command(request.node, service, action),)

    return make


def service_command(node: NodeSpec, service: str, action: str) -> Planned:
    """Starts, stops or reloads `redis` or `keepalived` the way the inventory says. Raises PlanError."""
    spec = node.redis.service if service == "redis" else node.keepalived.service
    script = spec.command(action)
    if not script:
        raise PlanError(f"the inventory has no {action} command for {service} on {node.name}: add {service}.service")
    how = f"systemd unit {spec.systemd}" if spec.systemd else f"service {spec.sysv}" if spec.sysv else "inventory"
    word = {"start": "Starts", "stop": "Stops", "reload": "Reloads"}[action]
    summary = f"{word} {'Redis' if service == 'redis' else service} on {node.name} ({how})."
    return Planned(node.name, ShellCommand(script, sudo=node.ssh.sudo, timeout=SERVICE_TIMEOUT), summary)


def _replicate(request: _Request) -> tuple[Planned, ...]:
    """SLAVEOF a node's own address: the virtual IP may be local to the target, or move (H06)."""
    source, target = request.role("source"), request.node
    if source.address == request.work.cluster.vip:
        raise PlanError(f"the address of {source.name} in the inventory is the virtual IP: SLAVEOF needs its own one")
    if source.name == target.name:
        raise PlanError(f"{target.name} cannot follow itself")
    words = (_word(target, "SLAVEOF"), source.address, str(source.redis.port))
    summary = f"Makes {target.name} follow {source.name}: it drops its own data and takes over that of {source.name}."
    return (Planned(target.name, RedisCommand(words), summary),)


def _promote(request: _Request) -> tuple[Planned, ...]:
    words = (_word(request.node, "SLAVEOF"), "NO", "ONE")
    summary = f"Makes {request.node.name} a master with the data that it has."
    return (Planned(request.node.name, RedisCommand(words), summary),)


def _write_proof(request: _Request) -> tuple[Planned, ...]:
    node, vip = request.node, request.work.cluster.vip
    key, value = f"redis-ha-console:proof:{request.work.run_id}", request.work.run_id
    redis = request.state.node(node.name).redis.value
    if redis is not None and _version(redis.version) < SET_WITH_EX:
        write: tuple[str, ...] = (_word(node, "SETEX"), key, str(PROOF_SECONDS), value)
    else:
        write = (_word(node, "SET"), key, value, "EX", str(PROOF_SECONDS))
    return (
        Planned(
            node.name,
            RedisCommand(write, through_vip=True),
            f"Writes one key through {vip}; it expires after {PROOF_SECONDS} seconds.",
        ),
        Planned(
            node.name,
            RedisCommand((_word(node, "GET"), key), through_vip=True),
            f"Reads it back through {vip}.",
            expect=value,
        ),
    )


def _set_priorities(request: _Request) -> tuple[Planned, ...]:
    """The smallest edit that makes the priority rule hold, then a reload where keepalived runs (H15)."""
    master, replica = request.role("master"), request.role("replica")
    try:
        change = smallest_change(request.state, master.name, replica.name)
    except ValueError as error:
        raise PlanError(str(error)) from None
    if change is None:
        return ()
    node = request.work.cluster.node(change.node)
    seen = request.state.node(node.name).keepalived.value
    if seen is None:
        raise PlanError(f"it is not known whether keepalived runs on {node.name}")
    path = node.keepalived.config
    before, digest = _bytes_of(request, node)
    name = seen.instance.name if seen.instance else None
    in_file = [one.priority for one in parse(before.decode("utf-8", "replace")).instances if one.name == name]
    if in_file != [change.was]:
        raise PlanError(f"{node.name}:{path} was changed since it was observed: look again")
    try:
        after = with_priority(before, name, change.to)
    except ValueError as error:
        raise PlanError(f"{node.name}:{path}: {error}") from None
    edit = Planned(
        node.name,
        replace_file(path, digest, after, request.work.stamp, sudo=node.ssh.sudo),
        f"Sets the priority of {node.name} from {change.was} to {change.to} in {path}: {change.why}",
        detail=shown_diff(path, before, after),
    )
    return (edit, service_command(node, "keepalived", "reload")) if seen.running else (edit,)


def _bytes_of(request: _Request, node: NodeSpec) -> tuple[bytes, str]:
    """The file on the node now, and its SHA-256. Without hands (`plan`) the observed text, its passwords masked."""
    path = node.keepalived.config
    if request.work.read_file is not None:
        try:
            data = request.work.read_file(node.name, path)
        except OSError as error:
            raise PlanError(f"{node.name}:{path} cannot be read: {error}") from None
        return data, sha256(data)
    config = request.state.node(node.name).keepalived_config
    if config.value is None:
        raise PlanError(f"{node.name}:{path} could not be read: {config.problem}")
    return config.value.file.text.encode(), config.value.file.digest


def _shell(request: _Request) -> tuple[Planned, ...]:
    command = ShellCommand(request.argument("script"), sudo=request.node.ssh.sudo, timeout=SERVICE_TIMEOUT)
    return (Planned(request.node.name, command, f"Runs the runbook's own text on {request.node.name}."),)


def _manual(_: _Request) -> tuple[Planned, ...]:
    """Nothing is sent: the instruction is shown with the step (`instruction`)."""
    return ()


MAKERS: Mapping[str, Callable[[_Request], tuple[Planned, ...]]] = {
    "start-redis": _service("redis", "start"),
    "stop-redis": _service("redis", "stop"),
    "start-keepalived": _service("keepalived", "start"),
    "stop-keepalived": _service("keepalived", "stop"),
    "reload-keepalived": _service("keepalived", "reload"),
    "replicate": _replicate,
    "promote": _promote,
    "set-priorities": _set_priorities,
    "write-proof": _write_proof,
    "shell": _shell,
    "manual": _manual,
}


def instruction(step: Step) -> str:
    """What a `manual` step asks the operator to do by hand; empty for every other one."""
    if step.action is None or step.action.verb != "manual":
        return ""
    return str(step.action.arguments.get("instruction", ""))


def _word(node: NodeSpec, command: str) -> str:
    """The command's name as this server has it: renamed commands are sent and shown by their new name."""
    return node.redis.aliases.get(command, command)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in text.split(".")[:3])
