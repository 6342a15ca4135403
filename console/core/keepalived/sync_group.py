"""What a vrrp_sync_group changes in its instances: their initial state, their weights, and what keepalived runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from console.core.keepalived.corrections import BACKUP, MASTER
from console.core.lazy_dataclass import dataclass
from console.core.model import VrrpInstance
from console.core.model.keepalived import OWNER


@dataclass(frozen=True, slots=True)
class SyncGroup:
    """A vrrp_sync_group block."""

    members: tuple[str, ...]
    notify: Mapping[str, str]
    weights: bool
    """Whether weights of tracked scripts count. Without a keyword for it keepalived drops such scripts."""


def in_group(group: SyncGroup, instances: Mapping[str, VrrpInstance]) -> dict[str, VrrpInstance]:
    """The members as keepalived has them. The group begins as BACKUP, unless each member owns its address."""
    members = [instances[name] for name in group.members if name in instances]
    owners = all(one.state == MASTER and one.priority == OWNER for one in members)
    return {
        one.name: replace(
            one,
            state=one.state if owners else BACKUP,
            scripts=one.scripts if group.weights else tuple(script for script in one.scripts if script.weight == 0),
            group_notify={**one.group_notify, **group.notify},
        )
        for one in members
    }
