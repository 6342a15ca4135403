"""Makes a capture from what was read: an observation, the inventory, and the texts of the hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from console.core.drills import mentions, stand_ins, watchers
from console.core.drills.capture import Capture, CapturedHost, CapturedMachine, HostFacts, HostText, Part, Unread
from console.core.drills.machines import Came, captured_director, captured_host
from console.core.drills.service_files import USUAL_SERVICES, configurations_in, service_paths
from console.core.drills.suspicious import suspicious_lines
from console.core.drills.watchers import service_text
from console.core.inventory import ClusterSpec
from console.core.model import ClusterState
from console.core.quantities import counted

DEEPEST = 5
"""Rounds of files that name other files."""
_MEANS = {
    Part.KEEPALIVED: "no rehearsal is possible: nothing moves the virtual IP",
    Part.INCLUDE: "keepalived of the rehearsal runs without this part of its configuration",
    Part.SCRIPT: "a stand-in that does nothing and succeeds takes its place: what your script does is not rehearsed",
    Part.CALLED: "the scripts of the rehearsal do not find it, and fail where they call it",
    Part.READ: "the scripts of the rehearsal do not find it",
    Part.REDIS: "Redis of the rehearsal gets a configuration made from what it said of itself",
    Part.SENTINEL: "this Sentinel of the rehearsal gets a file made from what it said of itself",
    Part.CONSUL: "Consul of the rehearsal runs without this part of its configuration",
    Part.SERVICE: "the rehearsal starts the server by its command line",
}
"""What it means for a rehearsal that a file of this kind could not be read."""
_WHY = {
    "missing": "it is not there",
    "denied": "this login may not read it",
    "hidden": "this login may not look into its folder",
    "large": "it is larger than a configuration or a script",
    "binary": "it is a program or data, and no text",
    "special": "it is no file",
    "changing": "it changed while it was read",
}
_OPTIONAL = frozenset({Part.SERVICE, Part.READ, Part.SENTINEL})
"""Parts whose absence needs no word: they are asked for wherever they might be."""


def first_paths(spec: ClusterSpec, name: str, state: ClusterState, facts: HostFacts) -> list[tuple[str, Part]]:
    """The files to begin with: the configurations, and how the services are started."""
    director = next((one for one in spec.directors if one.name == name), None)
    if director is not None:
        return [
            (director.keepalived.config, Part.KEEPALIVED),
            *((path, Part.SERVICE) for path in service_paths(director.keepalived.service)),
            *watchers.sentinel_paths(spec, state, name, facts),
        ]
    node, redis = spec.node(name), state.node(name).redis.value
    pair = spec.kind == "keepalived"
    wanted = [(node.keepalived.config, Part.KEEPALIVED)] if pair else []
    conf = (redis.config_file if redis else "") or node.redis.config or facts.configuration_of("redis-server")
    services = [node.redis.service]
    if conf.startswith("/"):
        wanted.append((conf, Part.REDIS))
    elif not service_text(node.redis.service):
        services += USUAL_SERVICES
    wanted += [*watchers.sentinel_paths(spec, state, name, facts), *watchers.consul_paths(facts)]
    sentinels = (one.service for one in spec.sentinels if watchers.machine_of(spec, one) == name)
    for service in (*services, *((node.keepalived.service,) if pair else ()), *sentinels):
        wanted += [(path, Part.SERVICE) for path in service_paths(service)]
    return wanted


def redis_paths(
    spec: ClusterSpec, name: str, texts: Sequence[tuple[HostText, Part]], known: set[str]
) -> list[tuple[str, Part]]:
    """Where the configuration of a Redis is that does not say so itself: what its service's files name."""
    node = next((one for one in spec.nodes if one.name == name), None)
    if node is None or any(part is Part.REDIS and one.status != "missing" for one, part in texts):
        return []
    service = node.redis.service
    own = [service.start] if service.start else []
    read = (one.text for one, part in texts if part is Part.SERVICE and one.status == "ok")
    named = dict.fromkeys(path for text in (*own, *read) for path in configurations_in(text, service))
    return [(path, Part.REDIS) for path in named if path not in known]


def next_paths(texts: Sequence[tuple[HostText, Part]], known: set[str]) -> list[tuple[str, Part]]:
    """The files that these texts name and that were not asked for yet."""
    found: dict[str, Part] = {}
    for text, part in texts:
        if text.status == "ok":
            for path, meant in mentions.named_by(part, text.path, text.text):
                if path not in known:
                    found.setdefault(path, meant)
    return list(found.items())


def assemble(
    spec: ClusterSpec,
    state: ClusterState,
    hosts: Mapping[str, Came],
    passwords: Mapping[str, str],
    silent: Mapping[str, str],
) -> Capture:
    """The capture. `passwords`: node → password of the inventory. `silent`: node → why its host could not be read."""
    found: list[str] = [one for one in passwords.values() if one]
    for _, texts in hosts.values():
        for text, part in texts:
            found += stand_ins.secrets_in(text.text, whole=part is Part.READ)
    instead = stand_ins.make_stand_ins(found)
    unread = [one for name, (_, texts) in hosts.items() for one in _unread(name, texts)]
    unread += [Unread(name, "the whole host", why, "no rehearsal is possible") for name, why in silent.items()]
    nodes = tuple(
        captured_host(spec, one.name, state, hosts[one.name], instead, passwords.get(one.name, ""))
        for one in spec.nodes
        if one.name in hosts
    )
    directors = tuple(
        captured_director(spec, one, state, hosts[one.name], instead) for one in spec.directors if one.name in hosts
    )
    machines = {one.name: one for one in (*nodes, *directors)}
    unread += [one for host in nodes for one in _silent_redis(host, state)]
    others = watchers.lone_machines(spec, machines)
    stand_in_of = {name: instead.get(one, one) for name, one in passwords.items()}
    sentinels = watchers.captured_sentinels(spec, state, machines, stand_in_of)
    return Capture(
        spec.name, spec.kind, spec.vip, float(round(state.observed_at)), nodes,
        (*unread, *watchers.not_captured(sentinels, others)), _notes(instead), vip_at=_vip_at(spec.vip, state),
        master_name=spec.master_name, sentinels=sentinels, read_vip=spec.read_vip, directors=directors, others=others,
        consul=watchers.captured_consul(spec), look_at=tuple(_to_look_at((*nodes, *directors))),
    )  # fmt: skip


def _vip_at(vip: str, state: ClusterState) -> str:
    """Where a virtual IP is: `INTERFACE ADDRESS/PREFIX`."""
    found = filter(None, (node.held(vip) for node in state.nodes))
    return next((f"{one.interface} {one.address}/{one.prefix}" for one in found), "")


def _unread(node: str, texts: Sequence[tuple[HostText, Part]]) -> Iterator[Unread]:
    for text, part in texts:
        if text.status == "ok" or (part in _OPTIONAL and text.status == "missing"):
            continue
        if text.status in ("binary", "large", "special") and part in (Part.SCRIPT, Part.CALLED, Part.READ):
            continue  # a program of the system: whether the laboratory has it is told before a rehearsal begins
        if "*" in text.path and text.status == "missing":
            continue
        yield Unread(node, text.path, _WHY[text.status], _MEANS[part])


def _silent_redis(host: CapturedHost, state: ClusterState) -> Iterator[Unread]:
    """What a Redis that did not answer has not said of itself."""
    redis = host.redis
    if redis.version:
        return
    problem = state.node(host.name).redis.problem
    why = f"it did not answer ({problem})" if problem else "it did not answer"
    yield Unread(
        host.name, "what Redis says of itself", why,
        "its version and its role are not known: the rehearsal has the installed version, as a replica; capture again "
        "when it runs",
    )  # fmt: skip
    if host.file(redis.config) is None:
        yield Unread(
            host.name, "the configuration of Redis", "neither the inventory nor its service names it",
            f"this node stands on a guess ({redis.config}, {redis.dir}): no check of it counts as passed; name it in "
            "the inventory (redis: config:), or capture again when Redis runs",
        )  # fmt: skip


def _to_look_at(machines: Sequence[CapturedMachine]) -> Iterator[str]:
    """`files/HOST/PATH line N`: what may hold a secret that no rule has recognized."""
    for machine in machines:
        for file in machine.files:
            found = [str(number) for number in suspicious_lines(file.text)]
            if found:
                yield f"files/{machine.name}{file.path} line{'s' if len(found) > 1 else ''} {', '.join(found)}"
        for one in machine.processes:
            if any(suspicious_lines(one.command)):
                yield f"capture.yaml, the command line of {one.program} on {machine.name}"


def _notes(instead: Mapping[str, str]) -> tuple[str, ...]:
    notes = [f"{counted(len(instead), 'secret')} replaced by stand-ins; equal ones have the same stand-in"]
    if short := sum(not stand_ins.is_searchable(one) for one in instead):
        notes.append(
            f"{counted(short, 'secret is', 'secrets are')} shorter than {stand_ins.SHORTEST} characters, or a plain "
            "number: replaced where "
            "passwords stand; a reviewer should look whether one stands elsewhere"
        )
    return tuple(notes)
