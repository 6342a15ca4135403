"""What a run that brings keys back was told to do, and how its journal keeps that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from console.core.keys.comparing import EXPIRY_SLACK, Fate

RUNBOOK = "replay"
"""What stands where other runs have the name of their runbook."""
TITLE = "Bring kept keys back to the master"
STEPS: Mapping[Fate, str] = {
    Fate.MISSING: "bring-missing",
    Fate.EXPIRY: "set-expiries",
    Fate.VALUE: "replace-values",
    Fate.TYPE: "replace-types",
}
"""Which keys each step brings, in the order of the steps."""
LOADS = "load-backup"
"""The step before them, where the keys are in a backup."""
READS = "read-file"
"""What is asked about where the file is not whole. It is no step of its own: it belongs to the first one."""
_KEY = "replays"


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """The keys that are to be brought, and to which cluster."""

    cluster: str
    run: str
    """The run that kept them."""
    node: str
    """The node that held them."""
    file: str
    """On this machine."""
    patterns: tuple[str, ...] = ()
    """Only keys that fit one of them; empty: all."""
    exported_at: float = 0.0
    """Epoch seconds."""
    slack: float = EXPIRY_SLACK
    """Seconds by which two expiries may differ. An export of an older version does not say when it read each key."""
    backup: str = ""
    """The path of a backup on the node, of which the file is made first. Empty: the file is there."""
    keys: int | None = None
    """So many keys the run wrote to the file, by its journal. None: not known."""
    digest: str = ""
    """How the SHA-256 of these keys begins, by its journal; or that of the backup, whole. Empty: not known."""

    @property
    def steps(self) -> tuple[str, ...]:
        """All steps of the run, in their order."""
        return (*((LOADS,) if self.backup else ()), *STEPS.values())

    def as_entry(self) -> dict[str, Any]:
        """For the entry `opened`."""
        return {_KEY: asdict(self)}


def order_of(opened: Mapping[str, Any]) -> ReplayOrder | None:
    """The order of a recorded run; None: it is none that brings keys back, or its entry is not understood."""
    found = opened.get(_KEY)
    if not isinstance(found, Mapping):
        return None
    try:
        return ReplayOrder(
            str(found["cluster"]),
            str(found["run"]),
            str(found["node"]),
            str(found["file"]),
            tuple(str(one) for one in found["patterns"]),
            float(found["exported_at"]),
            float(found["slack"]),
            str(found.get("backup") or ""),
            None if found.get("keys") is None else int(found["keys"]),
            str(found.get("digest") or ""),
        )
    except (KeyError, TypeError, ValueError):
        return None
