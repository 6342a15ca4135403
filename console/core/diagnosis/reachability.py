"""What cannot be reached or read, and why. Unreadable is never called down (H28)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from console.core.conditions.predicate import Question
from console.core.conditions.replication import lives_as_replica, refuses_writes
from console.core.diagnosis.finding import NextAction, Severity
from console.core.diagnosis.next_actions import REBUILD, advise
from console.core.diagnosis.rule import FindingRule, Match, listed
from console.core.keepalived.takeovers import takeovers_in_words
from console.core.model import (
    NOT_A_SHELL_SCRIPT,
    NOT_READABLE,
    ClusterState,
    NodeState,
    Problem,
    ProblemKind,
    Reading,
    Role,
)
from console.core.model.facts import (
    NO_ANSWER,
    attached_line,
    does_not_answer,
    proved_down,
    redis_processes,
    replica_links,
    serving_master,
    source_of,
    unread_redis,
)
from console.core.model.verdict import Verdict
from console.core.replication.disk_data import UnreadDataError, newest_data
from console.core.typed_commands import login_command, program_command, redis_command

_AWAY = {
    ProblemKind.UNREACHABLE,
    ProblemKind.REFUSED,
    ProblemKind.TIMEOUT,
    ProblemKind.CLOSED,
    ProblemKind.BAD_ANSWER,
    ProblemKind.HOST_KEY_UNKNOWN,
}
CLOCK_SLACK = 2.0
"""Seconds beyond what the measurement itself leaves open."""


def _check() -> str:
    """Tells at which step it fails, and what to change."""
    return program_command("inventory check --connect")


def _ssh(state: ClusterState, *kinds: ProblemKind) -> Iterator[tuple[NodeState, Problem]]:
    for node in state.nodes:
        if node.ssh.problem is not None and node.ssh.problem.kind in kinds:
            yield node, node.ssh.problem


def _ssh_unreachable(state: ClusterState) -> Iterator[Match]:
    """A node cannot be read over SSH."""
    for node, problem in _ssh(state, *_AWAY):
        redis = "Redis answers" if node.redis.ok else node.redis.problem_of("Redis")
        other = _serves_alone(state, node)
        login = f"`{login_command(node.address, node.name)}`"
        help_ = (
            problem.change or f"try {login} by hand, or `{_check()}`: the host, the network, or the key on this machine"
        )
        summary = f"{node.name} cannot be read over SSH, so its addresses and its keepalived are not known."
        if other is not None:
            summary = f"{node.name} cannot be read over SSH. {other.name} is the master, with {state.vip}."
            help_ = f"{_NO_RETURN}; to see why: {problem.change or login}"
        yield Match(
            (node.name,),
            summary,
            (f"SSH to {node.address}: {problem.cause}", redis, *filter(None, (takeovers_in_words(state),))),
            advise(help_),
            Severity.WARNING if node.redis.ok else Severity.CRITICAL,
        )


def _serves_alone(state: ClusterState, node: NodeState) -> NodeState | None:
    """The other node of a pair that serves alone, while nothing shows that this one follows it; None: there is none.

    A host that froze or lost its network comes back as what it was: with the virtual IP, if that was a master.
    """
    master = serving_master(state)
    alone = master is not None and master is not node and state.vip_holders == (master.name,)
    if master is None or not alone or state.sentinels or node.redis.ok or master.redis.value is None:
        return None
    line = attached_line(master.redis.value, node)
    return master if line is None or line.state != "online" else None


_NO_RETURN = (
    "if it was the master it may return as a second one: power it off, or cut its network, until you can stop its"
    " keepalived"
)


def _host_key_changed(state: ClusterState) -> Iterator[Match]:
    """The host shows another SSH key than known_hosts has for it."""
    for node, problem in _ssh(state, ProblemKind.HOST_KEY_CHANGED):
        yield Match(
            (node.name,),
            f"The host that answers for {node.name} shows another key than the one on record.",
            (problem.cause,),
            advise("find out why before anything else: reinstalled, another machine on this address, or an attack"),
        )


def _ssh_auth(state: ClusterState) -> Iterator[Match]:
    """A node refuses this user's SSH login, or does not permit what the inspection needs."""
    for node, problem in _ssh(state, ProblemKind.AUTH_FAILED, ProblemKind.NOT_PERMITTED):
        yield Match(
            (node.name,),
            f"{node.name} does not let this user in over SSH.",
            (problem.cause,),
            advise(
                problem.change
                or f"`{_check()}` says what to change: user, identity_file, the agent, or `sudo -n` there"
            ),
        )


def _too_long(state: ClusterState) -> Iterator[Match]:
    """A file or an answer is longer, or nested more deeply, than this program reads."""
    for node in state.nodes:
        readings = (getattr(node, one.name) for one in fields(node))
        problems = [one.problem for one in readings if isinstance(one, Reading) and one.problem is not None]
        said = [str(one) for one in problems if one.kind is ProblemKind.TOO_LONG]
        said += [
            f"{one.path}: not understood: {one.not_understood}"
            for one in node.scripts.value or ()
            if one.not_understood not in {"", NOT_A_SHELL_SCRIPT, NOT_READABLE}
        ]
        if said:
            yield Match(
                (node.name,),
                f"Parts of what {node.name} says are too long to be read here.",
                tuple(dict.fromkeys(said)),
                advise("read these yourself before you rely on what is said about them, or make them shorter"),
            )


def _redis_down(state: ClusterState) -> Iterator[Match]:
    """Redis is proved not to run: SSH sees no process of it, and its port does not answer."""
    master = serving_master(state)
    for node in state.nodes:
        problem = node.redis.problem
        # Where the port is merely silent, one on another port may be behind it: something between them maps ports.
        seen = node.processes.value
        absent = seen is not None and not seen.redis and problem is not None and problem.kind in NO_ANSWER
        if not proved_down(node) and not absent:
            continue
        yield Match(
            (node.name,),
            f"Redis on {node.name} does not run.{_only_on_disk(node, master)}",
            (f"port {node.redis_port}: {problem}", "SSH sees no redis-server process"),
            REBUILD if master is not None else _start_first(state),
            Severity.WARNING if master is not None else Severity.CRITICAL,
            _what_is_left(state, master),
        )


def _only_on_disk(node: NodeState, master: NodeState | None) -> str:
    """That a former master may have taken writes that it never sent: whoever starts or wipes it decides over them.

    One that starts as a replica by its file had its data from another node.
    """
    file = node.redis_file.value
    if master is None or (file is not None and file.master):
        return ""
    try:
        found = newest_data(node)
    except UnreadDataError:
        return ""
    return f" Its disk may hold writes that {master.name} lacks." if found is not None else ""


def _start_first(state: ClusterState) -> NextAction:
    unread = [node.name for node in unread_redis(state)]
    if unread:
        return advise(f"start nothing yet: {listed(unread)} could not be read, and may be the master")
    return advise("start the Redis that holds the newest data first")


def _what_is_left(state: ClusterState, master: NodeState | None) -> str | None:
    """Why it matters, where another replica has all data; None: as the rule says."""
    synced = [node.name for node, _, link in replica_links(state) if link.up and source_of(state, node) is master]
    if master is None or not synced:
        return None
    return f"The data has one copy less. {listed(synced)} still {'has' if len(synced) == 1 else 'have'} all of it."


def _redis_hung(state: ClusterState) -> Iterator[Match]:
    """A Redis process is there and does not answer."""
    for node in state.nodes:
        if not does_not_answer(node):
            continue
        problem, running = node.redis.problem, redis_processes(node)
        yield Match(
            (node.name,),
            f"Redis on {node.name} runs but does not answer.",
            (f"port {node.redis_port}: {problem}", *(f"process {one.pid}: {one.command}" for one in running)),
            advise("look at its log and load: a slow command, swapping, a stopped process, another port or address"),
        )


def _redis_auth(state: ClusterState) -> Iterator[Match]:
    """Redis does not accept the inventory's password or user."""
    for node in state.nodes:
        problem = node.redis.problem
        if problem is not None and problem.kind in {ProblemKind.AUTH_FAILED, ProblemKind.NOT_PERMITTED}:
            yield Match(
                (node.name,),
                f"Redis on {node.name} does not accept the inventory's password or user.",
                (str(problem),),
                advise(f"`{_check()}` says what to change: redis.password, redis.username, or the server"),
            )


def _redis_loading(state: ClusterState) -> Iterator[Match]:
    """Redis is loading its data and answers no command yet."""
    for node in state.nodes:
        redis, problem = node.redis.value, node.redis.problem
        syncing = redis is not None and redis.master is not None and redis.master.sync_in_progress
        loading = (redis is not None and redis.loading) or (problem is not None and problem.kind is ProblemKind.LOADING)
        if loading and not syncing:
            yield Match(
                (node.name,),
                f"Redis on {node.name} is loading its data and answers no command yet.",
                (str(problem) if problem else f"loading, {redis.uptime if redis else 0} s after its start",),
                advise("wait until it has loaded"),
            )


def _misconf(state: ClusterState) -> Iterator[Match]:
    """The last save, or the last write of the append-only file, failed."""
    for node in state.nodes:
        redis = node.redis.value
        if redis is None:
            continue
        disk = redis.persistence
        failed = disk.rdb_last_status != "ok" or (disk.aof and disk.aof_last_write_status != "ok")
        if not failed:
            continue
        refusal = refuses_writes(node) if redis.role is Role.MASTER else None
        follows = lives_as_replica(Question(state, node, {}))
        yield Match(
            (node.name,),
            f"Redis on {node.name} could not write to its disk.",
            (
                f"rdb_last_bgsave_status {disk.rdb_last_status}",
                *([f"aof_last_write_status {disk.aof_last_write_status}"] if disk.aof else []),
                *([refusal[0]] if refusal else []),
                *([follows.evidence] if follows.verdict is Verdict.FAILS else []),
            ),
            advise(
                "look at its log, the room and the owner of its folder; then "
                + redis_command(node.address, node.redis_port, "BGSAVE")
            ),
            Severity.CRITICAL if refusal else Severity.WARNING,
        )


def _clock_skew(state: ClusterState) -> Iterator[Match]:
    """A node's clock differs from the operator's by more than two seconds."""
    for node in state.nodes:
        clock = node.clock.value
        if clock is not None and abs(clock.offset) > CLOCK_SLACK + clock.uncertainty:
            yield Match(
                (node.name,),
                f"The clock of {node.name} is {abs(clock.offset):.1f} s {'ahead' if clock.offset > 0 else 'behind'}.",
                (f"offset {clock.offset:+.2f} s, measured to {clock.uncertainty:.3f} s",),
                advise("let chrony or ntpd set the clock"),
            )


RULES: tuple[FindingRule, ...] = (
    # A changed key comes first: nothing else about that host can be believed.
    FindingRule(
        "ssh-host-key-changed",
        Severity.CRITICAL,
        "Whatever is sent there may go to another machine.",
        _host_key_changed,
        remedy="find out why before anything else",
    ),
    FindingRule(
        "ssh-auth-failed",
        Severity.WARNING,
        "What keepalived does there cannot be seen.",
        _ssh_auth,
        remedy="check user, key, agent and sudo",
    ),
    FindingRule(
        "ssh-unreachable",
        Severity.CRITICAL,
        "Clients may have lost this node, or only you have.",
        _ssh_unreachable,
        remedy="try ssh by hand",
    ),
    FindingRule(
        "too-long-to-read",
        Severity.WARNING,
        "What is not read whole is not judged: something may be wrong there.",
        _too_long,
        remedy="read it yourself, or make it shorter",
    ),
    # Hung before down: a process that is there is not down, and starting a second one helps nobody.
    FindingRule(
        "redis-hung",
        Severity.CRITICAL,
        "Clients wait for answers until they time out.",
        _redis_hung,
        remedy="its log, its load; do not start a second one",
        mends=True,
    ),
    FindingRule(
        "redis-down",
        Severity.CRITICAL,
        "There is no second copy of the data, and no server to fail over to.",
        _redis_down,
        remedy="the runbook of the rebuild; without a master, start the newest data first",
        superseded_by=("no-master", "vip-on-dead-redis"),
    ),
    FindingRule(
        "redis-auth-failed",
        Severity.WARNING,
        "Roles and offsets of this node are not known.",
        _redis_auth,
        remedy="check redis.password and redis.username",
    ),
    FindingRule(
        "redis-loading",
        Severity.WARNING,
        "Clients get LOADING errors from it.",
        _redis_loading,
        remedy="wait",
        mends=True,
    ),
    FindingRule(
        "redis-misconf",
        Severity.WARNING,
        "Data of the last minutes is in memory only.",
        _misconf,
        remedy="its log, the disk; then BGSAVE; where another node serves, the runbook that stops its keepalived first",
        mends=True,
    ),
    FindingRule(
        "clock-skew",
        Severity.WARNING,
        "Keys expire at wrong times, and logs cannot be put in order.",
        _clock_skew,
        remedy="let chrony or ntpd set it",
    ),
)
