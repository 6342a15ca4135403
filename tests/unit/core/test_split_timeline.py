"""The timeline of a split: that several nodes are masters at once, and what is dropped when one of them follows."""

from __future__ import annotations

import samples as s

from console.core.changes.timeline import tell
from console.core.model import ProblemKind, unread

HEALTHY, SPLIT = s.healthy_pair(), s.split_brain()
AGAIN = s.with_redis(SPLIT, s.B, role=s.replica_of(s.B, s.A).role, master=s.replica_of(s.B, s.A).master)
"""redis-b follows redis-a."""


def away(state, name):
    lost = unread(ProblemKind.TIMEOUT, "no answer", s.NOW)
    return s.with_node(state, name, redis=lost, ssh=lost)


def texts(*states):
    told, lines = None, []
    for one in states:
        told, events = tell(told, one)
        lines += [event.text for event in events]
    return [one for one in lines if "at once" in one or "dropped" in one]


AT_ONCE = "redis-a and redis-b are masters at once: each takes writes for itself"
DROPPED = "follows redis-a now: what only redis-b had acknowledged as a master is dropped"


def test_both_masters_are_told_once_and_so_is_what_is_dropped():
    assert texts(HEALTHY, SPLIT, SPLIT, AGAIN, AGAIN) == [AT_ONCE, DROPPED]


def test_a_node_that_was_away_meanwhile_is_told_as_well():
    """The other side of the partition could not be read: it comes back as a master, or follows already."""
    other_side = away(SPLIT, s.B)
    assert texts(HEALTHY, other_side, SPLIT, AGAIN) == [AT_ONCE, DROPPED]
    assert texts(HEALTHY, other_side, AGAIN) == [DROPPED]


def test_what_could_not_be_read_begins_and_ends_no_split():
    assert texts(HEALTHY, SPLIT, away(SPLIT, s.B), SPLIT) == [AT_ONCE]
    assert texts(HEALTHY, away(HEALTHY, s.B), HEALTHY) == []
    assert texts(SPLIT, away(SPLIT, s.A), SPLIT) == [], "it was so at the start: the findings say it"
