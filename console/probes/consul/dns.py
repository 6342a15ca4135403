"""What a name server answered about the name of a service, in the text form of DNS messages (`ANSWER` section)."""

from __future__ import annotations

from console.core.model import DnsAnswer
from console.core.numbers import count
from console.probes import NotUnderstoodError

NO_SUCH_NAME = "NXDOMAIN"
ANSWERED = ("NOERROR", NO_SUCH_NAME)
_FIELDS = 5


def parse(name: str, rcode: str, records: str) -> DnsAnswer:
    """Addresses in their order, and the shortest time to live. Raises NotUnderstoodError.

    `rcode` as it is written: Consul says NXDOMAIN both for a service that is not registered and for one of which no
    check passes. `records`: a line each, `redis.service.consul. 0 IN A 192.168.3.1`.
    """
    if rcode not in ANSWERED:
        raise NotUnderstoodError(f"the name server answers {rcode} for {name}")
    addresses, lives = [], []
    for line in records.splitlines():
        fields = line.split()
        life = count(fields[1]) if len(fields) >= _FIELDS else None
        if life is None:
            raise NotUnderstoodError(f"the name server's answer for {name} has a record that could not be parsed")
        if fields[3] in {"A", "AAAA"}:
            addresses.append(fields[4])
            lives.append(life)
    return DnsAnswer(name=name, addresses=tuple(sorted(addresses)), ttl=min(lives, default=None))
