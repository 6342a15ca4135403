"""Tries what tells how to reach a Redis that does not answer, and which commands one that answers lets this user send.

Nothing that is sent here changes anything: `INFO`, `COMMAND INFO` and `ACL DRYRUN`, which only says what would be.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from console.core.access.trial import NEEDED, Permission, RedisTrial
from console.core.inventory import RedisRoute, RedisSpec
from console.core.model import ConnectStep
from console.core.model.silence import SILENCE
from console.transport.connections.errors import RemoteError
from console.transport.connections.inspection_thread import InspectionThread
from console.transport.redis.connection import DENIED, Question, RedisConnection, Refusal, Reply, through
from console.transport.redis.inspector import RedisInspector

LOOPBACK = "127.0.0.1"
SENT = frozenset({"INFO", "COMMAND INFO", "ACL DRYRUN"})
"""Every command that is sent after AUTH."""
_ANSWER_TIMEOUT = 2.0  # seconds for one answer
_DEADLINE = 8.0  # seconds for all trials of all servers, which are made side by side
_ALLOWED = "OK"
_AWAY = (ConnectStep.NAME, ConnectStep.TCP)
"""Where a server that is reached in another way may answer all the same."""


def try_all(inspectors: Mapping[str, RedisInspector], reachable: Sequence[str]) -> Mapping[str, RedisTrial]:
    """Node → what its trials brought. `reachable`: the nodes with an SSH connection. Raises nothing."""
    threads: dict[str, InspectionThread[RedisTrial]] = {}
    for name, one in inspectors.items():
        look = partial(_try, one, through_ssh=name in reachable)
        threads[name] = InspectionThread(one.where, look, lambda _: RedisTrial(), one.now)
    for thread in threads.values():
        thread.ask()
    deadline = time.monotonic() + _DEADLINE
    done = {name: thread.answer for name, thread in threads.items() if thread.wait(deadline)}
    for thread in threads.values():
        thread.close()
    return {name: done.get(name) or RedisTrial() for name in inspectors}


def _try(inspector: RedisInspector, *, through_ssh: bool) -> RedisTrial:
    problem = inspector.reading.problem
    if problem is None:
        return RedisTrial(permissions=_permissions(inspector))
    away = problem.step in _AWAY or DENIED in problem.text
    return RedisTrial(answers_at=_answers_at(inspector) if away and through_ssh else "")


def _answers_at(inspector: RedisInspector) -> str:
    """The first address at which the server answers through the SSH connection to its node; empty: none."""
    spec = inspector.spec.redis
    named = spec.host or inspector.spec.address
    for host in dict.fromkeys(((named,) if spec.via is RedisRoute.DIRECT else ()) + (LOOPBACK,)):
        dial = through(inspector.open_tunnel, host, spec.port, spec.tls)
        link = RedisConnection(spec, inspector.password, f"{host}:{spec.port}", dial, _ANSWER_TIMEOUT)
        try:
            if _answers(link):
                return host
        finally:
            link.close()
    return ""


def _answers(link: RedisConnection) -> bool:
    """Whether a server is there that does not turn away this route. One that wants a password counts."""
    try:
        link.connect()
        link.send((Question.INFO_SERVER,))
        replies = link.receive(time.monotonic() + _ANSWER_TIMEOUT)
    except RemoteError as error:
        problem = error.problem
        return problem.step in (ConnectStep.TLS, ConnectStep.AUTH) and problem.kind not in SILENCE
    turned_away = any(isinstance(one, Refusal) and one.text.startswith(DENIED) for one in replies or ())
    return bool(replies) and not turned_away


def _permissions(inspector: RedisInspector) -> Mapping[str, Permission]:
    """Raises RemoteError."""
    spec = inspector.spec.redis
    names = [_on_server(spec, command) for command in NEEDED]
    user = spec.username or "default"
    asked: list[tuple[str, ...]] = [("COMMAND", "INFO", words[0]) for words in names]
    asked += [("ACL", "DRYRUN", user, *words, *more) for words, more in zip(names, NEEDED.values(), strict=True)]
    link = inspector.new_connection()
    try:
        link.connect()
        link.send_words(asked)
        replies = link.receive(time.monotonic() + _ANSWER_TIMEOUT)
    finally:
        link.close()
    if replies is None:
        return {}
    half = len(names)
    pairs = zip(replies[:half], replies[half:], strict=True)
    return {command: _permission(*pair) for command, pair in zip(NEEDED, pairs, strict=True)}


def _on_server(spec: RedisSpec, command: str) -> tuple[str, ...]:
    """The words of the command, with its name on this server."""
    name, *rest = command.split()
    return (spec.aliases.get(name, name), *rest)


def _permission(known: Reply, allowed: Reply) -> Permission:
    if isinstance(known, Refusal):
        return Permission.NOT_KNOWN
    if not any(known):
        return Permission.MISSING
    if isinstance(allowed, Refusal):
        return Permission.THERE
    return Permission.GIVEN if allowed == _ALLOWED else Permission.REFUSED
