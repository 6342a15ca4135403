"""How a night begins: from a protected cluster, whoever is its master, to a state that an operator is called for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from soak.clients import Clients
from soak.faults import Troubles, kill_redis
from soak.ground import DATA, Ground
from soak.kinds import CONSUL, PAIR, SENTINEL, Kind

from console.core.conditions.switching import PAUSED
from console.lab.options import LabError
from console.lab.scenarios.preempting_pair import end_scripts
from console.lab.scenarios.replication import ask

SETTLES = 25.0
"""Seconds for which a start waits for what it has caused."""


@dataclass
class Scene:
    """What a start works on."""

    ground: Ground
    clients: Clients
    troubles: Troubles
    master: str

    @property
    def others(self) -> list[str]:
        return [name for name in self.ground.kind.nodes if name != self.master]

    def ask(self, name: str, *words: str) -> str:
        return ask(self.ground.lab, self.ground.host(name), *words)

    def until(self, condition: Callable[[], object], seconds: float = SETTLES) -> None:
        """Waits. What does not come is left: the night begins as it is."""
        with contextlib.suppress(LabError):
            self.ground.lab.wait(condition, seconds)

    def stop(self, name: str, service: str) -> None:
        if self.ground.runs(name, service):
            self.ground.host(name).service(service, "stop")


def healthy(scene: Scene) -> None:
    """Nothing happens."""


def failed_over(scene: Scene) -> None:
    """The master's Redis dies, and another one serves."""
    kill_redis(scene.ground, scene.master)
    scene.until(lambda: any(one != scene.master for one in scene.ground.masters()))
    scene.clients.wait_for(10, SETTLES)


def failed_over_saved(scene: Scene) -> None:
    """The same, after a save: the disk of the old master has nearly all."""
    with contextlib.suppress(LabError, OSError):
        scene.ask(scene.master, "SAVE")
    scene.clients.wait_for(10, 5)
    failed_over(scene)


def just_failing(scene: Scene) -> None:
    """The master's Redis has just died: nothing has moved yet."""
    kill_redis(scene.ground, scene.master)


def both_down(scene: Scene) -> None:
    """All Redis die, one after the other."""
    kill_redis(scene.ground, scene.master)
    scene.clients.wait_for(20, 10)
    for name in scene.others:
        with contextlib.suppress(LabError):
            kill_redis(scene.ground, name)


def stale_master_back(scene: Scene) -> None:
    """The old master's Redis was started again, its keepalived off, or its Sentinels away."""
    failed_over(scene)
    if scene.master in scene.ground.kind.keepalived:
        scene.stop(scene.master, "keepalived")
    with contextlib.suppress(LabError):
        scene.ground.host(scene.master).service("redis-server", "start")
    scene.until(lambda: scene.ground.look(scene.master))


def parted(scene: Scene) -> None:
    """The network parts the master from the rest; both sides write; then it heals."""
    ground, other = scene.ground, scene.others[0]
    ground.lab.fault("isolate", scene.master)
    scene.until(lambda: other in ground.masters())
    scene.clients.wait_for(20, 10)
    ground.lab.fault("heal", scene.master)
    time.sleep(3.0)


def loop(scene: Scene) -> None:
    """Both follow each other."""
    for name in scene.ground.kind.nodes:
        if scene.ground.kind.by_scripts:
            end_scripts(scene.ground.host(name))
    scene.ask(scene.master, "SLAVEOF", scene.ground.host(scene.others[0]).address, "6379")
    time.sleep(1.0)


def nothing_runs(scene: Scene) -> None:
    """keepalived and Redis are stopped on both, as for maintenance."""
    for service in ("keepalived", "redis-server"):
        for name in scene.ground.kind.nodes:
            scene.stop(name, service)


def no_vip(scene: Scene) -> None:
    """Both Redis run, and no keepalived does."""
    for name in scene.ground.kind.nodes:
        scene.stop(name, "keepalived")


def left_address(scene: Scene) -> None:
    """The master's keepalived was killed: its address stayed, and the other one took the address, too."""
    scene.ground.lab.fault("kill", scene.master, "keepalived")
    scene.until(lambda: len(scene.ground.lab.vip_holders()) > 1, 10)


def paused(scene: Scene) -> None:
    """A switchover was given up: the writes of the master are still paused."""
    scene.ask(scene.master, "CONFIG", "SET", "min-slaves-to-write", str(PAUSED))


def has_backup(scene: Scene) -> None:
    """A replica has a backup of an earlier time."""
    name = scene.others[-1]
    host = scene.ground.host(name)
    if "appendonly yes" in host.read("/etc/redis/redis6379.conf"):
        script = f'cd {DATA} && for one in appendonly*; do cp -rp "$one" "$one.redis-ha-console.20261121T034000Z"; done'
    else:
        scene.ask(name, "SAVE")
        script = f'cd {DATA} && for one in *.rdb; do cp -p "$one" "$one.redis-ha-console.20261121T034000Z"; done'
    host.run(script)


def vip_on_two(scene: Scene) -> None:
    """The master's Sentinel dies, then its Redis: nobody there takes the address away."""
    with contextlib.suppress(LabError):
        scene.ground.lab.fault("kill", scene.master, "sentinel")
    failed_over(scene)


def vip_lost(scene: Scene) -> None:
    """Somebody took the address away by hand."""
    scene.ground.host(scene.master).run(f"ip addr flush to {scene.ground.lab.vip}/32")


def vip_astray(scene: Scene) -> None:
    """Somebody moved the address to a replica by hand."""
    vip_lost(scene)
    other = scene.ground.host(scene.others[0])
    other.run(f"ip addr add {scene.ground.lab.vip}/20 dev eth2; arping -q -c 2 -A {scene.ground.lab.vip} -I eth2")


def stale_reads(scene: Scene) -> None:
    """A replica has lost its link to the master, as its password for it is another one."""
    name = scene.others[-1]
    scene.ask(name, "CONFIG", "SET", "masterauth", "not-this-one")
    scene.ask(scene.master, "CLIENT", "KILL", "TYPE", "slave")
    time.sleep(1.0)


def no_quorum(scene: Scene) -> None:
    """Sentinels are gone, so that nothing can be failed over."""
    for name in list(scene.ground.kind.sentinels.values())[1:] or [*scene.ground.kind.sentinels.values()]:
        with contextlib.suppress(LabError):
            scene.ground.lab.fault("kill", name, "sentinel")


def second_master(scene: Scene) -> None:
    """The Sentinel is stopped after the failover, and the old master started as it was."""
    failed_over(scene)
    for name in scene.ground.kind.sentinels.values():
        scene.stop(name, "redis-sentinel")
    with contextlib.suppress(LabError):
        scene.ground.host(scene.master).service("redis-server", "start")
    scene.until(lambda: scene.ground.look(scene.master))


def nobody_promotes(scene: Scene) -> None:
    """The Sentinels died first, then the master did."""
    no_quorum(scene)
    kill_redis(scene.ground, scene.master)
    time.sleep(2.0)


@dataclass(frozen=True)
class Start:
    """A way to begin, and the runbooks that a human would begin there."""

    build: Callable[[Scene], None]
    fitting: tuple[str, ...]


_REBUILDS = ("one-shot-rebuild", "safe-return", "recover-from-rdb")
_RETURN = ("sentinel-return-old-master",)
_CONSUL = ("consul-return-old-master",)
_BY_KIND: dict[str, tuple[Start, ...]] = {
    PAIR: (
        Start(healthy, ("planned-switchover", "planned-switchover", "safe-return", "recover-from-rdb")),
        Start(failed_over, _REBUILDS),
        Start(failed_over_saved, _REBUILDS),
        Start(just_failing, _REBUILDS),
        Start(both_down, ("one-shot-rebuild",)),
        Start(stale_master_back, (*_REBUILDS, "resolve-dual-master")),
        Start(parted, ("resolve-dual-master",)),
        Start(loop, ("break-replication-loop",)),
        Start(nothing_runs, ("initial-build",)),
        Start(no_vip, ("initial-build", "repair-vip")),
        Start(left_address, ("repair-vip",)),
        Start(paused, ("resume-writes",)),
        Start(has_backup, ("restore-backup",)),
    ),
    SENTINEL: (
        Start(healthy, ("sentinel-switchover", "sentinel-switchover", "lvs-drain-replica")),
        Start(failed_over, _RETURN),
        Start(just_failing, _RETURN),
        Start(stale_master_back, _RETURN),
        Start(parted, _RETURN),
        Start(vip_on_two, ("sentinel-repair-write-vip", "sentinel-return-old-master")),
        Start(vip_lost, ("sentinel-repair-write-vip",)),
        Start(vip_astray, ("sentinel-repair-write-vip",)),
        Start(stale_reads, ("lvs-drain-replica", "sentinel-return-old-master")),
        Start(no_quorum, ("sentinel-switchover", "sentinel-return-old-master")),
        Start(paused, ("sentinel-resume-writes",)),
        Start(has_backup, ("sentinel-restore-backup",)),
    ),
    CONSUL: (
        Start(failed_over, _CONSUL),
        Start(failed_over_saved, _CONSUL),
        Start(just_failing, _CONSUL),
        Start(second_master, _CONSUL),
        Start(stale_master_back, _CONSUL),
        Start(nobody_promotes, _CONSUL),
        Start(no_quorum, _CONSUL),
        Start(parted, _CONSUL),
        Start(paused, ("consul-resume-writes",)),
        Start(has_backup, ("consul-restore-backup", "consul-restore-backup")),
    ),
}


def starts_of(kind: Kind) -> dict[str, Start]:
    return {one.build.__name__.replace("_", "-"): one for one in _BY_KIND[kind.of]}
