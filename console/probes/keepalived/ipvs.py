"""The table of a director: `ipvsadm -Ln`, which says where connections to a virtual service go."""

from __future__ import annotations

import re

from console.core.model import RealServer, VirtualService
from console.core.numbers import port_number
from console.probes import NotUnderstoodError

NAME = "ipvs"
SCRIPT = """
if [ -n "$ipvs" ]; then
  if ! command -v ipvsadm >/dev/null; then mark ipvs missing; echo ipvsadm
  elif table=$(ipvsadm -Ln 2>&1); then mark ipvs ok; printf '%s\\n' "$table" | bounded
  else mark ipvs denied; printf 'the table of ipvsadm: %s\\n' "$table"; fi
fi
"""

_SERVICE = re.compile(r"(TCP|UDP|SCTP)\s+(\S+)\s+(\S+)")
_SERVER = re.compile(
    r"\s+->\s+(\S+)\s+(Route|Masq|Tunnel|Local|Bypass)\s+([0-9]{1,19})\s+([0-9]{1,19})\s+([0-9]{1,19})"
)
_HEADER = "IP Virtual Server version"


def parse(text: str) -> tuple[VirtualService, ...]:
    """The table as ipvsadm 1.27 to 1.31 prints it: no service at all is a table too. Firewall marks are passed over."""
    if _HEADER not in text:
        raise NotUnderstoodError("ipvsadm -Ln does not begin with its version")
    services: list[VirtualService] = []
    servers: list[RealServer] = []

    def close() -> None:
        if services and servers:
            last = services.pop()
            service = VirtualService(last.protocol, last.address, last.port, last.scheduler, tuple(servers))
            services.append(service)
        servers.clear()

    listening = False
    for line in text.splitlines():
        head = _SERVICE.match(line)
        if head is not None:
            close()
            address, port = _endpoint(head[2])
            services.append(VirtualService(head[1], address, port, head[3], ()))
            listening = True
        elif line.startswith("FWM"):
            close()
            listening = False
        elif listening and (found := _SERVER.match(line)) is not None:
            address, port = _endpoint(found[1])
            servers.append(RealServer(address, port, found[2], int(found[3]), int(found[4]), int(found[5])))
    close()
    return tuple(services)


def _endpoint(text: str) -> tuple[str, int]:
    host, _, told = text.rpartition(":")
    port = port_number(told)
    if port is None:
        raise NotUnderstoodError(f"{text} is no ADDRESS:PORT: is this the output of ipvsadm -Ln?")
    return host.strip("[]"), port
