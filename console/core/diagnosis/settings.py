"""Settings of the servers that cause trouble only at the next restart, the next sync or the next failover."""

from __future__ import annotations

from collections.abc import Iterator

from console.core.conditions.next_start import others_decide
from console.core.conditions.predicate import Question, UnreadError
from console.core.conditions.servers import fork_headroom
from console.core.diagnosis.finding import Severity
from console.core.diagnosis.next_actions import advise
from console.core.diagnosis.rule import FindingRule, Match
from console.core.model import ClusterState, MasterLink, NodeState, Redis, RedisFile
from console.core.model.facts import age_at, names_of, replica_links, serving_master, source_of, started_at
from console.core.model.verdict import Verdict
from console.core.quantities import counted, size, span
from console.core.replication.disk_data import UnreadDataError, newest_data
from console.core.typed_commands import redis_command

OUTAGE = 60
"""Seconds that a replica is likely to be away: a restart of its host, or the default repl-timeout."""
MANY_CHANGES = 10_000
"""Changes after which Redis' own defaults save within a minute (`save 60 10000`)."""
LONG_UNSAVED = 900
"""Seconds after which they save a single change (`save 900 1`)."""
ONE_DAY = 86_400
BLINK = 10
"""Seconds that a restart of its Redis alone takes."""


def _writable(state: ClusterState) -> Iterator[Match]:
    """A replica takes writes."""
    for node, redis, _ in replica_links(state):
        if redis.read_only_replica is False:
            yield Match(
                (node.name,),
                f"{node.name} is a replica that takes writes.",
                ("slave_read_only:0",),
                advise("CONFIG SET slave-read-only yes, and in its redis.conf"),
            )


def _backlog(state: ClusterState) -> Iterator[Match]:
    """The replication backlog does not hold what is written while a replica is away for a minute."""
    master = serving_master(state)
    redis = master.redis.value if master is not None else None
    if master is None or redis is None or redis.backlog is None or not redis.write_rate:
        return
    need = int(redis.write_rate * OUTAGE)
    if redis.backlog.size >= need:
        return
    covered = redis.backlog.size / redis.write_rate
    yield Match(
        (master.name,),
        f"A replica that is away for more than {covered:.0f} s needs a full copy from {master.name}.",
        (
            f"repl-backlog-size {size(redis.backlog.size)}, written {size(int(redis.write_rate))} a second",
            f"{OUTAGE} s away need {size(need)}",
        ),
        advise(f"CONFIG SET repl-backlog-size {need * 2} on both nodes, and in redis.conf"),
        Severity.WARNING if covered < BLINK else Severity.INFO,
    )


def _not_in_config(state: ClusterState) -> Iterator[Match]:
    """A restart of Redis would change a node's role, because its configuration file says another role."""
    for node in state.nodes:
        redis, file = node.redis.value, node.redis_file.value
        if redis is None or (file is None and redis.config_file):
            continue
        master = file.master if file is not None else ""
        about = f"{file.path} line {file.line}: replicaof {master}" if file is not None and master else ""
        if redis.master is not None and not master and not (file is not None and file.includes):
            where = f"{file.path} has no replicaof line" if file is not None else "it was started without a file"
            summary = f"{node.name} follows {redis.master.host} until its next restart: then it is a master."
            advice = _how_to_keep_following(state, node, redis.master, file)
            yield Match((node.name,), summary, (where, _follows(node)), advise(advice))
        elif redis.master is not None and master and not _means(state, node, master):
            summary = f"{node.name} follows {redis.master.host}, but after a restart it would follow {master}."
            advice = f"correct that line, or CONFIG REWRITE on {node.name} while it follows the right master"
            yield Match((node.name,), summary, (about, _follows(node)), advise(advice), Severity.WARNING)
        elif redis.master is None and master:
            summary = f"{node.name} is a master, but after a restart it would follow {master}."
            advice = f"take the line out, or CONFIG REWRITE on {node.name} while it is a master"
            yield Match((node.name,), summary, (about, "now: role master"), advise(advice), Severity.WARNING)


def _how_to_keep_following(state: ClusterState, node: NodeState, link: MasterLink, file: RedisFile | None) -> str:
    """The line that is missing, and when it must go again. A script that promotes the node does not take it out."""
    try:
        reason = others_decide(state)
    except UnreadError as unread:
        return f"leave the file alone for now: whether scripts decide the roles is not known, {unread}"
    if reason:
        again = "" if state.sentinels else f"attach {node.name} again after each restart of its Redis; "
        return f"{again}leave its configuration file alone: {reason}"
    line = f"replicaof {link.host} {link.port}"
    if file is None:
        return f"start it with a configuration file that has `{line}`; until then attach it again after a restart"
    return (
        f"add `{line}` to {file.path} on {node.name} (CONFIG REWRITE there does it), and take it out when it is made"
        " the master; without the line, attach it again after a restart"
    )


def _data_not_in_config(state: ClusterState) -> Iterator[Match]:
    """A restart of Redis would load other data than it holds, because its configuration file names other data."""
    for node in state.nodes:
        redis, file = node.redis.value, node.redis_file.value
        if redis is None or file is None or file.includes:
            continue
        said = _named_otherwise(redis, file)
        if said:
            summary = f"{node.name} would load other data at its next restart: {'; '.join(said)}."
            advice = (
                f"correct {file.path}, or CONFIG REWRITE on {node.name}; until then save a dump before each restart,"
                " and see that it is what the start loads. Where its start command has these settings, nothing is wrong"
            )
            yield Match((node.name,), summary, (f"{file.path} is what the next start reads", *said), advise(advice))


def _named_otherwise(redis: Redis, file: RedisFile) -> tuple[str, ...]:
    """What the server says of its data, and its file otherwise. What either does not say is left out."""
    config, said = redis.config, []
    if redis.persistence.aof != file.appendonly:
        now, then = ("yes", "the dump") if redis.persistence.aof else ("no", "the append-only file, which is older")
        said.append(f"appendonly is {now}, and not so in the file: it would load {then}")
    if config.dir and file.dir.startswith("/") and config.dir.rstrip("/") not in (file.dir.rstrip("/"), file.real_dir):
        said.append(f"dir is {config.dir}, in the file {file.dir}")
    if config.dbfilename and file.dbfilename and config.dbfilename != file.dbfilename:
        said.append(f"dbfilename is {config.dbfilename}, in the file {file.dbfilename}")
    return tuple(said)


def _unsaved(state: ClusterState) -> Iterator[Match]:
    """A master has many changes, or old ones, in its memory only."""
    for name in state.masters:
        node = state.node(name)
        redis = node.redis.value
        changes = redis.persistence.changes_since_save if redis is not None else None
        if redis is None or not changes or redis.persistence.aof:
            continue
        saved = redis.persistence.rdb_last_save
        age = None if saved is None else age_at(node, node.redis.at, saved)
        if changes < MANY_CHANGES and age is not None and age < LONG_UNSAVED:
            continue
        synced = [one.name for one, _, link in replica_links(state) if link.up and source_of(state, one) is node]
        copies = f"in sync: {' and '.join(synced)}" if synced else "no replica is known to be in sync"
        when = "never saved" if age is None else f"last save {span(age)} ago"
        yield Match(
            (name,),
            f"{name} has {counted(changes, 'change')} that no file on it has.",
            (f"rdb_changes_since_last_save {changes}, {when}, appendonly no", copies),
            advise(redis_command(node.address, node.redis_port, "BGSAVE")),
            Severity.INFO if synced else Severity.WARNING,
        )


def _follows(node: NodeState) -> str:
    link = node.redis.value.master if node.redis.value is not None else None
    return f"now: SLAVEOF {link.host} {link.port}" if link is not None else "now: role master"


def _means(state: ClusterState, node: NodeState, master: str) -> bool:
    """Whether `HOST PORT` of the file is the server that the node follows now, by whichever of its names."""
    redis = node.redis.value
    if redis is None or redis.master is None:
        return False
    source = source_of(state, node)
    host, _, port = master.partition(" ")
    hosts = names_of(source) if source is not None else {redis.master.host}
    return host in hosts and port.strip() == str(redis.master.port)


def _fork_headroom(state: ClusterState) -> Iterator[Match]:
    """A master lacks the memory or the disk space for the fork that a full sync needs."""
    for name in state.masters:
        node = state.node(name)
        redis = node.redis.value
        try:
            check = fork_headroom(Question(state, node, {}))
        except UnreadError:
            continue
        if check.verdict is Verdict.FAILS and redis is not None and redis.persistence.rdb_last_status == "ok":
            summary = f"{name} has too little room for the fork that a full sync needs."
            yield Match((name,), summary, (check.evidence,), advise(check.advice))


def _maxmemory(state: ClusterState) -> Iterator[Match]:
    """The nodes have different limits of memory."""
    limits = {node.name: node.redis.value.maxmemory for node in state.nodes if node.redis.value}
    if None not in limits.values() and len(set(limits.values())) > 1:
        yield Match(
            tuple(limits),
            "The nodes have different limits of memory.",
            tuple(f"{name}: maxmemory {size(limit) if limit else 'none'}" for name, limit in limits.items()),
            advise("set the same maxmemory on all nodes"),
        )


def _version_skew(state: ClusterState) -> Iterator[Match]:
    """The nodes run different versions of Redis."""
    found = {node.name: f"{redis.flavour} {redis.version}" for node in state.nodes if (redis := node.redis.value)}
    if len({version.rsplit(".", 1)[0] for version in found.values()}) > 1:
        yield Match(
            tuple(found),
            "The nodes run different versions of Redis.",
            tuple(f"{name}: {version}" for name, version in found.items()),
            advise("upgrade the replica first, fail over, then the other: an older server cannot load a newer RDB"),
        )


def _persistence_off(state: ClusterState) -> Iterator[Match]:
    """A master saves nothing to disk."""
    for name in state.masters:
        node = state.node(name)
        redis = node.redis.value
        if redis is None or redis.config.save != "" or redis.persistence.aof:
            continue
        synced = [one.name for one, _, link in replica_links(state) if link.up and source_of(state, one) is node]
        disk, comes_back = _on_disk(state, node)
        gap = _loaded_old_data(node)
        summary = f"{name} saves nothing to disk{'' if synced else ', and no replica is known to be in sync'}."
        if gap is not None:
            since = f"was started {span(redis.uptime)} ago with data that was {span(gap)} old"
            summary = f"{name} {since}: what was written in between is not in it."
        yield Match(
            (name,),
            summary,
            ('save "", appendonly no', disk, f"in sync: {' and '.join(synced) or 'no replica that is known'}"),
            advise(
                f"never let a supervisor restart it by itself: {name} would come back {comes_back}, and its replica"
                " would follow; to save it once: " + redis_command(node.address, node.redis_port, "BGSAVE")
            ),
            Severity.INFO if synced and gap is None else Severity.WARNING,
        )


def _on_disk(state: ClusterState, node: NodeState) -> tuple[str, str]:
    """What lies on the disk of a server that saves nothing by itself, and what it would come back with."""
    try:
        found = newest_data(node)
    except UnreadDataError as error:
        return str(error), "empty or with old data"
    if found is None:
        return "no data on its disk", "empty"
    age = span(age_at(node, state.observed_at, found.modified))
    return f"{found.in_words}, written {age} ago", f"with data that is {age} old"


def _loaded_old_data(node: NodeState) -> float | None:
    """Seconds between the dump that it has loaded and its start; None: no gap that matters is known.

    A server that saves nothing loses at each start what it took since that dump. A save after the start ends it: then
    its dump is what it holds. A day later nobody can bring back what was lost.
    """
    redis, dump, start = node.redis.value, node.dump.value, started_at(node)
    if redis is None or dump is None or start is None or not redis.total_keys or redis.uptime > ONE_DAY:
        return None
    gap = start - dump.modified
    return gap if gap > BLINK else None


RULES: tuple[FindingRule, ...] = (
    FindingRule(
        "replica-writable",
        Severity.WARNING,
        "Writes to it vanish with the next full sync.",
        _writable,
        remedy="CONFIG SET slave-read-only yes",
    ),
    FindingRule(
        "fork-headroom",
        Severity.WARNING,
        "A full sync could make the master fail.",
        _fork_headroom,
        remedy="make room first: the figures say how much",
    ),
    FindingRule(
        "maxmemory-mismatch",
        Severity.WARNING,
        "After a failover keys are evicted, or writes refused.",
        _maxmemory,
        remedy="the same maxmemory on both",
    ),
    FindingRule(
        "version-skew",
        Severity.WARNING,
        "The older version may not be able to load the data of the newer one.",
        _version_skew,
        remedy="upgrade the replica first",
    ),
    FindingRule(
        "backlog-too-small",
        Severity.INFO,
        "A short interruption costs the master a full sync, and the pair its protection while it lasts.",
        _backlog,
        remedy="a larger repl-backlog-size: the figures say which",
    ),
    # Information, not a warning: the documented pair is run this way, and CONFIG REWRITE has its own trap, for a notify
    # script's SLAVEOF NO ONE is not in the file either.
    FindingRule(
        "replica-not-in-config",
        Severity.INFO,
        "A restart makes a second master, or a replica of the wrong node, and nobody has decided that.",
        _not_in_config,
        remedy="the line replicaof in its file, or know what a restart does; the finding has file, line and text",
        superseded_by=("replica-of-stranger", "replica-of-vip", "mutual-replication"),
    ),
    FindingRule(
        "data-not-in-config",
        Severity.WARNING,
        "A setting that only CONFIG SET has made is gone with a restart: it comes up with old data, or with none.",
        _data_not_in_config,
        remedy="the settings in its file, or CONFIG REWRITE; the finding has both values",
    ),
    FindingRule(
        "unsaved-changes",
        Severity.WARNING,
        "If its Redis ends without a save, they are lost, unless a replica has them.",
        _unsaved,
        remedy="BGSAVE on it: the finding has the command",
        superseded_by=("redis-misconf",),
    ),
    FindingRule(
        "persistence-off",
        Severity.INFO,
        "A restart of the master empties the pair, or takes it back to old data.",
        _persistence_off,
        remedy="no automatic restart, or persistence on",
    ),
)
