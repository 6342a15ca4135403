"""What keepalived starts on a node, for which change of state or as which check, and what that does by itself (H10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.core import script_text
from console.core.model import NodeState, ScriptAction, ScriptFile, VrrpInstance


@dataclass(frozen=True, slots=True)
class Use:
    """A command of keepalived.conf, and the program behind it."""

    what: str
    """`notify_master`, or `check NAME`."""
    line: int
    """In keepalived.conf; 0: not known."""
    command: str
    path: str
    """The program; empty: the command is no program by its path."""
    file: ScriptFile | None
    """None: nothing was read of it."""
    actions: tuple[tuple[str, ScriptAction], ...]
    """Where each stands, and what it does: in the program, then in keepalived.conf itself."""


def uses(node: NodeState, instance: VrrpInstance) -> Iterator[Use]:
    """The notify scripts, then the checks."""
    config = node.keepalived_config.value
    conf = config.file.path if config is not None else "keepalived.conf"
    files = {one.path: one for one in node.scripts.value or ()}
    named = [(what, instance.lines.get(what, 0), command) for what, command in instance.notify.items()]
    named += [(f"check {one.name}", one.line, one.script) for one in instance.scripts if one.script]
    for what, line, command in named:
        path = script_text.script_path(command)
        file = files.get(path)
        inside = [(f"{path} line {action.line}", action) for action in (file.actions if file is not None else ())]
        inside += [(f"{conf} line {line}", action) for action in script_text.actions(command)]
        yield Use(what, line, command, path, file, tuple(inside))
