"""What to change where a Sentinel answers, but not to this console."""

from __future__ import annotations

from dataclasses import replace

from console.core.inventory import SentinelSpec
from console.core.model import Problem, ProblemKind

_LOGIN_MISSING = "give its own password in the inventory: password of the Sentinel, and username where it has users"
_LOGIN_WRONG = "check its password and username in the inventory: they are the Sentinel's own, not those of Redis"
_NO_RIGHT = "its ACL user may do too little: docs/requirements.md has the line that it needs"
_TLS_PORT = "if this is its TLS port, set tls in the inventory"


def with_advice(problem: Problem, spec: SentinelSpec, *, opening: bool) -> Problem:
    """The problem, with what to change at its end. `opening`: no answer has come on this connection yet."""
    if problem.kind is ProblemKind.AUTH_FAILED and not _about_ssh(problem):
        return _longer(problem, _LOGIN_MISSING if spec.password is None else _LOGIN_WRONG)
    if problem.kind is ProblemKind.NOT_PERMITTED and not _about_ssh(problem):
        return _longer(problem, _NO_RIGHT)
    if problem.kind is ProblemKind.CLOSED and opening and spec.tls is None and not _about_ssh(problem):
        return _longer(problem, _TLS_PORT)
    return problem


def _about_ssh(problem: Problem) -> bool:
    return "through SSH" in problem.text


def _longer(problem: Problem, advice: str) -> Problem:
    return replace(problem, text=f"{problem.text.rstrip('.')}; {advice}")
