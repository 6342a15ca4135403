"""What can go wrong at a moment of a run. Each fault ends by itself, so that a night has an end.

`lost connections` are faults of the next send; all others are faults of the world.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simulation.ports.actuator import Line
from simulation.world.consul import Consul
from simulation.world.host import Host
from simulation.world.sentinel import Sentinel

from console.core.model import RunLock

if TYPE_CHECKING:
    from simulation.nights.night import Night

COLLEAGUE = "a colleague"


class ConsoleDiedError(BaseException):
    """The console's process ends, at this call."""


def redis_dies(night: Night, host: Host, seconds: float) -> None:
    host.redis.kill("out of memory")


def redis_restarts(night: Night, host: Host, seconds: float) -> None:
    """A supervisor starts it again."""
    host.redis.kill("it crashes")
    night.world.after(2.0, lambda: host.up and host.redis.start("supervisor"))


def redis_hangs(night: Night, host: Host, seconds: float) -> None:
    if host.redis.process is not None:
        host.redis.hangs_until = night.world.now + seconds


def host_reboots(night: Night, host: Host, seconds: float) -> None:
    if host.up:
        host.starts_at_boot = night.world.chance.random() < 0.5
        host.reboot(seconds)


def keepalived_dies(night: Night, host: Host, seconds: float) -> None:
    host.keepalived.die("killed")


def colleague_restarts_keepalived(night: Night, host: Host, seconds: float) -> None:
    host.keepalived.stop(COLLEAGUE)
    night.world.after(1.0, lambda: host.up and host.keepalived.start(COLLEAGUE))


def colleague_promotes(night: Night, host: Host, seconds: float) -> None:
    if host.redis.answers:
        host.redis.replicaof("", COLLEAGUE)


def colleague_follows(night: Night, host: Host, seconds: float) -> None:
    others = [one for one in night.world.hosts.values() if one is not host]
    other = others[0] if len(others) == 1 else night.world.chance.choice(others)
    if host.redis.answers:
        host.redis.replicaof(other.address, COLLEAGUE)


def cable_cut(night: Night, host: Host, seconds: float) -> None:
    network = night.world.network
    network.apart.add(host.name)
    night.world.after(seconds, lambda: network.apart.discard(host.name))


def ssh_silent(night: Night, host: Host, seconds: float) -> None:
    network = night.world.network
    network.silent_ssh.add(host.name)
    night.world.after(seconds, lambda: network.silent_ssh.discard(host.name))


def redis_silent(night: Night, host: Host, seconds: float) -> None:
    network = night.world.network
    network.silent_redis.add(host.name)
    night.world.after(seconds, lambda: network.silent_redis.discard(host.name))


def disk_full(night: Night, host: Host, seconds: float) -> None:
    host.disk_full = True
    night.world.after(seconds, lambda: setattr(host, "disk_full", False))


def clock_jumps(night: Night, host: Host, seconds: float) -> None:
    ahead = night.world.chance.choice((-3600.0, 90.0, 3600.0))
    host.clock_ahead += ahead
    night.world.after(seconds, lambda: setattr(host, "clock_ahead", 0.01))


def stream_slow(night: Night, host: Host, seconds: float) -> None:
    night.world.stream_delay = 6.0
    night.world.after(seconds, lambda: setattr(night.world, "stream_delay", 0.0))


def arp_slow(night: Night, host: Host, seconds: float) -> None:
    night.world.network.arp_lag = 6.0
    night.world.after(seconds, lambda: setattr(night.world.network, "arp_lag", 0.2))


def answer_lost(night: Night, host: Host, seconds: float) -> None:
    night.actuator.line = Line(drops_answer=True)


def command_lost(night: Night, host: Host, seconds: float) -> None:
    night.actuator.line = Line(drops_command=True)


def command_late(night: Night, host: Host, seconds: float) -> None:
    night.actuator.line = Line(late_by=seconds)


def console_dies(night: Night, host: Host, seconds: float) -> None:
    raise ConsoleDiedError


def journal_full(night: Night, host: Host, seconds: float) -> None:
    night.records.journal.full = True


def lock_taken(night: Night, host: Host, seconds: float) -> None:
    """A second operator takes the run over by a typed sentence, and ends soon."""
    over = host.lock.run_id if host.lock is not None else ""
    taken = RunLock(
        "20261121T080000Z-cache-other-0000", "cache", "other", "eve@ops2", night.world.now, over=over, pid=2
    )
    host.lock = taken
    night.world.after(seconds, lambda: host.lock is taken and setattr(host, "lock", None))


def sentinel_dies(night: Night, host: Host, seconds: float) -> None:
    """Somebody starts it again after a while."""
    sentinel = _sentinel(host)
    sentinel.kill("killed")
    night.world.after(seconds, lambda: sentinel.host.up and sentinel.start(COLLEAGUE))


def sentinel_hangs(night: Night, host: Host, seconds: float) -> None:
    _sentinel(host).hangs_until = night.world.now + seconds


def colleague_fails_over(night: Night, host: Host, seconds: float) -> None:
    sentinel = _sentinel(host)
    if sentinel.answers:
        sentinel.failover.begin_by_hand(COLLEAGUE)


def _sentinel(host: Host) -> Sentinel:
    """Of this host, or the only one that there is."""
    return next(one.sentinel for one in (host, *host.world.hosts.values()) if one.sentinel is not None)


def consul_dies(night: Night, host: Host, seconds: float) -> None:
    """Somebody starts it again after a while. Then there is no maintenance any more."""
    consul = _consul(night)
    consul.kill("killed")
    night.world.after(seconds, lambda: consul.start(COLLEAGUE))


def consul_silent(night: Night, host: Host, seconds: float) -> None:
    network = night.world.network
    network.silent_consul = True
    night.world.after(seconds, lambda: setattr(network, "silent_consul", False))


def checks_late(night: Night, host: Host, seconds: float) -> None:
    """The agent's host is busy: it runs no check for a while."""
    _consul(night).stands_still_until = night.world.now + seconds


def colleague_ends_maintenance(night: Night, host: Host, seconds: float) -> None:
    consul = _consul(night)
    if consul.answers:
        consul.maintain(consul.services[host.name].service_id, "", COLLEAGUE)


def _consul(night: Night) -> Consul:
    assert night.world.consul is not None
    return night.world.consul


def scripts_killed(night: Night, host: Host, seconds: float) -> None:
    """A colleague ends the scripts that sleep: what they would do is not done."""
    host.keepalived.scripts.clear()


_BY_HOST = (redis_dies, redis_restarts, redis_hangs, host_reboots)
_KEEPALIVED = (keepalived_dies, colleague_restarts_keepalived)
_SENTINEL = (sentinel_dies, sentinel_hangs, colleague_fails_over)
_CONSUL = (consul_dies, consul_silent, checks_late, colleague_ends_maintenance)
_OF_ALL = (
    colleague_promotes, colleague_follows, cable_cut, ssh_silent, redis_silent, disk_full, clock_jumps, stream_slow,
    arp_slow, answer_lost, command_lost, command_late, console_dies, journal_full, lock_taken,
)  # fmt: skip


def _named(*functions: Callable[[Night, Host, float], None]) -> dict[str, Callable[[Night, Host, float], None]]:
    return {one.__name__.replace("_", "-"): one for one in functions}


FAULTS = _named(*_BY_HOST, *_KEEPALIVED, *_SENTINEL, *_OF_ALL, *_CONSUL, scripts_killed)
OF_KEEPALIVED = tuple(_named(*_BY_HOST, *_KEEPALIVED, *_OF_ALL))
"""In this order: a seed chooses by it."""
OF_SCRIPTS = tuple(_named(*_BY_HOST, *_KEEPALIVED, *_OF_ALL, scripts_killed))
OF_CONSUL = tuple(_named(*_BY_HOST, *_SENTINEL, *_OF_ALL, *_CONSUL))
OF_SENTINELS = tuple(_named(*_BY_HOST, *_SENTINEL, *_OF_ALL))
