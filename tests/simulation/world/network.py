"""Who reaches whom: between the hosts, from the clients to the virtual IP, and from the console to both."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.world.host import Host
    from simulation.world.world import World


ASKS_AGAIN = 30.0
"""Seconds without an answer after which a neighbour asks again who has the address (arp(7): base_reachable_time)."""


class Network:
    """Cables can be cut for a time. Neighbours learn from gratuitous ARP where the virtual IP is, after a moment."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.apart: set[str] = set()
        """Hosts that hear no other host. Clients and the console still reach them."""
        self.silent_ssh: set[str] = set()
        """Hosts whose SSH gives the console no answer."""
        self.silent_redis: set[str] = set()
        """The same for their Redis port."""
        self.silent_consul = False
        """Whether the Consul agent gives the console no answer. Its clients get one."""
        self.vip_at: Host | None = None
        """Where the neighbours send what is for the virtual IP."""
        self.arp_lag = 0.2
        self._answered = world.now

    def joined(self, one: Host, other: Host) -> bool:
        if not (one.up and other.up):
            return False
        return not self.apart or one is other or not {one.name, other.name} & self.apart

    def announce(self, host: Host) -> None:
        """Gratuitous ARP. The last announcement wins, as in the neighbours' caches."""

        def learned() -> None:
            if host.vip and host.up:
                self.vip_at = host

        self.world.after(self.arp_lag, learned)

    def behind_vip(self) -> Host | None:
        """The host that answers at the virtual IP now. None: nobody does."""
        host = self.vip_at
        if host is not None and host.up and host.vip:
            self._answered = self.world.now
            return host
        if self.world.now - self._answered > ASKS_AGAIN:
            self.vip_at = next((one for one in self.world.hosts.values() if one.up and one.vip), None)
        return None
