"""Makes a capture from what was read: an observation, the inventory, and the texts of the hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from posixpath import dirname

from console.core.drills import mentions, stand_ins
from console.core.drills.capture import (
    Capture,
    CapturedFile,
    CapturedHost,
    CapturedInterface,
    CapturedProcess,
    CapturedRedis,
    HostFacts,
    HostText,
    Part,
    Unread,
)
from console.core.inventory import ClusterSpec, NodeSpec, ServiceSpec
from console.core.model import ClusterState, NodeState
from console.core.quantities import counted
from console.core.visible import visible

DEEPEST = 5
"""Rounds of files that name other files."""
_MEANS = {
    Part.KEEPALIVED: "no rehearsal is possible: nothing moves the virtual IP",
    Part.INCLUDE: "keepalived of the rehearsal runs without this part of its configuration",
    Part.SCRIPT: "a stand-in that does nothing and succeeds takes its place: what your script does is not rehearsed",
    Part.CALLED: "the scripts of the rehearsal do not find it, and fail where they call it",
    Part.READ: "the scripts of the rehearsal do not find it",
    Part.REDIS: "Redis of the rehearsal gets a configuration made from what it said of itself",
    Part.SENTINEL: "this Sentinel takes no part in the rehearsal",
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
_SENTINEL_FILES = ("/etc/redis/sentinel.conf", "/etc/redis-sentinel.conf", "/etc/sentinel.conf")
"""A running Sentinel does not show its file: these are the usual ones."""
_UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def first_paths(kind: str, spec: NodeSpec, node: NodeState, facts: HostFacts) -> list[tuple[str, Part]]:
    """The files to begin with: the configurations, and how the services are started."""
    wanted = [(spec.keepalived.config, Part.KEEPALIVED)] if kind == "keepalived" else []
    redis = node.redis.value
    conf = (redis.config_file if redis else "") or spec.redis.config or _argument(facts, "redis-server", ".conf")
    if conf.startswith("/"):
        wanted.append((conf, Part.REDIS))
    if kind != "keepalived":
        told = _argument(facts, "redis-sentinel", ".conf")
        wanted += [(path, Part.SENTINEL) for path in ([told] if told else _SENTINEL_FILES)]
    for service in (spec.redis.service, *((spec.keepalived.service,) if kind == "keepalived" else ())):
        wanted += [(path, Part.SERVICE) for path in _service_paths(service)]
    return wanted


def _argument(facts: HostFacts, program: str, end: str) -> str:
    """The first argument of a process that ends so."""
    words = (word for one in facts.processes if one.program == program for word in one.command.split()[1:])
    return next((word for word in words if word.endswith(end)), "")


def _service_paths(service: ServiceSpec) -> Iterator[str]:
    if service.systemd:
        unit = service.systemd.removesuffix(".service")
        for folder in _UNIT_FOLDERS:
            yield f"{folder}/{unit}.service"
            yield f"{folder}/{unit}.service.d/*.conf"
    name = service.sysv or service.systemd
    if name:
        yield from (f"{folder}/{name}" for folder in ("/etc/init.d", "/etc/default", "/etc/sysconfig"))
    for command in (service.start, service.stop, service.reload, service.status):
        yield from (word for word in command.split() if word.startswith("/"))


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
    hosts: Mapping[str, tuple[HostFacts, Sequence[tuple[HostText, Part]]]],
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
    made = tuple(
        _host(spec, name, state.node(name), (facts, texts), instead, passwords.get(name, ""))
        for name, (facts, texts) in hosts.items()
    )
    return Capture(spec.name, spec.kind, spec.vip, state.observed_at, made, tuple(unread), _notes(spec, instead))


def _unread(node: str, texts: Sequence[tuple[HostText, Part]]) -> Iterator[Unread]:
    for text, part in texts:
        if text.status == "ok" or (part in _OPTIONAL and text.status == "missing"):
            continue
        if text.status in ("binary", "large", "special") and part in (Part.SCRIPT, Part.CALLED, Part.READ):
            continue  # a program of the system: whether the laboratory has it is told before a rehearsal begins
        if "*" in text.path and text.status == "missing":
            continue
        yield Unread(node, text.path, _WHY[text.status], _MEANS[part])


def _notes(spec: ClusterSpec, instead: Mapping[str, str]) -> tuple[str, ...]:
    notes = [f"{counted(len(instead), 'secret')} replaced by stand-ins; equal ones have the same stand-in"]
    if short := sum(not stand_ins.is_searchable(one) for one in instead):
        notes.append(
            f"{counted(short, 'secret is', 'secrets are')} shorter than {stand_ins.SHORTEST} characters, or a plain "
            "number: replaced where "
            "passwords stand; a reviewer should look whether one stands elsewhere"
        )
    if spec.sentinels or spec.directors or spec.consul:
        notes.append("of this kind of cluster only the nodes with Redis are captured")
    return tuple(notes)


def _host(
    cluster: ClusterSpec,
    name: str,
    node: NodeState,
    came: tuple[HostFacts, Sequence[tuple[HostText, Part]]],
    instead: Mapping[str, str],
    password: str,
) -> CapturedHost:
    spec = cluster.node(name)
    facts, texts = came

    def clean(text: str) -> str:
        return stand_ins.replace_secrets(text, instead)

    files = tuple(
        CapturedFile(one.path, part, one.mode, one.owner,
                     stand_ins.replace_secrets(one.text, instead, whole=part is Part.READ))
        for one, part in texts if one.status == "ok" and not _is_twin(one, texts)
    )  # fmt: skip
    running = dict.fromkeys((one.program, clean(one.command), one.user) for one in facts.processes)
    processes = tuple(CapturedProcess(*one) for one in running)
    config, keepalived = node.keepalived_config.value, node.keepalived.value
    user = config.security.user.split()[0] if config and config.security and config.security.user else ""
    owners = {one.owner.partition(":")[0] for one in files}
    needed = {*(one.user for one in processes), *owners, user, "keepalived_script"}
    instance = keepalived.instance if keepalived else None
    virtual = {cluster.vip, cluster.read_vip, *(instance.virtual_addresses if instance else ())}
    return CapturedHost(
        name=spec.name,
        address=spec.address,
        hostname=facts.hostname,
        system=visible(facts.system),
        interfaces=_interfaces(node, virtual),
        users=tuple(one for one in facts.accounts if one.name in needed),
        processes=processes,
        redis=_redis(spec, node, texts, instead.get(password, password)),
        keepalived_version=(keepalived.version or "") if keepalived else "",
        keepalived_config=spec.keepalived.config,
        instance=spec.keepalived.instance or (instance.name if instance else ""),
        state_log=spec.keepalived.state_log,
        memory=node.memory.value.total if node.memory.value else 0,
        files=files,
        names=facts.names,
        services={"redis": _service(spec.redis.service), "keepalived": _service(spec.keepalived.service)},
    )


def _is_twin(text: HostText, texts: Sequence[tuple[HostText, Part]]) -> bool:
    """Whether it is the same file as one below /usr, where /lib is a link to /usr/lib."""
    return any(one.path == f"/usr{text.path}" and one.text == text.text for one, _ in texts)


def _service(spec: ServiceSpec) -> str:
    return f"systemd {spec.systemd}" if spec.systemd else f"sysv {spec.sysv}" if spec.sysv else "own"


def _interfaces(node: NodeState, virtual: set[str]) -> tuple[CapturedInterface, ...]:
    """Without the loopback, without virtual IPs, and without what IPv6 makes by itself."""
    found: dict[str, list[str]] = {}
    for one in node.addresses.value or ():
        if one.interface != "lo" and one.address not in virtual and ":" not in one.address:
            found.setdefault(one.interface, []).append(f"{one.address}/{one.prefix}")
    return tuple(CapturedInterface(name, tuple(addresses)) for name, addresses in found.items())


def _redis(spec: NodeSpec, node: NodeState, texts: Sequence[tuple[HostText, Part]], password: str) -> CapturedRedis:
    redis, file = node.redis.value, node.redis_file.value
    conf = next((one.path for one, part in texts if part is Part.REDIS), spec.redis.config)
    told = redis.config if redis else None
    folder = (told.dir if told else None) or (file.dir if file else "") or spec.redis.dir
    name = (told.dbfilename if told else None) or (file.dbfilename if file else "") or spec.redis.dbfilename
    return CapturedRedis(
        version=redis.version if redis else "",
        flavour=redis.flavour if redis else "redis",
        role=redis.role.value if redis else "",
        port=spec.redis.port,
        config=conf or "/etc/redis/redis.conf",
        dir=folder or dirname(conf) or "/var/lib/redis",
        dbfilename=name or "dump.rdb",
        password=password,
        keys=redis.total_keys if redis else 0,
        used_memory=redis.used_memory if redis else 0,
        username=spec.redis.username,
        aliases=dict(spec.redis.aliases),
        tls=spec.redis.tls is not None,
    )
