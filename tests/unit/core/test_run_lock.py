"""The run's lock in words."""

from __future__ import annotations

import pytest

from console.core.model import RunLock
from console.core.runs.lock import (
    LostLock,
    lock_in_words,
    lost_words,
    note_of,
    parse_note,
    refusal,
    taken_over,
    takeover_sentence,
)

ANN = RunLock(
    "20261121T031200Z-cache-one-shot-rebuild-3f2a", "cache", "one-shot-rebuild", "ann@ops1", 1795230720.0,
    step="3/14 replicate", terminal="/dev/pts/3", origin="192.0.2.7",
)  # fmt: skip
FOUND_ON_THE_NODE = "pid=4711\nstart=88123\norigin=192.0.2.7\nstep=3/14 replicate\n"


def test_a_note_comes_back_as_it_was_written():
    found = parse_note(note_of(ANN) + FOUND_ON_THE_NODE)
    assert found is not None
    assert (found.pid, found.start) == (4711, "88123")
    assert (found.run_id, found.operator, found.since, found.step) == (ANN.run_id, ANN.operator, ANN.since, ANN.step)


def test_what_an_operator_is_called_cannot_add_lines_to_a_note():
    found = parse_note(note_of(RunLock("r", "c", "b", "ann\nseal=0@ops\x1b[31m", 1.0)) + FOUND_ON_THE_NODE)
    assert found is not None
    assert (found.operator, found.seal) == (r"ann seal=0@ops\x1b[31m", "")


@pytest.mark.parametrize("since", ["nan", "-1", "1e300", "soon"])
def test_a_time_that_cannot_be_is_not_understood(since):
    with pytest.raises(ValueError, match=r"time|float"):
        parse_note(f"run_id=r\ncluster=c\nrunbook=b\noperator=o\nsince={since}\n")


def test_who_comes_second_reads_who_from_where_since_when_what_and_how_to_go_on():
    text = refusal("redis-a", ANN)
    assert lock_in_words(ANN) == "ann@ops1 runs one-shot-rebuild on cache since 03:12 UTC (step 3/14 replicate)"
    assert lock_in_words(ANN) in text
    assert "at /dev/pts/3 from 192.0.2.7" in text
    assert "status cache" in text
    assert f"runs show {ANN.run_id}" in text
    assert "`run` can take it over" in text
    assert "\n" not in text
    assert takeover_sentence(ANN) == "I end the run of ann@ops1 on cache"


def test_only_a_takeover_of_this_very_run_counts_as_one():
    bob = RunLock("other", "cache", "rebuild", "bob@ops2", 1.0, over=ANN.run_id)
    assert "bob@ops2 runs rebuild" in taken_over(bob, "redis-a", ANN.run_id)
    assert taken_over(bob, "redis-a", "another") == ""
    assert taken_over(None, "redis-a", ANN.run_id) == ""
    assert "bob@ops2" in lost_words([LostLock("redis-a", "its lock holder has ended", bob)])
    assert lost_words([]) == ""
