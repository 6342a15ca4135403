"""What the scripts of keepalived do on a host of the model, line by line.

Sources: the texts themselves, which the laboratory writes; redis-cli, which waits without an end for a server that
stands still, and ends at once where the port refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from simulation.world.unknown import UnknownToModelError

if TYPE_CHECKING:
    from simulation.world.host import Host
    from simulation.world.redis_server import RedisServer

LOOKS_AGAIN = 0.5
"""Seconds after which somebody who waits for an answer is asked whether it has come."""
NO_ROUTE = 3.0
"""Seconds until a connection to a host that is gone fails (EHOSTUNREACH: nobody answers ARP)."""
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"sleep ([\d.]+)", r"sleep \1"),
        (r"/usr/bin/redis-cli SLAVEOF (NO ONE|\S+ \S+)( .*)?", r"SLAVEOF \1"),
        (r"\$client SLAVEOF \$peer \$port >/dev/null", "SLAVEOF peer"),
        (r"\$client SLAVEOF NO ONE >/dev/null", "SLAVEOF NO ONE"),
        (r'if \[ "\$\(\$client -h "\$peer" PING\)" = PONG \]; then', "if peer-answers"),
        (r'if \[ "\$state" != MASTER \]; then', "if not-master"),
        (r"fi", "fi"),
        (r"echo .* \$1 \$2 has changed to \$3, .*", "log-change"),
        (r'#.*|log=.*|say\(.*|say ".*|log\(.*|log ".*|peer=\$1|port=\$2|secret=\$3|client=.*', ""),
        (r'\[ -z "\$secret" \] \|\| client=.*|state=\$\(awk .*', ""),
    )
)
_RESTART = re.compile(r"^service redis-server restart\nsleep ([\d.]+)$", re.MULTILINE)


@cache
def script_lines(text: bytes) -> tuple[str, ...]:
    """The lines that do something. Any other line only writes a log, or this model fails."""
    found = []
    for line in filter(None, map(str.strip, text.decode().splitlines())):
        for pattern, word in _WORDS:
            if told := pattern.fullmatch(line):
                found.append(told.expand(word))
                break
        else:
            raise UnknownToModelError(f"the model does not know what this line of a script does: {line}")
    return tuple(filter(None, found))


@cache
def restarts_redis_for(check: bytes) -> float | None:
    """Seconds that a check waits after it has started a Redis again that gave no answer. None: it starts none."""
    found = _RESTART.search(check.decode())
    return float(found[1]) if found else None


@dataclass(frozen=True)
class Pause:
    """A script does not go on for so long."""

    seconds: float
    sleeps: bool
    """By `sleep`, which a look at the processes shows."""


@dataclass
class Script:
    """A script that runs."""

    pid: int
    command: str
    began: float
    lines: Iterator[Pause]
    wakes: float = 0.0
    sleeps: bool = False
    ended: bool = False

    def run(self, now: float) -> None:
        """Goes on as far as it can."""
        while not self.ended and self.wakes <= now:
            pause = next(self.lines, None)
            if pause is None:
                self.ended = True
            else:
                self.wakes, self.sleeps = now + pause.seconds, pause.sleeps


def notify_program(host: Host, path: str, arguments: list[str], state: str) -> Iterator[Pause]:
    """A notify script. `arguments`: those of keepalived.conf. `state`: what keepalived adds for `notify` alone."""
    cause = f"script {path.rpartition('/')[2]}"
    peer = arguments[0] if arguments else ""
    skips = False
    for line in script_lines(host.files[path]):
        word, *rest = line.split()
        if word == "fi":
            skips = False
        elif skips:
            continue
        elif word == "sleep":
            yield Pause(float(rest[0]), sleeps=True)
        elif line == "if peer-answers":
            server = host.world.server_at(peer)
            skips = server is None or not (yield from _pong(host, server))
        elif line == "if not-master":
            skips = host.changes[-1:] == ["MASTER"]
        elif word == "log-change":
            host.changes.append(state)
            host.changed.append(host.world.now + host.clock_ahead)
        else:
            while host.redis.process is not None and not host.redis.answers:
                yield Pause(LOOKS_AGAIN, sleeps=False)
            if host.redis.process is None:
                continue
            master = "" if rest == ["NO", "ONE"] else peer if rest == ["peer"] else rest[0]
            host.redis.replicaof(master, cause)


def _pong(host: Host, server: RedisServer) -> Iterator[Pause]:
    """`redis-cli -h HOST PING`: whether it says PONG."""
    if not host.world.network.joined(host, server.host):
        yield Pause(NO_ROUTE, sleeps=False)
        return False
    while server.process is not None and not server.answers:
        yield Pause(LOOKS_AGAIN, sleeps=False)
    return server.pong


def restarting_check(host: Host, seconds: float, timeout: float) -> Iterator[Pause]:
    """A check that starts Redis again where it gives no answer. Its result is left on the host.

    A Redis that stands still lets it wait until keepalived ends it, which counts as a failure.
    """
    redis = host.redis
    host.check_result = None
    if redis.process is not None and not redis.answers:
        yield Pause(timeout, sleeps=False)
        host.check_result = False
        return
    if not redis.pong:
        if redis.process is not None and redis.process.loading:
            redis.kill("the check restarts it while it loads")  # SIGTERM during loading: it ends without a save
        elif not redis.stop():  # it cannot save, and goes on
            yield Pause(timeout, sleeps=False)
            host.check_result = False
            return
        redis.start("check script")
        yield Pause(min(seconds, timeout), sleeps=True)
        if redis.pong and host.changes[-1:] == ["MASTER"]:
            redis.replicaof("", "script redis_check.sh")
    host.check_result = redis.pong
