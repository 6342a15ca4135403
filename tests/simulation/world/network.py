"""Who reaches whom: between the hosts, from the clients to the virtual IP, and from the console to both."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.world.host import Host
    from simulation.world.pair import World


class Network:
    """Cables can be cut for a time. Neighbours learn from gratuitous ARP where the virtual IP is, after a moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.parted = False
        """The two hosts do not hear each other."""
        self.silent_ssh: set[str] = set()
        """Hosts whose SSH gives the console no answer."""
        self.silent_redis: set[str] = set()
        """The same for their Redis port."""
        self.vip_at: Host | None = None
        """Where the neighbours send what is for the virtual IP."""
        self.arp_lag = 0.2

    def joined(self, one: Host, other: Host) -> bool:
        return one.up and other.up and not self.parted

    def announce(self, host: Host) -> None:
        """Gratuitous ARP. The last announcement wins, as in the neighbours' caches."""

        def learned() -> None:
            if host.vip and host.up:
                self.vip_at = host

        self.world.after(self.arp_lag, learned)

    def behind_vip(self) -> Host | None:
        """The host that answers at the virtual IP now. None: nobody does."""
        host = self.vip_at
        return host if host is not None and host.up and host.vip else None
