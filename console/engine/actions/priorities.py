"""The edit of one keepalived.conf that makes the priority rule hold (H15)."""

from __future__ import annotations

from console.core.command import Planned
from console.core.inventory import NodeSpec
from console.core.keepalived.configuration import parse
from console.core.keepalived.priority import smallest_change
from console.core.keepalived.priority_edit import with_priority
from console.engine.actions.config_edit import replace_file, sha256, shown_diff
from console.engine.actions.request import CommandContext as CommandContext  # noqa: PLC0414
from console.engine.actions.request import PlanError as PlanError  # noqa: PLC0414 - whoever plans catches it from here
from console.engine.actions.request import Request, service_command


def set_priorities(request: Request) -> tuple[Planned, ...]:
    """The smallest edit that makes the rule hold, then a reload if keepalived runs."""
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
    """The file on the node now, and its SHA-256. A plan cannot read it: it uses the observed text, passwords masked."""
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
    return config.value.file.text.encode("utf-8", "surrogatepass"), config.value.file.digest
