"""Sentinels that answer, but not to this console: what to change, in the one line that is shown."""

from __future__ import annotations

import paramiko
import pytest

from console.core.inventory import PasswordKind, PasswordSource, SentinelSpec, TlsSpec
from console.core.model import Problem, ProblemKind
from console.transport.sentinel.refusals import with_advice
from console.transport.ssh.connection import _no_channel

OPEN = SentinelSpec("s1", "10.0.0.1")
WITH_PASSWORD = SentinelSpec("s1", "10.0.0.1", password=PasswordSource(PasswordKind.PROMPT))
WITH_TLS = SentinelSpec("s1", "10.0.0.1", tls=TlsSpec())


@pytest.mark.parametrize(
    ("kind", "said", "spec", "opening", "advice"),
    [
        (ProblemKind.AUTH_FAILED, "NOAUTH Authentication required.", OPEN, True, "give its own password"),
        (ProblemKind.AUTH_FAILED, "WRONGPASS invalid", WITH_PASSWORD, True, "check its password and username"),
        (ProblemKind.AUTH_FAILED, "through SSH: h refuses the key", WITH_PASSWORD, True, ""),
        (
            ProblemKind.NOT_PERMITTED,
            "NOPERM this user has no permissions",
            WITH_PASSWORD,
            False,
            "docs/requirements.md",
        ),
        (ProblemKind.NOT_PERMITTED, "10.0.0.1:1 through SSH: sshd does not allow it", OPEN, True, ""),
        (ProblemKind.CLOSED, "closed the connection", OPEN, True, "set tls"),
        (ProblemKind.CLOSED, "closed the connection", WITH_TLS, True, ""),
        (ProblemKind.CLOSED, "closed the connection", OPEN, False, ""),
        (ProblemKind.REFUSED, "refuses connections: nothing listens there", OPEN, True, ""),
    ],
)
def test_the_line_says_what_to_change(kind, said, spec, opening, advice):
    told = with_advice(Problem(kind, said), spec, opening=opening)
    assert told.kind is kind, "what is known of the Sentinel stays the same"
    assert told.text.startswith(said.rstrip("."))
    assert (advice in told.text) if advice else told.text == said
    assert "\n" not in told.text


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        (1, "open failed", ProblemKind.NOT_PERMITTED),
        (2, "Connection refused", ProblemKind.REFUSED),
        (2, "Error connecting: Connection refused", ProblemKind.REFUSED),
        (2, "", ProblemKind.REFUSED),
        (2, "No route to host", ProblemKind.UNREACHABLE),
        (2, "Connection timed out", ProblemKind.UNREACHABLE),
        (4, "no more channels", ProblemKind.UNREACHABLE),
    ],
)
def test_only_a_refused_connection_proves_that_nothing_listens(code, said, kind):
    problem = _no_channel("10.0.0.1:26379 through SSH", paramiko.ChannelException(code, "Connect failed"), said).problem
    assert problem.kind is kind
    assert problem.text.startswith("10.0.0.1:26379 through SSH: ")
