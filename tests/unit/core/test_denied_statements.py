"""A condition that does not hold is never told so that it could be read as a fact."""

from __future__ import annotations

import re

import sample_sets as sets
import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.kinds.diagnose import diagnose
from console.core.kinds.protection import protection
from console.core.model.verdict import Check, Verdict
from console.core.runs.records.recorded import told_check
from console.report.entry_text import _observed
from console.tui.present.runs.sections import NOT_HELD, not_held_lines

CHECKS = st.builds(
    Check,
    st.sampled_from(Verdict),
    st.sampled_from(["redis-b has all data of redis-a", "server11 is made a master when it gets 192.168.1.120"]),
    st.sampled_from(["offset 1 of 2", ""]),
    st.sampled_from(["", "wait"]),
)
STATES = (s.failed_over_pair(), s.split_brain(), s.stale_master_back(), s.unreachable_node(), sets.sentinel_vip_set())


@given(CHECKS)
def test_what_is_denied_begins_with_the_denial(check):
    row = {"verdict": check.verdict.value, "statement": check.statement, "evidence": check.evidence}
    assert told_check(row) == check.told
    assert (check.told == check.statement) is check.holds
    assert re.match(r"not (so|known whether): ", check.told) or check.holds
    assert _observed({"checks": [row]}).count(f"; {check.told}") == (not check.holds)


@given(st.lists(CHECKS, max_size=4).map(tuple))
def test_on_a_screen_a_label_denies_what_does_not_hold(checks):
    text = [one.plain for one in not_held_lines(checks, 80)]
    for verdict, label in NOT_HELD.items():
        assert any(one.startswith(label) for one in text) is any(one.verdict is verdict for one in checks)
    assert bool(text) is not all(one.holds for one in checks)


def test_the_words_of_findings_and_protection_deny_each_statement():
    for state in STATES:
        for one in diagnose(state, s.NOW):
            assert "issing: " not in "; ".join((one.summary, *one.evidence, one.next.advice or ""))
        told = protection(state)
        assert "issing: " not in told.reason
        if told.verdict is not Verdict.HOLDS:
            assert re.match(r"not (so|known whether): ", told.reason), told
