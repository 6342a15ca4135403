"""What the commands of a verb are made from: its node, its arguments, the observation and the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.core.command import Planned, ShellCommand
from console.core.inventory import ClusterSpec, NodeSpec
from console.core.model import ClusterState
from console.core.runbooks.document import Action

SERVICE_TIMEOUT = 90.0
"""Seconds. systemd itself waits up to 90 for a service to stop."""


class PlanError(Exception):
    """The commands of a step cannot be made: the inventory lacks a command, or a file cannot be read. One line."""


class NotNowError(PlanError):
    """They cannot be made by this observation, and an earlier step may change that."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What the commands of a run are made from, besides the observation."""

    cluster: ClusterSpec
    roles: Mapping[str, str]
    run_id: str
    stamp: str
    """UTC time for the names of copies. It stays the same between showing and sending."""
    read_file: Callable[[str, str], bytes] | None = None
    """Node and path → the bytes of the file now. None: no run is armed, and the observed text is used instead."""
    folder: str = "(the folder of the run)"
    """Where the run keeps its journal on this machine."""

    def node_of(self, role: str) -> NodeSpec:
        """The node that a role is bound to. Raises PlanError if it is bound to none."""
        try:
            return self.cluster.node(self.roles[role])
        except KeyError:
            raise PlanError(f"the role {role} is bound to no node of {self.cluster.name}") from None


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one node, with everything that its commands depend on."""

    node: NodeSpec
    action: Action
    state: ClusterState
    context: CommandContext

    def argument(self, name: str) -> str:
        try:
            return str(self.action.arguments[name])
        except KeyError:
            raise PlanError(f"{self.action.verb} needs the argument {name}: see `runbooks check`") from None

    def role(self, name: str) -> NodeSpec:
        return self.context.node_of(self.argument(name))


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


def word_of(node: NodeSpec, command: str) -> str:
    """The command's name on this server. A renamed command is sent and shown by its new name."""
    return node.redis.aliases.get(command, command)
