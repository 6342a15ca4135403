"""A rebuilt pair behind keepalived: the master's keepalived first, the other one when it holds the address."""

from __future__ import annotations

from console.core.drills.capture import CapturedHost, CapturedMachine
from console.drill.rebuilt.rehearsal import Rehearsal
from console.drill.rebuilt.services import service_name


class PairRehearsal(Rehearsal):
    """A pair that runs in the laboratory."""

    def _start_the_rest(self, master: CapturedHost) -> None:
        self._start_keepalived(master)
        self._wait(lambda: self.lab.vip_holders() == [self.master], f"{self.master} holds {self.lab.vip}")
        self.settle()
        for host in self.replicas:
            self._start_keepalived(host)
        self.settle()
        self._end_wrong_roles(master)
        self._report(f"keepalived runs on all, {self.master} holds {self.lab.vip}")

    def _end_wrong_roles(self, master: CapturedHost) -> None:
        """Scripts may have changed roles while they began. Once, the documented roles are given back."""
        if not self._as_documented():
            self._report("keepalived's scripts changed the roles while they began: the documented ones are given back")
            self._ask(master, "SLAVEOF", "NO", "ONE")
            for host in self.replicas:
                self._follow(host, master)
            self.settle()
        self._wait(self._as_documented, "the roles are the documented ones, and the virtual IP is on the master")

    def _as_documented(self) -> bool:
        return (
            self._role(self.capture.host(self.master)) == "master"
            and self._in_sync()
            and (self.lab.vip_holders() == [self.master])
        )

    def _start_keepalived(self, captured: CapturedHost) -> None:
        self.lab.host(captured.name).service(service_name(captured, "keepalived"), "start")

    def _moving_scripts(self, machine: CapturedMachine) -> tuple[str, ...]:
        """Notify scripts: what keepalived.conf calls by a keyword with `notify` in it."""
        conf = machine.file(machine.keepalived_config)
        lines = [line for line in (conf.text if conf else "").splitlines() if "notify" in line.partition("/")[0]]
        return tuple(one.path for one in machine.files if any(one.path in line for line in lines))
