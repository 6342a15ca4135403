"""The read side: directors distribute readers over real servers with IPVS."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model.host import HostIdentity, InterfaceAddress
from console.core.model.keepalived import Keepalived, KeepalivedConfig
from console.core.model.reading import NOT_READ, Reading


@dataclass(frozen=True, slots=True)
class RealServer:
    """A real server in the table of a director (`  -> ADDRESS:PORT …`)."""

    address: str
    port: int
    forward: str
    """`Route`, `Masq` or `Tunnel`. `Route` is direct routing: the answer does not pass through the director."""
    weight: int
    """0: it gets no new connections. Open connections stay."""
    active: int
    inactive: int


@dataclass(frozen=True, slots=True)
class VirtualService:
    """An address and port whose connections the director distributes (`TCP  ADDRESS:PORT SCHEDULER FLAGS`)."""

    protocol: str
    address: str
    port: int
    scheduler: str
    servers: tuple[RealServer, ...]


@dataclass(frozen=True, slots=True)
class ArpSettings:
    """How a host treats ARP for addresses on its loopback (sysctl net.ipv4.conf.*; ip-sysctl)."""

    ignore: int
    """arp_ignore, the larger of `all` and the interface. From 1 on the host does not answer for an address on lo."""
    announce: int
    """arp_announce, likewise. With 2 the host never names an address on lo as the sender."""

    @property
    def suppressed(self) -> bool:
        """Whether the host sends no ARP for the read VIP on its loopback."""
        return self.ignore >= 1 and self.announce >= 2  # noqa: PLR2004 - the documented pair of values


@dataclass(frozen=True, slots=True)
class DirectorState:
    """One director as it was last seen."""

    name: str
    address: str
    ssh: Reading[HostIdentity]
    addresses: Reading[tuple[InterfaceAddress, ...]]
    keepalived: Reading[Keepalived]
    services: Reading[tuple[VirtualService, ...]]
    """`ipvsadm -Ln`."""
    keepalived_config: Reading[KeepalivedConfig] = NOT_READ

    def holds(self, address: str) -> bool | None:
        """Whether its kernel has this address; None where the addresses could not be read."""
        if self.addresses.value is None:
            return None
        return any(one.address == address for one in self.addresses.value)

    def service(self, address: str) -> VirtualService | None:
        """The virtual service at this address; None: there is none, or the table could not be read."""
        return next((one for one in self.services.value or () if one.address == address), None)
