"""The states that the system with Consul can be built in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts.namespaces import program
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.options import LabError
from console.lab.scenarios.replication import COUNTER, ask, fill, in_sync, role
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.systems import sentinel_consul as consul
from console.lab.systems.sentinel_consul import ADDRESSES, FIRST, SECOND

ANONYMOUS = "00000000-0000-0000-0000-000000000002"
STALE_TTL = 600
"""Seconds for which the name server of `consul-stale-dns` keeps what it was once told."""
RARELY = 3600
"""Seconds between two runs of the checks of `consul-stale-check`."""


def passing(lab: Laboratory) -> list[str]:
    """The addresses that the checks let through, in their order."""
    found = json.loads(api(lab, f"/v1/health/service/{consul.SERVICE}?passing=1"))
    return sorted(one["Service"]["Address"] for one in found)


def resolved(port: int = consul.DNS_PORT, timeout: float = 1.0) -> list[str]:
    """What the name resolves to, in their order; raises OSError where nothing answers."""
    import dns.exception
    import dns.message
    import dns.query

    question = dns.message.make_query(consul.NAME, "A")
    try:
        answer = dns.query.udp(question, ADDRESSES[FIRST], timeout=timeout, port=port)
    except dns.exception.DNSException as error:
        raise OSError(str(error)) from None
    return sorted(str(one) for group in answer.answer for one in group)


def api(lab: Laboratory, path: str, body: object = None) -> str:
    """What Consul's HTTP API answers. Raises OSError. `body`: sent by PUT, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(consul.HTTP + path, data=data, method="GET" if data is None else "PUT")  # noqa: S310
    if lab.options.password:
        request.add_header("X-Consul-Token", lab.options.password)
    with urllib.request.urlopen(request, timeout=2) as answer:  # noqa: S310 - the laboratory's own
        return str(answer.read().decode())


def healthy(lab: Laboratory, report: Report) -> None:
    """The documented order: Redis, Sentinel, Consul."""
    _redis_and_sentinel(lab, report)
    _consul(lab, report)


def _redis_and_sentinel(lab: Laboratory, report: Report) -> None:
    master, replica = lab.host(FIRST), lab.host(SECOND)
    for host in (master, replica):
        host.service("redis-server", "start")
    fill(lab, master)
    lab.wait(lambda: in_sync(lab, replica, master), 30, f"{SECOND} is in sync")
    report(f"{FIRST} is the master, {SECOND} its replica, in sync")
    replica.service("redis-sentinel", "start")
    lab.wait(lambda: "slaves=1" in sentinel(lab, "INFO", "sentinel"), 20, "the Sentinel knows the replica")
    report(f"one Sentinel watches, on {SECOND}")


def _consul(lab: Laboratory, report: Report) -> None:
    host = lab.host(FIRST)
    host.service("consul", "start")
    lab.wait(lambda: len(json.loads(api(lab, "/v1/status/leader"))) > 0, 30, "Consul answers")
    if lab.options.password:
        _let_anybody_read(lab)
    lab.wait(lambda: passing(lab) == resolved() == [ADDRESSES[FIRST]], 30, f"{consul.NAME} is {FIRST}")
    report(f"Consul answers on {FIRST}: {consul.NAME} is {ADDRESSES[FIRST]}")


def _let_anybody_read(lab: Laboratory) -> None:
    """As its documentation has it for DNS, whose clients have no token: names can be read, nothing written."""
    rules = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }'
    lab.wait(lambda: api(lab, "/v1/acl/policy", {"Name": "names", "Rules": rules}), 30, "a policy is written")
    api(lab, f"/v1/acl/token/{ANONYMOUS}", {"AccessorID": ANONYMOUS, "Policies": [{"Name": "names"}]})


def failed_over(lab: Laboratory, report: Report) -> None:
    """The master's Redis died under traffic, the Sentinel promoted the other one, the name followed."""
    healthy(lab, report)
    _fail_over(lab, report)


def _fail_over(lab: Laboratory, report: Report) -> None:
    master, survivor = lab.host(FIRST), lab.host(SECOND)
    traffic = Traffic(lab)
    traffic.start()
    try:
        lab.wait(lambda: traffic.acknowledged >= 20, 10, "clients write to the name")  # noqa: PLR2004 - some
        # What the dead master's disk will hold: older than the last writes, as a periodic save leaves it.
        ask(lab, master, "SAVE")
        saved = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= saved + 20, 10, "clients go on writing")
        lab.fault("kill", FIRST, "redis")
        report(f"redis-server on {FIRST} was killed")
        lab.wait(lambda: role(lab, survivor) == "master", 30, f"the Sentinel promotes {SECOND}")
        report(f"the Sentinel has promoted {SECOND}")
        lab.wait(lambda: passing(lab) == resolved() == [ADDRESSES[SECOND]], 30, f"{consul.NAME} is {SECOND}")
        taken = traffic.acknowledged
        lab.wait(lambda: traffic.acknowledged >= taken + 20, 10, f"clients write to {SECOND}")
    finally:
        traffic.stop()
    lab.wait(lambda: f"{ADDRESSES[SECOND]}" in sentinel(lab, "INFO", "sentinel"), 20, "the Sentinel has settled")
    report(f"{consul.NAME} is {ADDRESSES[SECOND]}; on {FIRST} Redis is down: the set survives nothing now")


def second_master(lab: Laboratory, report: Report) -> None:
    """Somebody started the old master while the Sentinel was away: nothing makes it a replica, and both checks pass."""
    failed_over(lab, report)
    lab.fault("stop", SECOND, "sentinel")
    report("the only Sentinel is stopped")
    lab.host(FIRST).service("redis-server", "start")
    lab.wait(lambda: len(passing(lab)) == len(resolved()) == len(ADDRESSES), 30, "both checks pass")
    report(f"{FIRST} was started as it was: {consul.NAME} is both nodes, each a master with data of its own")


def none_passing(lab: Laboratory, report: Report) -> None:
    """The Sentinel died first, unnoticed; then the master did: nobody is promoted, the name is nobody's."""
    healthy(lab, report)
    lab.fault("kill", SECOND, "sentinel")
    lab.fault("kill", FIRST, "redis")
    lab.wait(lambda: not passing(lab) and not resolved(), 30, "no check passes")
    report(f"the only Sentinel is dead, then {FIRST}'s Redis died: {consul.NAME} has no address")


def stale_check(lab: Laboratory, report: Report) -> None:
    """Checks that run once an hour: another node is the master now, and Consul does not know."""
    _redis_and_sentinel(lab, report)
    conf = json.loads(consul.consul_conf(lab.options))
    for service in conf["services"]:
        service["check"]["interval"] = f"{RARELY}s"
        service["check"]["status"] = "passing" if service["address"] == ADDRESSES[FIRST] else "critical"
    lab.host(FIRST).write(consul.CONSUL_CONF, json.dumps(conf), 0o600)
    _consul(lab, report)
    _switch(lab, report)
    if passing(lab) != [ADDRESSES[FIRST]]:
        raise LabError("Consul ran its checks although they were not due")
    report(f"its checks run once an hour: {consul.NAME} is {ADDRESSES[FIRST]} still, now a replica")


def stale_dns(lab: Laboratory, report: Report) -> None:
    """A name server in front of Consul keeps what it was told: the catalog has moved on, clients are sent back."""
    lab.host(FIRST).write(consul.CONSUL_CONF, consul.consul_conf(lab.options, service_ttl=STALE_TTL), 0o600)
    healthy(lab, report)
    pid = str(lab.host(FIRST).pid)
    stand_in = Path(__file__).with_name("resolver_stand_in.py")
    words = [str(consul.RESOLVER_PORT), ADDRESSES[FIRST], str(consul.DNS_PORT)]
    subprocess.Popen([program("nsenter"), "-t", pid, "-n", "-p", "--", sys.executable, str(stand_in), *words],
                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    lab.wait(lambda: resolved(consul.RESOLVER_PORT) == [ADDRESSES[FIRST]], 10, "the name server answers")
    inventory = lab.inventory.read_text(encoding="utf-8")
    asked = f"dns: {ADDRESSES[FIRST]}:"
    lab.inventory.write_text(inventory.replace(f"{asked}{consul.DNS_PORT}", f"{asked}{consul.RESOLVER_PORT}"), "utf-8")
    _switch(lab, report)
    lab.wait(lambda: passing(lab) == resolved() == [ADDRESSES[SECOND]], 30, f"Consul says {SECOND}")
    report(f"Consul says {ADDRESSES[SECOND]}, the name server in front of it still {ADDRESSES[FIRST]}")


def _switch(lab: Laboratory, report: Report) -> None:
    """The master dies, the other one is promoted, and the old one comes back as a replica by its own file."""
    old, new = lab.host(FIRST), lab.host(SECOND)
    lab.fault("kill", FIRST, "redis")
    lab.wait(lambda: role(lab, new) == "master", 30, f"the Sentinel promotes {SECOND}")
    old.write(consul.REDIS_CONF, f"{old.read(consul.REDIS_CONF)}slaveof {new.address} 6379\n", 0o640)
    old.service("redis-server", "start")
    lab.wait(lambda: in_sync(lab, old, new), 30, f"{FIRST} follows {SECOND}")
    report(f"{FIRST} died and the Sentinel promoted {SECOND}, which {FIRST} follows since")


def sentinel(lab: Laboratory, *words: str) -> str:
    """What the Sentinel answers. Raises OSError, LabError."""
    try:
        with RedisConnection(lab.host(SECOND).address, port=26379) as line:
            return line.ask(*words)
    except RefusedError as error:
        raise LabError(f"the Sentinel refused {words[0]}: {error}") from None


class Traffic(threading.Thread):
    """Clients of the name: they resolve it, increment a counter where it leads them, and resolve it again."""

    def __init__(self, lab: Laboratory) -> None:
        super().__init__(name="traffic", daemon=True)
        self.acknowledged = 0
        self._password = lab.options.password
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.005):
            try:
                for address in resolved(timeout=0.5)[:1]:
                    with RedisConnection(address, self._password, timeout=0.5) as line:
                        line.ask("INCR", COUNTER)
                        self.acknowledged += 1
            except (OSError, RefusedError):
                self._end.wait(0.02)

    def stop(self) -> None:
        self._end.set()
        self.join(timeout=5)


SCENARIOS: dict[str, Scenario] = {
    "consul-healthy": Scenario(
        "a Consul name follows the master: app01 is it, app02 its replica, one Sentinel watches", healthy, consul.SYSTEM
    ),
    "consul-failed-over": Scenario(
        "app01's Redis died, the Sentinel promoted app02, the name followed: the next failure ends the service",
        failed_over,
        consul.SYSTEM,
    ),
    "consul-second-master": Scenario(
        "as consul-failed-over, and app01 was started as a master while the Sentinel is away: the name is both nodes",
        second_master,
        consul.SYSTEM,
    ),
    "consul-none-passing": Scenario(
        "the Sentinel died, then the master did: nobody is promoted, the name has no address",
        none_passing,
        consul.SYSTEM,
    ),
    "consul-stale-check": Scenario(
        "the master is another one now, and Consul's checks have not run since: the name is the replica",
        stale_check,
        consul.SYSTEM,
    ),
    "consul-stale-dns": Scenario(
        "the master is another one now, and a name server in front of Consul still gives the old address",
        stale_dns,
        consul.SYSTEM,
    ),
}
"""Name → what the system looks like, and how it gets there."""
