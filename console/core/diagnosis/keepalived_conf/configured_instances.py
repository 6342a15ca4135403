"""The VRRP instance of each node, together with the keepalived.conf that it stands in."""

from __future__ import annotations

from console.core.lazy_dataclass import dataclass
from console.core.model import (
    ClusterState,
    KeepalivedConfig,
    NodeState,
    VrrpInstance,
)
from console.core.model.facts import vrrp_instance


@dataclass(frozen=True, slots=True)
class ConfiguredInstance:
    """One node's instance and the file it stands in."""

    node: NodeState
    one: VrrpInstance
    config: KeepalivedConfig

    @property
    def name(self) -> str:
        return self.node.name

    def at(self, *keywords: str) -> str:
        """`redis-a line 12`, or `redis-a (default)` where the file does not say."""
        line = next((self.one.lines[word] for word in keywords if self.one.lines.get(word)), 0)
        return f"{self.name} line {line}" if line else f"{self.name}, not set"

    @property
    def sends_from(self) -> set[str]:
        """The addresses that its adverts can come from."""
        if self.one.source_address:
            return {self.one.source_address}
        known = {one.address for one in self.node.addresses.value or ()}
        return (known | {self.node.address}) - set(self.one.virtual_addresses)


def configured_instances(state: ClusterState) -> list[ConfiguredInstance]:
    """Those of the nodes whose keepalived.conf could be read and has the instance."""
    found = []
    for node in state.nodes:
        one = vrrp_instance(node)
        if one is not None and node.keepalived_config.value is not None:
            found.append(ConfiguredInstance(node, one, node.keepalived_config.value))
    return found
