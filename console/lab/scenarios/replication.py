"""Asks the Redis of a laboratory host about its replication, and fills it with data."""

from __future__ import annotations

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import Host
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.options import LabError

COUNTER = "laboratory:counter"
_TIMEOUT = 30.0
"""Seconds for one answer, also while the machine is busy."""


def start_redis(lab: Laboratory, host: Host) -> None:
    """Starts Redis on a host. Waits until it answers: it has a PID before it listens, and it loads its data first."""
    host.service("redis-server", "start")
    lab.wait_for(lambda: ask(lab, host, "PING") == "PONG", f"Redis on {host.name} answers", host, "redis-server")


def fill(lab: Laboratory, host: Host) -> None:
    """Writes some data in one loop on the server, which takes almost no time."""
    loop = "for i = 1, tonumber(ARGV[1]) do redis.call('SET', 'customer:' .. i, string.rep('x', ARGV[2])) end return 1"
    ask(lab, host, "EVAL", loop, "0", str(lab.options.keys), str(lab.options.value_bytes))
    ask(lab, host, "SET", COUNTER, "0")


def in_sync(lab: Laboratory, replica: Host, master: Host) -> bool:
    """Whether the replica has all that its master wrote: link up, no sync, equal offsets."""
    below, above = replication(lab, replica), replication(lab, master)
    return (
        below.get("master_link_status") == "up"
        and below.get("master_sync_in_progress") == "0"
        and below.get("master_host") == master.address
        and below.get("slave_repl_offset") == above.get("master_repl_offset")
    )


def role(lab: Laboratory, host: Host) -> str:
    """`master` or `slave`, as Redis reports it."""
    return replication(lab, host).get("role", "")


def answers_as_master(lab: Laboratory, host: Host) -> bool:
    """Whether its Redis has loaded its data and is a master."""
    return role(lab, host) == "master" and "\nloading:0" in ask(lab, host, "INFO")


def replication(lab: Laboratory, host: Host) -> dict[str, str]:
    """The replication section of INFO."""
    lines = ask(lab, host, "INFO", "replication").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def ask(lab: Laboratory, host: Host, *words: str) -> str:
    """The answer of its Redis. Raises LabError if Redis refuses, OSError if it cannot be reached."""
    try:
        with RedisConnection(host.address, lab.options.password, timeout=_TIMEOUT) as connection:
            return connection.ask(*words)
    except RefusedError as error:
        raise LabError(f"Redis on {host.name} refused {words[0]}: {error}") from None
