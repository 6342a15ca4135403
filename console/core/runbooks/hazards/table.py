"""The hazards of a manual rebuild: how each is prevented, whether it can be overridden, and which tests prove it.

`docs/hazards.md` is written from this table. A test checks that every predicate, verb and proof exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from console.core.model.verdict import Check
from console.core.runbooks.document import Step
from console.core.runbooks.hazards.hazard import Hazard
from console.core.runbooks.hazards.of_operation import OPERATION_HAZARDS
from console.core.runbooks.hazards.of_pairs import PAIR_HAZARDS
from console.core.runbooks.hazards.of_sets import SET_HAZARDS

HAZARDS: tuple[Hazard, ...] = (*PAIR_HAZARDS, *SET_HAZARDS, *OPERATION_HAZARDS)

_BY_ID: Mapping[str, Hazard] = {one.id: one for one in HAZARDS}


def override_sentence(step: Step, checks: Iterable[Check], roles: Mapping[str, str]) -> str:
    """The sentence that overrides the checks that fail. Empty: none fails, or one of them cannot be overridden."""
    failing = [check.hazard for check in checks if not check.holds]
    sentences = {_BY_ID[hazard].override if hazard in _BY_ID else "" for hazard in failing}
    source = roles.get(str(step.action.arguments.get("source", ""))) if step.action else None
    if len(sentences) != 1 or source is None or step.role not in roles:
        return ""
    return sentences.pop().format(node=roles[step.role], source=source)
