"""A sample of keys in words: what is missing is named, the rest is estimated, and the doubt is said."""

from __future__ import annotations

from dataclasses import replace

import samples as s
from hypothesis import given
from hypothesis import strategies as st

from console.core.model import ProblemKind, read, unread
from console.core.previews.key_comparison import (
    ClientGroup,
    Clients,
    DbSample,
    DifferingKey,
    KeyDifference,
    KeySample,
    comparison_warnings,
    gained_lines,
    lost_lines,
)

USERS = ("user:17", "user:99", "a", "b", "c", "d")


def said(found):
    return "\n".join((*lost_lines(found), *gained_lines(found)))


def test_what_is_missing_is_counted_and_named_and_the_rest_is_estimated():
    found = s.comparison(s.A, s.B, *USERS)
    assert "1,000 of 249,925 keys of redis-b looked at: 6 are not on redis-a: user:17 (db1), user:99 (db1)" in said(
        found
    )
    assert "c (db1), …" in said(found)
    assert "so in all 6 to 2,948 keys, with 95% certainty" in said(found)
    (warning,) = comparison_warnings(found)
    assert warning.startswith("at least 6 keys of redis-b are not on redis-a and would be lost: user:17")


def test_nothing_missing_in_a_sample_is_no_proof():
    found = s.comparison()
    assert "each is on redis-a too; with 95% certainty fewer than 747 of all its keys are not" in said(found)
    assert comparison_warnings(found) == []


def test_all_keys_looked_at_needs_no_estimate():
    whole = s.key_sample(s.B, s.A, "user:17", db=DbSample(0, 15, 15, missing=1, expiring=1))
    text = said(replace(s.comparison(), of_target=read(whole, s.NOW)))
    assert "all 15 keys of redis-b looked at: 1 is not on redis-a: user:17 (db1), 1 of them would expire" in text
    assert "written on redis-b alone, or was deleted or has expired on redis-a since" in text
    assert "certainty" not in text.splitlines()[0]


def test_keys_that_differ_are_named():
    db = DbSample(0, 15, 15, alike=10, different=2)
    odd = (DifferingKey(0, "counter", KeyDifference.VALUE), DifferingKey(0, "list", KeyDifference.SIZE))
    text = said(replace(s.comparison(), of_target=read(KeySample(s.B, s.A, (db,), odd), s.NOW)))
    assert "of 12 keys compared that both have, 2 differ in type, size or value: counter, list" in text


def test_clients_are_counted_by_address():
    groups = (ClientGroup("10.0.0.5", "client", 3), ClientGroup("10.0.0.6", "subscriber", 1))
    found = s.comparison(clients=Clients(groups, 2))
    assert "4 clients connected to redis-b: 10.0.0.5 (3), 10.0.0.6 (1 subscriber); beside 2 connections" in said(found)
    assert any("4 clients still connected to redis-b" in one for one in comparison_warnings(found))
    assert "no client is connected to redis-b" in said(s.comparison())


def test_what_could_not_be_read_is_said_and_warns_of_nothing():
    gone = unread(ProblemKind.NOT_AVAILABLE, "redis-b: ERR unknown command 'SCAN'; before Redis 2.8 there is no SCAN")
    found = replace(s.comparison(), of_target=gone, of_source=gone, clients=gone)
    assert said(found).count("not known, redis-b: ERR unknown command 'SCAN'") == 3
    assert comparison_warnings(found) == []


def test_empty_servers():
    empty = read(KeySample(s.B, s.A, ()), s.NOW)
    assert "redis-b: empty: nothing to look for" in said(replace(s.comparison(), of_target=empty))


@given(st.integers(0, 10**9), st.integers(0, 1_000), st.integers(0, 1_000))
def test_the_estimate_lies_between_what_was_seen_and_what_there_is(keys, looked_at, missing):
    looked_at = min(keys, looked_at)
    missing = min(looked_at, missing)
    one = DbSample(0, keys, looked_at, missing)
    assert missing <= one.at_most(0.05) <= keys
    if one.whole:
        assert one.at_most(0.05) == missing


@given(st.integers(1, 1_000), st.integers(0, 500), st.integers(2, 1_000_000))
def test_more_keys_looked_at_never_make_the_bound_worse(looked_at, missing, more):
    missing = min(missing, looked_at)
    keys = looked_at + more
    few, many = DbSample(0, keys, looked_at, missing), DbSample(0, keys, looked_at + 1, missing)
    assert many.at_most(0.05) <= few.at_most(0.05)
