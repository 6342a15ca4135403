"""Which kept keys are only in a file, whatever has become of the runs that were to bring them back."""

import itertools
from dataclasses import asdict

import pytest
from past_runs import lines_of

from console.core.runbooks.verbs import VERBS
from console.core.runs.ending import run_ending
from console.core.runs.past.kept_keys import kept_keys
from console.core.runs.past.replay import replay_run
from console.core.runs.records.exports import REPLACES, Export, kept_in
from console.core.runs.replays.order import ReplayOrder
from console.transport.redis.key_export import Tally

RUN, FILE = "20261121T074000Z-cache-resolve-dual-master-3f2a", "/runs/1/keys-of-redis-a.jsonl"
SENT = f"SCAN, DUMP and PTTL here and on redis-b; what differs is written to {FILE}"
PLANNED = {"node": "redis-a", "command": {"sent": SENT}}


def rebuilt(found="20 are not on redis-b", closed=True, live=False, then="replicate", answer="done", node="redis-a"):
    """A run that has exported keys of redis-a, and then sent something to a node."""
    told = [
        ("opened", {"cluster": "cache", "runbook": "resolve-dual-master", "steps": ["export"]}),
        (
            "intent",
            {"step": 1, "verb": "export-differences", "planned": {"node": "redis-a", "command": {"sent": SENT}}},
        ),
        (
            "result",
            {"step": 1, "answer": {"kind": "done", "text": f"looked at all 21 keys: {found}; written to {FILE}"}},
        ),
        ("intent", {"step": 2, "verb": then, "planned": {"node": node, "command": {"sent": "as the verb says"}}}),
        ("result", {"step": 2, "answer": {"kind": answer, "text": "as the server says"}}),
        *([("closed", {"outcome": "done"})] if closed else []),
    ]
    return replay_run(RUN, "/runs/1", lines_of(told), under_way=live)


def replayed(outcome="done", run=RUN, file=FILE, patterns=(), backup=""):
    order = ReplayOrder("cache", run, "redis-a", file, patterns, backup=backup)
    told = [("opened", {"cluster": "cache", "runbook": "replay", "steps": [], "replays": asdict(order)})]
    told += [("closed", {"outcome": outcome})] if outcome else []
    return replay_run(f"20261121T084000Z-cache-replay-{outcome}", "/runs/2", lines_of(told), under_way=False)


def left(*runs, dismissed=()):
    return kept_keys(runs, lambda file: file in dismissed)


def test_they_are_named_with_their_number_and_the_whole_command():
    (one,) = left(rebuilt())
    assert (one.cluster, one.node, one.file, one.keys) == ("cache", "redis-a", FILE, 20)
    assert one.in_words == "20 keys of redis-a are only in a file"
    assert one.command == f"redis-ha-console runs replay {RUN}"
    (single,) = left(rebuilt("1 has another value on redis-b"))
    assert single.in_words == "1 key of redis-a is only in a file"


@pytest.mark.parametrize("answer", ["done", "failed", "unknown", "not sent"])
@pytest.mark.parametrize("node", ["redis-a", "redis-b"])
@pytest.mark.parametrize("then", VERBS)
def test_only_in_a_file_is_said_only_where_the_data_that_they_came_from_may_be_gone(then, node, answer):
    (one,) = left(rebuilt(then=then, node=node, answer=answer))
    may_be_gone = node == "redis-a" and VERBS[then].wipes_data and answer != "not sent"
    assert ("only in a file" in one.in_words) is may_be_gone
    assert ("has not replaced the data of redis-a" in one.in_words) is not may_be_gone


def test_what_a_replay_has_replaced_is_only_in_its_file_and_is_counted():
    order, kept = ReplayOrder("cache", RUN, "redis-a", FILE), "/runs/2/replaced-on-redis-b.jsonl"

    def sent(keys, lines, answer="done", back=()):
        text = f"WATCH, MULTI, RESTORE … REPLACE of {keys} keys, line {lines} of the file; or commands by their type"
        planned = {"node": "redis-b", "detail": kept_in(kept), "command": {"sent": text}}
        yield "intent", {"step": 3, "verb": REPLACES, "planned": planned, "lines": lines}
        yield "result", {"step": 3, "answer": {"kind": answer}, "kept_back": list(back)}

    told = [
        ("opened", {"cluster": "cache", "runbook": "replay", "steps": [], "replays": asdict(order)}),
        *sent("1,000", "1-1000", back=[{"why": "changed", "text": "", "lines": "7,9-10"}]),
        *sent(5, "1001-1005", "unknown"),
        *sent(5, "1006-1010", "not sent"),
        ("closed", {"outcome": "done"}),
    ]
    replay = replay_run("20261121T084000Z-cache-replay-1a2b", "/runs/2", lines_of(told), under_way=False)
    (one,) = left(rebuilt(), replay)
    assert (one.file, one.keys, one.replaced) == (kept, 1_002, True)
    assert one.in_words == "the former values of 1,002 keys of redis-b are only in a file"
    assert one.command == "redis-ha-console runs replay 20261121T084000Z-cache-replay-1a2b"
    ended = run_ending(replay.run_id, replay.entries)
    (said,) = [item for part in ended for item in part.items if "before this run replaced it" in item.text]
    assert said.commands == (one.command,)
    assert "1,002 keys" in said.text


@pytest.mark.parametrize(
    "settles",
    [replayed(), replayed(file="/elsewhere/keys-of-redis-a.jsonl")],
    ids=["a replay of the file", "a replay of a copy of it"],
)
def test_a_replay_that_has_ended_settles_them(settles):
    assert not left(rebuilt(), settles)
    assert not left(settles, rebuilt()), "the order of the runs does not matter"


@pytest.mark.parametrize(
    "does_not",
    [
        replayed(outcome) for outcome in ("aborted", "failed", "unknown", "refused", "")
    ] + [replayed(run="another-run"), replayed(file="/runs/1/keys-of-redis-b.jsonl"), replayed(patterns=("a*",)),
         replayed(file="", backup="/data/dump.rdb")],
)  # fmt: skip
def test_whatever_did_not_bring_all_of_them_does_not(does_not):
    assert left(rebuilt(), does_not)


def test_a_run_under_way_asks_by_itself_and_a_dead_one_does_not():
    assert not left(rebuilt(closed=False, live=True))
    assert left(rebuilt(closed=False))


def test_where_nothing_differs_or_the_operator_knows_nothing_is_said():
    assert not left(rebuilt("each is on redis-b, with the same value and time to live"))
    assert not left(rebuilt(), dismissed={FILE})
    assert left(rebuilt(), dismissed={"/runs/1/other"})


@pytest.mark.parametrize("counts", list(itertools.product((0, 1, 2, 1_200), repeat=3)))
def test_the_words_of_an_export_fit_their_numbers_and_are_counted_again(counts):
    missing, value, ttl = counts
    said = Tally(looked_at=5_021, missing=missing, value=value, ttl=ttl, large=3).words("redis-a", "redis-b")
    assert Export("redis-a", "redis-b", FILE, said).keys == sum(counts)
    for wrong in (": 1 are", ", 1 are", " 1 have", " 2 is ", " 2 has", " 0 "):
        assert wrong not in said
    old = f"all 9 keys: {missing:,} are not on b, {value:,} have another value there, {ttl:,} another time to live"
    assert Export("redis-a", "redis-b", FILE, old).keys == sum(counts), "journals of before"
