"""Which kept keys are only in a file, whatever has become of the runs that were to bring them back."""

import itertools
from dataclasses import asdict

import pytest
from fakes import NOW
from past_runs import lines_of

from console.core.runbooks.verbs import VERBS
from console.core.runs.ending import BACKUPS, REMAINS, run_ending
from console.core.runs.past.kept_keys import kept_fates, kept_keys, reminders
from console.core.runs.past.replay import replay_run
from console.core.runs.records.exports import BRINGS, REPLACES, Export, kept_in
from console.core.runs.records.line_numbers import lines_of as lines_in
from console.core.runs.replays.batch import Left
from console.core.runs.replays.file_fate import SETTLES
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


def replayed(outcome="done", *, run=RUN, file=FILE, patterns=(), backup="", brought="1-20", at=NOW, **left):
    """A replay that has brought these lines of the file, and has left others. `left`: why → lines."""
    order = ReplayOrder("cache", run, "redis-a", file, patterns, backup=backup)
    told = [("opened", {"cluster": "cache", "runbook": "replay", "steps": [], "replays": asdict(order)})]
    if brought:
        told += [("intent", {"step": 1, "verb": BRINGS, "lines": brought, "planned": {"node": "redis-b"}})]
        told += [("result", {"step": 1, "answer": {"kind": "done"}})]
    lines = {why.replace("_", " "): words for why, words in left.items()}
    counts = {why: len([*lines_in(words)]) for why, words in lines.items()}
    keys = {"chosen": 20, "brought": len([*lines_in(brought)]), "left": counts, "lines": lines}
    told += [("closed", {"outcome": outcome, "keys": keys})] if outcome else []
    return replay_run(f"20261121T084000Z-cache-replay-{at}", "/runs/2", lines_of(told, at), under_way=False)


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
    (one,) = left(rebuilt(), replay, replayed())
    assert (one.file, one.keys, one.replaced) == (kept, 1_002, True)
    assert one.in_words == "the former values of 1,002 keys of redis-b are only in a file"
    assert one.command == "redis-ha-console runs replay 20261121T084000Z-cache-replay-1a2b"
    assert not one.reminds, "an operator has typed that they are replaced"
    assert reminders([one]) == ()
    parts = {part.heading: part.items for part in run_ending(replay.run_id, replay.entries)}
    (said,) = parts[BACKUPS]
    assert said.commands == (one.command,)
    assert "1,002 keys" in said.lines[0]
    assert not [item for item in parts.get(REMAINS, ()) if kept in repr(item) or "replaced it" in item.text]


@pytest.mark.parametrize(
    "settles",
    [
        replayed(),
        replayed(file="/elsewhere/keys-of-redis-a.jsonl"),
        replayed("aborted"),
        replayed(brought="1-3", equal="4-10", expired="11-20"),
        replayed(brought="", changed_since_it_was_brought="1-20"),
        replayed(patterns=("*",)),
        replayed(brought="1-19", older="20"),
    ],
    ids=["the file", "a copy", "aborted after the last", "equal, expired", "changed later", "by a pattern", "twice"],
)
def test_a_replay_that_has_ended_settles_them(settles):
    assert not left(rebuilt(), settles)
    assert not left(settles, rebuilt()), "the order of the runs does not matter"


@pytest.mark.parametrize(
    "does_not",
    [
        replayed(outcome, brought="") for outcome in ("done", "aborted", "failed", "unknown", "refused", "")
    ] + [replayed(brought="1-19"), replayed(run="another-run"),
         replayed(file="/runs/1/keys-of-redis-b.jsonl"), replayed(patterns=("a*",), brought="1-3"),
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


def of_an_older_version(past):
    """The same replay, whose journal does not have the lines of what was left."""
    told = [(one.kind, {**one.data}) for one in past.entries]
    keys = {name: value for name, value in told[-1][1]["keys"].items() if name != "lines"}
    told[-1][1]["keys"] = keys
    return replay_run(past.run_id, past.folder, lines_of(told), under_way=False)


UNSETTLED = [one for one in Left if one.value not in SETTLES]


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("why", Left)
def test_what_a_replay_has_left_stays_kept_with_the_reason_unless_nothing_of_it_is_left_to_bring(why, older):
    replay = replayed(brought="1-17", **{why.value.replace(" ", "_"): "18-20"})
    found = left(rebuilt(), of_an_older_version(replay) if older else replay)
    if why not in UNSETTLED:
        assert not found
        return
    (one,) = found
    assert (one.keys, one.of, len(one.why)) == (3, 20, 1)
    assert one.in_words == f"3 keys of redis-a are only in a file ({one.why[0]})"
    if why is Left.NOT_CONFIRMED:
        assert one.why == ("left by ann@ops1 on 2026-11-21",)
    assert why.value in replay.entries[-1].data["keys"]["left"]
    assert "{" not in one.in_words
    fates = kept_fates([rebuilt(), replay])
    parts = {part.heading: part.items for part in run_ending(RUN, rebuilt().entries, fates)}
    assert "3 keys are still only there" in repr(parts[REMAINS])
    assert "17 of its 20 keys have come back" in repr(parts[BACKUPS])


def test_several_replays_settle_together_and_the_newest_that_looked_at_a_key_decides():
    declined = replayed(brought="1-15", not_confirmed="16-20")
    rest = replayed(patterns=("x*",), brought="16-19", at=NOW + 60)
    (one,) = left(rebuilt(), declined, rest)
    assert one.in_words == "1 key of redis-a is only in a file (left by ann@ops1 on 2026-11-21)"
    assert not left(rebuilt(), declined, rest, replayed(brought="", equal="1-20", at=NOW + 120))
    (again,) = left(rebuilt(), declined, rest, replayed(brought="", not_confirmed="1-20", at=NOW + 120))
    assert again.keys == 20, "the master lost them since, and the operator left them"
    (mixed,) = left(rebuilt(), replayed(brought="1-17", refused="18", not_confirmed="19-20"))
    assert mixed.why == ("2 left by ann@ops1 on 2026-11-21", "1 refused by the server")


def test_what_was_gone_again_at_the_end_or_went_to_another_server_is_not_settled():
    told = [(one.kind, {**one.data}) for one in replayed().entries]
    told[-1][1]["keys"] = {**told[-1][1]["keys"], "all_gone": True}
    gone = replay_run("20261121T084000Z-cache-replay-1", "/runs/2", lines_of(told), under_way=False)
    assert [one.keys for one in left(rebuilt(), gone)] == [20]
    told = [(one.kind, {**one.data}) for one in replayed(brought="1-5").entries]
    told.insert(-1, ("bound", {"roles": {"master": "redis-c"}}))
    moved = replay_run("20261121T084000Z-cache-replay-2", "/runs/2", lines_of(told), under_way=False)
    assert [one.keys for one in left(rebuilt(), moved)] == [20]


def test_keys_with_equal_values_in_two_files_are_settled_together():
    second = FILE.replace(".jsonl", "-2.jsonl")
    held = {FILE: {1: "a", 2: "b"}, second: {1: "b", 2: "c"}}
    told = [(one.kind, {**one.data}) for one in rebuilt("2 are not on redis-b").entries]
    answer = {"kind": "done", "text": f"looked at all 9 keys: 2 are not on redis-b; written to {second}"}
    planned = {"node": "redis-a", "command": {"sent": SENT}}
    told[3:3] = [
        ("intent", {"step": 1, "verb": "export-differences", "planned": planned}),
        ("result", {"step": 1, "answer": answer}),
    ]
    run = replay_run(RUN, "/runs/1", lines_of(told), under_way=False)
    found = kept_keys(
        [run, replayed(file=second, brought="1-2", at=NOW + 60)], lambda _: False, lambda path: held.get(path, {})
    )
    assert [(one.file, one.keys, one.settled) for one in found] == [(FILE, 1, {2})]
    declined = replayed(file=FILE, brought="", not_confirmed="1-2", at=NOW + 120)
    found = kept_keys(
        [run, replayed(file=second, brought="1-2", at=NOW + 60), declined],
        lambda _: False,
        lambda path: held.get(path, {}),
    )
    assert {one.file: one.keys for one in found} == {FILE: 2}, "the newest replay found them otherwise on the master"


def test_equal_keys_are_settled_only_by_a_later_replay_on_the_same_cluster():
    """The same value may be kept again after it came back, and another cluster may have the same key."""
    other = "20261122T074000Z-cache-resolve-dual-master-5d5d"
    path = f"/runs/{other}/keys-of-redis-a.jsonl"
    held = {FILE: {1: "a"}, path: {1: "a"}}

    def kept_again(at, **opened):
        told = [(one.kind, {**one.data}) for one in rebuilt("1 is not on redis-b").entries]
        told[2][1]["answer"] = {"kind": "done", "text": f"looked at all 9 keys: 1 is not on redis-b; written to {path}"}
        return replay_run(other, "/runs/3", lines_of(told, at, **opened), under_way=False)

    def left_of(again, replay_at):
        runs = [rebuilt("1 is not on redis-b"), again, replayed(brought="1", at=replay_at)]
        return [one.run_id for one in kept_keys(runs, lambda _: False, lambda file: held.get(file, {}))]

    assert left_of(kept_again(NOW + 10), NOW + 60) == []
    assert left_of(kept_again(NOW + 100), NOW + 60) == [other], "it was kept after that key had come back"
    assert left_of(kept_again(NOW + 10, nodes={"web-1": "10.0.0.1:6379"}), NOW + 60) == [other]


def test_a_value_that_came_back_and_was_replaced_again_is_listed_as_only_in_its_file():
    former = "/runs/2/replaced-on-redis-b.jsonl"
    back = [(one.kind, {**one.data}) for one in replayed(run="other-run", brought="1", at=NOW + 60).entries]
    planned = {
        "node": "redis-b",
        "detail": kept_in(former),
        "command": {"sent": "RESTORE of 1 key, line 1 of the file"},
    }
    back[1] = ("intent", {"step": 3, "verb": REPLACES, "planned": planned, "lines": "1"})
    again = replay_run("20261121T094000Z-cache-replay-1a2b", "/runs/2", lines_of(back, NOW + 60), under_way=False)
    held = {FILE: {1: ("stock", 23)}, former: {1: ("stock", 23)}}
    first = rebuilt("1 has another value on redis-b"), replayed(brought="1")
    found = kept_keys([*first, again], lambda _: False, lambda path: held.get(path, {}))
    assert [(one.file, one.reminds) for one in found] == [(former, False)]


def test_keys_of_a_backup_are_no_reminder_as_the_backup_still_has_them():
    order = ReplayOrder("cache", RUN, "redis-a", "", backup="/data/dump.rdb")
    told = [("opened", {"cluster": "cache", "runbook": "replay", "steps": [], "replays": asdict(order)})]
    told += [(one.kind, {**one.data, "verb": "export-disk-keys"}) for one in rebuilt().entries[1:3]]
    assert not left(replay_run("20261121T084000Z-cache-replay-3", "/runs/2", lines_of(told), under_way=False))
