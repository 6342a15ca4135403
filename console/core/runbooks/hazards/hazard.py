"""A hazard: one way to destroy data or service, and what keeps it away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hazard:
    """One way to destroy data or service."""

    id: str
    what: str
    reason: str
    """How it is prevented, and why in this way."""
    predicates: tuple[str, ...] = ()
    """Conditions that refuse it. `console.core.runbooks.interlocks` has those that a verb requires by itself."""
    engine: str = ""
    """How the program itself refuses it, where no condition is needed. No document can change that."""
    findings: tuple[str, ...] = ()
    """Codes of the findings that name it."""
    override: str = ""
    """The sentence that an operator must type to accept it. Empty: it cannot be overridden."""
    proofs: tuple[str, ...] = ()
    """Tests on real servers that provoke it: `file::function`, below tests/."""
