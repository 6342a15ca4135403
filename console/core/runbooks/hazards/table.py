"""The hazards of a manual rebuild: how each is prevented, whether it can be overridden, and which tests prove it.

`docs/hazards.md` is written from this table. A test checks that every predicate, verb and proof exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from console.core.model.verdict import Check, Verdict
from console.core.runbooks.hazards.hazard import Hazard
from console.core.runbooks.hazards.of_operation import OPERATION_HAZARDS
from console.core.runbooks.hazards.of_pairs import PAIR_HAZARDS
from console.core.runbooks.hazards.of_sets import SET_HAZARDS

HAZARDS: tuple[Hazard, ...] = (*PAIR_HAZARDS, *SET_HAZARDS, *OPERATION_HAZARDS)

_BY_ID: Mapping[str, Hazard] = {one.id: one for one in HAZARDS}


def override_sentence(checks: Iterable[Check], follow: tuple[str, str] | None) -> str:
    """The sentence that overrides the checks that fail. Empty: none fails, or one of them cannot be overridden.

    `follow`: the node whose data replaces that of the other one. A hazard's sentence names both.
    """
    sentences = {_sentence(check, follow) for check in checks if not check.holds}
    return sentences.pop() if len(sentences) == 1 else ""


def expected_sentences(checks: Iterable[Check], follow: tuple[str, str] | None) -> tuple[str, ...]:
    """The sentences that a later step will ask for, by the checks that fail now: what else fails may change before."""
    found = (_sentence(check, follow) for check in checks if check.verdict is Verdict.FAILS)
    return tuple(dict.fromkeys(filter(None, found)))


def _sentence(check: Check, follow: tuple[str, str] | None) -> str:
    return check.override or _of_hazard(check.hazard, follow)


def _of_hazard(hazard: str, follow: tuple[str, str] | None) -> str:
    if hazard not in _BY_ID or follow is None:
        return ""
    source, node = follow
    return _BY_ID[hazard].override.format(node=node, source=source)
