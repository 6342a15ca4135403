"""keepalived on one host: one VRRP instance, its check and its notify scripts.

Sources: keepalived.conf(5); vrrp.c and vrrp_scheduler.c of 2.2 (vrrp_state_backup, vrrp_state_master_rx); RFC 5798,
6.4; the recordings of 2.2.7 (a notify script is started and not waited for, and two can run at once). The configuration
is read at start and at reload with the console's own parser, which is compared with the real keepalived
(tests/keepalived).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from simulation.world.notify_scripts import Script, notify_program, restarting_check, restarts_redis_for

from console.core.keepalived.configuration import parse
from console.core.model import VrrpInstance

if TYPE_CHECKING:
    from simulation.world.host import Host

CONF = "/etc/keepalived/keepalived.conf"
MASTER, BACKUP, FAULT = "MASTER", "BACKUP", "FAULT"
NO_INSTANCE = VrrpInstance("", BACKUP, "", 0, 100, 1.0, ())
"""Of a host without keepalived."""
_PREEMPT_DELAY = re.compile(rb"^\s*preempt_delay ([\d.]+)$", re.MULTILINE)


@cache
def instance_in(text: bytes) -> VrrpInstance:
    return parse(text.decode()).instances[0]


@cache
def preempt_delay_in(text: bytes) -> float:
    """Seconds. keepalived clears it where the initial state is MASTER (vrrp_complete_instance)."""
    found = _PREEMPT_DELAY.search(text)
    return float(found[1]) if found and instance_in(text).state != MASTER else 0.0


class Keepalived:
    """The process of one host, or none. What its scripts do goes on after it has ended."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.world = host.world
        self.pid = 0
        self.started = 0.0
        self.state = BACKUP
        self.installed = CONF in host.files
        self.instance = instance_in(host.files[CONF]) if self.installed else NO_INSTANCE
        self.cause = ""
        self.check_ok = True
        self.preempts_at: float | None = None
        """Until then a lower priority is borne (preempt_delay). None: nobody advertises one."""
        self.scripts: list[Script] = []
        self.transitions: list[tuple[str, float]] = []
        """State and time on the host's clock, as the log has them."""
        self.check: Script | None = None
        """A check that takes time, while it runs."""
        self._results = 0
        self._next_check = self._next_advert = self._down_at = 0.0

    @property
    def running(self) -> bool:
        return self.pid != 0

    @property
    def priority(self) -> int:
        change = sum(one.weight for one in self.instance.scripts if (one.weight > 0) is self.check_ok)
        return min(254, max(1, self.instance.priority + change))

    # --- process ----------------------------------------------------------------------------------------------------

    def start(self, cause: str) -> None:
        if self.running or not self.installed:
            return
        world = self.world
        self.pid, self.started, self.cause = world.new_pid(), world.now, cause
        self.instance = instance_in(self.host.files[CONF])
        self.check_ok, self._results = True, 0
        self._next_check = world.now + 0.2
        world.tell(f"{self.host.name}: keepalived starts ({cause}), priority {self.instance.priority}")
        self._become(BACKUP)
        if self.instance.state == MASTER:
            self._down_at = world.now + self.instance.advert_interval

    def stop(self, cause: str) -> None:
        """SIGTERM: an advert with priority 0, the address goes away, notify_stop runs."""
        if not self.running:
            return
        was_master = self.state == MASTER
        self.world.tell(f"{self.host.name}: keepalived stops ({cause})")
        self.pid, self.check = 0, None
        self._log("STOP")
        self._set_vip(False)
        if was_master:
            self._advertise(0)
        self._notify("STOP")
        self.world.roles_changed(cause)

    def die(self, why: str) -> None:
        """SIGKILL: the address stays on the interface, and nobody is told (H22)."""
        if self.running:
            self.world.tell(f"{self.host.name}: keepalived dies ({why})")
            self.pid, self.check = 0, None

    def reload(self) -> None:
        """SIGHUP: the file is read again, and the state stays."""
        if self.running:
            self.instance = instance_in(self.host.files[CONF])

    # --- time -------------------------------------------------------------------------------------------------------

    def beat(self) -> None:
        if self.scripts:
            self._run_scripts()
        if not self.running:
            return
        now = self.world.now
        if self.check is not None:
            self._go_on_checking()
        if now >= self._next_check:
            self._next_check = now + self.check_interval
            self._check()
        if self.state == MASTER:
            if now >= self._next_advert:
                self._next_advert = now + self.instance.advert_interval
                self._advertise(self.priority)
        elif self.state == BACKUP and now >= self._down_at:
            self._become(MASTER)

    @property
    def check_interval(self) -> int:
        return max((one.interval for one in self.instance.scripts), default=2)

    def _check(self) -> None:
        """`redis-cli PING` must answer PONG. A Redis that loads, hangs or cannot save does not."""
        script = self.instance.scripts[0] if self.instance.scripts else None
        path = script.script.split()[0] if script is not None else ""
        restarts = restarts_redis_for(self.host.files[path]) if path in self.host.files else None
        if restarts is None:
            self._checked(self.host.redis.pong)
        elif self.check is None and script is not None:  # one that still runs is not started again
            program = restarting_check(self.host, restarts, float(self.check_interval))
            self.check = Script(self.world.new_pid(), f"/bin/bash {script.script}", self.world.now, program)
            self._go_on_checking()

    def _go_on_checking(self) -> None:
        check = self.check
        assert check is not None
        check.run(self.world.now)
        if check.ended:
            self.check = None
            self._checked(bool(self.host.check_result))

    def _checked(self, passes: bool) -> None:
        script = self.instance.scripts[0] if self.instance.scripts else None
        if script is None or passes is self.check_ok:
            self._results = 0
            return
        self._results += 1
        if self._results >= (script.rise if passes else script.fall):
            self.check_ok, self._results = passes, 0
            self.world.tell(f"{self.host.name}: the check {'passes' if passes else 'fails'}, priority {self.priority}")
            if script.weight == 0:
                self._become(BACKUP if passes else FAULT)

    # --- VRRP -------------------------------------------------------------------------------------------------------

    def _skew(self) -> float:
        return (256 - self.priority) * self.instance.advert_interval / 256

    def _wait_for_adverts(self) -> None:
        self._down_at = self.world.now + 3 * self.instance.advert_interval + self._skew()

    def _advertise(self, priority: int) -> None:
        for other in self.world.hosts.values():
            if other is not self.host and other.up and self.world.network.joined(self.host, other):
                other.keepalived.hear(priority, self.host)

    def hear(self, priority: int, sender: Host) -> None:
        """vrrp_state_backup and vrrp_state_master_rx."""
        if not self.running or self.state == FAULT:
            return
        if self.state == BACKUP:
            if priority == 0:
                self._down_at = self.world.now + self._skew()
            elif not self.instance.preempts or priority >= self.priority:
                self.preempts_at = None
                self._wait_for_adverts()
            elif self._delays_preemption():
                self._wait_for_adverts()
            return
        higher = priority > self.priority or (priority == self.priority and sender.address > self.host.address)
        if higher:
            self._become(BACKUP)
        elif priority != 0:
            self.world.network.announce(self.host)  # garp_lower_prio_repeat
            self._next_advert = self.world.now + self.instance.advert_interval
            self._advertise(self.priority)

    def _delays_preemption(self) -> bool:
        delay = preempt_delay_in(self.host.files[CONF])
        if delay and self.preempts_at is None:
            self.preempts_at = self.world.now + delay
        return self.preempts_at is not None and self.world.now < self.preempts_at

    def _become(self, state: str) -> None:
        was, self.state = self.state, state
        self.preempts_at = None
        if state == MASTER:
            self._set_vip(True)
            self.world.network.announce(self.host)
            self._next_advert = self.world.now
        else:
            self._set_vip(False)
            self._wait_for_adverts()
        self._log(state)
        if was != state or state == BACKUP:
            self.world.tell(f"{self.host.name}: enters {state}")
            self._notify(state)
        self.world.roles_changed(self.cause)

    def _set_vip(self, held: bool) -> None:
        self.host.vip = held

    def _log(self, state: str) -> None:
        self.transitions.append((state, self.world.now + self.host.clock_ahead))
        del self.transitions[:-20]

    # --- scripts ----------------------------------------------------------------------------------------------------

    def _notify(self, state: str) -> None:
        """notify_instance_exec: first the script of the state, then the one of all states. Nobody waits for them."""
        for word in (f"notify_{state.lower()}", "notify"):
            command = self.instance.notify.get(word, "")
            path, *arguments = command.split() or [""]
            if path in self.host.files:
                program = notify_program(self.host, path, arguments, state)
                self.scripts.append(Script(self.world.new_pid(), f"/bin/bash {command}", self.world.now, program))
        self._run_scripts()

    def _run_scripts(self) -> None:
        for script in self.scripts:
            script.run(self.world.now)
        self.scripts = [one for one in self.scripts if not one.ended]
