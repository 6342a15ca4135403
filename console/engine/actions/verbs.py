"""From a step's action to the exact commands: what a gate shows is what is sent, word for word."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.core.command import KeyExport, Planned, RedisCommand, ShellCommand
from console.core.inventory import NodeSpec
from console.core.keepalived.configuration import parse, with_priority
from console.core.keepalived.priority import smallest_change
from console.core.model import ClusterState
from console.core.runbooks.document import Step
from console.engine.actions import backup
from console.engine.actions.config_edit import replace_file, sha256, shown_diff
from console.engine.actions.consul import hold_service, release_service
from console.engine.actions.dump_copy import copy_dump
from console.engine.actions.replicaof import set_replicaof
from console.engine.actions.request import SERVICE_TIMEOUT, Request, service_command, version_of, word_of
from console.engine.actions.request import CommandContext as CommandContext  # noqa: PLC0414
from console.engine.actions.request import PlanError as PlanError  # noqa: PLC0414 - whoever plans catches it from here
from console.engine.actions.sentinel_set import drain_readers, sentinel_failover, serve_readers, take_vip
from console.engine.actions.virtual_ip import announce_vip, remove_vip, restart_keepalived
from console.engine.actions.write_pause import pause_writes, resume_writes

PROOF_SECONDS = 60
"""How long the key of the write proof lives."""
SET_WITH_EX = (2, 6, 12)
"""The first Redis whose SET takes EX; before it SETEX does the same."""


def plan_commands(step: Step, state: ClusterState, context: CommandContext) -> tuple[Planned, ...]:
    """The commands of the step, in order; empty where it sends nothing. Raises PlanError, in one line."""
    if step.action is None:
        return ()
    make = MAKERS.get(step.action.verb)
    if make is None:
        raise PlanError(f"{step.action.verb} is no verb that this console knows")
    return make(Request(context.node_of(step.role), step.action, state, context))


def _service(service: str, action: str) -> Callable[[Request], tuple[Planned, ...]]:
    def make(request: Request) -> tuple[Planned, ...]:
        return (service_command(request.node, service, action),)

    return make


def _replicate(request: Request) -> tuple[Planned, ...]:
    """SLAVEOF a node's own address: the virtual IP may be local to the target, or move (H06)."""
    source, target = request.role("source"), request.node
    if source.address == request.context.cluster.vip:
        raise PlanError(f"the address of {source.name} in the inventory is the virtual IP: SLAVEOF needs its own one")
    if source.name == target.name:
        raise PlanError(f"{target.name} cannot follow itself")
    words = (word_of(target, "SLAVEOF"), source.address, str(source.redis.port))
    summary = f"Makes {target.name} follow {source.name}: it drops its own data and takes over that of {source.name}."
    return (Planned(target.name, RedisCommand(words), summary),)


def _promote(request: Request) -> tuple[Planned, ...]:
    words = (word_of(request.node, "SLAVEOF"), "NO", "ONE")
    summary = f"Makes {request.node.name} a master with the data that it has."
    return (Planned(request.node.name, RedisCommand(words), summary),)


def _write_proof(request: Request) -> tuple[Planned, ...]:
    node, vip = request.node, request.context.cluster.vip
    key, value = f"redis-ha-console:proof:{request.context.run_id}", request.context.run_id
    redis = request.state.node(node.name).redis.value
    if redis is not None and version_of(redis.version) < SET_WITH_EX:
        write: tuple[str, ...] = (word_of(node, "SETEX"), key, str(PROOF_SECONDS), value)
    else:
        write = (word_of(node, "SET"), key, value, "EX", str(PROOF_SECONDS))
    return (
        Planned(
            node.name,
            RedisCommand(write, through_vip=True),
            f"Writes one key through {vip}; it expires after {PROOF_SECONDS} seconds.",
        ),
        Planned(
            node.name,
            RedisCommand((word_of(node, "GET"), key), through_vip=True),
            f"Reads it back through {vip}.",
            expect=value,
        ),
    )


def _set_priorities(request: Request) -> tuple[Planned, ...]:
    """The smallest edit that makes the priority rule hold, then a reload where keepalived runs (H15)."""
    master, replica = request.role("master"), request.role("replica")
    try:
        change = smallest_change(request.state, master.name, replica.name)
    except ValueError as error:
        raise PlanError(str(error)) from None
    if change is None:
        return ()
    node = request.context.cluster.node(change.node)
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
        replace_file(path, digest, after, request.context.stamp, sudo=node.ssh.sudo),
        f"Sets the priority of {node.name} from {change.was} to {change.to} in {path}: {change.why}",
        detail=shown_diff(path, before, after),
    )
    return (edit, service_command(node, "keepalived", "reload")) if seen.running else (edit,)


def _bytes_of(request: Request, node: NodeSpec) -> tuple[bytes, str]:
    """The file on the node now, and its SHA-256. Without hands (`plan`) the observed text, its passwords masked."""
    path = node.keepalived.config
    if request.context.read_file is not None:
        try:
            data = request.context.read_file(node.name, path)
        except OSError as error:
            raise PlanError(f"{node.name}:{path} cannot be read: {error}") from None
        return data, sha256(data)
    config = request.state.node(node.name).keepalived_config
    if config.value is None:
        raise PlanError(f"{node.name}:{path} could not be read: {config.problem}")
    return config.value.file.text.encode(), config.value.file.digest


def _export_differences(request: Request) -> tuple[Planned, ...]:
    """Reads on both servers; the file stands beside the journal."""
    node, other = request.node, request.role("other")
    redis = request.state.node(other.name).redis.value
    if redis is None:
        raise PlanError(f"Redis on {other.name} could not be read: {request.state.node(other.name).redis.problem}")
    path = f"{request.context.folder}/keys-of-{node.name}.jsonl"
    command = KeyExport(("SCAN",), other=other.name, other_run_id=redis.run_id, path=path)
    summary = f"Writes every key that {node.name} has otherwise than {other.name} to a file on this machine."
    return (Planned(node.name, command, summary),)


def _shell(request: Request) -> tuple[Planned, ...]:
    command = ShellCommand(request.argument("script"), sudo=request.node.ssh.sudo, timeout=SERVICE_TIMEOUT)
    return (Planned(request.node.name, command, f"Runs the runbook's own text on {request.node.name}."),)


def _manual(_: Request) -> tuple[Planned, ...]:
    """Nothing is sent: the instruction is shown with the step (`instruction`)."""
    return ()


MAKERS: Mapping[str, Callable[[Request], tuple[Planned, ...]]] = {
    "start-redis": _service("redis", "start"),
    "stop-redis": _service("redis", "stop"),
    "start-keepalived": _service("keepalived", "start"),
    "stop-keepalived": _service("keepalived", "stop"),
    "reload-keepalived": _service("keepalived", "reload"),
    "restart-keepalived": restart_keepalived,
    "remove-vip": remove_vip,
    "announce-vip": announce_vip,
    "take-vip": take_vip,
    "sentinel-failover": sentinel_failover,
    "drain-readers": drain_readers,
    "serve-readers": serve_readers,
    "replicate": _replicate,
    "promote": _promote,
    "save-dump": backup.save_dump,
    "backup": backup.backup,
    "restore-dump": backup.restore_dump,
    "copy-dump": copy_dump,
    "set-priorities": _set_priorities,
    "set-replicaof": set_replicaof,
    "hold-service": hold_service,
    "release-service": release_service,
    "pause-writes": pause_writes,
    "resume-writes": resume_writes,
    "export-differences": _export_differences,
    "write-proof": _write_proof,
    "shell": _shell,
    "manual": _manual,
}


def instruction(step: Step) -> str:
    """What a `manual` step asks the operator to do by hand; empty for every other one."""
    if step.action is None or step.action.verb != "manual":
        return ""
    return str(step.action.arguments.get("instruction", ""))
