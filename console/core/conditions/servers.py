"""Conditions about one node by itself: reachable, its Redis there, its role, its room."""

from __future__ import annotations

from console.core.conditions.spec import Ask, decided, fails, holds, need, redis_of, unknown
from console.core.model import ProblemKind, Redis, Role
from console.core.model.facts import redis_processes
from console.core.model.verdict import Check
from console.core.quantities import counted, size, span

NEVER_ASKED = {ProblemKind.NOT_READ, ProblemKind.NOT_CONFIGURED, ProblemKind.CONNECTING}
COPY_ON_WRITE_MARGIN = 0.25
"""Part of the data that may be written, and so copied, while a forked child saves it."""
DISK_MARGIN = 1.1
"""An RDB is smaller than the data in memory: this many times its last size must be free on disk."""


def ssh_readable(ask: Ask) -> Check:
    statement = f"{ask.name} can be read over SSH"
    ssh = ask.node.ssh
    if ssh.value is not None:
        return holds(statement, f"{ssh.value.hostname} answers, up {span(ssh.value.uptime)}")
    if ssh.problem is None or ssh.problem.kind in NEVER_ASKED:
        return unknown(statement, f"SSH: {ssh.problem}")
    return fails(statement, f"SSH: {ssh.problem}", "nothing on a node is changed or proved without SSH to it")


def redis_up(ask: Ask) -> Check:
    statement = f"Redis on {ask.name} answers"
    redis, problem = ask.node.redis.value, ask.node.redis.problem
    if redis is not None:
        return holds(statement, f"{redis.flavour} {redis.version}, up {span(redis.uptime)}, a {redis.role.value}")
    if problem is not None and problem.kind is ProblemKind.LOADING:
        return holds(statement, str(problem))
    if problem is not None and problem.kind is ProblemKind.REFUSED:
        return fails(statement, f"Redis: {problem}", "start it, and look at its log if it does not stay up")
    return unknown(statement, f"Redis: {problem}")


def redis_down(ask: Ask) -> Check:
    """Proved by looking: no process over SSH, and the port refuses. Silence proves nothing (H28)."""
    statement = f"Redis on {ask.name} does not run"
    redis, problem = ask.node.redis.value, ask.node.redis.problem
    if redis is not None:
        return fails(statement, f"it answers: process {redis.process_id}, a {redis.role.value}")
    need(ask.node.processes, f"the processes of {ask.name}")
    running = redis_processes(ask.node)
    if running:
        found = ", ".join(f"{one.pid} {one.command}" for one in running)
        return fails(statement, f"process {found}; the port: {problem}", "a Redis that hangs or loads is not down")
    if problem is not None and problem.kind is ProblemKind.REFUSED:
        return holds(statement, f"no redis-server process, port {ask.node.redis_port}: {problem}")
    return unknown(
        statement, f"no redis-server process is seen, but port {ask.node.redis_port} does not refuse: {problem}"
    )


def redis_is_master(ask: Ask) -> Check:
    return _is(ask, Role.MASTER)


def redis_is_replica(ask: Ask) -> Check:
    return _is(ask, Role.REPLICA)


def _is(ask: Ask, role: Role) -> Check:
    redis = redis_of(ask.node)
    return decided(redis.role is role, f"Redis on {ask.name} is a {role.value}", role_in_words(redis))


def role_in_words(redis: Redis) -> str:
    if redis.master is None:
        return f"it is a {redis.role.value} with {counted(len(redis.replicas), 'replica')}"
    return f"it is a replica of {redis.master.host}:{redis.master.port}, link {'up' if redis.master.up else 'down'}"


def redis_not_loading(ask: Ask) -> Check:
    statement = f"Redis on {ask.name} has loaded its data"
    problem = ask.node.redis.problem
    if problem is not None and problem.kind is ProblemKind.LOADING:
        return fails(statement, str(problem), "wait until it has loaded")
    redis = redis_of(ask.node)
    return decided(
        not redis.loading, statement, f"loading: {'yes' if redis.loading else 'no'}, {counted(redis.total_keys, 'key')}"
    )


def redis_on_this_host(ask: Ask) -> Check:
    statement = f"the Redis that answers for {ask.name} runs on the host that SSH reaches"
    redis = redis_of(ask.node)
    processes = need(ask.node.processes, f"the processes of {ask.name}").redis
    pids = ", ".join(str(one.pid) for one in processes) or "none"
    return decided(
        any(one.pid == redis.process_id for one in processes),
        statement,
        f"INFO says process {redis.process_id}, SSH sees redis-server {pids}",
        "the two addresses lead to different machines, or Redis runs in a container: check the inventory",
    )


def not_a_replica(ask: Ask) -> Check:
    redis = redis_of(ask.node)
    return decided(
        redis.role is Role.MASTER,
        f"{ask.name} follows nobody",
        role_in_words(redis),
        "a source that is itself a replica makes a chain or a loop: promote it first, or choose the other node",
    )


def fork_headroom(ask: Ask) -> Check:
    """The full sync forks the source, and what is written meanwhile is copied; without overcommit it may fail (H11)."""
    statement = f"{ask.name} has room for the fork of a full sync"
    redis = redis_of(ask.node)
    memory = need(ask.node.memory, f"the memory of {ask.name}")
    wanted = int(redis.used_memory * (COPY_ON_WRITE_MARGIN if memory.overcommit == 1 else 1))
    figures = (
        f"{size(redis.used_memory)} used by Redis, {size(memory.available)} of {size(memory.total)} available,"
        f" overcommit_memory {memory.overcommit}"
    )
    if memory.available < wanted:
        return fails(statement, f"{figures}: {size(wanted)} wanted", "free memory, or set vm.overcommit_memory to 1")
    if redis.persistence.rdb_last_status != "ok":
        advice = "look at its log: the next save would fail as well"
        return fails(statement, f"its last background save failed; {figures}", advice)
    if redis.config.diskless_sync is not True and ask.node.disk.value is not None:
        disk = ask.node.disk.value
        saved = ask.node.saved.value
        needed = int((saved.size if saved is not None else redis.used_memory) * DISK_MARGIN)
        figures += f", {size(disk.free)} free in {disk.path}"
        if disk.free < needed:
            return fails(statement, f"{figures}: {size(needed)} wanted", "make room on the disk")
    return holds(statement, figures)
