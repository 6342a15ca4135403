"""The states that the system with Consul can be built in."""

from __future__ import annotations

import json
import urllib.request

from console.lab.assembly.laboratory import Laboratory
from console.lab.hosts import log_files
from console.lab.hosts.redis_client import RedisConnection, RefusedError
from console.lab.options import LabError
from console.lab.scenarios.replication import ask, fill, in_sync, role, start_redis
from console.lab.scenarios.scenario import Report, Scenario
from console.lab.scenarios.traffic import traffic
from console.lab.systems import sentinel_consul
from console.lab.systems.sentinel_consul import ADDRESSES, FIRST, SECOND, SYSTEM
from console.lab.systems.sentinel_service import SENTINEL_PORT, set_build_times

REDIS, SENTINEL, CONSUL = "redis-server", "redis-sentinel", "consul"
_TIMEOUT = 10.0
"""Seconds for one answer, also while the machine is busy."""
ANONYMOUS = "00000000-0000-0000-0000-000000000002"
STALE_TTL = 600
"""Seconds for which the name server of `consul-stale-dns` keeps what it was once told."""
RARELY = 3600
"""Seconds between two runs of the checks of `consul-stale-check`."""


def passing(lab: Laboratory) -> list[str]:
    """The addresses that the catalog gives to clients, sorted."""
    found = json.loads(api(lab, f"/v1/health/service/{sentinel_consul.SERVICE}?passing=1"))
    return sorted(one["Service"]["Address"] for one in found)


def resolved(port: int = sentinel_consul.DNS_PORT, timeout: float = 2.0) -> list[str]:
    """The addresses that the name resolves to, sorted. Raises OSError if nothing answers."""
    import dns.exception
    import dns.message
    import dns.query

    question = dns.message.make_query(sentinel_consul.NAME, "A")
    try:
        answer = dns.query.udp(question, ADDRESSES[FIRST], timeout=timeout, port=port)
    except dns.exception.DNSException as error:
        raise OSError(str(error)) from None
    return sorted(str(one) for group in answer.answer for one in group)


def api(lab: Laboratory, path: str, body: object = None) -> str:
    """The answer of Consul's HTTP API. Raises OSError. `body`: sent by PUT, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(sentinel_consul.HTTP + path, data=data, method="GET" if data is None else "PUT")  # noqa: S310
    if lab.options.password:
        request.add_header("X-Consul-Token", lab.options.password)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - the laboratory's own
        return str(answer.read().decode())


def healthy(lab: Laboratory, report: Report) -> None:
    """The documented order: Redis, Sentinel, Consul."""
    _redis_and_sentinel(lab, report)
    _consul(lab, report)


def _redis_and_sentinel(lab: Laboratory, report: Report) -> None:
    master, replica = lab.host(FIRST), lab.host(SECOND)
    for host in (master, replica):
        start_redis(lab, host)
    fill(lab, master)
    lab.wait_for(lambda: in_sync(lab, replica, master), f"{SECOND} is in sync", replica, REDIS)
    report(f"{FIRST} is the master, {SECOND} its replica, in sync")
    replica.service(SENTINEL, "start")
    what = "the Sentinel knows the replica"
    lab.wait_for(lambda: "slaves=1" in sentinel(lab, "INFO", "sentinel"), what, replica, SENTINEL)
    report(f"one Sentinel watches, on {SECOND}")


def _consul(lab: Laboratory, report: Report) -> None:
    host = lab.host(FIRST)
    host.service(CONSUL, "start")
    lab.wait_for(lambda: len(json.loads(api(lab, "/v1/status/leader"))) > 0, "Consul answers", host, CONSUL)
    if lab.options.password:
        _let_anybody_read(lab)
    _wait_for_name(lab, FIRST)
    report(f"Consul answers on {FIRST}: {sentinel_consul.NAME} is {ADDRESSES[FIRST]}")


def _wait_for_name(lab: Laboratory, *names: str) -> None:
    """Waits until the catalog and the name have exactly these hosts."""
    wanted = sorted(ADDRESSES[name] for name in names)
    what = f"{sentinel_consul.NAME} is {' and '.join(names) or 'nobody'}"
    lab.wait_for(lambda: passing(lab) == resolved() == wanted, what, lab.host(FIRST), CONSUL)


def _let_anybody_read(lab: Laboratory) -> None:
    """Lets everybody read names, and nobody write: clients of DNS have no token. Consul's documentation has it so."""
    rules = 'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" }'
    policy = {"Name": "names", "Rules": rules}
    token = {"AccessorID": ANONYMOUS, "Policies": [{"Name": "names"}]}
    host = lab.host(FIRST)
    lab.wait_for(lambda: _policy_exists(lab, policy), "Consul takes a policy", host, CONSUL)
    lab.wait_for(lambda: api(lab, f"/v1/acl/token/{ANONYMOUS}", token), "Consul takes a token", host, CONSUL)


def _policy_exists(lab: Laboratory, policy: dict[str, str]) -> bool:
    """Whether Consul has this policy. One that is missing is sent."""
    if policy["Name"] not in api(lab, "/v1/acl/policies"):
        api(lab, "/v1/acl/policy", policy)
    return True


def failed_over(lab: Laboratory, report: Report) -> None:
    """The master's Redis died under traffic, the Sentinel promoted the other one, and the name followed."""
    healthy(lab, report)
    master, survivor = lab.host(FIRST), lab.host(SECOND)
    with traffic(lab, resolved, writes_per_connection=1) as clients:
        clients.wait_for_writes(20, master)
        # What the disk of the dead master will hold: older than the last writes, as a periodic save leaves it.
        ask(lab, master, "SAVE")
        clients.wait_for_writes(20, master)
        _kill_master(lab)
        report(f"redis-server on {FIRST} was killed, and the Sentinel has promoted {SECOND}")
        _wait_for_name(lab, SECOND)
        clients.wait_for_writes(20, survivor)
    what = f"the Sentinel names {SECOND}"
    lab.wait_for(lambda: ADDRESSES[SECOND] in sentinel(lab, "INFO", "sentinel"), what, survivor, SENTINEL)
    report(f"{sentinel_consul.NAME} is {ADDRESSES[SECOND]}; on {FIRST} Redis is down: the set survives no failure now")


def _kill_master(lab: Laboratory) -> None:
    """Kills the master's Redis, and waits until the Sentinel has promoted the other one."""
    survivor = lab.host(SECOND)
    set_build_times(survivor, sentinel_consul.MASTER_NAME)
    lab.fault("kill", FIRST, "redis")
    lab.wait_for(lambda: role(lab, survivor) == "master", f"the Sentinel promotes {SECOND}", survivor, SENTINEL)


def second_master(lab: Laboratory, report: Report) -> None:
    """Somebody started the old master while the Sentinel was away. Nothing makes it a replica, and both checks pass."""
    failed_over(lab, report)
    lab.fault("stop", SECOND, "sentinel")
    report("the only Sentinel is stopped")
    start_redis(lab, lab.host(FIRST))
    _wait_for_name(lab, FIRST, SECOND)
    report(f"{FIRST} was started as it was: {sentinel_consul.NAME} is both nodes, each a master with data of its own")


def none_passing(lab: Laboratory, report: Report) -> None:
    """The Sentinel died first and nobody noticed, then the master died. Nobody is promoted, the name has no address."""
    healthy(lab, report)
    lab.fault("kill", SECOND, "sentinel")
    lab.fault("kill", FIRST, "redis")
    _wait_for_name(lab)
    report(f"the only Sentinel is dead, then {FIRST}'s Redis died: {sentinel_consul.NAME} has no address")


def stale_check(lab: Laboratory, report: Report) -> None:
    """The checks run once an hour. Another node is the master now, and Consul does not know it."""
    _redis_and_sentinel(lab, report)
    conf = json.loads(sentinel_consul.consul_conf(lab.options))
    for service in conf["services"]:
        service["check"]["interval"] = f"{RARELY}s"
        service["check"]["status"] = "passing" if service["address"] == ADDRESSES[FIRST] else "critical"
    lab.host(FIRST).write(sentinel_consul.CONSUL_CONF, json.dumps(conf), 0o600)
    _consul(lab, report)
    _switch(lab, report)
    if passing(lab) != [ADDRESSES[FIRST]]:
        raise LabError("Consul ran its checks before they were due", lab.host(FIRST).log_tail(log_files.CONSUL_LOG))
    report(f"its checks run once an hour: {sentinel_consul.NAME} is still {ADDRESSES[FIRST]}, which is a replica now")


def stale_dns(lab: Laboratory, report: Report) -> None:
    """A name server in front of Consul keeps its answers. The catalog has moved on, clients get the old address."""
    conf = sentinel_consul.consul_conf(lab.options, service_ttl=STALE_TTL)
    lab.host(FIRST).write(sentinel_consul.CONSUL_CONF, conf, 0o600)
    healthy(lab, report)
    sentinel_consul.start_resolver(lab.host(FIRST))
    lab.wait_for(
        lambda: resolved(sentinel_consul.RESOLVER_PORT) == [ADDRESSES[FIRST]],
        "the name server answers", lab.host(FIRST), CONSUL,
    )  # fmt: skip
    inventory = lab.inventory.read_text(encoding="utf-8")
    asked = f"dns: {ADDRESSES[FIRST]}:"
    changed = inventory.replace(f"{asked}{sentinel_consul.DNS_PORT}", f"{asked}{sentinel_consul.RESOLVER_PORT}")
    lab.inventory.write_text(changed, "utf-8")
    _switch(lab, report)
    _wait_for_name(lab, SECOND)
    report(f"Consul answers {ADDRESSES[SECOND]}, the name server in front of it still {ADDRESSES[FIRST]}")


def _switch(lab: Laboratory, report: Report) -> None:
    """The master dies, the other one is promoted, and the old one comes back as a replica by its own file."""
    old, new = lab.host(FIRST), lab.host(SECOND)
    _kill_master(lab)
    old.write(sentinel_consul.REDIS_CONF, f"{old.read(sentinel_consul.REDIS_CONF)}slaveof {new.address} 6379\n", 0o640)
    start_redis(lab, old)
    lab.wait_for(lambda: in_sync(lab, old, new), f"{FIRST} follows {SECOND}", old, REDIS)
    report(f"{FIRST} died and the Sentinel promoted {SECOND}; {FIRST} follows it since")


def sentinel(lab: Laboratory, *words: str) -> str:
    """What the Sentinel answers. Raises OSError, LabError."""
    try:
        with RedisConnection(lab.host(SECOND).address, port=SENTINEL_PORT) as line:
            return line.ask(*words)
    except RefusedError as error:
        raise LabError(f"the Sentinel refused {words[0]}: {error}") from None


SCENARIOS: dict[str, Scenario] = {
    "consul-healthy": Scenario(
        "a Consul name follows the master: app01 is it, app02 its replica, one Sentinel watches",
        healthy,
        SYSTEM,
    ),
    "consul-failed-over": Scenario(
        "app01's Redis died, the Sentinel promoted app02, the name followed: the next failure ends the service",
        failed_over,
        SYSTEM,
    ),
    "consul-second-master": Scenario(
        "as consul-failed-over, and app01 started as a master while the Sentinel is away: the name leads to both",
        second_master,
        SYSTEM,
    ),
    "consul-none-passing": Scenario(
        "the Sentinel died, then the master did: nobody is promoted, the name has no address",
        none_passing,
        SYSTEM,
    ),
    "consul-stale-check": Scenario(
        "the master is another one now, and Consul's checks have not run since: the name leads to the replica",
        stale_check,
        SYSTEM,
    ),
    "consul-stale-dns": Scenario(
        "the master is another one now, and a name server in front of Consul still gives the old address",
        stale_dns,
        SYSTEM,
    ),
}
"""Name → what the system looks like, and how it gets there."""
