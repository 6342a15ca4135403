"""The backups that a run made or relied on, for its last page."""

from __future__ import annotations

from console.core.quantities import size
from console.core.replication.backups import backups_mentioned, restore_runbook
from console.core.runs.state import RunState


def kept_in_words(run: RunState) -> str:
    """Where the backups are and what brings them back, as sentences. Empty: no condition that held has seen one."""
    seen = [check.evidence for one in run.steps for check in (*one.checks, *one.proofs) if check.holds]
    found = {(one.node, one.path): one for text in seen for one in backups_mentioned(text)}
    restore = f"run {restore_runbook(run.runbook.kind)} {run.cluster} --bind target="
    return " ".join(
        f"The backup of {node} is {path} ({size(one.size)}). To restore it: {restore}{node}."
        for (node, path), one in found.items()
    )
