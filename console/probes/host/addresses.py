"""The addresses that the kernel holds: the only proof of who has the virtual IP."""

from __future__ import annotations

from ipaddress import ip_address

from console.core.model import InterfaceAddress
from console.core.numbers import whole_number
from console.probes import NotUnderstoodError

NAME = "addresses"
SCRIPT = """
if command -v ip >/dev/null; then mark addresses ok; ip -o addr
else mark addresses missing; echo 'the program ip, which shows the addresses (package iproute2)'; fi
"""


def parse(text: str) -> tuple[InterfaceAddress, ...]:
    """`ip -o addr` of iproute 2.6.32 and later; other lines (links, older versions) are passed over."""
    found = tuple(one for one in map(_address, text.splitlines()) if one is not None)
    if not found:
        raise NotUnderstoodError("ip -o addr shows no address, not even the loopback's")
    return found


def _address(line: str) -> InterfaceAddress | None:
    r"""`3: eth2    inet 192.168.100.123/32 scope global eth2\       valid_lft forever ...`."""
    words = line.partition("\\")[0].split()
    for kind in ("inet", "inet6"):
        if kind not in words[:3]:
            continue
        place = words.index(kind)
        if place + 1 >= len(words) or place == 0:
            return None
        address, _, prefix = words[place + 1].partition("/")
        try:
            ip_address(address.partition("%")[0])
        except ValueError:
            raise NotUnderstoodError(f"ip -o addr shows {address[:60]!r}, which is not an address") from None
        interface = words[place - 1].rstrip(":").partition("@")[0]
        label = words[-1] if words[-1].partition(":")[0] == interface else ""
        widest = 32 if kind == "inet" else 128
        width = whole_number(prefix, 0, widest)
        return InterfaceAddress(interface, address, widest if width is None else width, label)
    return None
