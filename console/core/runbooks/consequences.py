"""What comes of a choice of roles, told before it is made: who follows whom, and who is promoted the next time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.core.conditions.pair_protection import answer_or_unknown
from console.core.conditions.predicate import Question
from console.core.conditions.scripts import promoted_at_takeover
from console.core.model import ClusterState
from console.core.model.verdict import Verdict
from console.core.runbooks.document import Runbook


@dataclass(frozen=True, slots=True)
class Consequence:
    """The pair that a runbook makes, and what its next failover does."""

    master: str
    replica: str
    promotes: Verdict
    """Whether keepalived makes a master of the replica when it gets the virtual IP."""

    @property
    def words(self) -> str:
        """`server12 stays or becomes the master; a later failover to server11 promotes nobody`."""
        then = {
            Verdict.HOLDS: f"a later failover makes {self.replica} the master",
            Verdict.FAILS: f"a later failover to {self.replica} promotes nobody",
            Verdict.UNKNOWN: f"whether a later failover promotes {self.replica} is not known",
        }[self.promotes]
        return f"then {self.replica} follows {self.master}, and {then}"


def consequence(runbook: Runbook, state: ClusterState, roles: Mapping[str, str]) -> Consequence | None:
    """Of a choice of every role. None: the runbook makes no replica, or keepalived moves no virtual IP to it."""
    attach = next((one for one in reversed(runbook.steps) if one.action and one.action.verb == "replicate"), None)
    if attach is None or attach.action is None or not state.vip or state.sentinels:
        return None
    master, replica = roles[str(attach.action.arguments["source"])], roles[attach.role]
    promotes = answer_or_unknown(promoted_at_takeover, Question(state, state.node(replica), {}))
    return Consequence(master, replica, promotes.verdict)
