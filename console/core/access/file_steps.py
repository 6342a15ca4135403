"""Whether the files that are read on a node are there, and may be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.core.access.host_steps import Login
from console.core.access.step import Steps
from console.core.inventory import NodeSpec
from console.core.model import NodeState, ProblemKind, Reading
from console.core.quantities import counted

SCRIPTS = "scripts"
_JOURNAL = "journal"
"""What the probe says instead of a path."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file, and the key of the inventory that says where it is."""

    name: str
    path: str
    reading: Reading[Any]
    key: str


def file_names(kind: str) -> tuple[str, ...]:
    """The names of the steps for the files of a node, for a node that cannot be read."""
    return (*(_KEEPALIVED if kind == "keepalived" else ()), *_REDIS)


_LOG = "keepalived log"
_KEEPALIVED = ("keepalived.conf", SCRIPTS, "state log", _LOG)
_REDIS = ("redis.conf", "Redis log", "data folder")


def file_steps(steps: Steps, login: Login, kind: str, spec: NodeSpec, node: NodeState) -> None:
    """Adds a step for each file."""
    if kind == "keepalived":
        for one in _keepalived_files(spec, node):
            _step(steps, login, one)
            if one.name == _KEEPALIVED[0]:
                _scripts(steps, login, node)
        _keepalived_log(steps, login, spec, node)
    for one in _redis_files(spec, node):
        _step(steps, login, one)


def _keepalived_files(spec: NodeSpec, node: NodeState) -> Iterator[_File]:
    """The files of keepalived on a node."""
    keepalived = spec.keepalived
    yield _File("keepalived.conf", keepalived.config, node.keepalived_config, "keepalived.config")
    if keepalived.state_log:
        yield _File("state log", keepalived.state_log, node.notify_log, "keepalived.state_log")


def _keepalived_log(steps: Steps, login: Login, spec: NodeSpec, node: NodeState) -> None:
    """The log that the inventory names, or the one that was found. A journal hides the lines of others."""
    named, found = spec.keepalived.system_log, node.system_log.value
    if found is None or found.path != _JOURNAL:
        path = named or (found.path if found is not None else "")
        _step(steps, login, _File(_LOG, path, node.system_log, "keepalived.system_log"))
        return
    unit = spec.keepalived.service.systemd or "keepalived"
    if found.lines:
        steps.works(_LOG, f"the journal of the unit {unit}")
    else:
        change = f"usermod -aG systemd-journal {login.user} on {login.name}, or set keepalived.service or system_log"
        steps.note(_LOG, f"the journal shows {login.who} no line of the unit {unit}", change)


def _redis_files(spec: NodeSpec, node: NodeState) -> Iterator[_File]:
    redis = node.redis.value
    config = redis.config if redis is not None else None
    file = (redis.config_file if redis is not None else "") or spec.redis.config
    yield _File("redis.conf", file, node.redis_file, "redis.config")
    if config is None or config.logfile is None or config.logfile:
        yield _File("Redis log", (config.logfile if config is not None else "") or "", node.redis_log, "")
    folder = (config.dir if config is not None else "") or spec.redis.dir
    yield _File("data folder", folder, node.backups, "redis.dir")


def _step(steps: Steps, login: Login, file: _File) -> None:
    problem = file.reading.problem
    if problem is None:
        steps.works(file.name, file.path or "read")
    elif problem.kind is ProblemKind.NOT_PERMITTED:
        steps.fails(file.name, f"{file.path or problem}: {login.who} may not read it", _rights(login, file.path))
    elif not file.path:
        if file.key:
            steps.note(file.name, str(problem), f"set {file.key} of {login.name} to where it is")
        else:
            steps.not_tried([file.name], str(problem))
    else:
        change = f"set {file.key} of {login.name} to where it is" if file.key else "look for it on the node"
        hidden = "" if login.is_root else "; if it is hidden: ssh.sudo: true"
        steps.fails(file.name, str(problem), change + hidden)


def _rights(login: Login, path: str) -> str:
    grant = f"setfacl -m u:{login.user}:rX {path or 'FILE'} on {login.name} (and X on its folders)"
    return grant if login.ssh.sudo else f"set ssh.sudo: true, or {grant}"


def _scripts(steps: Steps, login: Login, node: NodeState) -> None:
    found = node.scripts.value
    if found is None:
        if node.keepalived_config.ok:
            steps.works(SCRIPTS, "keepalived.conf names none")
        else:
            steps.not_tried([SCRIPTS], "keepalived.conf could not be read")
        return
    missing = [one.path for one in found if not one.exists]
    hidden = [one.path for one in found if one.exists and not one.readable]
    if missing:
        change = f"put them there, or correct keepalived.conf of {login.name}"
        steps.fails(SCRIPTS, f"not there: {', '.join(missing)}", change)
    elif hidden:
        steps.fails(SCRIPTS, f"{login.who} may not read {', '.join(hidden)}", _rights(login, " ".join(hidden)))
    else:
        steps.works(SCRIPTS, f"{counted(len(found), 'script')} of keepalived.conf can be read")
