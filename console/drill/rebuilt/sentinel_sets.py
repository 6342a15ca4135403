"""Rebuilt sets under Sentinels: with a write VIP that their script moves, or with a name in Consul."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_interface

from console.core.conditions.sentinel_sets.read_vip import read_side_protection
from console.core.drills.capture import Capture, CapturedHost, CapturedMachine, CapturedSentinel, Part
from console.core.drills.scenarios import DrillScenario, Where
from console.core.model import ClusterState, Role
from console.core.model.verdict import Verdict
from console.core.quantities import counted
from console.core.watchers.sentinels import agreed_master, watched_masters
from console.drill.rebuilt import consul
from console.drill.rebuilt.rehearsal import Rehearsal
from console.drill.rebuilt.sentinels import sentinel_file, sentinel_service
from console.drill.rebuilt.services import service_name
from console.drill.watching import inspector_of
from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.host import SENTINEL
from console.lab.options import LabError

_MILLISECONDS = 1000


class SentinelRehearsal(Rehearsal):
    """What every set under Sentinels has."""

    def __init__(self, lab: Laboratory, capture: Capture, report: Callable[[str], None]) -> None:
        super().__init__(lab, capture, report)
        self._inspector = inspector_of(lab, capture)

    def close(self) -> None:
        self._inspector.close()

    def _start_sentinels(self) -> None:
        for one in self.capture.sentinels:
            self._start_server(self.capture.machine(one.machine), sentinel_service(one), sentinel_file(one))
        self._wait(lambda: self._all_watch(self._inspector.observe(fresh=True)), self._how_many())
        self._report(self._how_many())

    def _how_many(self) -> str:
        if len(self.capture.sentinels) == 1:
            return "the Sentinel knows all servers"
        return f"{counted(len(self.capture.sentinels), 'Sentinel')} know each other and all servers"

    def _all_watch(self, state: ClusterState) -> bool:
        """Whether each Sentinel names the master, and knows every replica and every other Sentinel."""
        named = agreed_master(state)
        told = [one.sentinel.value for one in state.sentinels]
        return named is not None and named.name == self.master and all(
            one is not None and one.quorum_ok is not False and one.master is not None and not one.master.failing_over
            and sum(not each.down for each in one.replicas) >= len(self.replicas)
            and sum(not each.down for each in one.peers) >= len(told) - 1
            for one in told
        )  # fmt: skip

    def settle(self) -> None:
        """Also waits for a failover that is under way."""
        super().settle()
        if self._fails_over():
            self._wait(lambda: not self._fails_over(), "the failover has ended")
            super().settle()

    def _fails_over(self) -> bool:
        return any(master.failing_over for _, master in watched_masters(self._inspector.observe(fresh=True)))

    def to_start_by_hand(self, state: ClusterState, *, claimed: bool) -> list[tuple[str, str]]:
        """Sentinels that died, unless a runbook starts them on its way: it knows only what the inventory names."""
        silent = {one.name for one in state.sentinels if not one.sentinel.ok}
        dead = [one for one in self.capture.sentinels if one.name in silent and not (claimed and one.service)]
        hosts = {one.machine: self.lab.host(one.machine) for one in dead}
        return [
            (one.machine, sentinel_service(one))
            for one in dead if hosts[one.machine].pid and not hosts[one.machine].running(SENTINEL)
        ]  # fmt: skip

    def _moving_scripts(self, machine: CapturedMachine) -> tuple[str, ...]:
        """The scripts of the Sentinels."""
        texts = [one.text for one in machine.parts(Part.SENTINEL)]
        return tuple(one.path for one in machine.parts(Part.SCRIPT) if any(one.path in text for text in texts))

    @property
    def longest_silence(self) -> float:
        return max((one.down_after for one in self.capture.sentinels), default=0) / _MILLISECONDS

    def targets(self, scenario: DrillScenario) -> tuple[str, ...]:
        if scenario.on is Where.SENTINEL:
            return (self._elsewhere()[0].machine,)
        if scenario.on is Where.QUORUM:
            return tuple(dict.fromkeys(one.machine for one in self._elsewhere()[: quorum_losing(self.capture)]))
        return super().targets(scenario)

    def _elsewhere(self) -> list[CapturedSentinel]:
        """The Sentinels, those that run beside the master last."""
        return sorted(self.capture.sentinels, key=lambda one: one.machine == self.master)


def quorum_losing(capture: Capture) -> int:
    """How many Sentinels must end until those that are left can fail nothing over."""
    number = len(capture.sentinels)
    quorum = max((one.quorum for one in capture.sentinels), default=1)
    return max(1, number - max(quorum, number // 2 + 1) + 1)


class VipRehearsal(SentinelRehearsal):
    """A set whose Sentinels move a write VIP, with or without directors for its readers."""

    def _start_the_rest(self, master: CapturedHost) -> None:
        self._take_vip(master)
        self._start_sentinels()
        for one in self.capture.directors:
            self.lab.host(one.name).service(service_name(one, "keepalived"), "start")
        if self.capture.directors:
            self._wait(lambda: self._readers_served(self._inspector.observe(fresh=True)), "a director serves readers")
            self._report(f"{' and '.join(self._read_vip_holders())} holds the read VIP {self.capture.read_vip}")
        self._wait(lambda: self.lab.vip_holders() == [self.master], f"{self.master} holds {self.lab.vip}")

    def _take_vip(self, master: CapturedHost) -> None:
        """By hand, as such a set begins: the Sentinels' script only moves it."""
        interface, _, address = (self.capture.vip_at or self._place_of_vip(master)).partition(" ")
        host = self.lab.host(master.name)
        host.run(["ip", "addr", "add", address, "dev", interface], check=True)
        host.run(["arping", "-q", "-c", "1", "-A", self.lab.vip, "-I", interface])
        self._report(f"{master.name} has the write VIP {self.lab.vip}")

    def _place_of_vip(self, master: CapturedHost) -> str:
        """Where nobody had it: the interface of its network."""
        vip = ip_interface(self.lab.vip).ip
        for one in master.interfaces:
            for address in map(ip_interface, one.addresses):
                if vip in address.network:
                    return f"{one.name} {vip}/{address.network.prefixlen}"
        raise LabError(f"{master.name} has no address in the network of {vip}: nobody can put it there")

    def _read_vip_holders(self) -> list[str]:
        return [
            one.name for one in self.capture.directors if self.lab.host(one.name).has_address(self.capture.read_vip)
        ]

    def _readers_served(self, state: ClusterState) -> bool:
        return all(check.verdict is Verdict.HOLDS for check in read_side_protection(state))

    def targets(self, scenario: DrillScenario) -> tuple[str, ...]:
        if scenario.on is Where.DIRECTOR:
            return tuple(self._director_hit)
        return super().targets(scenario)

    def to_start_by_hand(self, state: ClusterState, *, claimed: bool) -> list[tuple[str, str]]:
        """Also a director's keepalived: no runbook starts it."""
        found = super().to_start_by_hand(state, claimed=claimed)
        names = {one.name for one in state.directors if one.keepalived.value and not one.keepalived.value.running}
        dead = (one for one in self.capture.directors if one.name in names)
        return [*found, *((one.name, service_name(one, "keepalived")) for one in dead)]

    @property
    def _director_hit(self) -> list[str]:
        return self._read_vip_holders()[:1] or [self.capture.directors[0].name]


class ConsulRehearsal(SentinelRehearsal):
    """A set whose clients find the master by a name in Consul."""

    def _start_the_rest(self, master: CapturedHost) -> None:
        del master
        assert self.capture.consul is not None
        self._start_sentinels()
        agents = [one for one in self.capture.machines if consul.has_agent(one)]
        for one in sorted(agents, key=lambda one: one.name != self._agent):
            self.lab.host(one.name).service(consul.SERVICE, "start")
        self._wait(lambda: self._resolves() == [self.master], f"{self.capture.consul.service} is {self.master}")
        self._report(f"Consul answers on {self._agent}: the name is {self.master}")

    @property
    def _agent(self) -> str:
        return self.capture.consul.machine if self.capture.consul is not None else ""

    def _resolves(self) -> list[str]:
        """The nodes that the name leads to."""
        assert self.capture.consul is not None
        found = consul.passing(self.capture.consul, 2.0)
        names = {host.address: host.name for host in self.capture.hosts}
        return sorted(names.get(address, address) for address, _ in found)

    def find_master(self) -> tuple[str, int]:
        assert self.capture.consul is not None
        found = consul.passing(self.capture.consul, 1.0)
        if not found:
            raise OSError("the name leads to nobody")
        return found[0]

    def serves(self, state: ClusterState) -> bool:
        seen = state.consul.instances.value if state.consul is not None else None
        passing = [one.address for one in seen or () if one.passing]
        masters = [
            one.address for one in state.nodes if one.redis.value is not None and one.redis.value.role is Role.MASTER
        ]
        return len(passing) == 1 and passing[0] in masters

    def to_start_by_hand(self, state: ClusterState, *, claimed: bool) -> list[tuple[str, str]]:
        """Consul's agent too: no runbook starts it, and without it none can prove where clients are led."""
        found = super().to_start_by_hand(state, claimed=claimed)
        host = self.lab.host(self._agent)
        if state.consul is not None and not state.consul.instances.ok and host.pid and not host.running(consul.SERVICE):
            found.append((self._agent, consul.SERVICE))
        return found

    def targets(self, scenario: DrillScenario) -> tuple[str, ...]:
        return (self._agent,) if scenario.on is Where.CONSUL else super().targets(scenario)
