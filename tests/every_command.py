"""Everything that the console can send, found by reflection: each verb planned from many states, and each question."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import sample_sets as sets
import samples
from fakes import CLUSTER, A, B

import console
from console.core.command import ConsulCommand, DiskKeyExport, FileCopy, KeyExport, Planned, RedisCommand, ShellCommand
from console.core.conditions.switching import PAUSED
from console.core.inventory import (
    ClusterSpec,
    ConsulSpec,
    DirectorSpec,
    KeepalivedSpec,
    NodeSpec,
    RedisSpec,
    SentinelSpec,
    ServiceSpec,
    SshSpec,
)
from console.core.model import ClusterState, ProblemKind, read, unread
from console.core.runbooks.document import Action, Step
from console.core.runbooks.verb import ArgumentKind
from console.core.runbooks.verbs import VERBS
from console.engine.actions.commands import CommandContext, PlanError, plan_commands

ROOT = Path(console.__file__).parent
_STAMP = "20261121T034000Z"
_TEXTS = {"script": "uptime", "instruction": "plug it in", "command": "uptime", "backup": "newest"}
_WHOLE_WORDS = ("CONFIG", "CLIENT", "SENTINEL")
"""Commands whose second word says what they do."""


def _spec(name: str) -> NodeSpec:
    return NodeSpec(name, sets.ADDRESS[name], SshSpec(sudo=True), RedisSpec(), KeepalivedSpec())


_VIP_SET = ClusterSpec(
    "sessions",
    "sentinel-vip",
    sets.WRITE_VIP,
    tuple(map(_spec, (sets.WEB01, sets.WEB02, sets.WEB03))),
    master_name="master1",
    sentinels=(SentinelSpec("sentinel1", sets.ADDRESS[sets.WEB01], service=ServiceSpec(sysv="s"), host=sets.WEB01),),
    read_vip=sets.READ_VIP,
    directors=tuple(
        DirectorSpec(one, sets.ADDRESS[one], SshSpec(sudo=True), KeepalivedSpec()) for one in (sets.LB01, sets.LB02)
    ),
)
_CONSUL_SET = ClusterSpec(
    "app",
    "sentinel-consul",
    "",
    tuple(map(_spec, (sets.APP01, sets.APP02))),
    consul=ConsulSpec(http="http://192.168.3.1:8500", service="redis"),
)
_PAIR = replace(CLUSTER, nodes=tuple(replace(one, ssh=SshSpec(sudo=True)) for one in CLUSTER.nodes))


def _silent_sentinel(state: ClusterState) -> ClusterState:
    first, *others = state.sentinels
    down = replace(first, sentinel=unread(ProblemKind.REFUSED), host=sets.WEB01, start="service s start")
    return replace(state, sentinels=(down, *others))


def _readers_gone(state: ClusterState) -> ClusterState:
    def drained(director):
        services = director.services.map(
            lambda found: tuple(
                replace(one, servers=tuple(replace(server, weight=0) for server in one.servers)) for one in found
            )
        )
        return replace(director, services=services)

    return replace(state, directors=tuple(map(drained, state.directors)))


def _paused(state: ClusterState) -> ClusterState:
    for node in state.nodes:
        if node.redis.value is not None:
            config = replace(node.redis.value.config, min_replicas_to_write=PAUSED)
            state = samples.with_redis(state, node.name, config=config)
    return state


def _worlds() -> Iterator[tuple[ClusterSpec, ClusterState]]:
    pairs = (
        samples.healthy_pair(),
        samples.failed_over_pair(),
        samples.stale_master_back(),
        samples.in_sync_unprotected(),
        samples.rebuilt_pair(),
        samples.with_backup(samples.failed_over_pair(), B),
        samples.with_backup(samples.with_aof(samples.failed_over_pair(), B), B),
        samples.with_redis(samples.rebuilt_pair(), A, version="2.6.4"),
    )
    for state in pairs:
        yield _PAIR, state
        yield _PAIR, _paused(state)
    for change in (lambda one: one, _silent_sentinel, _readers_gone, _paused):
        yield _VIP_SET, change(sets.sentinel_vip_set())
    registered = sets.sentinel_consul_set()
    assert registered.consul is not None
    names = read((sets.APP01, sets.APP02), samples.NOW)
    yield _CONSUL_SET, replace(registered, consul=replace(registered.consul, registered=names))


def _arguments(verb: str, other: str) -> Mapping[str, str]:
    made = {ArgumentKind.ROLE: other, ArgumentKind.SECONDS: "30"}
    return {one.name: made.get(one.kind) or _TEXTS[one.name] for one in VERBS[verb].arguments}


@cache
def planned_by_verb() -> Mapping[str, Sequence[Planned]]:
    """Verb → every command that it makes from one of the sample states."""
    found: dict[str, list[Planned]] = {verb: [] for verb in VERBS}
    for spec, state in _worlds():
        names = [node.name for node in spec.nodes]
        for verb in VERBS:
            for role, other in ((one, two) for one in names for two in names if one != two):
                # The arguments of set-priorities are roles too, and both have to be there.
                arguments = dict(_arguments(verb, other)) | ({"master": role} if verb == "set-priorities" else {})
                work = CommandContext(spec, {name: name for name in names}, "RUN-1", _STAMP)
                step = Step("s", "title", "why", role, action=Action(verb, arguments))
                try:
                    found[verb] += plan_commands(step, state, work)
                except PlanError:
                    continue
    return found


def name_of(words: Sequence[object]) -> str:
    """`CONFIG GET` for a command with a second word that counts, else its first word."""
    return " ".join(str(word).upper() for word in words[: 2 if str(words[0]).upper() in _WHOLE_WORDS else 1])


def redis_commands(planned: Sequence[Planned]) -> set[str]:
    """What is sent to Redis or a Sentinel. An export reads by commands of its own."""
    plain = [one.command for one in planned if isinstance(one.command, RedisCommand)]
    return {name_of(one.words) for one in plain if not isinstance(one, KeyExport)}


def shell_texts(planned: Sequence[Planned]) -> list[ShellCommand]:
    """What runs in a node's shell. A copied file has a text on both nodes, and one that streams it."""
    found = []
    for one in (planned.command for planned in planned):
        if isinstance(one, FileCopy):
            found += [ShellCommand(text, sudo=one.sudo) for text in (one.offer, one.accept, one.script)]
        elif isinstance(one, DiskKeyExport):
            found.append(ShellCommand(one.script, sudo=one.sudo))
        elif isinstance(one, ShellCommand):
            found.append(one)
    return found


_BEFORE_A_COMMAND = re.compile(
    r"(?:^|[;&|({`]|\$\(|\b(?:if|then|else|elif|do|while|until|exec|timeout \S+|command -v|!)\s)"
    r"\s*([a-z][a-z0-9_-]*)(?=[\s;)&|]|$)",
    re.MULTILINE,
)


def words_of_programs(text: str) -> set[str]:
    """Every word of a shell text that stands where a program may stand."""
    own = set(re.findall(r"^\s*(\w+)\(\) *{", text, re.MULTILINE))
    return set(_BEFORE_A_COMMAND.findall(text)) - own - BUILT_IN


_WORDS = """
. [ : break case cd command continue do done echo elif else esac eval exec exit export false fi for if in kill printf
pwd read return set shift test then times trap true umask unset until wait while
"""
BUILT_IN = frozenset(_WORDS.split())
"""Words of the shell itself, and programs that every POSIX sh has built in."""


def asks_consul(planned: Sequence[Planned]) -> bool:
    return any(isinstance(one.command, ConsulCommand) for one in planned)


def words_in_capitals(*rooms: str) -> set[str]:
    """Every text of the source that is one word in capitals, as commands are written there."""
    found = set()
    for room in rooms:
        place = ROOT / room
        for file in place.rglob("*.py") if place.is_dir() else [place]:
            for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value.isalpha():
                    found |= {one.value} if one.value.isupper() and len(one.value) > 2 else set()
    return found
