"""The way home: a calm operator does what the findings advise, until the cluster is protected, and proves it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from soak.faults import kill_redis
from soak.ground import Ground

from console.core.conditions.switching import PAUSED
from console.core.diagnosis.finding import Finding
from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model.verdict import Verdict
from console.lab.hosts.redis_client import RefusedError
from console.lab.options import LabError
from console.lab.scenarios.replication import ask, in_sync
from console.lab.scenarios.sentinel_consul import api
from console.lab.systems.sentinel_consul import INSTANCES

if TYPE_CHECKING:
    from soak.night import Night

WAYS_HOME = 12
"""Runs and works by hand after the night at most."""
SETTLES = 6.0
"""Seconds for which servers are left to themselves before the next thing is done."""
TAKES_OVER = 45.0
"""Seconds after the death of the master within which clients must be served again."""

Act = Callable[[Ground, Sequence[str]], bool]


def _start(service: str) -> Act:
    """`start NAME on HOST`: of those that are named, what does not run."""

    def act(ground: Ground, nodes: Sequence[str]) -> bool:
        hosts = [ground.kind.sentinels.get(name, name) for name in nodes]
        done = False
        for name in dict.fromkeys(hosts):
            if name in ground.lab.hosts and ground.host(name).pid and not ground.runs(name, service):
                with contextlib.suppress(LabError):
                    ground.host(name).service(service, "start")
                    done = True
        return done

    return act


def _start_sentinels(ground: Ground, _: Sequence[str]) -> bool:
    return _start("redis-sentinel")(ground, list(ground.kind.sentinels))


def _start_consul(ground: Ground, _: Sequence[str]) -> bool:
    return _start("consul")(ground, [ground.kind.consul])


def _promote(ground: Ground, _: Sequence[str]) -> bool:
    """`promote the replica with the newest data (SLAVEOF NO ONE)`, where nobody else does it."""
    replicas = [(max(one.held or (), default=0), name) for name in ground.kind.nodes if (one := ground.look(name))]
    if not replicas:
        return False
    with contextlib.suppress(LabError, OSError):
        ask(ground.lab, ground.host(max(replicas)[1]), "SLAVEOF", "NO", "ONE")
        return True
    return False


def _start_newest(ground: Ground, _: Sequence[str]) -> bool:
    """`start the Redis that holds the newest data first`."""
    down = [name for name in ground.kind.nodes if ground.host(name).pid and not ground.runs(name)]
    held: dict[str, int] = {}
    for name in down:
        with contextlib.suppress(LabError):
            held[name] = max(ground.on_disk(name), default=0)
    live = max(
        (max(one.held, default=0) for name in ground.kind.nodes if (one := ground.look(name)) and one.held), default=0
    )
    if held and max(held.values()) < live:
        return False  # a replica that runs has newer data, and would drop it for that of its old master
    return _start("redis-server")(ground, [max(held, key=held.__getitem__)]) if held else False


def _start_alone(ground: Ground, _: Sequence[str]) -> bool:
    """`stop Redis and keepalived of the other node …`: where a script would follow it."""
    masters = [name for name in ground.masters() if ground.runs(name, "keepalived")]
    if not ground.kind.by_scripts or masters:
        return False
    held: dict[str, int] = {}
    for name in ground.kind.nodes:
        seen = ground.look(name)
        with contextlib.suppress(LabError):
            held[name] = max((seen.held or ()) if seen else ground.on_disk(name), default=0)
            held[name] += seen is not None and seen.role == "master"
    newest = max(held, key=held.__getitem__)
    for name in ground.kind.nodes:
        for service in ("keepalived", "redis-server") if name != newest else ():
            if ground.runs(name, service):
                ground.host(name).service(service, "stop")
    _start("redis-server")(ground, [newest])
    return _start("keepalived")(ground, [newest])


def _end_maintenance(ground: Ground, _: Sequence[str]) -> bool:
    """`consul maint -disable -service=…` for the master."""
    held = [name for name in ground.masters() if name not in ground.reached()]
    with contextlib.suppress(OSError):
        for name in held:
            api(ground.lab, f"/v1/agent/service/maintenance/{INSTANCES[name]}?enable=false", {})
        return len(held) == 1
    return False


def _let_write(ground: Ground, nodes: Sequence[str]) -> bool:
    """`set min-replicas-to-write back to its old value (it was raised by a million), then CONFIG REWRITE`."""
    done = False
    for name in nodes:
        with contextlib.suppress(LabError, OSError, ValueError):
            setting = int(ask(ground.lab, ground.host(name), "CONFIG", "GET", "min-slaves-to-write").split("\n")[-1])
            if setting >= PAUSED:
                ask(ground.lab, ground.host(name), "CONFIG", "SET", "min-slaves-to-write", str(setting - PAUSED))
                ask(ground.lab, ground.host(name), "CONFIG", "REWRITE")
                done = True
    return done


def _masterauth(ground: Ground, nodes: Sequence[str]) -> bool:
    """`CONFIG SET masterauth to the master's password`."""
    for name in nodes:
        with contextlib.suppress(LabError, OSError, RefusedError):
            ask(ground.lab, ground.host(name), "CONFIG", "SET", "masterauth", ground.lab.options.password)
    return True


HAND_WORK: dict[str, Act] = {
    "no-master": lambda ground, nodes: any(act(ground, nodes) for act in (_start_alone, _promote, _start_newest)),
    "redis-down": _start_newest,
    "vip-on-dead-redis": _start_newest,
    "masterauth-mismatch": _masterauth,
    "replica-link-down": _masterauth,
    "sentinel-unreachable": _start("redis-sentinel"),
    "sentinel-no-quorum": _start_sentinels,
    "sentinel-disagree": _start_sentinels,
    "consul-unreachable": _start_consul,
    "consul-none-passing": lambda ground, nodes: any(
        act(ground, nodes) for act in (_end_maintenance, _start_sentinels, _start_newest)
    ),
    "consul-disagrees": _end_maintenance,
    "writes-refused": _let_write,
    "keepalived-down": _start("keepalived"),
    "lvs-director-split": _start("keepalived"),
    "read-vip-not-on-node": _start("keepalived"),
    "lvs-director-unread": _start("keepalived"),
    "lvs-real-server-missing": _start("keepalived"),
    "vip-missing": lambda ground, nodes: _start_alone(ground, nodes) or _start("keepalived")(ground, nodes),
}
"""Finding → what a calm operator does by hand, as its advice says, where no runbook leads on."""


class WayHome:
    """Brings one night's cluster back to protected."""

    def __init__(self, night: Night) -> None:
        self._night = night

    def walk(self) -> bool:
        """Whether it is protected in the end."""
        night, tried = self._night, []
        for _ in range(WAYS_HOME):
            if self.protected(SETTLES) and all(map(night.ground.runs, night.kind.nodes)):
                return True
            findings = night.findings()
            advised = [one.next.runbook for one in findings if one.next.runbook in night.kind.runbooks]
            runbook = next((one for one in advised if one not in tried), "")
            if not runbook:
                tried.clear()
                self._by_hand(findings)
            elif night.one_run(runbook, calm=True):
                tried.clear()
            else:
                tried.append(runbook)
                night.tally.useless[f"{night.kind.name}: {runbook}"] += 1
        return self.protected(SETTLES)

    def protected(self, seconds: float = 0.0) -> bool:
        end = time.monotonic() + seconds
        while True:
            if protection(self._night.observe()).verdict is Verdict.HOLDS:
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(1.0)

    def _by_hand(self, findings: Sequence[Finding]) -> None:
        night = self._night
        for one in findings:
            act = HAND_WORK.get(one.code)
            if act is not None and act(night.ground, one.nodes):
                night.troubles.acted(f"by hand, as {one.code} advises: {one.next.advice or one.next.runbook}")
                night.tally.by_hand[f"{night.kind.name}: {one.code}: {one.next.advice or one.next.runbook}"[:150]] += 1
                time.sleep(4.0)
                return
        night.tell(f"nothing to do by hand: {', '.join(one.code for one in findings)}")
        time.sleep(8.0)

    def prove(self) -> None:
        """`protected` means: the master dies, and another node serves with every write that was acknowledged."""
        night, ground, clients = self._night, self._night.ground, self._night.clients
        serving = [name for name in ground.reached() if name in ground.masters()]
        night.must(len(serving) == 1, "protected serves", f"{serving} serve a cluster that counts as protected")
        if len(serving) != 1:
            return
        master, lab = serving[0], ground.lab
        with clients.held():
            others = [ground.host(name) for name in ground.kind.nodes if name != master]
            with contextlib.suppress(LabError):
                lab.wait(lambda: all(in_sync(lab, one, ground.host(master)) for one in others), 20)
            ground.settle()
            wanted = ground.held_by(master)
            night.troubles.acted(f"— the next failure: {master} dies")
            kill_redis(ground, master)
        served = clients.wait_for(15, TAKES_OVER)
        night.must(served, "protected survives", f"clients are not served {TAKES_OVER:.0f} s after {master} died")
        if not served or ground.kind.by_scripts:
            return
        ground.settle()
        missing = wanted - ground.held_anywhere()
        night.must(not missing, "protected survives", f"{len(missing)} writes are missing after {master} died")


def findings_of(night: Night) -> list[Finding]:
    state = night.observe()
    return list(diagnose(state, state.observed_at))
