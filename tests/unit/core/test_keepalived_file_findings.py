"""Findings about keepalived.conf: both values with their lines, no password, and no error on any configuration."""

from __future__ import annotations

from dataclasses import replace

import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.keepalived.configuration import parse
from console.core.kinds.diagnose import diagnose
from console.core.model import ActionKind, ScriptAction

HEALTHY = s.healthy_pair()


def evidence(state, code):
    return next(finding.evidence for finding in diagnose(state, s.NOW) if finding.code == code)


def test_differences_of_the_files_carry_both_values_and_both_lines():
    state = s.with_instance(HEALTHY, s.A, vrid=124, unicast_peers=("10.0.0.9",))
    found = evidence(state, "vrrp-mismatch")
    assert "virtual_router_id: 124 (redis-a line 16), 123 (redis-b line 16)" in found
    assert any("redis-b has none and speaks multicast" in line for line in found)
    both = s.with_instance(state, s.B, unicast_peers=(s.ADDRESS[s.A],))
    assert any("10.0.0.9" in line and "is not redis-b" in line for line in evidence(both, "vrrp-mismatch"))
    right = s.with_instance(s.with_instance(both, s.A, vrid=123, unicast_peers=(s.ADDRESS[s.B],)), s.B)
    assert "vrrp-mismatch" not in {finding.code for finding in diagnose(right, s.NOW)}


def test_a_password_that_differs_is_said_and_not_shown():
    (line,) = evidence(s.with_instance(HEALTHY, s.A, auth_fingerprint="other"), "vrrp-mismatch")
    assert "redis-a line 21" in line
    assert "sealed" not in line
    assert "other" not in line


def test_version_three_has_no_authentication():
    state = s.with_instance(HEALTHY, s.A, auth_fingerprint="other")
    for node in (s.A, s.B):
        config = state.node(node).keepalived_config.map(lambda one: replace(one, vrrp_version=3))
        state = s.with_node(state, node, keepalived_config=config)
    assert "vrrp-mismatch" not in {finding.code for finding in diagnose(state, s.NOW)}


def test_a_script_is_named_with_its_line_and_what_it_does():
    state = s.with_script(
        HEALTHY, s.A, "backup", actions=(ScriptAction(ActionKind.FOLLOWS, 12, "redis-cli SLAVEOF 10.0.0.1 6379"),)
    )
    (line,) = evidence(state, "script-fights-operator")
    assert line == f"{s.SCRIPTS}/redis_backup.sh line 12 (notify_backup): redis-cli SLAVEOF 10.0.0.1 6379"
    inline = s.with_instance(HEALTHY, s.A, notify={"notify_stop": "/bin/sh -c 'service redis stop'"})
    assert "keepalived.conf line 32" in evidence(inline, "script-fights-operator")[0]


def test_a_script_that_a_shell_is_given_needs_no_mode():
    state = s.with_instance(HEALTHY, s.A, notify={"notify_stop": f"/bin/sh {s.SCRIPTS}/redis_stop.sh"})
    state = s.with_script(state, s.A, "stop", executable=False, mode=0o644)
    assert "script-missing" not in {finding.code for finding in diagnose(state, s.NOW)}


CONFIG_LINES = [
    *s.CONFIG_TEXT.format(node=s.A, priority=138).splitlines(),
    " state MASTER",
    " nopreempt",
    " weight 0",
    " unicast_peer {",
    " 10.0.0.9",
    " }",
    " include more.conf",
    "@other priority 9",
    " notify /x.sh",
    "   script \"/bin/sh -c 'service redis restart'\"",
]


@given(st.lists(st.sampled_from(CONFIG_LINES), max_size=60), st.booleans())
def test_the_linter_bears_any_configuration(lines, whole):
    text = "\n".join([*(CONFIG_LINES[:33] if whole else []), *lines])
    parsed = parse(text, fingerprint=lambda secret: "#" * len(secret))
    config = HEALTHY.node(s.A).keepalived_config.map(
        lambda one: replace(
            one,
            instances=parsed.instances,
            vrrp_version=parsed.vrrp_version,
            not_understood=parsed.not_understood,
        )
    )
    instance = parsed.instances[0] if parsed.instances else None
    state = s.with_keepalived(s.with_node(HEALTHY, s.A, keepalived_config=config), s.A, instance=instance)
    found = diagnose(state, s.NOW)
    assert all(finding.evidence for finding in found)
    assert instance is not None or "keepalived-config-invalid" in {finding.code for finding in found}
