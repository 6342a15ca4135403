"""Makes the exact commands of a step: what a gate shows is what is sent, word for word.

A verb is a row in `COMMAND_MAKERS`, and a function in the file of its subject.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.core.command import Planned, ShellCommand
from console.core.model import ClusterState
from console.core.runbooks.document import Step
from console.engine.actions import backup
from console.engine.actions.consul import hold_service, release_service
from console.engine.actions.disk_keys import export_disk_keys
from console.engine.actions.dump_copy import copy_dump
from console.engine.actions.priorities import set_priorities
from console.engine.actions.redis_commands import export_differences, promote, replicate, write_proof
from console.engine.actions.replicaof import clear_replicaof, keep_master, keep_replica, set_replicaof
from console.engine.actions.request import SERVICE_TIMEOUT, Request, service_command
from console.engine.actions.request import CommandContext as CommandContext  # noqa: PLC0414
from console.engine.actions.request import NotNowError as NotNowError  # noqa: PLC0414 - as PlanError
from console.engine.actions.request import PlanError as PlanError  # noqa: PLC0414 - whoever plans catches it from here
from console.engine.actions.sentinel_set import (
    drain_readers,
    sentinel_failover,
    sentinel_forget,
    serve_readers,
    start_sentinels,
    take_vip,
)
from console.engine.actions.virtual_ip import announce_vip, remove_vip, restart_keepalived
from console.engine.actions.write_pause import pause_writes, resume_writes


def plan_commands(step: Step, state: ClusterState, context: CommandContext) -> tuple[Planned, ...]:
    """The commands of the step, in order. Empty where it sends nothing. Raises PlanError, in one line."""
    if step.action is None:
        return ()
    make = COMMAND_MAKERS.get(step.action.verb)
    if make is None:
        raise PlanError(f"this console does not know the verb {step.action.verb}")
    return make(Request(context.node_of(step.role), step.action, state, context))


def _service(service: str, action: str) -> Callable[[Request], tuple[Planned, ...]]:
    def make(request: Request) -> tuple[Planned, ...]:
        return (service_command(request.node, service, action),)

    return make


def _shell(request: Request) -> tuple[Planned, ...]:
    command = ShellCommand(request.argument("script"), sudo=request.node.ssh.sudo, timeout=SERVICE_TIMEOUT)
    return (Planned(request.node.name, command, f"Runs the runbook's own text on {request.node.name}."),)


def _by_hand(_: Request) -> tuple[Planned, ...]:
    """Nothing is sent. What is to be done is shown with the step (`hand_work`)."""
    return ()


COMMAND_MAKERS: Mapping[str, Callable[[Request], tuple[Planned, ...]]] = {
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
    "sentinel-forget": sentinel_forget,
    "start-sentinels": start_sentinels,
    "drain-readers": drain_readers,
    "serve-readers": serve_readers,
    "replicate": replicate,
    "promote": promote,
    "save-dump": backup.save_dump,
    "backup": backup.backup,
    "restore-dump": backup.restore_dump,
    "copy-dump": copy_dump,
    "set-priorities": set_priorities,
    "set-replicaof": set_replicaof,
    "clear-replicaof": clear_replicaof,
    "keep-replica": keep_replica,
    "keep-master": keep_master,
    "hold-service": hold_service,
    "release-service": release_service,
    "pause-writes": pause_writes,
    "resume-writes": resume_writes,
    "export-differences": export_differences,
    "export-disk-keys": export_disk_keys,
    "write-proof": write_proof,
    "shell": _shell,
    "manual": _by_hand,
    "sentinels-by-hand": _by_hand,
}
