"""Conditions about one node: SSH, its Redis, its role, its memory and disk."""

from __future__ import annotations

from console.core.conditions.predicate import Question, fails, holds, holds_if, redis_of, unknown, value_of
from console.core.model import ProblemKind, Redis, Role
from console.core.model.facts import redis_processes
from console.core.model.silence import SILENCE
from console.core.model.verdict import Check
from console.core.quantities import counted, size, span

NEVER_ASKED = {ProblemKind.NOT_READ, ProblemKind.NOT_CONFIGURED, ProblemKind.CONNECTING}
COPY_ON_WRITE_MARGIN = 0.25
"""The share of the data that may be written, and so copied, while the forked child saves it."""
DISK_MARGIN = 1.1
"""The free disk space must be this many times the size of the last RDB."""


def ssh_readable(question: Question) -> Check:
    statement = f"{question.name} can be read over SSH"
    ssh = question.node.ssh
    if ssh.value is not None:
        return holds(statement, f"{ssh.value.hostname} answers, up {span(ssh.value.uptime)}")
    if ssh.problem is None or ssh.problem.kind in NEVER_ASKED | SILENCE:
        return unknown(statement, ssh.problem_of("SSH"))  # an answer may still come
    return fails(statement, ssh.problem_of("SSH"), "without SSH nothing can be changed or proved on a node")


def redis_up(question: Question) -> Check:
    statement = f"Redis on {question.name} answers"
    redis, problem = question.node.redis.value, question.node.redis.problem
    if redis is not None:
        return holds(statement, f"{redis.flavour} {redis.version}, up {span(redis.uptime)}, a {redis.role.value}")
    if problem is not None and problem.kind is ProblemKind.LOADING:
        return holds(statement, str(problem))
    if problem is not None and problem.kind is ProblemKind.REFUSED:
        return fails(statement, question.node.redis.problem_of("Redis"), "start it; if it stops again, see its log")
    return unknown(statement, question.node.redis.problem_of("Redis"))


def redis_down(question: Question) -> Check:
    """Proved only if SSH shows no process and the port refuses. No answer proves nothing (H28)."""
    statement = f"Redis on {question.name} does not run"
    redis, problem = question.node.redis.value, question.node.redis.problem
    if redis is not None:
        return fails(statement, f"it answers: process {redis.process_id}, a {redis.role.value}")
    value_of(question.node.processes, f"the processes of {question.name}")
    running = redis_processes(question.node)
    if running:
        found = ", ".join(f"{one.pid} {one.command}" for one in running)
        return fails(
            statement, f"process {found}; the port: {problem}", "a Redis that hangs or loads its data is not down"
        )
    if problem is not None and problem.kind is ProblemKind.REFUSED:
        return holds(statement, f"no redis-server process, port {question.node.redis_port}: {problem}")
    return unknown(
        statement, f"SSH shows no redis-server process, but port {question.node.redis_port} does not refuse: {problem}"
    )


def redis_is_master(question: Question) -> Check:
    return _is(question, Role.MASTER)


def redis_is_replica(question: Question) -> Check:
    return _is(question, Role.REPLICA)


def _is(question: Question, role: Role) -> Check:
    redis = redis_of(question.node)
    return holds_if(redis.role is role, f"Redis on {question.name} is a {role.value}", role_in_words(redis))


def role_in_words(redis: Redis) -> str:
    if redis.master is None:
        return f"it is a {redis.role.value} with {counted(len(redis.replicas), 'replica')}"
    return f"it is a replica of {redis.master.host}:{redis.master.port}, link {'up' if redis.master.up else 'down'}"


def redis_not_loading(question: Question) -> Check:
    statement = f"Redis on {question.name} has loaded its data"
    problem = question.node.redis.problem
    if problem is not None and problem.kind is ProblemKind.LOADING:
        return fails(statement, str(problem), "wait until it has loaded")
    redis = redis_of(question.node)
    return holds_if(
        not redis.loading, statement, f"loading: {'yes' if redis.loading else 'no'}, {counted(redis.total_keys, 'key')}"
    )


def redis_on_this_host(question: Question) -> Check:
    statement = f"the Redis that answers for {question.name} runs on the host that SSH reaches"
    redis = redis_of(question.node)
    processes = value_of(question.node.processes, f"the processes of {question.name}").redis
    pids = ", ".join(str(one.pid) for one in processes) or "none"
    return holds_if(
        any(one.pid == redis.process_id for one in processes),
        statement,
        f"INFO says process {redis.process_id}, SSH shows redis-server {pids}",
        "the addresses belong to different machines, or Redis runs in a container: check the inventory",
    )


def not_a_replica(question: Question) -> Check:
    redis = redis_of(question.node)
    return holds_if(
        redis.role is Role.MASTER,
        f"{question.name} is no replica",
        role_in_words(redis),
        "a source that is a replica makes a chain or a loop: promote it first, or choose the other node",
    )


def fork_headroom(question: Question) -> Check:
    """A full sync forks the source. Memory that is written meanwhile is copied (H11)."""
    statement = f"{question.name} has the memory and disk space for a full sync"
    redis = redis_of(question.node)
    memory = value_of(question.node.memory, f"the memory of {question.name}")
    wanted = int(redis.used_memory * (COPY_ON_WRITE_MARGIN if memory.overcommit == 1 else 1))
    figures = (
        f"{size(redis.used_memory)} used by Redis, {size(memory.available)} of {size(memory.total)} available,"
        f" overcommit_memory {memory.overcommit}"
    )
    if memory.available < wanted:
        return fails(statement, f"{figures}: {size(wanted)} needed", "free memory, or set vm.overcommit_memory to 1")
    if redis.persistence.rdb_last_status != "ok":
        advice = "see its log: the next save would also fail"
        return fails(statement, f"its last background save failed; {figures}", advice)
    if redis.config.diskless_sync is not True and question.node.disk.value is not None:
        disk = question.node.disk.value
        saved = question.node.dump.value
        needed = int((saved.size if saved is not None else redis.used_memory) * DISK_MARGIN)
        figures += f", {size(disk.free)} free in {disk.path}"
        if disk.free < needed:
            return fails(statement, f"{figures}: {size(needed)} needed", "free some disk space")
    return holds(statement, figures)
