"""The scripts that keepalived calls on a node: when it calls them, and what they do (H10)."""

from __future__ import annotations

import re
from dataclasses import replace

from console.core.keepalived import script_text
from console.core.kept import kept_while_same
from console.core.lazy_dataclass import dataclass
from console.core.model import KeepalivedConfig, NodeState, ScriptAction, ScriptFile, VrrpInstance


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A command in keepalived.conf, and the program that it runs."""

    trigger: str
    """`notify_master`, or `check NAME`."""
    line: int
    """Its line in keepalived.conf; 0: not known."""
    command: str
    path: str
    """The program; empty: the command does not name a program by its path."""
    file: ScriptFile | None
    """None: the program was not read."""
    actions: tuple[tuple[str, ScriptAction], ...]
    """The place of each action and the action: first those in the program, then those in keepalived.conf."""


def script_calls(node: NodeState, instance: VrrpInstance) -> tuple[ScriptCall, ...]:
    """The calls of the notify scripts, then those of the checks."""
    return _calls(node.keepalived_config.value, node.scripts.value, instance)


@kept_while_same(256)
def _calls(
    config: KeepalivedConfig | None, scripts: tuple[ScriptFile, ...] | None, instance: VrrpInstance
) -> tuple[ScriptCall, ...]:
    """They are asked for many times in an observation, and are the same in the next one."""
    conf = config.file.path if config is not None else "keepalived.conf"
    files = {one.path: one for one in scripts or ()}
    named = [(what, instance.lines.get(what, 0), command) for what, command in instance.notify.items()]
    named += [(what, 0, command) for what, command in instance.group_notify.items()]
    named += [(f"check {one.name}", one.line, one.script) for one in instance.scripts if one.script]
    return tuple(
        _call(what, line, command, conf, files.get(script_text.script_path(command))) for what, line, command in named
    )


def _call(what: str, line: int, command: str, conf: str, file: ScriptFile | None) -> ScriptCall:
    path = script_text.script_path(command)
    given = _arguments(command, path)
    inside = [
        (f"{path} line {action.line}", replace(action, target=_filled(action.target, given)))
        for action in (file.actions if file is not None and not _is_dropped(command, file) else ())
    ]
    inside += [(f"{conf} line {line}", action) for action in script_text.actions(command)]
    return ScriptCall(what, line, command, path, file, tuple(inside))


def _is_dropped(command: str, file: ScriptFile) -> bool:
    """Whether keepalived runs nothing: nobody may execute the program that the command begins with."""
    return file.exists and not file.executable and command.strip("\"' ").startswith(file.path)


_ARGUMENT = re.compile(r"\$([0-9])")


def _arguments(command: str, path: str) -> list[str]:
    """The arguments of the program."""
    words = [word.strip("\"'") for word in command.split()]
    return words[words.index(path) + 1 :] if path in words else []


def _filled(target: str, given: list[str]) -> str:
    """The target with `$1`, `$2`… replaced by the arguments in keepalived.conf. A missing one stays as it is."""

    def argument(found: re.Match[str]) -> str:
        place = int(found[1])
        return given[place - 1] if 0 < place <= len(given) else found[0]

    return _ARGUMENT.sub(argument, target)
